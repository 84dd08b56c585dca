import type { Unit } from './measures.ts';

/** Figures as people read them, never broken before their unit: `0.62 s`, `0.02 %`, `1.05 Mbit/s`, `1,000`. A dash for what is not known. */
export function figureText(value: number | null, unit: Unit): string {
  if (value === null) return '–';
  switch (unit) {
    case 'ms':
      return `${digits(value / 1000, 2)}\u00a0s`;
    case 'share':
      return `${shareDigits(value * 100)}\u00a0%`;
    case 'bps':
      return rateText(value);
    case 'times':
      return `${digits(value, 2)}×`;
    case 'count':
      return value === 0 ? '0' : digits(value, value < 10 ? 2 : value < 100 ? 1 : 0);
  }
}

/** The half width of a confidence interval beside its figure: `±0.02`. Empty where there is none. */
export function halfText(half: number | null | undefined, value: number | null, unit: Unit): string {
  if (half === null || half === undefined || value === null) return '';
  const scale = unit === 'ms' ? 1 / 1000 : unit === 'share' ? 100 : unit === 'bps' ? 1 / rateScale(value)[0] : 1;
  const shown = half * scale;
  if (shown <= Math.abs(value) * scale * 1e-6) return '±0';
  if (shown < 0.01) return `±${small(shown)}`;
  return `±${shown >= 1000 ? countText(shown) : shown.toFixed(shown < 1 ? 2 : shown < 10 ? 1 : 0)}`;
}

/** A difference with its sign and its confidence: `+0.31 ±0.02 s`. Shares differ by percentage points. */
export function differenceText(mean: number, half: number | null, unit: Unit): string {
  const sign = mean > 0 ? '+' : mean < 0 ? '−' : '';
  const [value = '', of = ''] = figureText(Math.abs(mean), unit).split('\u00a0');
  const chance = half === null ? '' : ` ${halfText(half, mean, unit)}`;
  return `${sign}${value}${chance}${of === '' ? '' : `\u00a0${unit === 'share' ? 'points' : of}`}`;
}

export function rateText(bps: number): string {
  const [scale, unit] = rateScale(bps);
  const value = bps / scale;
  return `${value === 0 ? '0' : digits(value, value < 10 ? 2 : value < 100 ? 1 : 0)}\u00a0${unit}`;
}

/** `1,234,567`. */
export function countText(count: number): string {
  return String(Math.round(count)).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** A sentence's beginning. */
export function capital(text: string): string {
  return `${text[0]?.toUpperCase() ?? ''}${text.slice(1)}`;
}

/** `a, b, and c`. */
export function listed(phrases: readonly string[]): string {
  if (phrases.length < 3) return phrases.join(' and ');
  return `${phrases.slice(0, -1).join(', ')}, and ${phrases.at(-1)}`;
}

/** A share as a whole percentage, or a digit more where it is small: `42 %`, `1.2 %`. */
export function percentText(share: number): string {
  const percent = share * 100;
  return `${percent.toFixed(percent > 0 && percent < 9.95 ? 1 : 0)}\u00a0%`;
}

/** How much larger or smaller, of what it was: `+4.9 %`, `−12 %`. */
export function signedPercentText(share: number): string {
  return `${share > 0 ? '+' : share < 0 ? '−' : ''}${percentText(Math.abs(share))}`;
}

/** In powers of 1,000, for memory and files: `75 MB`, `1.2 GB`. */
export function bytesText(bytes: number): string {
  const at = Math.min(BYTES.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, bytes)) / 3)));
  const value = bytes / 1000 ** at;
  return `${value.toFixed(at === 0 || value >= 9.95 ? 0 : 1)}\u00a0${BYTES[at]}`;
}

const BYTES = ['B', 'kB', 'MB', 'GB', 'TB'];

function rateScale(bps: number): readonly [number, string] {
  const size = Math.abs(bps);
  if (size >= 999.5e6) return [1e9, 'Gbit/s'];
  if (size >= 999.5e3) return [1e6, 'Mbit/s'];
  if (size >= 999.5) return [1e3, 'kbit/s'];
  return [1, 'bit/s'];
}

function digits(value: number, places: number): string {
  return Math.abs(value) >= 1000
    ? countText(value)
    : value.toFixed(Math.abs(value) >= 100 ? Math.min(places, 1) : places);
}

/** Shares near 0 and near 1 keep what makes them differ from these. */
function shareDigits(percent: number): string {
  if (percent === 0 || percent === 100) return String(percent);
  const toEdge = Math.min(Math.abs(percent), Math.abs(100 - percent));
  if (toEdge < 0.1) return percent > 50 ? percent.toFixed(3) : small(percent);
  return percent.toFixed(toEdge < 1 ? 2 : 1);
}

/** One digit that counts, without an exponent: `0.0004`. */
function small(value: number): string {
  return value.toFixed(Math.min(9, Math.max(2, Math.ceil(-Math.log10(Math.abs(value))))));
}
