import { LineRate } from './line-rate.ts';

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
  private readonly line = new LineRate();

  /** A block of the part has come. */
  add(track: number, part: number, bytes: number, atMs: number): void {
    this.line.came(bytes, atMs);
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

  /** A part of the live edge is whole, so long after its last frame was filmed. */
  whole(lagMs: number, atMs: number): void {
    this.line.whole(lagMs, atMs);
  }

  /**
   * Ms that a part's bytes took. A page sees whole blocks only: the first one is taken to have come as fast as the others, and one
   * that is alone as fast as the line was seen to carry others. Undefined while nothing is known.
   */
  transferMs(track: number, part: number): number | undefined {
    const arrival = this.byPart.get(`${track}:${part}`);
    if (arrival === undefined) return undefined;
    const { firstAtMs, lastAtMs, firstBytes, bytes } = arrival;
    if (bytes > firstBytes) return ((lastAtMs - firstAtMs) * bytes) / (bytes - firstBytes);
    const { bps } = this.line;
    return bps === undefined ? undefined : (bytes * 8_000) / bps;
  }
}
