import type { RawClient } from './client.ts';
import { FrameCounter } from './frames.ts';

/** One connection that asks for the next batch as soon as one is answered. */
export interface Asker {
  start(): void;
  /** Nothing more is asked for. */
  stop(): void;
}

export interface Counts {
  bytes: number;
  blocks: number;
  /** Answers that were none: what went wrong first. */
  failure: string | undefined;
}

/** First bytes of `done` (tag 68) and of a block frame. */
const DONE = 68;
const BLOCK = 0x01;
const PONG = Buffer.from([0x8a, 0x80, 0, 0, 0, 0]);

/**
 * Over WebSocket.
 *
 * @param batches - By request slot (the number on the wire), the messages to send in turn.
 * @param blocksPerBatch - Where the server says no `done`, so many blocks are an answer.
 */
export function frameAsker(
  client: RawClient,
  batches: readonly (readonly Buffer[])[],
  blocksPerBatch: number | undefined,
  counts: Counts,
): Asker {
  let running = false;
  let turn = Math.floor(Math.random() * batches[0]!.length);
  let blocks = 0;
  let open = 0;
  const ask = (slot: number): void => {
    if (!running) return;
    const messages = batches[slot]!;
    turn = (turn + 1) % messages.length;
    open++;
    client.socket.write(messages[turn]!);
  };
  const counter = new FrameCounter({
    began(bytes, at) {
      if (bytes[at] === BLOCK) return;
      if (bytes[at + 1] === DONE) {
        open--;
        ask(bytes[at + 2]! - 1);
      } else counts.failure ??= `a message with tag ${bytes[at + 1]}`;
    },
    ended(payload) {
      // Control messages here are a few bytes long.
      if (payload < 16) return;
      counts.bytes += payload;
      counts.blocks++;
      if (blocksPerBatch === undefined || ++blocks < blocksPerBatch) return;
      blocks = 0;
      open--;
      ask(0);
    },
    ping: () => client.socket.write(PONG),
    closed: () => {
      counts.failure ??= 'closed by the server';
    },
  });
  client.stream((bytes, length) => counter.push(bytes, 0, length));
  return {
    start() {
      running = true;
      // What is still under way from before goes on by itself.
      for (let slot = 0; open < batches.length; slot++) ask(slot % batches.length);
    },
    stop() {
      running = false;
    },
  };
}

/** Over HTTP with keep-alive. All answers are equally long: the first tells how long their headers are. */
export function httpAsker(client: RawClient, requests: readonly Buffer[], blockBytes: number, counts: Counts): Asker {
  let running = false;
  let turn = Math.floor(Math.random() * requests.length);
  let headerBytes: number | undefined;
  let got = 0;
  let open = false;
  const ask = (): void => {
    if (!running) return;
    open = true;
    turn = (turn + 1) % requests.length;
    client.socket.write(requests[turn]!);
  };
  client.stream((bytes, length) => {
    if (got === 0) {
      const begin = bytes.toString('latin1', 0, Math.min(length, 512));
      const end = begin.indexOf('\r\n\r\n');
      if (!begin.startsWith('HTTP/1.1 200') || end < 0) counts.failure ??= begin;
      headerBytes ??= end + 4;
    }
    got += length;
    if (got < headerBytes! + blockBytes) return;
    got = 0;
    counts.bytes += blockBytes;
    counts.blocks++;
    open = false;
    ask();
  });
  return {
    start() {
      running = true;
      if (!open) ask();
    },
    stop() {
      running = false;
    },
  };
}
