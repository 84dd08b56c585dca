import { once } from 'node:events';
import { type AddressInfo, createServer, isIPv4, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Transport } from '../../../runtime/node/transport.ts';

/**
 * The way out for a player in a browser: a SOCKS5 proxy (RFC 1928) on loopback whose connections go through a transport, so that they
 * leave from the address of the player's host and have its rates, whatever else the same Chromium has open. Names are not looked up:
 * it leads to addresses alone.
 */
export interface Gate {
  /** `socks5://127.0.0.1:PORT`. */
  readonly url: string;
  close(): Promise<void>;
}

const VERSION = 5;
const NO_AUTHENTICATION = 0;
const CONNECT = 1;
const IPV4 = 1;
const NAME = 3;
/** RFC 1928, section 6. */
const REPLY = { succeeded: 0, notAllowed: 2, unreachable: 4, notSupported: 7 } as const;

/** For greeting and request, which are read no further than they can be long: 519 bytes. */
const HEAD_WITHIN_MS = 10_000;
const CONNECTIONS_MAX = 1_000;

export async function openGate(transport: Transport): Promise<Gate> {
  const open = new Set<Duplex>();
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => serve(client, transport, open));
  server.maxConnections = CONNECTIONS_MAX;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { url: `socks5://127.0.0.1:${port}`, close: () => close(server, open) };
}

async function close(server: Server, open: ReadonlySet<Duplex>): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  for (const stream of open) stream.destroy();
  await closed;
}

function serve(client: Socket, transport: Transport, open: Set<Duplex>): void {
  keep(client, open);
  const late = setTimeout(() => client.destroy(), HEAD_WITHIN_MS);
  client.once('close', () => clearTimeout(late));
  let head = Buffer.alloc(0);
  let greeted = false;
  const read = (bytes: Buffer): void => {
    head = Buffer.concat([head, bytes]);
    if (head[0] !== VERSION) return void client.destroy();
    const greeting = head.length >= 2 ? 2 + head[1]! : undefined;
    if (!greeted && greeting !== undefined && head.length >= greeting) {
      greeted = true;
      client.write(Uint8Array.of(VERSION, NO_AUTHENTICATION));
      head = head.subarray(greeting);
    }
    const request = greeted ? readRequest(head) : undefined;
    if (request === undefined) return;
    client.off('data', read);
    client.pause();
    clearTimeout(late);
    if (request.bytes < head.length) client.unshift(head.subarray(request.bytes));
    if (request.refused !== undefined) client.end(reply(request.refused));
    else lead(client, transport, request, open);
  };
  client.on('data', read);
}

interface Request {
  readonly host: string;
  readonly port: number;
  readonly refused: number | undefined;
  /** Of the request itself; what is behind it is for the other side. */
  readonly bytes: number;
}

/** Undefined while it is not there whole. */
function readRequest(head: Buffer): Request | undefined {
  if (head.length < 5) return undefined;
  const kind = head[3];
  const at = kind === NAME ? 5 : 4;
  const end = at + (kind === NAME ? head[4]! : 4);
  if (head.length < end + 2) return undefined;
  const host = kind === NAME ? head.toString('latin1', at, end) : head.subarray(at, end).join('.');
  const isKnown = head[0] === VERSION && head[1] === CONNECT && (kind === NAME || kind === IPV4);
  const refused = !isKnown ? REPLY.notSupported : isIPv4(host) ? undefined : REPLY.notAllowed;
  return { host, port: head.readUInt16BE(end), refused, bytes: end + 2 };
}

function reply(code: number): Uint8Array {
  // The address that it was bound to is of no use to anybody.
  return Uint8Array.of(VERSION, code, 0, IPV4, 0, 0, 0, 0, 0, 0);
}

/** Both ways, until one side breaks; what has ended on one side ends on the other. */
function lead(client: Socket, transport: Transport, { host, port }: Request, open: Set<Duplex>): void {
  const onward = transport.connect({ host, port, noDelay: true, allowHalfOpen: true });
  keep(onward, open);
  let isConnected = false;
  onward.once('connect', () => {
    isConnected = true;
    client.write(reply(REPLY.succeeded));
    onward.pipe(client);
    client.pipe(onward);
  });
  onward.once('close', () => {
    if (isConnected) client.destroy();
    else client.end(reply(REPLY.unreachable));
  });
  client.once('close', () => onward.destroy());
}

function keep(stream: Duplex, open: Set<Duplex>): void {
  open.add(stream);
  stream.on('error', ignore);
  stream.once('close', () => open.delete(stream));
}

function ignore(): void {
  // It closes, and that is seen.
}
