import { readFile } from 'node:fs/promises';
import { run } from './command.ts';

/** What a program's kernel says about its TCP connections and its leg. */
export interface KernelCounts {
  /** Connections that are open, or that still have bytes to deliver. */
  readonly sockets: readonly SocketCounts[];
  readonly leg: LegCounts;
}

/** One TCP connection, from the side of the program that has it. Bytes are those of the program, without TCP's and IP's headers. */
export interface SocketCounts {
  readonly state: string;
  readonly local: End;
  readonly remote: End;
  /** Bytes that were sent, first and again. */
  readonly sentBytes: number;
  /** Of these, what was sent again. */
  readonly resentBytes: number;
  /** The other side has so many; where this side has dialled, TCP counts one more. */
  readonly ackedBytes: number;
  readonly receivedBytes: number;
  /** Given to the kernel, and not sent. */
  readonly unsentBytes: number;
  /** Packets under way that nobody has acknowledged. */
  readonly unackedPackets: number;
}

export interface End {
  readonly address: string;
  readonly port: number;
}

/** Of the leg's device, from Ethernet upwards: with the headers of TCP, IP and Ethernet (66 bytes a packet as a rule) and with pure acknowledgements. */
export interface LegCounts {
  readonly sentBytes: number;
  readonly sentPackets: number;
  readonly receivedBytes: number;
  readonly receivedPackets: number;
}

/** Connections of one program of which a look takes note. */
const SOCKETS_MAX = 100_000;

/** Costs some ms of processor time. @throws Error where the process has ended, or `ss` fails. */
export async function kernelCounts(pid: number): Promise<KernelCounts> {
  const [sockets, leg] = await Promise.all([
    run(['nsenter', '-t', String(pid), '-n', 'ss', '-tinHO', 'state', 'connected']),
    legCounts(pid),
  ]);
  return { sockets: parseSockets(sockets), leg };
}

/** What the leg alone has carried: costs next to nothing. @throws Error where the process has ended. */
export async function legCounts(pid: number): Promise<LegCounts> {
  return parseLeg(await readFile(`/proc/${pid}/net/dev`, 'utf8'));
}

/** @param text - Of `ss -tinHO`: a line for each socket. */
export function parseSockets(text: string): readonly SocketCounts[] {
  const sockets: SocketCounts[] = [];
  for (const line of text.split('\n')) {
    if (line === '') continue;
    if (sockets.length === SOCKETS_MAX) throw new RangeError(`more than ${SOCKETS_MAX} connections`);
    sockets.push(parseSocket(line));
  }
  return sockets;
}

function parseSocket(line: string): SocketCounts {
  const [state, , , local, remote] = line.trim().split(/\s+/, 5);
  return {
    state: state ?? '',
    local: parseEnd(local, line),
    remote: parseEnd(remote, line),
    sentBytes: field(line, 'bytes_sent'),
    resentBytes: field(line, 'bytes_retrans'),
    ackedBytes: field(line, 'bytes_acked'),
    receivedBytes: field(line, 'bytes_received'),
    unsentBytes: field(line, 'notsent'),
    unackedPackets: field(line, 'unacked'),
  };
}

function parseEnd(text: string | undefined, line: string): End {
  const [, address, port] = /^\[?(?:::ffff:)?([\d.]+|[\da-f:]+)\]?(?:%\w+)?:(\d+)$/.exec(text ?? '') ?? [];
  if (address === undefined) throw new Error(`ss said what cannot be read: ${line.slice(0, 200)}`);
  return { address, port: Number(port) };
}

/** What is 0 is not said. */
function field(line: string, name: string): number {
  const [, digits] = new RegExp(`(?:^|\\s)${name}:(\\d{1,15})(?=\\s|$)`).exec(line) ?? [];
  return digits === undefined ? 0 : Number(digits);
}

/** @param text - Of `/proc/net/dev`. */
export function parseLeg(text: string): LegCounts {
  const [, figures] = /^\s*eth0:\s*(.+)$/m.exec(text) ?? [];
  const [receivedBytes, receivedPackets, , , , , , , sentBytes, sentPackets] = (figures ?? '').split(/\s+/).map(Number);
  if (sentPackets === undefined) throw new Error('there is no eth0: the program has no network');
  return {
    sentBytes: sentBytes!,
    sentPackets,
    receivedBytes: receivedBytes!,
    receivedPackets: receivedPackets!,
  };
}
