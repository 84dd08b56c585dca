import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket, connect as tcp } from 'node:net';

/** Bytes that a connection may have under way before its sender waits. */
const UNDER_WAY_BYTES_MAX = 64 * 1024;
/** Connections share the line in turns of so many bytes. */
const TURN_BYTES = 8 * 1024;

/**
 * A viewer's line to the network: a SOCKS5 proxy (RFC 1928) on loopback with a rate and a delay, which can go away for a while. What
 * was under way then comes when it is back, as TCP has it.
 */
export class Line {
  /** Bits per second towards the viewer, all connections together. */
  rateBps = Number.POSITIVE_INFINITY;
  /** One way, in ms. */
  delayMs = 0;
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();
  private freeAtMs = 0;
  private gone: Promise<void> | undefined;
  private comeBack: () => void = () => {};

  private constructor() {
    this.server = createServer({ noDelay: true }, (client) => void this.serve(client).catch(() => client.destroy()));
  }

  static async open(): Promise<Line> {
    const line = new Line();
    line.server.listen(0, '127.0.0.1');
    await once(line.server, 'listening');
    return line;
  }

  /** `socks5://127.0.0.1:PORT`. */
  get url(): string {
    return `socks5://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Nothing gets through any more, and nobody is told. */
  leave(): void {
    this.gone ??= new Promise((resolve) => {
      this.comeBack = resolve;
    });
  }

  back(): void {
    this.gone = undefined;
    this.comeBack();
  }

  async close(): Promise<void> {
    this.back();
    const closed = once(this.server, 'close');
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }

  private async serve(client: Socket): Promise<void> {
    this.keep(client);
    await read(client);
    client.write(Uint8Array.of(5, 0));
    const request = await read(client);
    // An IPv4 address, or the name of this machine.
    const port = request.readUInt16BE(request.length - 2);
    await this.wait(2 * this.delayMs);
    const server = tcp({ port, host: '127.0.0.1', noDelay: true });
    this.keep(server);
    await once(server, 'connect');
    client.write(Uint8Array.of(5, 0, 0, 1, 127, 0, 0, 1, 0, 0));
    this.carry(client, server, false);
    this.carry(server, client, true);
  }

  private keep(socket: Socket): void {
    this.sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.sockets.delete(socket));
  }

  private carry(from: Socket, to: Socket, isDown: boolean): void {
    let underWay = 0;
    let before: Promise<void> = Promise.resolve();
    from.on('data', (bytes: Buffer) => {
      for (let at = 0; at < bytes.length; at += TURN_BYTES) {
        const turn = bytes.subarray(at, at + TURN_BYTES);
        underWay += turn.length;
        const arrived = this.wait(this.timeFor(turn.length, isDown) + this.delayMs);
        before = Promise.all([before, arrived]).then(async () => {
          await this.gone;
          underWay -= turn.length;
          if (underWay < UNDER_WAY_BYTES_MAX) from.resume();
          if (!to.destroyed) to.write(turn);
        });
      }
      if (underWay >= UNDER_WAY_BYTES_MAX) from.pause();
    });
    from.on('close', () => void before.then(() => to.destroy()));
  }

  /** Ms until so many bytes are through. */
  private timeFor(bytes: number, isDown: boolean): number {
    if (!isDown || this.rateBps === Number.POSITIVE_INFINITY) return 0;
    const nowMs = performance.now();
    this.freeAtMs = Math.max(this.freeAtMs, nowMs) + (bytes * 8_000) / this.rateBps;
    return this.freeAtMs - nowMs;
  }

  private wait(ms: number): Promise<void> {
    return ms <= 0 ? Promise.resolve() : new Promise((resolve) => setTimeout(resolve, ms));
  }
}

async function read(socket: Socket): Promise<Buffer> {
  const [bytes] = (await once(socket, 'data')) as [Buffer];
  return bytes;
}
