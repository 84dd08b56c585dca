import type { Host } from '../links.ts';

/**
 * How long bytes may wait for their turn on a link before they are thrown away, and how long a link may have been idle to send at once. With less than a
 * block of video at once (31 KB on 20 Mbit/s) every few packets of it wake up everybody on the way, which takes more processor time than all the rest.
 */
const QUEUE_MS = 200;
const BURST_MS = 16;
const QUEUE_PACKETS_MIN = 6;
const BURST_PACKETS_MIN = 1;
/** Packets that kernels hand on as one; more than that saves nothing. */
const PACKETS_AT_ONCE_MAX = 32;
/**
 * Of a full packet, from IP upwards, and with the header of Ethernet, which the kernel counts as well. Jumbo frames: with 1,500 bytes the packets of a hundred
 * viewers alone are work for a third of a processor.
 */
export const IP_BYTES = 9_000;
export const ETHERNET_BYTES = 14;
const PACKET_BYTES = IP_BYTES + ETHERNET_BYTES;
/** Beyond what the kernel carries between namespaces. */
const RATE_BPS_MAX = 20e9;
const RATE_BPS_MIN = 8_000;

/** Whose rates a device has: what its hosts send, or what is sent to them. */
export type Direction = 'up' | 'down';

/**
 * Lines for `tc -batch` by which what leaves by a device has its hosts' rates: a token bucket for one host, a class of its own for each
 * of several.
 *
 * @param verb - `change` keeps what waits.
 */
export function shapingLines(
  device: string,
  hosts: readonly Host[],
  direction: Direction,
  verb: 'add' | 'change',
): readonly string[] {
  if (hosts.length === 1) {
    const { rate, burst, limit } = bucket(hosts[0]!, direction);
    return [`qdisc ${verb} dev ${device} root handle 1: tbf rate ${rate}bit burst ${burst} limit ${limit}`];
  }
  const classes = hosts.flatMap((host, index) => {
    const { rate, burst, limit } = bucket(host, direction);
    const id = classOf(index);
    const shape = `rate ${rate}bit ceil ${rate}bit burst ${burst} cburst ${burst} quantum ${PACKET_BYTES}`;
    const line = `class ${verb} dev ${device} parent 1: classid ${id} htb ${shape}`;
    if (verb === 'change') return [line];
    const side = direction === 'up' ? 'src' : 'dst';
    return [
      line,
      `qdisc add dev ${device} parent ${id} bfifo limit ${limit}`,
      `filter add dev ${device} parent 1: protocol ip prio 1 u32 match ip ${side} ${host.address}/32 flowid ${id}`,
    ];
  });
  return verb === 'change' ? classes : [`qdisc add dev ${device} root handle 1: htb`, ...classes];
}

/** Of a program's hosts, by their places. */
export function classOf(index: number): string {
  return `1:${(index + 1).toString(16)}`;
}

/**
 * How many packets of a connection kernels may hand on as one: what a link lets through at once anyway. It is one wake-up of everybody on
 * the way instead of many.
 */
export function packetsAtOnce(hosts: readonly Host[], direction: Direction): number {
  const bursts = hosts.map((host) => Math.floor(bucket(host, direction).burst / PACKET_BYTES));
  return Math.min(PACKETS_AT_ONCE_MAX, ...bursts);
}

interface Bucket {
  readonly rate: number;
  readonly burst: number;
  readonly limit: number;
}

function bucket({ name, upBps, downBps }: Host, direction: Direction): Bucket {
  const asked = direction === 'up' ? upBps : downBps;
  if (Number.isNaN(asked)) throw new RangeError(`${name}: its link has no rate`);
  // Rates are meant from IP upwards: full packets have them to the bit.
  const rate = Math.round((Math.min(Math.max(asked, RATE_BPS_MIN), RATE_BPS_MAX) * PACKET_BYTES) / IP_BYTES);
  const bytesPerMs = rate / 8_000;
  return {
    rate,
    burst: Math.ceil(Math.max(BURST_PACKETS_MIN * PACKET_BYTES, BURST_MS * bytesPerMs)),
    limit: Math.ceil(Math.max(QUEUE_PACKETS_MIN * PACKET_BYTES, QUEUE_MS * bytesPerMs)),
  };
}
