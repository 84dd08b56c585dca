import type { BytesFrom } from '../../peer/core/io.ts';

/** One look at the player, as plots draw it. */
export interface Sample {
  readonly latencyMs: number | null;
  readonly bufferMs: number;
  readonly bps: Readonly<Record<BytesFrom, number>>;
}

/** Looks kept, and ms between two: a minute. */
export const SAMPLES_MAX = 120;
export const SAMPLE_EVERY_MS = 500;
/** A rate is the mean over so many looks: parts come in bursts of four a second. */
const RATE_SAMPLES = 4;

/** The last minute, for plots. */
export class History {
  readonly samples: Sample[] = [];
  private readonly totals: { readonly atMs: number; readonly bytes: Readonly<Record<BytesFrom, number>> }[] = [];

  add(atMs: number, latencyMs: number | null, bufferMs: number, bytesFrom: Readonly<Record<BytesFrom, number>>): void {
    this.totals.push({ atMs, bytes: bytesFrom });
    if (this.totals.length > RATE_SAMPLES + 1) this.totals.shift();
    this.samples.push({ latencyMs, bufferMs, bps: this.rates() });
    if (this.samples.length > SAMPLES_MAX) this.samples.shift();
  }

  private rates(): Record<BytesFrom, number> {
    const first = this.totals[0]!;
    const last = this.totals.at(-1)!;
    const ms = last.atMs - first.atMs;
    const bps = (from: BytesFrom): number => (ms <= 0 ? 0 : ((last.bytes[from] - first.bytes[from]) * 8_000) / ms);
    return { ins: bps('ins'), peers: bps('peers'), source: bps('source') };
  }
}

/** What comes from somewhere else has to be so many times as much to count as the source of what is played. */
const CLEARLY_MORE = 1.5;

/** Where most comes from, `was` where that is not clear; undefined while nothing comes. */
export function mostFrom<Was>(bps: Readonly<Record<BytesFrom, number>>, was: Was): BytesFrom | Was | undefined {
  const froms: readonly BytesFrom[] = ['ins', 'peers', 'source'];
  const most = froms.filter((from) => bps[from] > 0).sort((a, b) => bps[b] - bps[a])[0];
  const before = froms.find((from) => from === was);
  return most === undefined || before === undefined || bps[most] > bps[before] * CLEARLY_MORE ? most : was;
}
