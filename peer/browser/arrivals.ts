/** Parts whose blocks are on the way, and parts whose time is remembered. */
const PARTS_MAX = 512;

interface Arrival {
  readonly firstAtMs: number;
  readonly firstBytes: number;
  lastAtMs: number;
  bytes: number;
}

/** How long parts were on the way here: what a player judges its bandwidth by. */
export class Arrivals {
  private readonly byPart = new Map<string, Arrival>();

  /** A block of the part has come. */
  add(track: number, part: number, bytes: number, atMs: number): void {
    const id = `${track}:${part}`;
    const arrival = this.byPart.get(id);
    if (arrival !== undefined) {
      arrival.lastAtMs = atMs;
      arrival.bytes += bytes;
      return;
    }
    if (this.byPart.size >= PARTS_MAX) this.byPart.delete(this.byPart.keys().next().value!);
    this.byPart.set(id, { firstAtMs: atMs, firstBytes: bytes, lastAtMs: atMs, bytes });
  }

  /**
   * Ms between a part's first and last byte. A page sees whole blocks only, so the first one is taken to have come as fast
   * as the others; of a part of one block nothing is known.
   */
  transferMs(track: number, part: number): number | undefined {
    const arrival = this.byPart.get(`${track}:${part}`);
    if (arrival === undefined || arrival.bytes <= arrival.firstBytes) return undefined;
    const { firstAtMs, lastAtMs, firstBytes, bytes } = arrival;
    return ((lastAtMs - firstAtMs) * bytes) / (bytes - firstBytes);
  }
}
