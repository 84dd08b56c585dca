/** A look that comes so much later than it should, by the clock that goes on in sleep, was slept through. */
const SLEPT_MS = 10_000;
/** The wall clock ran so much further than the page's: that stands while the machine sleeps. */
const STOOD_MS = 2_000;
/** Where several messages a second come, silence for so long means that connections are dead, whatever the browser believes. */
const SILENT_MS = 2_500;
const SILENT_MS_MAX = 20_000;
/** Looks further apart say nothing of silence: what has come may not have been handed over yet. */
const LOOK_MS_MAX = 2_000;

export interface WakeLook {
  /** `performance.now()`, and Unix ms by the wall clock. */
  readonly pageMs: number;
  readonly wallMs: number;
  /** Something should come every second. */
  readonly expects: boolean;
}

/** Notices, from looks about once a second, that connections must be dialled anew: the machine slept, or nothing comes any more. */
export class Wake {
  private last: { readonly pageMs: number; readonly wallMs: number } | undefined;
  private heardAtMs = Number.NEGATIVE_INFINITY;
  private patienceMs = SILENT_MS;

  /** Something came over any connection. */
  heard(pageMs: number): void {
    this.heardAtMs = pageMs;
    this.patienceMs = SILENT_MS;
  }

  /** @returns Why to dial anew, if so. */
  look({ pageMs, wallMs, expects }: WakeLook): string | undefined {
    const { last } = this;
    this.last = { pageMs, wallMs };
    if (last === undefined || !expects) {
      this.heardAtMs = pageMs;
      if (last === undefined) return undefined;
    }
    const pageGapMs = pageMs - last.pageMs;
    const stoodMs = wallMs - last.wallMs - pageGapMs;
    if (pageGapMs > LOOK_MS_MAX) this.heardAtMs = pageMs;
    if (pageGapMs > SLEPT_MS || stoodMs > STOOD_MS) {
      this.heardAtMs = pageMs;
      return 'this machine slept';
    }
    if (pageMs - this.heardAtMs < this.patienceMs) return undefined;
    this.heardAtMs = pageMs;
    this.patienceMs = Math.min(this.patienceMs * 2, SILENT_MS_MAX);
    return 'nothing comes any more';
  }
}
