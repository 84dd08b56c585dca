import type { Server } from 'node:http';
import { connect, type createConnection, isIP, type Socket, type TcpNetConnectOpts } from 'node:net';
import { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';

/**
 * Where a program's byte streams come from: every connection that a shell dials or accepts goes through its transport. Shells that
 * are given none use TCP as Node has it.
 */
export interface Transport {
  /** Opens a stream as `net.connect` does: it is returned at once, and `connect` or `error` follows on it. */
  connect(options: TcpNetConnectOpts): Duplex;
  /** The stream to use in place of a connection that a server has accepted; it may be the same. */
  accepted(socket: Socket): Duplex;
}

/** TCP whose dials come from one address of this machine, for programs that listen there and are to be known by it. */
export function tcpFrom(localAddress: string): Transport {
  return {
    connect: (options) => connect({ ...options, localAddress }),
    accepted: (socket) => socket,
  };
}

/**
 * A stream that a transport puts in the place of a socket. It has what links look at besides the stream itself, as sockets do.
 * For who is at its other end (`remoteAddress` and the like), servers look at it too.
 */
export abstract class TransportStream extends Duplex {
  abstract readonly remoteAddress: string | undefined;
  /** Bytes that have come in since the start. */
  abstract readonly bytesRead: number;
  /** Bytes that were written and have not left. It falls while a large write leaves piece by piece. */
  abstract readonly waitingBytes: number;

  /**
   * Takes pieces to send. Unlike other streams it may be called by whoever writes past the stream's own queue, also while earlier
   * calls are not `done`: what comes first leaves first.
   */
  abstract override _writev(
    pieces: readonly { readonly chunk: Uint8Array }[],
    done: (error?: Error | null) => void,
  ): void;
}

/** What dials for a WebSocket (`createConnection` of `ws`), by a transport; TLS goes over its streams. */
export function connector(transport: Transport, isSecure: boolean): typeof createConnection {
  const dial = (options: TcpNetConnectOpts): Duplex => {
    const { path: _, ...rest } = options as TcpNetConnectOpts & { readonly path?: unknown };
    if (!isSecure) return transport.connect(rest);
    const { host = '' } = options;
    return connectTls({ ...rest, servername: isIP(host) === 0 ? host : '', socket: transport.connect(rest) });
  };
  // Its types know sockets alone; any stream is taken.
  return dial as typeof createConnection;
}

/**
 * Has a server speak HTTP over its transport's streams. Comes before anybody else listens for the server's connections: those
 * still hear of the sockets themselves, and by destroying them end the streams.
 *
 * @returns The sockets that are open. What a transport delays may keep one for a while after its stream has ended.
 */
export function serveOver(transport: Transport, server: Server): ReadonlySet<Socket> {
  const sockets = new Set<Socket>();
  const speakHttp = server.listeners('connection') as ((stream: Duplex) => void)[];
  server.removeAllListeners('connection');
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    const stream = transport.accepted(socket);
    for (const speak of speakHttp) speak.call(server, stream);
  });
  return sockets;
}
