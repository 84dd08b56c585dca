import { sharedNowMs } from '../process.ts';
import type { RawClient } from './client.ts';
import { FrameCounter } from './frames.ts';

/** Latencies in steps of 0.25 ms, up to 5 s. */
export const LATENCY_STEP_MS = 0.25;
export const LATENCY_STEPS = 20_000;

/** Where in a labelled frame's payload the companion begins: a double with the time of the put (ms, {@link sharedNowMs}). */
export const STAMP_AT = 50;

export interface ViewerCounts {
  bytes: number;
  blocks: number;
  failure: string | undefined;
  readonly latencies: Uint32Array;
}

const BLOCK = 0x01;
const PONG = Buffer.from([0x8a, 0x80, 0, 0, 0, 0]);

/** Counts what a follow brings, and how long after its put each block is there whole. */
export function watch(client: RawClient, counts: ViewerCounts): void {
  let nowMs = 0;
  let putAtMs = 0;
  const counter = new FrameCounter({
    began(bytes, at) {
      if (bytes[at] === BLOCK) putAtMs = bytes.readDoubleBE(at + STAMP_AT);
      else {
        putAtMs = 0;
        counts.failure ??= `a message with tag ${bytes[at + 1]}`;
      }
    },
    ended(payload) {
      if (putAtMs === 0) return;
      counts.bytes += payload;
      counts.blocks++;
      const step = Math.floor((nowMs - putAtMs) / LATENCY_STEP_MS);
      counts.latencies[Math.max(0, Math.min(step, LATENCY_STEPS - 1))]!++;
    },
    ping: () => client.socket.write(PONG),
    closed: () => {
      counts.failure ??= 'closed by the server';
    },
  });
  client.stream((bytes, length) => {
    nowMs = sharedNowMs();
    counter.push(bytes, 0, length);
  });
}
