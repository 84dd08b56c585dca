import { WORD_CHARS_MAX } from '../../protocol/limits.ts';
import { isMapped, parseIp, parseIpv4, parseIpv6 } from './addresses.ts';

/** Which region an IP address is in: the longest prefix that covers it says. */
export class RegionTable {
  /** By `bytes of an address * 1000 + prefix length`, then by the prefix itself. */
  private readonly prefixes = new Map<number, Map<string, string>>();

  /** @returns False when the prefix is there with another region. */
  add(prefix: Prefix, region: string): boolean {
    const family = prefix.ip.length * 1000 + prefix.bits;
    const same = this.prefixes.get(family) ?? new Map<string, string>();
    this.prefixes.set(family, same);
    const key = prefix.ip.join('.');
    if (same.has(key) && same.get(key) !== region) return false;
    same.set(key, region);
    return true;
  }

  regionOf(address: string): string | undefined {
    const ip = parseIp(address);
    if (ip === undefined) return undefined;
    for (let bits = ip.length * 8; bits >= 0; bits--) {
      const same = this.prefixes.get(ip.length * 1000 + bits);
      const region = same?.get(masked(ip, bits).join('.'));
      if (region !== undefined) return region;
    }
    return undefined;
  }
}

/** An address block: `bits` leading bits of `ip`, the rest of which is zero. */
export interface Prefix {
  readonly ip: Uint8Array;
  readonly bits: number;
}

/**
 * Reads a table of regions: one `CIDR region` a line, such as `203.0.113.0/24 eu-west`; `#` begins a comment.
 * @returns The table, or what is wrong with each bad line.
 */
export function parseRegions(
  text: string,
): { readonly ok: true; readonly table: RegionTable } | { readonly ok: false; readonly errors: readonly string[] } {
  const table = new RegionTable();
  const errors: string[] = [];
  for (const [at, line] of text.split(/\r?\n/).entries()) {
    const words = line
      .replace(/#.*$/, '')
      .split(/\s+/)
      .filter((word) => word !== '');
    if (words.length === 0) continue;
    const wrong = addLine(table, words);
    if (wrong !== undefined) errors.push(`line ${at + 1}: ${wrong}`);
  }
  return errors.length === 0 ? { ok: true, table } : { ok: false, errors };
}

function addLine(table: RegionTable, words: readonly string[]): string | undefined {
  const [cidr, region, extra] = words;
  if (region === undefined || extra !== undefined)
    return 'expected an address block and a region: 203.0.113.0/24 eu-west';
  if (region.length > WORD_CHARS_MAX) return `the region is longer than ${WORD_CHARS_MAX} characters`;
  const prefix = parsePrefix(cidr!);
  if (typeof prefix === 'string') return prefix;
  return table.add(prefix, region) ? undefined : `${cidr} has another region on an earlier line`;
}

/** Reads `203.0.113.0/24`, `2001:db8::/32` or one address; a text says what is wrong. */
export function parsePrefix(text: string): Prefix | string {
  const [address, length, extra] = text.split('/');
  let ip = parseIpv4(address!) ?? parseIpv6(address!);
  if (ip === undefined || extra !== undefined) return `${text} is not an IPv4 or IPv6 address block`;
  let bits = length === undefined ? ip.length * 8 : Number(length);
  if (length !== undefined && (!/^\d{1,3}$/.test(length) || bits > ip.length * 8)) {
    return `${text}: the prefix length is a number from 0 to ${ip.length * 8}`;
  }
  if (ip.length === 16 && isMapped(ip) && bits >= 96) {
    ip = ip.slice(12);
    bits -= 96;
  }
  if (masked(ip, bits).join() !== ip.join()) return `${text} has address bits beyond its prefix length`;
  return { ip, bits };
}

function masked(ip: Uint8Array, bits: number): Uint8Array {
  return ip.map((byte, at) => byte & (0xff00 >> Math.max(0, Math.min(8, bits - at * 8))));
}
