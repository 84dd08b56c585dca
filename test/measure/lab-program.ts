/**
 * What tests have run in a lab's namespaces: opens, listens and sends as it is told, and says what has come. It is told over its
 * channel: `{ id, call, args }`, answered by `{ id, result }` or `{ id, error }`.
 */
import { connect, createServer, type Socket } from 'node:net';
import { dialLink, type Link, type LinkEvents } from '../../runtime/node/ws-link.ts';
import { listenWebSockets } from '../../runtime/node/ws-server.ts';
import { HOST_PORT, SOURCE_HLS_PORT } from '../harness/links/addresses.ts';

/** One end of a connection, as it looks to the program. */
export interface EndState {
  readonly remote: string;
  readonly localPort: number;
  readonly receivedBytes: number;
  /** The first of what has come. */
  readonly text: string;
  /** The other side sends no more. */
  readonly ended: boolean;
  readonly closed: boolean;
  readonly error: string | undefined;
}

export interface SocketsState {
  readonly controlOut: number;
  readonly dataOut: number;
  readonly controlIn: number;
  readonly dataIn: number;
  readonly messages: number;
  /** The last bytes of the blocks that have come. */
  readonly lastBytes: readonly number[];
}

class TcpEnd {
  receivedBytes = 0;
  text = '';
  ended = false;
  closed = false;
  error: string | undefined;
  readonly socket: Socket;
  readonly remote: string;
  readonly localPort: number;

  constructor(socket: Socket, echoes: boolean) {
    this.socket = socket;
    this.remote = `${socket.remoteAddress}:${socket.remotePort}`;
    this.localPort = socket.localPort ?? 0;
    socket.on('data', (chunk) => {
      this.receivedBytes += chunk.length;
      if (this.text.length < 100) this.text += chunk.toString('latin1').slice(0, 100);
      if (echoes) socket.write(chunk);
    });
    socket.on('end', () => {
      this.ended = true;
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.error = error.code;
    });
    socket.on('close', () => {
      this.closed = true;
    });
  }

  state(): EndState {
    const { remote, localPort, receivedBytes, text, ended, closed, error } = this;
    return { remote, localPort, receivedBytes, text, ended, closed, error };
  }
}

const ends: TcpEnd[] = [];
const links: Link[] = [];
const lastBytes: number[] = [];
let messages = 0;

const heard: LinkEvents = {
  control() {
    messages++;
  },
  block(frame) {
    messages++;
    lastBytes.push(frame.at(-1)!);
  },
  closed() {},
};

const calls = {
  /** Takes connections at an address; echoes what comes, or reads it, or does not even read. */
  async listen(host: string, manner: 'echo' | 'read' | 'wait'): Promise<void> {
    const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: manner === 'wait' }, (socket) => {
      ends.push(new TcpEnd(socket, manner === 'echo'));
    });
    await new Promise<void>((resolve) => server.listen(HOST_PORT, host, resolve));
  },
  /** @returns The end's number. */
  async dial(from: string, to: string): Promise<number> {
    const socket = connect({ host: to, port: HOST_PORT, localAddress: from, allowHalfOpen: true, noDelay: true });
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    ends.push(new TcpEnd(socket, false));
    return ends.length - 1;
  },
  /** Dials, sends a text and waits for an answer. @returns Ms that it took. */
  async knock(from: string, to: string, text: string): Promise<number> {
    const sinceMs = performance.now();
    await calls.ask(await calls.dial(from, to), text);
    return performance.now() - sinceMs;
  },
  /** Sends a text and waits for an answer. @returns Ms that it took. */
  async ask(end: number, text: string): Promise<number> {
    const { socket } = ends[end]!;
    const sinceMs = performance.now();
    await new Promise<void>((resolve, reject) => {
      socket.once('data', () => resolve());
      if (ends[end]!.closed) reject(new Error('closed before'));
      socket.once('close', () => reject(new Error('closed')));
      socket.write(text);
    });
    return performance.now() - sinceMs;
  },
  send(end: number, text: string): void {
    ends[end]!.socket.write(text);
  },
  sendBytes(end: number, bytes: number): void {
    ends[end]!.socket.write(Buffer.alloc(bytes, 0x61));
  },
  end(end: number): void {
    ends[end]!.socket.end();
  },
  resume(end: number): void {
    ends[end]!.socket.resume();
  },
  look(): EndState[] {
    return ends.map((end) => end.state());
  },
  async listenLinks(host: string): Promise<void> {
    await listenWebSockets({ host, port: SOURCE_HLS_PORT }, {}, (link) => {
      links.push(link);
      return heard;
    });
  },
  async dialLink(to: string): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      links.push(
        dialLink(`ws://${to}:${SOURCE_HLS_PORT}/`, {
          ...heard,
          opened: resolve,
          closed: (_, why) => reject(new Error(why)),
        }),
      );
    });
  },
  sendBlocks(link: number, count: number, bytes: number): void {
    for (let sent = 0; sent < count; sent++) {
      links[link]!.sendBlock(Uint8Array.of(1, 0, 0, 0, 0, 9, 0, 0), new Uint8Array(bytes).fill(7));
    }
  },
  sendControls(link: number, count: number, bytes: number): void {
    for (let sent = 0; sent < count; sent++) links[link]!.sendControl(new Uint8Array(bytes).fill(0x93));
  },
  closeLinks(): void {
    for (const link of links) link.close(1_000, '');
  },
  lookLinks(): SocketsState {
    const sum = (kind: keyof Link['counters']): number =>
      links.reduce((bytes, { counters }) => bytes + counters[kind], 0);
    return {
      controlOut: sum('controlOut'),
      dataOut: sum('dataOut'),
      controlIn: sum('controlIn'),
      dataIn: sum('dataIn'),
      messages,
      lastBytes,
    };
  },
};

export type LabCalls = typeof calls;

process.on('message', async ({ id, call, args }: { id: number; call: keyof LabCalls; args: never[] }) => {
  try {
    process.send!({ id, result: await (calls[call] as (...args: never[]) => unknown)(...args) });
  } catch (error) {
    process.send!({ id, error: (error as Error).message });
  }
});
process.on('disconnect', () => process.exit());
