import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Transport } from '../../runtime/node/transport.ts';
import { type Gate, openGate } from '../harness/browser/gate.ts';

let echo: Server;
let gate: Gate;
/** Where the gate has led. */
const dialled: string[] = [];
const transport: Transport = {
  connect(options) {
    dialled.push(`${options.host}:${options.port}`);
    return connect(options);
  },
  accepted: (socket) => socket,
};
const clients: Socket[] = [];
const accepted: Socket[] = [];

beforeAll(async () => {
  // Says everything back, and its own word at the end.
  echo = createServer({ allowHalfOpen: true }, (socket) => {
    accepted.push(socket);
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => socket.write(bytes));
    socket.on('end', () => socket.end('bye'));
  }).listen(0, '127.0.0.1');
  await once(echo, 'listening');
  gate = await openGate(transport);
});

afterEach(() => {
  for (const client of clients.splice(0)) client.destroy();
});

afterAll(async () => {
  await gate.close();
  echo.close();
});

function port(): number {
  return (echo.address() as AddressInfo).port;
}

async function dial(): Promise<{ socket: Socket; read(bytes: number): Promise<Buffer>; all(): Promise<Buffer> }> {
  const socket = connect({ host: '127.0.0.1', port: Number(new URL(gate.url).port), allowHalfOpen: true });
  clients.push(socket);
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  let there = Buffer.alloc(0);
  socket.on('data', (bytes: Buffer) => {
    there = Buffer.concat([there, bytes]);
  });
  return {
    socket,
    async read(bytes) {
      while (there.length < bytes) await once(socket, 'data');
      const taken = there.subarray(0, bytes);
      there = there.subarray(bytes);
      return taken;
    },
    async all() {
      if (!socket.readableEnded && !socket.destroyed) await Promise.race([once(socket, 'end'), once(socket, 'close')]);
      return there;
    },
  };
}

function request(host: string, to: number): Buffer {
  const name = Buffer.from(host);
  return Buffer.from([5, 1, 0, 3, name.length, ...name, to >> 8, to & 255]);
}

const GREETING = Buffer.from([5, 1, 0]);
const DONE = Buffer.from([5, 0, 0, 1, 0, 0, 0, 0, 0, 0]);

describe('the gate of a player', () => {
  it('leads to an address by the transport of its host, both ways, and an end goes through', async () => {
    const { socket, read, all } = await dial();
    socket.write(GREETING);
    expect(await read(2)).toEqual(Buffer.from([5, 0]));
    socket.write(request('127.0.0.1', port()));
    expect(await read(10)).toEqual(DONE);
    expect(dialled.at(-1)).toBe(`127.0.0.1:${port()}`);
    const much = Buffer.alloc(3_000_000, 'much');
    socket.write(much);
    expect((await read(much.length)).equals(much)).toBe(true);
    socket.end();
    expect((await all()).toString()).toBe('bye');
  });

  it('understands words that come byte by byte, and what comes behind them before it was asked for', async () => {
    const { socket, read } = await dial();
    socket.setNoDelay(true);
    for (const byte of [...GREETING, ...request('127.0.0.1', port())]) {
      socket.write(Uint8Array.of(byte));
      await new Promise((resolve) => setImmediate(resolve));
    }
    socket.write('hello');
    expect(await read(2 + 10 + 5)).toEqual(Buffer.concat([Buffer.from([5, 0]), DONE, Buffer.from('hello')]));
  });

  it('looks up no names, and says so', async () => {
    const before = dialled.length;
    const { socket, all } = await dial();
    socket.write(Buffer.concat([GREETING, request('example.org', 80)]));
    expect((await all()).subarray(2, 4)).toEqual(Buffer.from([5, 2]));
    expect(dialled.length).toBe(before);
  });

  it('says when nobody answers there', async () => {
    const closed = createServer().listen(0, '127.0.0.1');
    await once(closed, 'listening');
    const free = (closed.address() as AddressInfo).port;
    closed.close();
    await once(closed, 'close');
    const { socket, all } = await dial();
    socket.write(Buffer.concat([GREETING, request('127.0.0.1', free)]));
    expect((await all()).subarray(2, 4)).toEqual(Buffer.from([5, 4]));
  });

  it('breaks one side when the other breaks', async () => {
    const { socket, read } = await dial();
    socket.write(Buffer.concat([GREETING, request('127.0.0.1', port()), Buffer.from('x')]));
    await read(13);
    const closed = once(socket, 'close');
    accepted.at(-1)!.resetAndDestroy();
    socket.resume();
    await once(socket, 'end').then(() => socket.end());
    await closed;
    expect(socket.destroyed).toBe(true);
  });

  it.each([
    ['what is no SOCKS5', Buffer.from('GET / HTTP/1.1\r\n\r\n'), []],
    ['what it does not do', Buffer.concat([GREETING, Buffer.from([5, 2, 0, 1, 127, 0, 0, 1, 0, 80])]), [5, 0, 5, 7]],
    ['addresses of another kind', Buffer.concat([GREETING, Buffer.alloc(30, 4).fill(5, 0, 2)]), [5, 0, 5, 7]],
  ])('ends with the reason where it may not be silent: %s', async (_, bytes, says) => {
    const before = dialled.length;
    const { socket, all } = await dial();
    socket.write(bytes);
    expect([...(await all()).subarray(0, 4)]).toEqual(says);
    expect(dialled.length).toBe(before);
  });
});
