import { type Child, type Markup, el as mark } from '../../../../report/svg/element.ts';
import { svg, textWidth } from '../../../../report/svg/frame.ts';
import { linearScale, type Scale, secondsText } from '../../../../report/svg/scale.ts';
import { el } from '../../../../web-player/element/dom.ts';
import type { LiveHappening } from '../model.ts';
import { atText } from './figures.ts';
import { Drawing } from './markup.ts';
import type { View } from './view.ts';

const FONT = 12;
const BARS_PX = 34;
const ROW_PX = 17;
const ROWS_MAX = 4;
/** Narrower than this, what happens is a list below. */
const NARROW_PX = 560;

/** What the scenario has planned: who comes when, what happens, and where we are. */
export function timelineView(): View {
  const plot = el('div', { class: 'timeline-plot' });
  const drawing = new Drawing(plot);
  const list = el('ol', { class: 'happenings' });
  const element = el(
    'section',
    { class: 'timeline block', 'aria-label': 'Time line' },
    el('h2', {}, 'The scenario'),
    plot,
    list,
  );
  return {
    element,
    show(picture) {
      const { run, session, atMs } = picture;
      const width = plot.clientWidth;
      if (run === undefined || session === null || width === 0) return;
      const isNarrow = width < NARROW_PX;
      const comes = run.hosts.flatMap(({ comesAtMs }) => (comesAtMs === null ? [] : [comesAtMs]));
      drawing.show(drawn(width, session.durationMs, comes, run.happenings, atMs, isNarrow));
      list.hidden = !isNarrow || run.happenings.length === 0;
      const items = isNarrow ? run.happenings : [];
      if (list.childElementCount !== items.length) {
        list.replaceChildren(...items.map(({ atMs, text }) => el('li', {}, el('time', {}, atText(atMs)), text)));
      }
    },
  };
}

function drawn(
  width: number,
  durationMs: number,
  comes: readonly number[],
  happenings: readonly LiveHappening[],
  atMs: number,
  isNarrow: boolean,
): Markup {
  const x = linearScale(0, durationMs, 14, width - 14, Math.min(12, width / 70), false);
  const flags = isNarrow ? [] : flagged(happenings, x, width);
  const rows = flags.reduce((most, { row }) => Math.max(most, row + 1), 0);
  const top = rows * ROW_PX + 8;
  const bottom = top + BARS_PX;
  const size = { width, height: bottom + 24, font: FONT };
  const axis = x.ticks.map((tick) => [
    mark('line', { class: 'axis', x1: x.at(tick), x2: x.at(tick), y1: bottom, y2: bottom + 4 }),
    mark(
      'text',
      { class: 'tick', x: x.at(tick), y: bottom + 18, 'text-anchor': 'middle' },
      `${secondsText(x.ticks)(tick)}${tick === 0 ? ' s' : ''}`,
    ),
  ]);
  const spans = happenings.map(({ atMs: from, forMs }) =>
    mark('rect', {
      class: 'span',
      x: x.at(from),
      y: top,
      width: Math.max(0, x.at(Math.min(durationMs, from + forMs)) - x.at(from)),
      height: BARS_PX,
    }),
  );
  const label = `${comes.length} viewers come. ${happenings.map(({ atMs: at, text }) => `${atText(at)}: ${text}`).join('. ')}. Now: ${atText(atMs)}`;
  return svg(
    size,
    label,
    spans,
    bars(comes, durationMs, x, bottom, atMs),
    mark('line', { class: 'axis', x1: x.at(0), x2: x.at(durationMs), y1: bottom, y2: bottom }),
    axis,
    happenings.map((happening, at) => pole(happening, x, flags[at]?.row, bottom, atMs)),
    flags.map((flag) => flagMark(flag)),
    now(x, Math.min(atMs, durationMs), top, bottom),
  );
}

/** Who comes, in steps of the run: those who should have come already, and those who are still to come. */
function bars(comes: readonly number[], durationMs: number, x: Scale, bottom: number, atMs: number): Child {
  const steps = Math.max(1, Math.min(120, Math.floor(durationMs / 500)));
  const counts = new Array<number>(steps).fill(0);
  for (const at of comes) {
    const step = Math.min(steps - 1, Math.max(0, Math.floor((at / durationMs) * steps)));
    counts[step]!++;
  }
  const most = Math.max(1, ...counts);
  const wide = (x.at(durationMs) - x.at(0)) / steps;
  return counts.map((count, step) => {
    if (count === 0) return [];
    const height = Math.max(1.5, (count / most) * (BARS_PX - 6));
    const isPast = ((step + 1) / steps) * durationMs <= atMs;
    const left = x.at(0) + step * wide;
    return mark('rect', {
      class: isPast ? 'joined' : 'joining',
      x: left + 0.5,
      y: bottom - height,
      width: Math.max(1, wide - 1),
      height,
    });
  });
}

interface Flag {
  readonly x: number;
  readonly row: number;
  readonly text: string;
  readonly isLeft: boolean;
}

/** Names of what happens, in as many rows as keep them apart; what does not fit is told by its pole alone. */
function flagged(happenings: readonly LiveHappening[], x: Scale, width: number): Flag[] {
  const free: number[] = [];
  return happenings.map(({ atMs, text }) => {
    const wide = textWidth(text, FONT) + 14;
    const at = x.at(atMs);
    const isLeft = at + wide > width;
    const from = isLeft ? at - wide : at;
    let row = free.findIndex((until) => until <= from);
    if (row < 0) row = Math.min(free.length, ROWS_MAX);
    if (row < ROWS_MAX) free[row] = from + wide;
    return { x: at, row: row < ROWS_MAX ? row : 0, text: row < ROWS_MAX ? text : '', isLeft };
  });
}

function flagMark({ x, row, text, isLeft }: Flag): Child {
  const y = row * ROW_PX + 12;
  return mark(
    'text',
    { class: 'flag halo', x: isLeft ? x - 5 : x + 5, y, 'text-anchor': isLeft ? 'end' : 'start' },
    text,
  );
}

function pole({ atMs, text }: LiveHappening, x: Scale, row: number | undefined, bottom: number, nowMs: number): Markup {
  const top = row === undefined ? bottom - BARS_PX : row * ROW_PX + 3;
  const line = { class: atMs <= nowMs ? 'pole past' : 'pole', x1: x.at(atMs), x2: x.at(atMs), y1: top, y2: bottom };
  return mark('line', line, mark('title', {}, `${atText(atMs)}: ${text}`));
}

function now(x: Scale, atMs: number, top: number, bottom: number): Child {
  const at = x.at(Math.max(0, atMs));
  return [
    mark('line', { class: 'now', x1: at, x2: at, y1: top - 2, y2: bottom + 5 }),
    mark('circle', { class: 'now-dot', cx: at, cy: bottom, r: 4.5 }),
  ];
}
