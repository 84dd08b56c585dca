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

/** A span of time as clocks show it: `0:42`, `1:02:03`. */
export function clock(ms: number): string {
  const all = Math.max(0, Math.floor(ms / 1_000));
  const two = (value: number): string => String(value).padStart(2, '0');
  const [hours, minutes, rest] = [Math.floor(all / 3_600), Math.floor(all / 60) % 60, all % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

/** How far behind: exact while it is little, as a clock has it beyond. */
export function behind(ms: number): string {
  return ms < 60_000 ? seconds(ms) : clock(ms);
}

/** A moment as the viewer's own clock has it. */
export function timeOfDay(unixMs: number): string {
  return new Date(unixMs).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', second: '2-digit' });
}
