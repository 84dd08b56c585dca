/** What happens in at least the third of so many spans happens again: it counts as long as they are kept. One outage touches two of them at most. */
const PEAKS_KEPT = 8;
const PEAKS_AGAIN = 3;

/**
 * How late parts come after their last frame, and what that asks for: the latency at which none of them is missed. The lateness
 * of the last parts counts in full; an outage is forgotten soon after it, what happens again and again is not.
 */
export class Lateness {
  private readonly lagsMs: number[] = [];
  /** The same, ascending: it is looked at with every part. */
  private readonly sortedLagsMs: number[] = [];
  /** How late what comes late again and again is. */
  private againMs = 0;
  /** The latest of each span of parts before. */
  private readonly peaksMs: number[] = [];
  private lagsSincePeak = 0;
  private readonly lagsKept: number;
  private readonly fallMs: number;

  /**
   * @param lagsKept - Parts whose lateness counts in full, and length of a span.
   * @param fallMs - What came late again and again counts for so much less with every span when it has ceased, instead of for nothing at once.
   */
  constructor(lagsKept: number, fallMs = Number.POSITIVE_INFINITY) {
    this.lagsKept = lagsKept;
    this.fallMs = fallMs;
  }

  /** The middle of the last ones; 0 before the first. */
  get usualMs(): number {
    return this.sortedLagsMs[this.sortedLagsMs.length >> 1] ?? 0;
  }

  /** A part came so long after its last frame. */
  note(lagMs: number): void {
    const { lagsMs, peaksMs } = this;
    lagsMs.push(lagMs);
    insert(this.sortedLagsMs, lagMs);
    if (lagsMs.length > this.lagsKept) remove(this.sortedLagsMs, lagsMs.shift()!);
    if (++this.lagsSincePeak < this.lagsKept) return;
    this.lagsSincePeak = 0;
    peaksMs.push(Math.max(...lagsMs));
    if (peaksMs.length > PEAKS_KEPT) peaksMs.shift();
    const againMs = peaksMs.toSorted((a, b) => b - a)[PEAKS_AGAIN - 1] ?? 0;
    this.againMs = Math.max(againMs, this.againMs - this.fallMs);
  }

  /** What came late before the last ones is known not to come again. */
  forget(): void {
    this.peaksMs.length = 0;
    this.againMs = 0;
  }

  /** The latency that what comes late allows: the more it varies again and again, the more is kept in hand, `inHandMs` at least. */
  allowanceMs(partMs: number, inHandMs: number): number {
    const { againMs } = this;
    const handMs = Math.max(inHandMs, againMs - this.usualMs);
    return Math.max(0, againMs, this.sortedLagsMs.at(-1) ?? 0) + partMs + handMs;
  }
}

/** Puts a value in its place among ascending ones. */
function insert(sorted: number[], value: number): void {
  let at = sorted.length;
  while (at > 0 && sorted[at - 1]! > value) {
    sorted[at] = sorted[at - 1]!;
    at--;
  }
  sorted[at] = value;
}

function remove(sorted: number[], value: number): void {
  for (let at = sorted.indexOf(value); at < sorted.length - 1; at++) sorted[at] = sorted[at + 1]!;
  sorted.pop();
}
