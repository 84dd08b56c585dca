import { WebSocket } from 'ws';
import { encodeBlockHeader } from '../../../protocol/frames.ts';
import { randomBytes } from '../../../runtime/node/crypto.ts';
import { nameOf } from '../../../runtime/node/hash.ts';
import type { Owner } from './owner.ts';
import { sharedNowMs } from './process.ts';
import { FAN_OUT } from './servers/ws-words.ts';

/** Somebody who puts one block after the other for others to follow. */
export interface Source {
  put(): void;
  close(): Promise<void>;
}

/** Bytes of a companion: a sealed index record of one block is as long. Its first 8 bytes tell when it was put. */
const COMPANION_BYTES = 256;
/** Seconds for which the server keeps a block: long enough to be sent to everybody. */
const TTL_SECONDS = 10;

/** Blocks of one size, all different, with a companion that tells the time. */
function makeBlocks(blockBytes: number): (part: number) => { readonly body: Uint8Array; readonly companion: Buffer } {
  const pattern = randomBytes(blockBytes);
  return (part) => {
    const body = pattern.slice();
    new DataView(body.buffer).setUint32(0, part);
    const companion = Buffer.alloc(COMPANION_BYTES);
    companion.writeDoubleBE(sharedNowMs());
    return { body, companion };
  };
}

export function insSource(owner: Owner, blockBytes: number): Source {
  const block = makeBlocks(blockBytes);
  let part = 0;
  return {
    put() {
      const { body, companion } = block(part);
      owner.put(part++, body, TTL_SECONDS, companion);
    },
    close: () => owner.close(),
  };
}

/** The same frames through the baseline server, which sends on what it is given. */
export async function wsSource(url: string, stream: number, blockBytes: number): Promise<Source> {
  const socket = new WebSocket(url, { perMessageDeflate: false });
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
  const block = makeBlocks(blockBytes);
  let part = 0;
  return {
    put() {
      const { body, companion } = block(part);
      const label = { track: 0, part: part++, index: 0, name: nameOf(body), start: true, companion };
      const header = encodeBlockHeader({ request: 1, item: 0, kept: false, labelled: label });
      socket.send(Buffer.concat([Uint8Array.of(FAN_OUT, stream), header, body]));
    },
    async close() {
      socket.terminate();
    },
  };
}

/** Calls `put` at a steady pace, catching up when a timer comes late. Returns what ends it. */
export function atPace(everyMs: number, put: (number: number) => void): () => void {
  const startMs = performance.now();
  let next = 0;
  let timer: NodeJS.Timeout;
  const tick = (): void => {
    const dueMs = performance.now() - startMs;
    while (next * everyMs <= dueMs) put(next++);
    timer = setTimeout(tick, Math.max(0, next * everyMs - (performance.now() - startMs)));
  };
  tick();
  return () => clearTimeout(timer);
}
