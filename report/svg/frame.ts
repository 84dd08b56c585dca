import { type Child, el, type Markup, short } from './element.ts';
import type { Scale, TickText } from './scale.ts';

/** How large a plot is drawn: on a wide screen, or on a phone, where letters have to stay readable. */
export interface Size {
  readonly width: number;
  readonly height: number;
  readonly font: number;
}

/** The rectangle that values are drawn in. */
export interface Area {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

export interface Axes {
  readonly x: Scale;
  readonly y: Scale;
  readonly xText: TickText;
  readonly yText: TickText;
  readonly xLabel: string;
  /** Written above the axis, level: nobody has to turn the head. */
  readonly yLabel: string;
}

export function areaOf({ width, height, font }: Size, right = 12, left = font * 3.6): Area {
  return { left, right: width - right, top: font * 2.2, bottom: height - font * 3.2 };
}

/** A plot: `label` says in words what is to be seen, for who cannot see it. */
export function svg({ width, height, font }: Size, label: string, ...children: readonly Child[]): Markup {
  const attributes = {
    xmlns: 'http://www.w3.org/2000/svg',
    viewBox: `0 0 ${short(width)} ${short(height)}`,
    width,
    height,
    'font-size': font,
    role: 'img',
    'aria-label': label,
    class: 'plot',
  };
  return el('svg', attributes, ...children);
}

/** Grid, ticks and names of the axes. */
export function axes(area: Area, { font }: Size, of: Axes): Markup {
  const { x, y } = of;
  const rows = y.ticks.map((tick) => [
    el('line', {
      class: tick === y.min ? 'axis' : 'grid',
      x1: area.left,
      x2: area.right,
      y1: y.at(tick),
      y2: y.at(tick),
    }),
    el(
      'text',
      { class: 'tick', x: area.left - font * 0.5, y: y.at(tick) + font * 0.35, 'text-anchor': 'end' },
      of.yText(tick),
    ),
  ]);
  const columns = x.ticks.map((tick) => [
    el('line', { class: 'axis', x1: x.at(tick), x2: x.at(tick), y1: area.bottom, y2: area.bottom + font * 0.35 }),
    el('text', { class: 'tick', x: x.at(tick), y: area.bottom + font * 1.5, 'text-anchor': 'middle' }, of.xText(tick)),
  ]);
  const names = [
    el('text', { class: 'name', x: area.right, y: area.bottom + font * 2.8, 'text-anchor': 'end' }, of.xLabel),
    el('text', { class: 'name', x: 0, y: font }, of.yLabel),
  ];
  return el('g', {}, rows, columns, names);
}

/** The points of a line; where a value is missing the line breaks. */
export function pathOf(points: readonly (readonly [number, number] | null)[]): string {
  let text = '';
  let isDown = false;
  for (const point of points) {
    if (point !== null) text += `${isDown ? 'L' : 'M'}${short(point[0])} ${short(point[1])}`;
    isDown = point !== null;
  }
  return text;
}

/** About how wide text is: no font is at hand to measure with. */
export function textWidth(text: string, font: number): number {
  return text.length * font * 0.56;
}

/** Places for labels at about the heights wanted, none nearer to the next than `gap`, all within the bounds as far as they fit. */
export function spread(wanted: readonly number[], gap: number, top: number, bottom: number): number[] {
  const order = wanted.map((_, at) => at).sort((a, b) => wanted[a]! - wanted[b]!);
  const placed = [...wanted];
  let free = top;
  for (const at of order) {
    placed[at] = Math.max(free, Math.min(wanted[at]!, bottom));
    free = placed[at]! + gap;
  }
  let last = bottom;
  for (const at of order.toReversed()) {
    placed[at] = Math.min(placed[at]!, last);
    last = placed[at]! - gap;
  }
  return placed;
}
