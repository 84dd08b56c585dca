import { type Field, scalar, Wrong } from './field.ts';

/** Values with units, as people write them: `250 ms`, `1.5 Mbit/s`, `20 %`. Units are read exactly: mbit/s is none. */

/** What a number is multiplied with, as a power of ten first: decimal digits stay exact. */
interface Unit {
  readonly power: number;
  readonly times?: number;
}

const DURATIONS: Readonly<Record<string, Unit>> = {
  ms: { power: 0 },
  s: { power: 3 },
  min: { power: 4, times: 6 },
  h: { power: 5, times: 36 },
};
const RATES: Readonly<Record<string, Unit>> = {
  'bit/s': { power: 0 },
  'kbit/s': { power: 3 },
  'Mbit/s': { power: 6 },
  'Gbit/s': { power: 9 },
};
const SHARES: Readonly<Record<string, Unit>> = { '%': { power: -2 } };

/** Decimal digits alone, as many as any quantity here needs. */
const NUMBER = String.raw`\d{1,12}(?:\.\d{1,6})?`;

/** In ms. */
export function duration(minMs: number, maxMs: number, example = '10 s'): Field<number> {
  return quantity('a duration', DURATIONS, minMs, maxMs, durationText, example);
}

/** A whole number of seconds. */
export function wholeSeconds(min: number, max: number, example: string): Field<number> {
  const whole = duration(min * 1000, max * 1000, example);
  return {
    example,
    read(tree, path, reading) {
      const ms = whole.read(tree, path, reading);
      if (ms === undefined || ms % 1000 === 0) return ms === undefined ? undefined : ms / 1000;
      return reading.wrong(tree.line, path, `whole seconds are expected, such as ${example}`);
    },
    write: (seconds, regions) => whole.write(seconds * 1000, regions),
  };
}

/** In bits per second. */
export function rate(minBps: number, maxBps: number, example: string): Field<number> {
  return quantity('a rate', RATES, minBps, maxBps, rateText, example);
}

/** From 0 to 1. */
export function share(example: string, min = 0): Field<number> {
  return quantity('a share', SHARES, min, 1, shareText, example);
}

/** A number without a unit. */
export function number(min: number, max: number, example: string): Field<number> {
  return scalar({
    what: `a number from ${min} to ${max}`,
    example,
    parse(text) {
      const value = new RegExp(`^${NUMBER}$`).test(text) ? Number(text) : Number.NaN;
      return value >= min && value <= max ? value : new Wrong(`is no number from ${min} to ${max}, such as ${example}`);
    },
    format: String,
  });
}

export function wholeNumber(min: number, max: number, example: string): Field<number> {
  return scalar({
    what: `a whole number from ${min} to ${max}`,
    example,
    parse(text) {
      const value = /^\d{1,12}$/.test(text) ? Number(text) : Number.NaN;
      return value >= min && value <= max
        ? value
        : new Wrong(`is no whole number from ${min} to ${max}, such as ${example}`);
    },
    format: String,
  });
}

function quantity(
  what: string,
  units: Readonly<Record<string, Unit>>,
  min: number,
  max: number,
  format: (value: number) => string,
  example: string,
): Field<number> {
  const names = Object.keys(units);
  const noun = what.replace('a ', '');
  return scalar({
    what: `${what} from ${format(min)} to ${format(max)}`,
    example,
    parse(text) {
      const [, digits, unit = ''] = new RegExp(`^(${NUMBER}) ?(.*)$`).exec(text) ?? [];
      if (digits === undefined) return new Wrong(`is no ${noun}; write it like ${example}`);
      const known = Object.hasOwn(units, unit) ? units[unit] : undefined;
      if (known === undefined) {
        const which = unit === '' ? 'has no unit' : `has no unit that is known here ('${unit.slice(0, 20)}')`;
        return new Wrong(`${which}; write it like ${example}, in ${names.join(', ')}`);
      }
      const value = Number(`${digits}e${known.power}`) * (known.times ?? 1);
      if (value >= min && value <= max) return value;
      return new Wrong(`is out of bounds; from ${format(min)} to ${format(max)} is possible`);
    },
    format,
  });
}

function durationText(ms: number): string {
  return ms > 0 && ms % 1000 === 0 ? `${ms / 1000} s` : `${ms} ms`;
}

function rateText(bps: number): string {
  for (const [name, { power }] of Object.entries(RATES).toReversed()) {
    const size = 10 ** power;
    if (bps >= size && (bps / size) * 1e3 === Math.round((bps / size) * 1e3)) return `${bps / size} ${name}`;
  }
  return `${bps} bit/s`;
}

function shareText(value: number): string {
  return `${Number((value * 100).toPrecision(12))} %`;
}
