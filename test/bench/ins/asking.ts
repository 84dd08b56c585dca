import { EMPTY_BATCH, EMPTY_GET, insClientCodec } from '../../../protocol/ins-messages.ts';
import { clientFrame } from './load/frames.ts';
import { JOIN, SEND } from './servers/ws-words.ts';

/** The messages that the load sends, made once. */

/** Different batches to take turns with: nobody asks for the same blocks all the time. */
const VARIETY = 32;

/** Batches by name under alias 1, by request slot. */
export function insBatches(names: readonly Uint8Array[], perBatch: number, slots = 1): Uint8Array[][] {
  return Array.from({ length: slots }, (_, slot) =>
    Array.from({ length: Math.min(VARIETY, names.length) }, (_, turn) => {
      const gets = Array.from({ length: perBatch }, (_, at) => ({
        ...EMPTY_GET,
        token: 1,
        name: names[(turn * perBatch + at) % names.length]!,
      }));
      const message = { ...EMPTY_BATCH, request: slot + 1, gets };
      return clientFrame(insClientCodec.encode(message));
    }),
  );
}

/** The same for the baseline. */
export function wsBatches(frames: number, perBatch: number, slots = 1): Uint8Array[][] {
  return Array.from({ length: slots }, () =>
    Array.from({ length: Math.min(VARIETY, frames) }, (_, turn) => {
      const message = Buffer.alloc(5);
      message[0] = SEND;
      message.writeUInt16BE((turn * perBatch) % frames, 1);
      message.writeUInt16BE(perBatch, 3);
      return clientFrame(message);
    }),
  );
}

export function httpRequests(count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, at) => Buffer.from(`GET /${at} HTTP/1.1\r\nHost: bench\r\n\r\n`));
}

/** Follows a collection under alias 1, from now on. */
export function followMessage(collection: Uint8Array, from: number): Uint8Array {
  const message = {
    type: 'follow',
    request: 1,
    keep: false,
    token: 1,
    collection,
    tracks: [],
    from,
    priority: 'normal',
  } as const;
  return clientFrame(insClientCodec.encode(message));
}

export function joinMessage(stream: number): Uint8Array {
  return clientFrame(Uint8Array.of(JOIN, stream));
}
