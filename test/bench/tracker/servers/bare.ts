import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import { joinSigned, toTrackerCodec } from '../../../../protocol/tracker-messages.ts';
import { randomBytes, verifySignature } from '../../../../runtime/node/crypto.ts';
import { type Calls, serveCalls } from '../../ins/process.ts';
import { busyMeter } from '../../ins/servers/busy.ts';
import { JOINED, WELCOME_HEAD } from '../words.ts';

/**
 * The baseline: a server on the `ws` library that sends a nonce to whoever comes, verifies the signature in what is answered, and
 * answers with as many bytes as a tracker does. It keeps nothing, chooses nobody, and limits nothing.
 */

let answer = Buffer.alloc(1);

const http = createServer();
const sockets = new WebSocketServer({
  server: http,
  perMessageDeflate: false,
  clientTracking: false,
  maxPayload: 65_536,
});
sockets.on('connection', (socket) => {
  const nonce = randomBytes(32);
  socket.send(Buffer.concat([WELCOME_HEAD, nonce]));
  socket.on('message', (data: Buffer) => {
    const decoded = toTrackerCodec.decode(data);
    if (!decoded.ok || decoded.message?.type !== 'join') return;
    const { stream, key, proof } = decoded.message;
    if (verifySignature(key, joinSigned(nonce, stream, key), proof)) socket.send(answer);
    else socket.terminate();
  });
  socket.on('error', () => {});
});

const calls = {
  async start(): Promise<{ readonly host: string; readonly port: number }> {
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    return { host: '127.0.0.1', port: (http.address() as AddressInfo).port };
  },
  /** How long its answers are. */
  answer(bytes: number): void {
    answer = Buffer.alloc(bytes);
    answer.set(JOINED);
  },
  busy: busyMeter(),
} satisfies Calls;

export type BareCalls = typeof calls;
serveCalls(calls);
