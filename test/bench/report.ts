import { cpus } from 'node:os';

/** One figure of a bench. More keys may follow; none of these with another meaning. */
export interface Result {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** The same thing by other means, measured in the same run; null where there is nothing to compare with. */
  readonly baseline: number | null;
  readonly ratio: number | null;
  /** A bound of the ratio where there is a baseline, else of the value; null where the figure is for reading only. */
  readonly target: number | null;
  /** The target is reached (true where there is none). */
  readonly ok: boolean;
  /** Which way the target bounds. */
  readonly bound?: 'at-most' | 'at-least';
  /** What the baseline is. */
  readonly against?: string;
  /** Smallest and largest of the repetitions of what the target bounds. */
  readonly spread?: readonly [number, number];
  /** Anything a reader has to know, such as which side was the limit. */
  readonly note?: string;
}

export interface Target {
  readonly atMost?: number;
  readonly atLeast?: number;
}

/** A figure without a baseline: the median of its repetitions. */
export function figure(name: string, values: readonly number[], unit: string, target: Target = {}, note = ''): Result {
  const value = median(values);
  return {
    name,
    value,
    unit,
    baseline: null,
    ratio: null,
    ...judge(value, target),
    ...(values.length > 1 ? { spread: [Math.min(...values), Math.max(...values)] as const } : {}),
    ...(note === '' ? {} : { note }),
  };
}

/**
 * A figure beside its baseline. Repetitions are paired, each with the baseline measured next to it: the ratio is the median of
 * their ratios, which noise that lasts longer than a repetition does not touch.
 */
export function comparison(
  name: string,
  values: readonly number[],
  unit: string,
  against: string,
  baselines: readonly number[],
  target: Target = {},
  note = '',
): Result {
  const ratios = values.map((value, at) => value / baselines[at]!);
  const ratio = median(ratios);
  return {
    name,
    value: median(values),
    unit,
    baseline: median(baselines),
    ratio,
    ...judge(ratio, target),
    against,
    spread: [Math.min(...ratios), Math.max(...ratios)],
    ...(note === '' ? {} : { note }),
  };
}

function judge(value: number, { atMost, atLeast }: Target): Pick<Result, 'target' | 'ok' | 'bound'> {
  if (atMost !== undefined) return { target: atMost, ok: value <= atMost, bound: 'at-most' };
  if (atLeast !== undefined) return { target: atLeast, ok: value >= atLeast, bound: 'at-least' };
  return { target: null, ok: true };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

export function reportJson(bench: string, results: readonly Result[]): string {
  const machine = { cpu: cpus()[0]?.model ?? '', cores: cpus().length, node: process.version };
  return JSON.stringify({ bench, machine, results });
}

/** One line for people. */
export function reportLine(result: Result): string {
  const { name, value, unit, baseline, ratio, target, ok, bound, against, spread, note } = result;
  const cells = [
    target === null ? '    ' : ok ? 'ok  ' : 'MISS',
    name.padEnd(44),
    `${short(value)} ${unit}`.padEnd(16),
    ratio === null ? ''.padEnd(8) : `${ratio.toFixed(2)}x`.padEnd(8),
    (spread === undefined ? '' : `${short(spread[0])}–${short(spread[1])}`).padEnd(14),
    (target === null ? '' : `${bound === 'at-most' ? '≤' : '≥'} ${target}`).padEnd(8),
    baseline === null ? '' : `${against}: ${short(baseline)}`,
    note ?? '',
  ];
  return cells.join(' ').trimEnd();
}

function short(value: number): string {
  if (!Number.isFinite(value)) return '–';
  if (value !== 0 && Math.abs(value) < 10) return value.toPrecision(3);
  return Math.abs(value) < 1000 ? value.toFixed(1) : String(Math.round(value));
}
