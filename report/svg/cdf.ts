import type { Distribution } from '../report.ts';
import { figureText } from '../text.ts';
import { type Child, el, type Markup, short } from './element.ts';
import { type Area, areaOf, axes, pathOf, type Size, svg, textWidth } from './frame.ts';
import { linearScale, percentText, type Scale, secondsText } from './scale.ts';

/** One curve: whose share of all had waited no longer than so long. */
export interface CdfLine {
  readonly tone: string;
  readonly label: string;
  readonly values: Distribution;
  /** How many there were in all: those without a value keep the curve below 100 %. */
  readonly of: number;
  readonly bound: Distribution | null;
}

/** A figure from elsewhere, as a stretch of the axis of time; beyond its end an arrow points there. */
export interface CdfMark {
  readonly tone: string;
  readonly label: string;
  readonly fromMs: number;
  readonly toMs: number;
}

const POINTS_MAX = 200;

export function cdfPlot(size: Size, label: string, lines: readonly CdfLine[], marks: readonly CdfMark[]): Markup {
  const area = areaOf(size);
  const x = linearScale(0, longestMs(lines), area.left, area.right, size.width / 90);
  const y = linearScale(0, 1, area.bottom, area.top, size.height > 300 ? 5 : 4);
  const frame = axes(area, size, {
    x,
    y,
    xText: secondsText(x.ticks),
    yText: percentText(y.ticks),
    xLabel: 'seconds from the first dial to the first frame',
    yLabel: 'viewers who have started',
  });
  const bounds = lines.map(({ tone, bound, of }) =>
    bound === null ? [] : el('path', { class: `bound ${tone}`, d: curve(bound, of, x, y) }),
  );
  const curves = lines.map(({ tone, values, of }) => el('path', { class: `line ${tone}`, d: curve(values, of, x, y) }));
  return svg(
    size,
    label,
    frame,
    bounds,
    curves,
    dots(lines, x, y),
    isNarrow(size) ? [] : key(lines, area, size),
    markings(marks, area, size, x),
  );
}

/** The axis ends where nearly all have started, or (where all do soon after) where all have. */
function longestMs(lines: readonly CdfLine[]): number {
  const ends = lines.map(({ values: { sorted } }) => {
    const nearly = sorted[Math.floor((sorted.length - 1) * 0.99)] ?? 0;
    return Math.min(sorted.at(-1) ?? 0, nearly * 1.25);
  });
  return Math.max(100, ...ends) * 1.02;
}

function curve({ count, sorted }: Distribution, of: number, x: Scale, y: Scale): string {
  const step = Math.max(1, sorted.length / POINTS_MAX);
  const full = of === 0 ? 0 : count / of;
  const points: [number, number][] = [];
  for (let at = 0; at < sorted.length; at += step) {
    const index = Math.floor(at);
    if (sorted[index]! > x.max) break;
    points.push([x.at(sorted[index]!), y.at((index / sorted.length) * full)]);
  }
  const last = sorted.at(-1);
  if (last !== undefined && last <= x.max) points.push([x.at(last), y.at(full)], [x.at(x.max), y.at(full)]);
  return pathOf(points);
}

/** Where half and where 95 % have started, on the curve. */
function dots(lines: readonly CdfLine[], x: Scale, y: Scale): Child {
  return lines.map(({ tone, label, values: { count, sorted }, of }) =>
    [0.5, 0.95].map((share) => {
      const index = Math.floor((sorted.length - 1) * share);
      const value = sorted[index];
      if (value === undefined || value > x.max || of === 0) return [];
      const cy = y.at(((index / sorted.length) * count) / of);
      const circle = { class: `dot ${tone}`, cx: x.at(value), cy, r: 4 };
      return el('circle', circle, el('title', {}, `${label}: ${share * 100} % within ${figureText(value, 'ms')}`));
    }),
  );
}

/** There the key does not fit inside: it has to stand beside the plot. */
export function isNarrow({ width }: Size): boolean {
  return width < 450;
}

function markings(marks: readonly CdfMark[], area: Area, size: Size, x: Scale): Child {
  const { font } = size;
  const top = isNarrow(size) ? area.bottom - font * 3.6 : area.top + font * 3;
  return marks.map(({ tone, label, fromMs, toMs }, at) => {
    const y = top + font * at * 1.7;
    if (fromMs > x.max) {
      const tip = area.right;
      const wing = font * 0.4;
      const arrow = [
        `M${short(tip - font * 2.2)} ${short(y)}H${short(tip - 2)}`,
        pathOf([
          [tip - wing * 1.7, y - wing],
          [tip - 1, y],
          [tip - wing * 1.7, y + wing],
        ]),
      ].join('');
      return [
        el('path', { class: `arrow ${tone}`, d: arrow }),
        el('text', { class: 'note halo', x: tip - font * 2.7, y: y + font * 0.35, 'text-anchor': 'end' }, label),
      ];
    }
    const width = Math.max(2, x.at(Math.min(x.max, toMs)) - x.at(fromMs));
    return [
      el('rect', { class: `band ${tone}`, x: x.at(fromMs), y: area.top, width, height: area.bottom - area.top }),
      el('text', { class: 'note halo', x: x.at(fromMs) - 4, y: y + font * 0.35, 'text-anchor': 'end' }, label),
    ];
  });
}

/** In the corner where no curve of shares ever is: below on the right. */
function key(lines: readonly CdfLine[], area: Area, { font, width }: Size): Child {
  const withFigures = lines.map(({ label, values: { sorted } }) => {
    const at = (share: number) => figureText(sorted[Math.floor((sorted.length - 1) * share)] ?? null, 'ms');
    return `${label}  ·  half ${at(0.5)}  ·  95 % ${at(0.95)}`;
  });
  const fits = Math.max(0, ...withFigures.map((text) => textWidth(text, font))) < width * 0.55;
  const texts = fits ? withFigures : lines.map(({ label }) => label);
  const hasBound = lines.some(({ bound }) => bound !== null);
  const rows = [...texts.map((text, at) => ({ text, line: `line ${lines[at]!.tone}` }))];
  if (hasBound) rows.push({ text: 'dashed: what no system can beat', line: 'bound c-quiet' });
  const wide = Math.max(...rows.map(({ text }) => textWidth(text, font)));
  const left = area.right - wide - font * 3;
  return rows.map(({ text, line }, at) => {
    const y = area.bottom - font * (0.9 + (rows.length - 1 - at) * 1.5);
    return [
      el('path', { class: line, d: `M${left} ${y - font * 0.35}h${font * 2}` }),
      el('text', { class: 'note halo', x: left + font * 2.5, y }, text),
    ];
  });
}
