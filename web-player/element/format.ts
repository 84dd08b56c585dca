/** Numbers as people read them. */

export function seconds(ms: number): string {
  return ms < 9_950 ? `${(ms / 1_000).toFixed(2)} s` : `${(ms / 1_000).toFixed(1)} s`;
}

export function bytes(count: number): string {
  if (count < 1_000) return `${Math.round(count)} B`;
  if (count < 1_000_000) return `${(count / 1_000).toFixed(0)} kB`;
  if (count < 1_000_000_000) return `${(count / 1_000_000).toFixed(1)} MB`;
  return `${(count / 1_000_000_000).toFixed(2)} GB`;
}

export function bitRate(bps: number): string {
  if (bps < 1_000) return '0';
  return bps < 1_000_000 ? `${(bps / 1_000).toFixed(0)} kbit/s` : `${(bps / 1_000_000).toFixed(1)} Mbit/s`;
}

export function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

/** `host:port` of an address, all that tells servers apart. */
export function host(url: string): string {
  return /^[a-z]+:\/\/([^/?#]+)/i.exec(url)?.[1] ?? url;
}
