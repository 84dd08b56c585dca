import { createConnection, createServer, type Server, type Socket } from 'node:net';
import type { Input } from '../../core/media/input.ts';
import { type Feed, type FeedHandlers, Relay } from './feed.ts';

export interface RtmpOptions {
  readonly ffmpeg: string;
  readonly input: Extract<Input, { kind: 'rtmp' }>;
  /** Something that the person at the terminal should know. */
  onNotice(text: string): void;
  /** A publisher is there; it is served until it leaves or the feed is closed. */
  onPublisher(open: (handlers: FeedHandlers) => Feed): void;
}

/** A publisher sends all the time; one that is silent for so long is gone. */
const silenceMaxMs = 10_000;
/** ffmpeg's RTMP server needs a moment before it listens. */
const connectTries = 100;
const connectEveryMs = 50;

/**
 * Listens where publishers connect, one after the other, and puts ffmpeg's RTMP server behind each connection. The door
 * itself is ours: it stays open between publishers, says so when somebody else has the port, and is gone when we are.
 */
export class RtmpListener {
  private readonly options: RtmpOptions;
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();
  private busy = false;

  constructor(options: RtmpOptions) {
    this.options = options;
    this.server = createServer((socket) => this.accept(socket));
  }

  /** @throws Error that says what to do when it cannot listen there. */
  listen(): Promise<void> {
    const { host, port } = this.options.input;
    return new Promise((resolve, reject) => {
      this.server.once('error', (error: NodeJS.ErrnoException) =>
        reject(new Error(describeListenError(error, host, port))),
      );
      this.server.listen(port, host.replace(/^\[|\]$/g, ''), resolve);
    });
  }

  /** Where it listens; differs from what was asked for only when that was port 0. */
  get port(): number {
    const address = this.server.address();
    return typeof address === 'object' && address !== null ? address.port : this.options.input.port;
  }

  close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    return new Promise((resolve) => this.server.close(() => resolve()));
  }

  private accept(publisher: Socket): void {
    publisher.on('error', ignore);
    if (this.busy) {
      this.options.onNotice('a second publisher was turned away: there is one already');
      publisher.destroy();
      return;
    }
    this.busy = true;
    this.sockets.add(publisher);
    publisher.pause();
    publisher.setTimeout(silenceMaxMs, () => publisher.destroy());
    publisher.once('close', () => {
      this.busy = false;
      this.sockets.delete(publisher);
    });
    this.options.onPublisher((handlers) => this.serve(publisher, handlers));
  }

  private serve(publisher: Socket, handlers: FeedHandlers): Feed {
    let relay: Relay | undefined;
    let closed = false;
    const start = (port: number) => {
      if (closed) return;
      relay = this.startRelay(publisher, port, {
        onData: handlers.onData,
        onEnd: (why) => {
          publisher.destroy();
          handlers.onEnd(why ?? 'the publisher left');
        },
      });
      this.connect(publisher, port, connectTries);
    };
    freePort().then(start, (error: Error) => {
      publisher.destroy();
      if (!closed) handlers.onEnd(error.message);
    });
    return {
      setPaused: (paused) => relay?.setPaused(paused),
      async close() {
        closed = true;
        publisher.destroy();
        await relay?.close();
      },
    };
  }

  private startRelay(publisher: Socket, port: number, handlers: FeedHandlers): Relay {
    const { app, key } = this.options.input;
    const relay = new Relay(
      {
        ffmpeg: this.options.ffmpeg,
        // A publisher announces its pictures and its sound at once: no need to wait long for either.
        inputArgs: ['-listen', '1', '-analyzeduration', '1000000', '-i', `rtmp://127.0.0.1:${port}/${app}/${key}`],
        silenceMaxMs: silenceMaxMs * 2,
        onLine: (line) => {
          // ffmpeg takes any publisher and only remarks on a name that does not match.
          if (!/^(App field don't match up|Unexpected stream)/.test(line)) return;
          this.options.onNotice(`a publisher was turned away: it does not publish to /${app}/${key}`);
          relay.stop('the publisher used another name');
        },
      },
      handlers,
    );
    publisher.once('close', () => setTimeout(() => relay.stop('the publisher left'), 2000).unref());
    return relay;
  }

  private connect(publisher: Socket, port: number, triesLeft: number): void {
    if (publisher.destroyed) return;
    const server = createConnection({ host: '127.0.0.1', port });
    const retry = () => {
      if (triesLeft > 0) setTimeout(() => this.connect(publisher, port, triesLeft - 1), connectEveryMs);
      else publisher.destroy();
    };
    server.once('error', retry);
    server.once('connect', () => {
      server.off('error', retry).on('error', ignore);
      this.sockets.add(server);
      server.once('close', () => {
        this.sockets.delete(server);
        publisher.destroy();
      });
      publisher.once('close', () => server.end());
      publisher.pipe(server).pipe(publisher);
    });
  }
}

function describeListenError(error: NodeJS.ErrnoException, host: string, port: number): string {
  if (error.code === 'EADDRINUSE') return `port ${port} is taken; give another one in --input rtmp://${host}:PORT/…`;
  if (error.code === 'EACCES') return `port ${port} may not be opened; ports from 1024 on can`;
  if (error.code === 'EADDRNOTAVAIL' || error.code === 'ENOTFOUND') {
    return `${host} is no address of this machine; 0.0.0.0 listens on all of them`;
  }
  return `cannot listen on ${host}:${port}: ${error.message}`;
}

/** A port on the loopback that is free at this moment. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

function ignore(): void {
  // What follows an error is `close`, and that is handled.
}
