import type { Entry } from './shelf.ts';

/** Entries by the second in which they end: no timer for each of them. */
export class ExpiryWheel {
  private readonly seconds = new Map<number, Entry[]>();

  get empty(): boolean {
    return this.seconds.size === 0;
  }

  add(entry: Entry): void {
    const second = Math.ceil(entry.expiresAtMs / 1000);
    const entries = this.seconds.get(second);
    if (entries === undefined) this.seconds.set(second, [entry]);
    else entries.push(entry);
  }

  /** Takes out what has ended. What was prolonged meanwhile moves on. */
  turn(nowMs: number, ended: (entry: Entry) => void): void {
    for (const [second, entries] of this.seconds) {
      if (second * 1000 > nowMs) continue;
      this.seconds.delete(second);
      for (const entry of entries) {
        if (!entry.alive) continue;
        if (entry.expiresAtMs > nowMs) this.add(entry);
        else ended(entry);
      }
    }
  }
}
