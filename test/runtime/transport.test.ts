import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { afterEach, describe, expect, it } from 'vitest';
import { CLOSE } from '../../protocol/reasons.ts';
import { createHttpServer } from '../../runtime/node/http.ts';
import { type Transport, TransportStream, tcpFrom } from '../../runtime/node/transport.ts';
import { dialLink, type Link, type LinkEvents, type LinkOptions } from '../../runtime/node/ws-link.ts';
import { type ListenOptions, listenWebSockets, type WebSocketListener } from '../../runtime/node/ws-server.ts';

/** A socket in a stream of its own, from which bytes leave as many at a time as the test lets go. */
class ValveStream extends TransportStream {
  waitingBytes = 0;
  bytesRead = 0;
  readonly socket: Socket;
  private readonly waiting: { bytes: Uint8Array; readonly done: ((error?: Error | null) => void) | undefined }[] = [];
  private open = Number.POSITIVE_INFINITY;

  constructor(socket: Socket) {
    super({ allowHalfOpen: false });
    this.socket = socket;
    socket.on('connect', () => this.emit('connect'));
    socket.on('data', (bytes) => {
      this.bytesRead += bytes.length;
      this.push(bytes);
    });
    socket.on('end', () => this.push(null));
    socket.on('error', (error) => this.destroy(error));
    socket.on('close', () => this.destroy());
  }

  get remoteAddress(): string | undefined {
    return this.socket.remoteAddress;
  }

  /** From now on only so many bytes leave. */
  letThrough(bytes: number): void {
    this.open = bytes;
    this.flow();
  }

  override _read(): void {}

  override _write(chunk: Uint8Array, _: string, done: (error?: Error | null) => void): void {
    this._writev([{ chunk }], done);
  }

  override _writev(pieces: readonly { readonly chunk: Uint8Array }[], done: (error?: Error | null) => void): void {
    for (const [at, { chunk }] of pieces.entries()) {
      this.waiting.push({ bytes: chunk, done: at === pieces.length - 1 ? done : undefined });
      this.waitingBytes += chunk.length;
    }
    this.flow();
  }

