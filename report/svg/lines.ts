import { type Child, el, type Markup } from './element.ts';
import { type Area, areaOf, axes, pathOf, type Size, spread, svg, textWidth } from './frame.ts';
import { linearScale, type Scale, type TickText } from './scale.ts';

export interface Line {
  readonly tone: string;
  readonly label: string;
  /** Ascending along x; null where there is nothing to show. */
  readonly points: readonly { readonly x: number; readonly y: number | null }[];
  /** Filled from the line up to here: such as from the median to the 95th percentile. */
  readonly upTo?: readonly (number | null)[];
}

/** A level that is no measurement: a bound, the stream's rate. */
export interface Level {
  readonly tone: string;
  readonly label: string;
  readonly y: number;
}

export interface LinesOptions {
  readonly xLabel: string;
  readonly yLabel: string;
  readonly xText: (ticks: readonly number[]) => TickText;
  readonly yText: (ticks: readonly number[]) => TickText;
  readonly levels?: readonly Level[];
  /** The axes reach at least so far. */
  readonly yMax?: number;
  readonly xMax?: number;
  /** The axis ends there, such as at 100 %. */
  readonly yEnd?: number;
  /** A stretch of x that is marked, such as the time in which the crowd comes. */
  readonly span?: { readonly from: number; readonly to: number; readonly label: string };
}

/** Lines named at their ends, bands under them, levels dashed. */
export function linesPlot(size: Size, label: string, lines: readonly Line[], options: LinesOptions): Markup {
  const names = lines.map((line) => line.label);
  const margin = Math.max(...names.map((name) => textWidth(name, size.font)), 0) + size.font;
  const { levels = [], span } = options;
  const ys = lines.flatMap(({ points, upTo = [] }) => [...points.map(({ y }) => y ?? 0), ...upTo.map((y) => y ?? 0)]);
  const xs = [
    ...lines.flatMap(({ points }) => [points[0]?.x ?? 0, points.at(-1)?.x ?? 1]),
    ...(lines.length > 0 ? [] : [0]),
  ];
  const most = Math.max(0, options.yMax ?? 0, ...ys, ...levels.map((level) => level.y));
  const { top, bottom } = areaOf(size);
  const end = options.yEnd ?? (most === 0 ? 1 : most * 1.04);
  const y = linearScale(0, end, bottom, top, size.height / 60, options.yEnd === undefined);
  const yText = options.yText(y.ticks);
  const left = Math.max(...y.ticks.map((tick) => textWidth(yText(tick), size.font))) + size.font;
  const area = areaOf(size, Math.min(margin, size.width * 0.34), left);
  const x = linearScale(
    Math.min(...xs),
    Math.max(options.xMax ?? 0, ...xs),
    area.left,
    area.right,
    (area.right - area.left) / 55,
    false,
  );
  const { xLabel, yLabel } = options;
  const frame = axes(area, size, {
    x,
    y,
    xText: options.xText(x.ticks),
    yText,
    xLabel,
    yLabel,
  });
  const bands = lines.map((line) => band(line, x, y));
  const drawn = lines.map(({ tone, points }) =>
    el('path', { class: `line ${tone}`, d: pathOf(points.map((point) => place(point, x, y))) }),
  );
  const marked = span === undefined ? [] : spanOf(span, area, size, x);
  return svg(
    size,
    label,
    marked,
    frame,
    bands,
    levelLines(levels, area, size, y),
    drawn,
    endNames(lines, area, size, y),
  );
}

function place(point: { readonly x: number; readonly y: number | null }, x: Scale, y: Scale): [number, number] | null {
  return point.y === null ? null : [x.at(point.x), y.at(point.y)];
}

function band({ tone, points, upTo }: Line, x: Scale, y: Scale): Child {
  if (upTo === undefined) return [];
  const both = points.flatMap((point, at) => {
    const high = upTo[at];
    return point.y === null || high === null || high === undefined
      ? []
      : [{ x: x.at(point.x), low: y.at(point.y), high: y.at(high) }];
  });
  if (both.length < 2) return [];
  const low = both.map((point): [number, number] => [point.x, point.low]);
  const high = both.map((point): [number, number] => [point.x, point.high]);
  return el('path', { class: `band ${tone}`, d: `${pathOf([...low, ...high.toReversed()])}Z` });
}

function levelLines(levels: readonly Level[], area: Area, { font }: Size, y: Scale): Child {
  return levels.map(({ tone, label, y: level }) => [
    el('line', { class: `bound ${tone}`, x1: area.left, x2: area.right, y1: y.at(level), y2: y.at(level) }),
    el('text', { class: 'note halo', x: area.left + font * 0.5, y: y.at(level) - font * 0.4 }, label),
  ]);
}

function spanOf({ from, to, label }: NonNullable<LinesOptions['span']>, area: Area, { font }: Size, x: Scale): Child {
  const left = Math.max(area.left, x.at(from));
  const width = Math.max(0, x.at(Math.min(to, x.max)) - left);
  return [
    el('rect', { class: 'span', x: left, y: area.top, width, height: area.bottom - area.top }),
    el('text', { class: 'note halo', x: left + 4, y: area.top + font }, label),
  ];
}

/** Each line's name beside its last point, none over another. */
function endNames(lines: readonly Line[], area: Area, { font }: Size, y: Scale): Child {
  const ends = lines.map(({ points }) => y.at(points.findLast((point) => point.y !== null)?.y ?? 0));
  const places = spread(ends, font * 1.25, area.top + font * 0.5, area.bottom);
  return lines.map(({ tone, label }, at) =>
    el('text', { class: `label ${tone}`, x: area.right + font * 0.5, y: places[at]! + font * 0.35 }, label),
  );
}
