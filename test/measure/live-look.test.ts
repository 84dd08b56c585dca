import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PALETTE } from '../../report/svg/look.ts';

const STYLE = readFileSync(join(import.meta.dirname, '../harness/live/page/styles/base.css'), 'utf8');

/** The page's colours, in light and in dark: first blocks of each style sheet, then those for dark. */
function colours(isDark: boolean): Map<string, string> {
  const found = new Map<string, string>();
  for (const sheet of [PALETTE, STYLE]) {
    const [light = '', dark = ''] = sheet.split(/@media ?\(prefers-color-scheme: ?dark\)/);
    for (const block of isDark ? [light, dark] : [light]) {
      for (const [, name = '', value = ''] of block.matchAll(/--([\w-]+): ?(#[\da-f]{3,6})\b/g)) found.set(name, value);
    }
  }
  return found;
}

/** WCAG 2.2, relative luminance. */
function luminance(colour: string): number {
  const digits =
    colour.length === 4 ? [...colour.slice(1)].map((digit) => digit + digit) : colour.slice(1).match(/../g)!;
  const [r, g, b] = digits.map((pair) => {
    const value = Number.parseInt(pair, 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
}

function contrast(a: string, b: string): number {
  const [low, high] = [luminance(a), luminance(b)].sort((one, other) => one - other);
  return (high! + 0.05) / (low! + 0.05);
}

const WORDS = ['ink', 'soft', 'bad', 'warn', 'c0', 'c1', 'c7'];
const FORMS = ['c0', 'c1', 'c2', 'c5', 'c7', 'bad', 'good', 'quiet'];

describe.each([
  ['light', false],
  ['dark', true],
] as const)('in %s the page', (_, isDark) => {
  const all = colours(isDark);

  it.each(WORDS)('has words that can be read (WCAG AA): %s', (word) => {
    for (const ground of ['card', 'paper'])
      expect(contrast(all.get(word)!, all.get(ground)!)).toBeGreaterThanOrEqual(4.5);
  });

  it.each(FORMS)('has forms that can be made out (WCAG AA): %s', (form) => {
    for (const ground of ['card', 'tint']) expect(contrast(all.get(form)!, all.get(ground)!)).toBeGreaterThanOrEqual(3);
  });
});
