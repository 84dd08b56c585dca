/** Memory of one process at one time. */
export interface Sample {
  readonly atMs: number;
  readonly rssBytes: number;
}

export interface Flatness {
  readonly medianBytes: number;
  readonly lastBytes: number;
  /** Growth by the line through the samples: the median of the slopes of all pairs (Theil and Sen), deaf to outliers. */
  readonly bytesPerMinute: number;
  /** What that makes over the time looked at. */
  readonly growthBytes: number;
  readonly isFlat: boolean;
}

/** A process's memory breathes by some megabytes with the collection of garbage. */
const BREATH_BYTES = 8e6;
const BREATH_SHARE = 0.08;

/** Whether memory stays what it is, over samples taken after the warm-up. Undefined of fewer than 8. */
export function flatness(samples: readonly Sample[]): Flatness | undefined {
  if (samples.length < 8) return undefined;
  const medianBytes = median(samples.map(({ rssBytes }) => rssBytes));
  const slopes = samples.flatMap((a, i) =>
    samples.slice(i + 1).map((b) => (b.rssBytes - a.rssBytes) / ((b.atMs - a.atMs) / 60_000)),
  );
  const bytesPerMinute = median(slopes);
  const minutes = (samples.at(-1)!.atMs - samples[0]!.atMs) / 60_000;
  const growthBytes = bytesPerMinute * minutes;
  const isFlat = growthBytes <= Math.max(BREATH_BYTES, medianBytes * BREATH_SHARE);
  return { medianBytes, lastBytes: samples.at(-1)!.rssBytes, bytesPerMinute, growthBytes, isFlat };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1]!;
}
