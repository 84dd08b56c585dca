import type { Host } from '../links.ts';
import { classOf, ETHERNET_BYTES } from './shaping.ts';

/** What the kernel says about a program's TCP connections, and the links of its hosts. */
export interface KernelCounts {
  /** Connections that are open, or that still have bytes to deliver. */
  readonly sockets: readonly SocketCounts[];
  readonly hosts: readonly HostTotals[];
}

/** What a host's link has carried since it was made, from IP upwards: with all headers of TCP and IP and pure acknowledgements. */
export interface HostTotals {
  readonly address: string;
  readonly sent: LinkTotals;
  readonly received: LinkTotals;
}

export interface LinkTotals {
  readonly bytes: number;
  readonly packets: number;
  /** Packets for which there was no room any more: TCP sends them again. */
  readonly dropped: number;
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
  /** Received, and not read by the program. */
  readonly unreadBytes: number;
  /** Given to the kernel, and not acknowledged: on its way, or not even sent. */
  readonly queuedBytes: number;
  /** Given to the kernel, and not sent. */
  readonly unsentBytes: number;
  /** Packets under way that nobody has acknowledged. */
  readonly unackedPackets: number;
}

export interface End {
  readonly address: string;
  readonly port: number;
}

/** Connections of one program of which a look takes note. */
const SOCKETS_MAX = 100_000;

/** @param text - What {@link lookScript} makes its tools say: of the device in the middle, of the program's, and of its connections. */
export function parseLook(text: string, hosts: readonly Host[]): KernelCounts {
  const [middle = '', own = '', ...sockets] = text.split('\n').filter((line) => line !== '');
  const received = parseQueues(middle, hosts.length);
  const sent = parseQueues(own, hosts.length);
  return {
    sockets: parseSockets(sockets),
    hosts: hosts.map(({ address }, index) => ({ address, sent: sent[index]!, received: received[index]! })),
  };
}

interface Queue {
  readonly root?: boolean;
  readonly parent?: string;
  readonly bytes: number;
  readonly packets: number;
  readonly drops: number;
}

/** @param text - Of `tc -s -j qdisc`: the one queue of a single host, or the queues of the classes of several. */
function parseQueues(text: string, hosts: number): readonly LinkTotals[] {
  const queues = JSON.parse(text) as readonly Queue[];
  return Array.from({ length: hosts }, (_, index) => {
    const found = queues.find(({ root, parent }) => (hosts === 1 ? root === true : parent === classOf(index)));
    const { bytes, packets, drops } = found ?? {};
    if (!isCount(bytes) || !isCount(packets) || !isCount(drops)) {
      throw new Error(`tc said what cannot be read: ${text.slice(0, 200)}`);
    }
    return { bytes: bytes - packets * ETHERNET_BYTES, packets, dropped: drops };
  });
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** @param lines - Of `ss -tinHO`: one for each socket. */
function parseSockets(lines: readonly string[]): readonly SocketCounts[] {
  if (lines.length > SOCKETS_MAX) throw new RangeError(`more than ${SOCKETS_MAX} connections`);
  return lines.map(parseSocket);
}

function parseSocket(line: string): SocketCounts {
  const [state, unread, queued, local, remote] = line.trim().split(/\s+/, 5);
  return {
    state: state ?? '',
    local: parseEnd(local, line),
    remote: parseEnd(remote, line),
    sentBytes: field(line, 'bytes_sent'),
    resentBytes: field(line, 'bytes_retrans'),
    ackedBytes: field(line, 'bytes_acked'),
    receivedBytes: field(line, 'bytes_received'),
    unreadBytes: Number(unread),
    queuedBytes: Number(queued),
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
