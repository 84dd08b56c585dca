import type { AddressInfo } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';
import { type Calls, serveCalls } from '../process.ts';
import { busyMeter } from './busy.ts';
import { memoryBytes } from './memory.ts';
import { FAN_OUT, JOIN, SEND } from './ws-words.ts';

/** The baseline: a server on the `ws` library that does nothing but send, by reference. No names, no tokens, no queues. */

let frames: Buffer[] = [];
const streams = new Map<number, Set<WebSocket>>();

const server = new WebSocketServer({
  host: '127.0.0.1',
  port: 0,
  perMessageDeflate: false,
  clientTracking: false,
  maxPayload: 2 * 1024 * 1024,
});
server.on('connection', (socket) => {
  socket.on('message', (data: Buffer) => {
    if (data[0] === SEND) {
      const first = data.readUInt16BE(1);
      const count = data.readUInt16BE(3);
      for (let at = 0; at < count; at++) socket.send(frames[(first + at) % frames.length]!);
    } else if (data[0] === JOIN) {
      const joined = streams.get(data[1]!) ?? new Set();
      joined.add(socket);
      streams.set(data[1]!, joined);
      socket.on('close', () => joined.delete(socket));
    } else if (data[0] === FAN_OUT) {
      const frame = data.subarray(2);
      for (const viewer of streams.get(data[1]!) ?? []) {
        if (viewer.readyState === WebSocket.OPEN) viewer.send(frame);
      }
    }
  });
  socket.on('error', () => {});
});

const calls = {
  async start(): Promise<{ readonly host: string; readonly port: number }> {
    if (server.address() === null) await new Promise((resolve) => server.once('listening', resolve));
    return { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
  },
  /** What it sends from now on: so many frames of this size. */
  frames({ count, bytes }: { readonly count: number; readonly bytes: number }): void {
    // The first byte says "block" to those who count.
    frames = Array.from({ length: count }, (_, at) => Buffer.alloc(bytes, at & 0xff));
    for (const frame of frames) frame[0] = 1;
  },
  busy: busyMeter(),
  memory: memoryBytes,
} satisfies Calls;

export type WsCalls = typeof calls;
serveCalls(calls);