  override _final(done: () => void): void {
    this.socket.end(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.socket.destroy();
    done(error);
  }

  private flow(): void {
    for (let first = this.waiting[0]; first !== undefined && this.open > 0; first = this.waiting[0]) {
      const now = first.bytes.subarray(0, this.open);
      this.socket.write(now);
      this.open -= now.length;
      this.waitingBytes -= now.length;
      first.bytes = first.bytes.subarray(now.length);
      if (first.bytes.length > 0) return;
      this.waiting.shift();
      first.done?.();
    }
  }
}

/** Keeps the streams that it made. */
class Valves implements Transport {
  readonly dialled: ValveStream[] = [];
  readonly taken: ValveStream[] = [];
  connect(options: Parameters<Transport['connect']>[0]): Duplex {
    this.dialled.push(new ValveStream(connect(options)));
    return this.dialled.at(-1)!;
  }
  accepted(socket: Socket): Duplex {
    this.taken.push(new ValveStream(socket));
    return this.taken.at(-1)!;
  }
}

class Told implements LinkEvents {
  readonly messages: Uint8Array[] = [];
  readonly blocks: Uint8Array[] = [];
  readonly drains: number[] = [];
  isOpen = false;
  end: { readonly code: number; readonly why: string } | undefined;
  opened(): void {
    this.isOpen = true;
  }
  control(bytes: Uint8Array): void {
    this.messages.push(bytes);
  }
  block(frame: Uint8Array): void {
    this.blocks.push(frame);
  }
  drained(leftBytes: number): void {
    this.drains.push(leftBytes);
  }
  closed(code: number, why: string): void {
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

const HEADER = Uint8Array.of(1, 0, 0, 0, 0, 9, 0, 0);

describe('the transport of a shell', () => {
  const ends: (() => unknown)[] = [];
  afterEach(async () => {
    for (const end of ends.splice(0).reverse()) await end();
  });

  const listen = async (options: ListenOptions = {}) => {
    const far: { readonly link: Link; readonly told: Told; readonly address: string }[] = [];
    const listener = await listenWebSockets({ host: '127.0.0.1', port: 0 }, options, (link, { address }) => {
      far.push({ link, told: new Told(), address });
      return far.at(-1)!.told;
    });
    ends.push(() => listener.close());
    return { listener, far };
  };
  const dial = async ({ url }: WebSocketListener, options: LinkOptions = {}) => {
    const told = new Told();
    const link = dialLink(url, told, options);
    ends.push(() => link.close(1000, 'done'));
    await until(() => told.isOpen || told.end !== undefined);
    return { link, told };
  };

  it('says where dials come from', async () => {
    const { listener, far } = await listen();
    await dial(listener, { transport: tcpFrom('127.45.6.7') });
    expect(far[0]!.address).toBe('127.45.6.7');
  });

  it('gives the streams that links are made of, on both sides, and the same bytes are on the wire as without', async () => {
    const traffic = async (near?: Transport, farther?: Transport) => {
      const { listener, far } = await listen(farther === undefined ? {} : { transport: farther });
      const { link, told } = await dial(listener, near === undefined ? {} : { transport: near });
      const block = new Uint8Array(100_000).fill(7);
      for (const [from, to] of [
        [link, far[0]!.told],
        [far[0]!.link, told],
      ] as const) {
        from.sendControl(Uint8Array.of(0x91, 1));
        from.sendBlock(HEADER, block);
        from.sendControl(Uint8Array.of(0x91, 2));
        await until(() => to.messages.length === 2);
        expect(to.messages.map((bytes) => bytes[1])).toEqual([1, 2]);
        expect(Buffer.compare(to.blocks[0]!, Buffer.concat([HEADER, block]))).toBe(0);
      }
      return [link.counters, far[0]!.link.counters];
    };
    const [near, far] = [new Valves(), new Valves()];
    expect(await traffic(near, far)).toEqual(await traffic());
    expect([near.dialled.length, near.taken.length, far.dialled.length, far.taken.length]).toEqual([1, 0, 0, 1]);
    expect(far.taken[0]!.bytesRead).toBeGreaterThan(100_000);
  });

  it('tells a program when its bytes have left, and not before', async () => {
    const far = new Valves();
    const { listener, far: links } = await listen({ transport: far });
    await dial(listener);
    far.taken[0]!.letThrough(10_000);
    const { link, told } = links[0]!;
    link.sendBlock(HEADER, new Uint8Array(60_000));
    link.sendBlock(HEADER, new Uint8Array(60_000));
    await until(() => far.taken[0]!.waitingBytes === 120_024 - 10_000);
    expect(told.drains).toEqual([]);
    expect(link.bufferedBytes).toBeGreaterThan(0);
    far.taken[0]!.letThrough(110_024);
    expect(told.drains).toEqual([0]);
    expect(link.bufferedBytes).toBe(0);
  });

  it('leaves a reader alone whose line lets one large write through little by little, not one who takes nothing', async () => {
    const far = new Valves();
    const { listener, far: links } = await listen({ transport: far, limits: { stallMs: 1_500 } });
    await dial(listener);
    await dial(listener);
    for (const { link } of links) link.sendBlock(HEADER, new Uint8Array(500_000));
    const [slow, still] = far.taken;
    slow!.letThrough(0);
    still!.letThrough(0);
    for (const { link } of links) link.sendBlock(HEADER, new Uint8Array(500_000));
    const trickle = setInterval(() => slow!.letThrough(100), 100);
    ends.push(() => clearInterval(trickle));
    await until(() => links[1]!.told.end !== undefined);
    expect(links[1]!.told.end!.code).toBe(CLOSE.slow);
    expect(links[0]!.told.end).toBeUndefined();
    expect(slow!.waitingBytes).toBeGreaterThan(0);
  });

  it('is asked for streams only to where a link may lead', async () => {
    const { listener } = await listen();
    const url = listener.url.replace('127.0.0.1', 'localhost');
    const { told } = await dial({ ...listener, url }, { transport: new Valves(), mayReach: () => false });
    expect(told.end?.why).toBe('localhost is an address that may not be dialled');
  });

  it('carries TLS where the address asks for it', async () => {
    let first: number | undefined;
    const server: Server = createServer((socket) => {
      socket.once('data', (bytes) => {
        first = bytes[0];
        socket.destroy();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    ends.push(() => server.close());
    const transport = new Valves();
    const told = new Told();
    dialLink(`wss://127.0.0.1:${(server.address() as { port: number }).port}`, told, { transport });
    await until(() => told.end !== undefined);
    // A handshake record (RFC 8446 section 5.1).
    expect(first).toBe(0x16);
    expect(transport.dialled).toHaveLength(1);
  });

  it('gives the streams that a page or a playlist is served over, which end with the server', async () => {
    const transport = new Valves();
    const server = createHttpServer({ port: 0, transport });
    server.app.get('/address', async (request) => `${request.ip}\n`);
    const { url } = await server.listen();
    const answer = await fetch(`${url}/address`);
    expect(await answer.text()).toBe('127.0.0.1\n');
    expect(transport.taken).toHaveLength(1);
    await server.close();
    expect(transport.taken[0]!.destroyed).toBe(true);
  });
});
