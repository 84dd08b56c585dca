import type { InsCallerInput, InsCallerOutput } from '../../ins-client/core/world.ts';
import { type RunningConversation, runConversation } from '../../ins-client/node/conversation.ts';
import type { Body } from '../../machine/machine.ts';
import { EMPTY_PUT, type PutBlock, type PutItem } from '../../protocol/ins-messages.ts';
import { RANGE_TOKEN_LIFE_SECONDS } from '../../protocol/limits.ts';
import { nameToText } from '../../protocol/names.ts';
import { concatBytes } from '../../protocol/text.ts';
import { encodeToken, NO_LIMITS, OPERATION, type Token, tokenSigned } from '../../protocol/token.ts';
import { nowMs } from '../../runtime/node/clock.ts';
import { type KeyPair, keyPairFromSeed } from '../../runtime/node/crypto.ts';
import { nameOf } from '../../runtime/node/hash.ts';

const keyPairs = new Map<number, KeyPair>();

/** Keys that are the same in every run. */
export function keysOf(number: number): KeyPair {
  const keys = keyPairs.get(number) ?? keyPairFromSeed(new Uint8Array(32).fill(number));
  keyPairs.set(number, keys);
  return keys;
}

/** 32 bytes that stand for a stream or any other collection. */
export function collectionOf(number: number): Uint8Array {
  return new Uint8Array(32).fill(number);
}

/** Bytes that differ with the number. */
export function bytesOf(number: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = number * 2_654_435_761 + 1;
  for (let at = 0; at < length; at++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[at] = state >>> 24;
  }
  return bytes;
}

/** What bytes are compared by: comparing long arrays one by one takes seconds. */
export function hashText(bytes: Body): string {
  return nameToText(nameOf(bytes as Uint8Array));
}

/** A block with a label, ready to be put. */
export function blockOf(
  part: number,
  length = 1_000,
  more: Partial<PutBlock> = {},
): { readonly item: PutBlock; readonly body: Uint8Array } {
  const { track = 0, index = 0 } = more;
  const body = bytesOf(part * 100 + track * 10 + index, length);
  const item = {
    track,
    part,
    index,
    start: part % 4 === 0,
    name: nameOf(body),
    sizeBytes: length,
    companion: Uint8Array.of(part & 0xff, track, index),
    ...more,
  };
  return { item, body };
}

/** An item of a batch that puts it. */
export function putOf(item: PutBlock, token = 0): PutItem {
  return { ...EMPTY_PUT, ...item, token };
}

/** A sealed token; by default a range token for the whole collection, good from now on. */
export function sealToken(
  issuer: KeyPair,
  servers: readonly { readonly key: Uint8Array; readonly url: string }[],
  claims: Partial<Token> = {},
  atMs = nowMs(),
): Uint8Array {
  const seconds = Math.floor(atMs / 1000);
  const token: Token = {
    version: 1,
    issuer: issuer.publicKey,
    servers,
    operations: OPERATION.get,
    names: null,
    collection: collectionOf(1),
    tracks: null,
    from: 0,
    to: 0xffff_ffff,
    notBefore: seconds,
    expires: seconds + RANGE_TOKEN_LIFE_SECONDS,
    id: new Uint8Array(16).fill(7),
    ...NO_LIMITS,
    ...claims,
  };
  const encoded = encodeToken(token);
  return concatBytes(encoded, issuer.sign(tokenSigned(encoded)));
}

type OutputOf<Kind extends InsCallerOutput['kind']> = Extract<InsCallerOutput, { readonly kind: Kind }>;

/** A client over real sockets whose outputs are kept, to be waited for. */
export class TestClient {
  readonly outputs: InsCallerOutput[] = [];
  readonly client: RunningConversation;
  private waiting: (() => void)[] = [];

  constructor(url: string, keys: KeyPair, application = 'test', invitation?: Uint8Array) {
    this.client = runConversation({
      url,
      keys,
      application,
      ...(invitation === undefined ? {} : { invitation }),
      output: (output) => {
        this.outputs.push(output);
        for (const wake of this.waiting.splice(0)) wake();
      },
    });
  }

  input(input: InsCallerInput): void {
    this.client.input(input);
  }

  /** The outputs of one kind so far. */
  of<Kind extends InsCallerOutput['kind']>(kind: Kind): OutputOf<Kind>[] {
    return this.outputs.filter((output): output is OutputOf<Kind> => output.kind === kind);
  }

  /** Waits until there are so many outputs of a kind. */
  async until<Kind extends InsCallerOutput['kind']>(kind: Kind, count = 1): Promise<OutputOf<Kind>[]> {
    const endMs = Date.now() + 8_000;
    while (this.of(kind).length < count) {
      if (Date.now() > endMs) throw new Error(`waited for ${count} ${kind}; there are ${this.summary()}`);
      await new Promise<void>((resolve) => {
        const late = setTimeout(resolve, 100);
        this.waiting.push(() => {
          clearTimeout(late);
          resolve();
        });
      });
    }
    return this.of(kind);
  }

  private summary(): string {
    return JSON.stringify(this.outputs.slice(-8).map((output) => ({ ...output, body: undefined })));
  }
}
