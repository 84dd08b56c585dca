import { type RunningConversation, runConversation } from '../../../ins-client/node/conversation.ts';
import type { PutBlock } from '../../../protocol/ins-messages.ts';
import { makeKeyPair, randomBytes } from '../../../runtime/node/crypto.ts';
import { nameOf } from '../../../runtime/node/hash.ts';
import { sealToken } from '../../ins/helpers.ts';

/** Where an INS server of the bench is. */
export interface InsPlace {
  readonly host: string;
  readonly port: number;
  readonly key: Uint8Array;
}

/** Seconds that tokens of the bench live: the longest that a server accepts. */
const TOKEN_SECONDS = 595;
const EMPTY = new Uint8Array(0);

/** Somebody with a locker on the server, who puts blocks by the real client. */
export class Owner {
  readonly collection = randomBytes(32);
  private readonly keys = makeKeyPair();
  private readonly client: RunningConversation;
  private readonly place: InsPlace;
  private readonly done = new Map<number, () => void>();
  private lastHandle = 0;
  private failure: string | undefined;
  readonly ready: Promise<void>;

  constructor(place: InsPlace) {
    this.place = place;
    let isReady: () => void = () => {};
    this.ready = new Promise((resolve) => {
      isReady = resolve;
    });
    this.client = runConversation({
      url: `ws://${place.host}:${place.port}`,
      keys: this.keys,
      application: 'inswarm/bench',
      output: (output) => {
        if (output.kind === 'ready') isReady();
        else if (output.kind === 'refused') this.failure ??= `a put was refused: ${output.reason}`;
        else if (output.kind === 'done') {
          this.done.get(output.handle)?.();
          this.done.delete(output.handle);
        }
      },
    });
  }

  /** A range token for everything in the collection, sealed. */
  token(): Uint8Array {
    const { host, port, key } = this.place;
    const expires = Math.floor(Date.now() / 1000) + TOKEN_SECONDS;
    return sealToken(this.keys, [{ key, url: `ws://${host}:${port}` }], { collection: this.collection, expires });
  }

  /** Puts one block; nobody waits. @throws when an earlier one was refused. */
  put(part: number, body: Uint8Array, ttlSeconds: number, companion: Uint8Array = EMPTY): void {
    if (this.failure !== undefined) throw new Error(this.failure);
    const name = nameOf(body);
    const item: PutBlock = { track: 0, part, index: 0, start: true, name, sizeBytes: body.length, companion };
    const { collection } = this;
    this.client.input({
      kind: 'put',
      handle: ++this.lastHandle,
      collection,
      ttlSeconds,
      items: [item],
      bodies: [body],
    });
  }

  /** Puts blocks of random bytes and waits until they can be had. */
  async fill(
    count: number,
    blockBytes: number,
  ): Promise<{ readonly names: Uint8Array[]; readonly bodies: Uint8Array[] }> {
    await this.ready;
    const bodies = Array.from({ length: count }, () => randomBytes(blockBytes));
    for (const [part, body] of bodies.entries()) {
      const stored = new Promise<void>((resolve) => this.done.set(this.lastHandle + 1, resolve));
      this.put(part, body, 3_600);
      await stored;
    }
    if (this.failure !== undefined) throw new Error(this.failure);
    return { names: bodies.map(nameOf), bodies };
  }

  close(): Promise<void> {
    return this.client.close();
  }
}
