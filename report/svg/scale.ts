import { rateText } from '../text.ts';

/** Where values lie along an axis, and what is written there. */
export interface Scale {
  readonly min: number;
  readonly max: number;
  readonly ticks: readonly number[];
  /** Value to place, in pixels. */
  readonly at: (value: number) => number;
}

/** From `min` to `max` or a little beyond, with about `count` ticks at round values. */
export function linearScale(
  min: number,
  max: number,
  from: number,
  to: number,
  count: number,
  isEndRound = true,
): Scale {
  const span = max > min ? max - min : Math.max(1e-9, Math.abs(max) * 0.1);
  const step = roundStep(span / Math.max(1, count));
  const end = isEndRound ? Math.ceil((min + span) / step - 1e-9) * step : min + span;
  const ticks: number[] = [];
  for (let at = Math.ceil(min / step - 1e-9); at * step <= end + step * 1e-6; at++) ticks.push(round(at * step));
  return { min, max: end, ticks, at: (value) => from + ((value - min) / (end - min)) * (to - from) };
}

/** 1, 2 or 5 of a power of ten, not below `wanted`. */
function roundStep(wanted: number): number {
  const power = 10 ** Math.floor(Math.log10(wanted));
  const factor = [1, 2, 5, 10].find((candidate) => candidate * power >= wanted * (1 - 1e-9))!;
  return factor * power;
}

function round(value: number): number {
  return Number(value.toPrecision(12));
}

export type TickText = (value: number) => string;

/** Values in ms, in seconds; values in bits per second; shares in percent: as few digits as the steps need. */
export function secondsText(ticks: readonly number[]): TickText {
  return (value) => withPlaces(value / 1000, ticks, 1 / 1000);
}

export function percentText(ticks: readonly number[]): TickText {
  return (value) => `${withPlaces(value * 100, ticks, 100)}\u00a0%`;
}

export function rateTickText(value: number): string {
  if (value === 0) return '0';
  const [number, unit] = rateText(value).split('\u00a0');
  return `${Number(number)}\u00a0${unit}`;
}

function withPlaces(value: number, ticks: readonly number[], scale: number): string {
  const step = Math.abs(((ticks[1] ?? 1) - (ticks[0] ?? 0)) * scale);
  return value.toFixed(step >= 1 || step === 0 ? 0 : Math.min(6, Math.ceil(-Math.log10(step) - 1e-9)));
}
