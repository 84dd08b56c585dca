/** Named timers inside one machine. A handful each: a scan beats a heap here. */
export class Deadlines<Name extends string> {
  private readonly at = new Map<Name, number>();

  set(name: Name, atMs: number): void {
    this.at.set(name, atMs);
  }

  /** Sets the timer unless it is set to come earlier. */
  setEarlier(name: Name, atMs: number): void {
    const set = this.at.get(name);
    if (set === undefined || set > atMs) this.at.set(name, atMs);
  }

  clear(name: Name): void {
    this.at.delete(name);
  }

  has(name: Name): boolean {
    return this.at.has(name);
  }

  next(): number | undefined {
    let next: number | undefined;
    for (const atMs of this.at.values()) if (next === undefined || atMs < next) next = atMs;
    return next;
  }

  /** Takes the earliest timer that has come, if any. */
  take(nowMs: number): Name | undefined {
    let due: Name | undefined;
    let dueMs = Number.POSITIVE_INFINITY;
    for (const [name, atMs] of this.at) {
      if (atMs <= nowMs && atMs < dueMs) {
        due = name;
        dueMs = atMs;
      }
    }
    if (due !== undefined) this.at.delete(due);
    return due;
  }
}

/** The earlier of two deadlines. */
export function earlier(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined) return b;
  if (b === undefined) return a;
  return Math.min(a, b);
}
