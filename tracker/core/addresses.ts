/** IP addresses as text and bytes (RFC 4291 section 2.2), and the URLs that members announce. */

/** 4 bytes for IPv4, 16 for IPv6; `undefined` for anything else. A zone (`%eth0`) is dropped, IPv4-mapped becomes IPv4. */
export function parseIp(text: string): Uint8Array | undefined {
  const bare = text.replace(/%.*$/, '');
  if (!bare.includes(':')) return parseIpv4(bare);
  const ip = parseIpv6(bare);
  return ip !== undefined && isMapped(ip) ? ip.slice(12) : ip;
}

/** Whether 16 bytes are an IPv4-mapped address, `::ffff:0:0/96`. */
export function isMapped(ip: Uint8Array): boolean {
  return ip[10] === 0xff && ip[11] === 0xff && ip.subarray(0, 10).every((byte) => byte === 0);
}

export function parseIpv4(text: string): Uint8Array | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (match === null) return undefined;
  const numbers = match.slice(1).map(Number);
  return numbers.every((number) => number <= 255) ? Uint8Array.from(numbers) : undefined;
}

export function parseIpv6(text: string): Uint8Array | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const head = readGroups(halves[0]!, halves.length === 1);
  const tail = halves.length === 2 ? readGroups(halves[1]!, true) : [];
  if (head === undefined || tail === undefined) return undefined;
  const missing = 16 - head.length - tail.length;
  if (halves.length === 2 ? missing < 2 : missing !== 0) return undefined;
  return Uint8Array.from([...head, ...new Array<number>(missing).fill(0), ...tail]);
}

/** The bytes of `a:b:c`; at the end of an address the last two groups may be an IPv4 address. */
function readGroups(text: string, last: boolean): number[] | undefined {
  if (text === '') return [];
  const out: number[] = [];
  const groups = text.split(':');
  for (const [at, group] of groups.entries()) {
    if (group.includes('.') && last && at === groups.length - 1) {
      const ipv4 = parseIpv4(group);
      if (ipv4 === undefined) return undefined;
      out.push(...ipv4);
    } else {
      if (!/^[0-9a-f]{1,4}$/i.test(group)) return undefined;
      const value = Number.parseInt(group, 16);
      out.push(value >> 8, value & 0xff);
    }
  }
  return out;
}

/** The host part of a URL for an address: IPv6 in brackets (RFC 3986 section 3.2.2); a name stays what it is. */
export function urlHost(address: string): string {
  const ip = parseIp(address);
  if (ip === undefined) return address;
  return ip.length === 4 ? ip.join('.') : `[${address.replace(/%.*$/, '')}]`;
}

/**
 * What a member announces, made whole: `:7000` and `:7000/path` get the address that the member came from.
 * @param scheme - `ws` or `http`; the same with an `s` is allowed in a URL that is whole already.
 * @returns `undefined` when it is neither a port nor a URL of the scheme.
 */
export function completeUrl(url: string, address: string, scheme: 'ws' | 'http'): string | undefined {
  const short = /^:(\d{1,5})((?:\/[\x21-\x7e]*)?)$/.exec(url);
  if (short !== null) {
    const port = Number(short[1]);
    return port >= 1 && port <= 65_535 ? `${scheme}://${urlHost(address)}:${port}${short[2]}` : undefined;
  }
  return isUrl(url, scheme) ? url : undefined;
}

/** Whether it is an absolute URL with a host and without a user, of this scheme or its form over TLS. */
export function isUrl(url: string, scheme: 'ws' | 'http'): boolean {
  const match = /^(ws|http)s?:\/\/(?:[\w.~-]+|\[[0-9a-f:.]+\])(?::(\d{1,5}))?(?:\/[\x21-\x7e]*)?$/i.exec(url);
  if (match === null || match[1]!.toLowerCase() !== scheme) return false;
  return match[2] === undefined || (Number(match[2]) >= 1 && Number(match[2]) <= 65_535);
}
