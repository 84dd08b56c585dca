/** Named timers inside one machine. A handful each: a scan of two short lists beats a heap here, and a map. */
export class Deadlines<Name extends string> {
  private readonly names: Name[] = [];
  private readonly timesMs: number[] = [];

  set(name: Name, atMs: number): void {
    const at = this.names.indexOf(name);
    if (at >= 0) this.timesMs[at] = atMs;
    else {
      this.names.push(name);
      this.timesMs.push(atMs);
    }
  }

  /** Sets the timer unless it is set to come earlier. */
  setEarlier(name: Name, atMs: number): void {
    const at = this.names.indexOf(name);
    if (at < 0 || this.timesMs[at]! > atMs) this.set(name, atMs);
  }

  clear(name: Name): void {
    const at = this.names.indexOf(name);
    if (at >= 0) this.remove(at);
  }

  has(name: Name): boolean {
    return this.names.includes(name);
  }

  next(): number | undefined {
    let next: number | undefined;
    for (const atMs of this.timesMs) if (next === undefined || atMs < next) next = atMs;
    return next;
  }

  /** Takes the earliest timer that has come, if any. */
  take(nowMs: number): Name | undefined {
    let due = -1;
    for (let at = 0; at < this.timesMs.length; at++) {
      const atMs = this.timesMs[at]!;
      if (atMs <= nowMs && (due < 0 || atMs < this.timesMs[due]!)) due = at;
    }
    return due < 0 ? undefined : this.remove(due);
  }

  private remove(at: number): Name {
    const name = this.names[at]!;
    this.names.splice(at, 1);
    this.timesMs.splice(at, 1);
    return name;
  }
}

/** The earlier of two deadlines. */
export function earlier(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined) return b;
  if (b === undefined) return a;
  return Math.min(a, b);
}
