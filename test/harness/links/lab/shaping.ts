import type { Host } from '../links.ts';

/** How long bytes may wait for their turn on a link before they are thrown away, and how long a link may have been idle to send at once. */
const QUEUE_MS = 200;
const BURST_MS = 4;
const PACKET_BYTES = 1_514;
const QUEUE_PACKETS_MIN = 24;
/** Beyond what the kernel carries between namespaces. */
const RATE_BPS_MAX = 20e9;
const RATE_BPS_MIN = 8_000;

/** Whose rates a device has: what its hosts send, or what is sent to them. */
export type Direction = 'up' | 'down';

/**
 * Lines for `tc -batch` by which what leaves by a device has its hosts' rates: a token bucket for one host, a class of its own for each
 * of several. Bytes are counted from IP upwards.
 *
 * @param verb - `change` keeps what waits.
 */
export function shapingLines(
  device: string,
  hosts: readonly Host[],
  direction: Direction,
  verb: 'add' | 'change',
): readonly string[] {
  // The header of Ethernet is none of IP's.
  const root = `qdisc ${verb} dev ${device} root handle 1: stab linklayer ethernet overhead -14`;
  if (hosts.length === 1) {
    const { rate, burst, limit } = bucket(hosts[0]!, direction);
    return [`${root} tbf rate ${rate}bit burst ${burst} limit ${limit}`];
  }
  const classes = hosts.flatMap((host, index) => {
    const { rate, burst, limit } = bucket(host, direction);
    const minor = (index + 1).toString(16);
    const shape = `class ${verb} dev ${device} parent 1: classid 1:${minor} htb rate ${rate}bit ceil ${rate}bit burst ${burst} cburst ${burst} quantum ${PACKET_BYTES}`;
    if (verb === 'change') return [shape];
    const side = direction === 'up' ? 'src' : 'dst';
    return [
      shape,
      `qdisc add dev ${device} parent 1:${minor} bfifo limit ${limit}`,
      `filter add dev ${device} parent 1: protocol ip prio 1 u32 match ip ${side} ${host.address}/32 flowid 1:${minor}`,
    ];
  });
  return verb === 'change' ? classes : [`${root} htb`, ...classes];
}

function bucket(
  host: Host,
  direction: Direction,
): { readonly rate: number; readonly burst: number; readonly limit: number } {
  const asked = direction === 'up' ? host.upBps : host.downBps;
  if (Number.isNaN(asked)) throw new RangeError(`${host.name}: its link has no rate`);
  const rate = Math.round(Math.min(Math.max(asked, RATE_BPS_MIN), RATE_BPS_MAX));
  const bytesPerMs = rate / 8_000;
  return {
    rate,
    burst: Math.ceil(Math.max(2 * PACKET_BYTES, BURST_MS * bytesPerMs)),
    limit: Math.ceil(Math.max(QUEUE_PACKETS_MIN * PACKET_BYTES, QUEUE_MS * bytesPerMs)),
  };
}
