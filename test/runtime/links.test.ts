import { createServer } from 'node:http';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { encodeBlockHeader } from '../../protocol/frames.ts';
import { CLOSE } from '../../protocol/reasons.ts';
import { dialLink, type Link, type LinkEvents, type LinkLimits } from '../../runtime/node/ws-link.ts';
import {
  type AcceptOptions,
  acceptWebSockets,
  listenWebSockets,
  type WebSocketListener,
} from '../../runtime/node/ws-server.ts';

/** What a link has told, and ways to wait for it. */
class Told implements LinkEvents {
  readonly control_: Uint8Array[] = [];
  readonly blocks: Uint8Array[] = [];
  readonly drains: number[] = [];
  isOpen = false;
  end: { readonly code: number; readonly why: string } | undefined;
  opened(): void {
    this.isOpen = true;
  }
  control(bytes: Uint8Array): void {
    this.control_.push(bytes);
  }
  block(frame: Uint8Array): void {
    this.blocks.push(frame);
  }
  drained(leftBytes: number): void {
    this.drains.push(leftBytes);
  }
  closed(code: number, why: string): void {
    if (this.end !== undefined) throw new Error('closed twice');
    this.end = { code, why };
  }
}

async function until(what: () => boolean): Promise<void> {
  const endMs = Date.now() + 8_000;
  while (!what()) {
    if (Date.now() > endMs) throw new Error(`waited for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

describe('a link', () => {
  const listeners: WebSocketListener[] = [];
  afterEach(async () => {
    await Promise.all(listeners.splice(0).map((listener) => listener.close()));
  });

  /** A server that keeps what its links tell. */
  const listen = async (
    options: AcceptOptions = {},
  ): Promise<{ listener: WebSocketListener; told: Told[]; links: Link[] }> => {
    const told: Told[] = [];
    const links: Link[] = [];
    const listener = await listenWebSockets({ host: '127.0.0.1', port: 0 }, options, (link) => {
      links.push(link);
      told.push(new Told());
      return told.at(-1)!;
    });
    listeners.push(listener);
    return { listener, told, links };
  };
  const dial = (url: string, limits: Partial<LinkLimits> = {}): { told: Told; link: Link } => {
    const told = new Told();
    return { told, link: dialLink(url, told, { limits }) };
  };
  const pair = async (options: AcceptOptions = {}) => {
    const server = await listen(options);
    const client = dial(server.listener.url);
    await until(() => server.told.length === 1 && client.told.isOpen);
    return { ...server, client, far: { told: server.told[0]!, link: server.links[0]! } };
  };
  const header = Uint8Array.of(1, 0, 0, 0, 0, 9, 0, 0);

  it('carries control messages and blocks both ways, told apart, in order', async () => {
    const { client, far } = await pair();
    const block = new Uint8Array(100_000).fill(7);
    for (const [from, to] of [
      [client, far],
      [far, client],
    ] as const) {
      from.link.sendControl(Uint8Array.of(0x91, 1));
      from.link.sendBlock(header, block);
      from.link.sendControl(Uint8Array.of(0x91, 2));
      await until(() => to.told.control_.length === 2);
      expect(to.told.control_.map((bytes) => [...bytes])).toEqual([
        [0x91, 1],
        [0x91, 2],
      ]);
      expect(Buffer.compare(to.told.blocks[0]!, Buffer.concat([header, block]))).toBe(0);
      expect(block.every((byte) => byte === 7)).toBe(true);
    }
  });

  it('counts payload and frame headers, control and data apart, and keeps the sum when links are gone', async () => {
    const { client, far, listener } = await pair();
    const lengths = [100, 200, 70_000];
    for (const length of lengths) {
      client.link.sendControl(new Uint8Array(Math.min(length, 60_000)).fill(0x90));
      far.link.sendBlock(header, new Uint8Array(length));
    }
    await until(() => far.told.control_.length === 3 && client.told.blocks.length === 3);
    // Masked: 2, 4 or 10 bytes of header and 4 of mask.
    const control = 100 + 6 + (200 + 8) + (60_000 + 8);
    const data = lengths.reduce((sum, length) => sum + length + 8, 0) + 2 + 4 + 10;
    expect(client.link.counters).toEqual({ controlIn: 0, controlOut: control, dataIn: data, dataOut: 0 });
    expect(far.link.counters).toEqual({ controlIn: control, controlOut: 0, dataIn: 0, dataOut: data });
    client.link.close(1000, 'done');
    await until(() => listener.linkCount === 0);
    expect(listener.counters).toEqual(far.link.counters);
  });

  it('counts at the end that listens what the one that dialled counts, whatever comes before a block, and however short it is', async () => {
    const { client, far } = await pair();
    const label = { track: 1, part: 2, index: 0, name: new Uint8Array(33), start: true };
    const headers = [0, 76, 200].map((bytes) => {
      const labelled = { ...label, companion: new Uint8Array(bytes), ...(bytes === 76 ? { lifeSeconds: 9 } : {}) };
      return encodeBlockHeader({ request: 1, item: 0, kept: false, labelled });
    });
    const lengths = [1, 120, 65_530, 100_000];
    for (const before of [header, ...headers])
      for (const length of lengths) client.link.sendBlock(before, new Uint8Array(length));
    await until(() => far.told.blocks.length === 16);
    expect(far.link.counters.dataIn).toBe(client.link.counters.dataOut);
    expect(far.link.connection()!.receivedBytes).toBe(client.link.connection()!.sentBytes);
  });

  it('counts what comes while it closes, and tells nobody of it', async () => {
    const { client, far, listener } = await pair();
    client.link.sendControl(Uint8Array.of(0x91, 1));
    client.link.sendBlock(header, new Uint8Array(30_000));
    far.link.close(1000, 'done');
    await until(() => listener.linkCount === 0);
    const { controlOut, dataOut } = client.link.counters;
    expect(far.link.counters).toMatchObject({ controlIn: controlOut, dataIn: dataOut });
    expect([far.told.control_, far.told.blocks]).toEqual([[], []]);
  });

  it('hands over small blocks that do not keep the receive buffer alive', async () => {
    const { client, far } = await pair();
    for (let count = 0; count < 50; count++) far.link.sendBlock(header, new Uint8Array(1_000));
    await until(() => client.told.blocks.length === 50);
    for (const frame of client.told.blocks) expect(frame.buffer.byteLength).toBeLessThan(10_000);
  });

  it('tells when all that was sent has left', async () => {
    const { client, far } = await pair();
    for (let count = 0; count < 20; count++) far.link.sendBlock(header, new Uint8Array(50_000));
    await until(() => client.told.blocks.length === 20);
    await until(() => far.told.drains.at(-1) === 0);
    expect(far.link.bufferedBytes).toBe(0);
  });

  it('closes with code and reason on both sides, and tells nothing that comes after', async () => {
    const { client, far } = await pair();
    far.link.sendControl(Uint8Array.of(0x90));
    client.link.close(CLOSE.replaced, 'a newer one');
    client.link.sendControl(Uint8Array.of(0x90));
    client.link.close(1000, 'again');
    await until(() => client.told.end !== undefined && far.told.end !== undefined);
    expect(client.told).toMatchObject({ end: { code: CLOSE.replaced, why: 'a newer one' }, control_: [] });
    expect(far.told).toMatchObject({ end: { code: CLOSE.replaced, why: 'a newer one' }, control_: [] });
  });

  it('that cannot be dialled closes, and says why', async () => {
    const nobody = dial('ws://127.0.0.1:1');
    const nonsense = dial('http//what');
    const guarded = new Told();
    dialLink('ws://localhost:1', guarded, { mayReach: () => false });
    await until(() => [nobody.told, nonsense.told, guarded].every(({ end }) => end !== undefined));
    expect(nobody.told.end?.why).toContain('ECONNREFUSED');
    expect(nonsense.told.end?.why).toContain('http//what');
    expect(guarded.end?.why).toContain('may not be dialled');
    nobody.link.sendControl(Uint8Array.of(0x90));
  });

  it('that is closed while it is dialled never opens', async () => {
    const { listener } = await listen();
    const { told, link } = dial(listener.url);
    link.close(1000, 'changed my mind');
    await until(() => told.end !== undefined);
    expect(told.isOpen).toBe(false);
  });

  it('understands binary messages only, within its bounds', async () => {
    const { listener, told } = await listen({ limits: { messageBytesMax: 100_000 } });
    const send = async (data: string | Uint8Array): Promise<number> => {
      const socket = new WebSocket(listener.url);
      socket.on('error', () => {});
      socket.on('open', () => socket.send(data));
      const code = await new Promise<number>((resolve) => socket.on('close', resolve));
      return code;
    };
    expect(await send('text')).toBe(1003);
    expect(await send(new Uint8Array(70_000).fill(0x90))).toBe(CLOSE.tooBig);
    expect(await send(new Uint8Array(100_001).fill(1))).toBe(CLOSE.tooBig);
    expect(told.flatMap((each) => [...each.control_, ...each.blocks])).toEqual([]);
  });

  it('ends when the other side answers no ping', async () => {
    const { listener, told } = await listen({ limits: { idleMs: 2_000 } });
    // A WebSocket by hand that reads and never answers.
    const socket = await handshake(listener.port);
    socket.resume();
    await until(() => told[0]?.end !== undefined);
    expect(told[0]?.end?.code).toBe(CLOSE.idle);
    socket.destroy();
  });

  it('ends when the reader takes nothing, and when too much waits for it', async () => {
    const { listener, told, links } = await listen({ limits: { stallMs: 1_500, bufferedBytesMax: 12_000_000 } });
    const sockets = [await handshake(listener.port), await handshake(listener.port)];
    await until(() => links.length === 2);
    for (const socket of sockets) socket.pause();
    for (let count = 0; count < 9; count++) links[0]?.sendBlock(header, new Uint8Array(1_000_000));
    for (let count = 0; count < 30; count++) links[1]?.sendBlock(header, new Uint8Array(1_000_000));
    expect(links[1]?.bufferedBytes).toBeLessThan(14_000_000);
    await until(() => told.every(({ end }) => end !== undefined));
    expect(told.map(({ end }) => end?.code)).toEqual([CLOSE.slow, CLOSE.slow]);
    for (const socket of sockets) socket.destroy();
  });

  it('is refused by path, by origin, and when there are too many', async () => {
    const { listener } = await listen({ path: '/ws', origins: ['https://good.example'], linksMax: 1 });
    const status = (path: string, origin?: string): Promise<number> =>
      new Promise((resolve) => {
        const socket = new WebSocket(`${listener.url}${path}`, origin === undefined ? {} : { origin });
        socket.on('unexpected-response', (request, response) => {
          resolve(response.statusCode ?? 0);
          request.destroy();
        });
        socket.on('error', () => {});
        socket.on('open', () => resolve(101));
      });
    expect(await status('/other')).toBe(404);
    expect(await status('/ws', 'https://bad.example')).toBe(403);
    expect(await status('/ws?x=1', 'https://good.example')).toBe(101);
    expect(await status('/ws')).toBe(503);
  });

  it('shares a server with others, and leaves it running', async () => {
    const server = createServer((_request, response) => response.end('page'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const told = new Told();
    const acceptor = acceptWebSockets(server, {}, () => told);
    const { told: near } = dial(`ws://127.0.0.1:${port}/`);
    await until(() => near.isOpen);
    await acceptor.close();
    expect(told.end?.code).toBe(CLOSE.goingAway);
    expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('page');
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  it('that nobody can listen for says which address is taken', async () => {
    const { listener } = await listen();
    const taken = listenWebSockets({ host: '127.0.0.1', port: listener.port }, {}, () => new Told());
    await expect(taken).rejects.toMatchObject({
      message: `127.0.0.1:${listener.port} is taken by another program`,
      code: 'EADDRINUSE',
      port: listener.port,
    });
    const foreign = listenWebSockets({ host: '192.0.2.1', port: 0 }, {}, () => new Told());
    await expect(foreign).rejects.toThrow('is not an address of this machine');
  });

  it('leaves no timer and no socket behind', async () => {
    const held = (): number =>
      process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout' || kind === 'TCPSocketWrap').length;
    await until(() => !process.getActiveResourcesInfo().includes('TCPSocketWrap'));
    const before = held();
    const { client, listener, far } = await pair();
    expect(held()).toBeGreaterThan(before);
    await listener.close();
    await until(() => client.told.end !== undefined && held() <= before);
    expect(far.told.end?.code).toBe(CLOSE.goingAway);
  });
});

/** Opens a WebSocket without a library, so that it can misbehave. */
function handshake(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  socket.write(
    'GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
      'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n',
  );
  return new Promise((resolve) => socket.once('data', () => resolve(socket)));
}
