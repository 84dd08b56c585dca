import { DRAFTS, draftsKind } from '../drafts.ts';
import { mainKeys } from '../ideas.ts';
import { type Measure, measureOf } from '../measures.ts';
import type { ColumnReport, Report } from '../report.ts';
import { type Bar, barsPlot, stackPlot } from '../svg/bars.ts';
import { cdfPlot } from '../svg/cdf.ts';
import { type Child, el, type Markup } from '../svg/element.ts';
import type { Size } from '../svg/frame.ts';
import { type Level, linesPlot } from '../svg/lines.ts';
import { percentText, rateTickText, secondsText } from '../svg/scale.ts';
import { toneOf } from '../svg/tone.ts';
import { figureText, halfText } from '../text.ts';

const HERO: Size = { width: 1056, height: 430, font: 14 };
const HALF: Size = { width: 508, height: 300, font: 13 };
const PHONE: Size = { width: 350, height: 270, font: 12.5 };

type Draw = (size: Size) => Markup;

/** A plot with its title and what to see in it, drawn for desks and for phones. */
function figure(title: string, what: string, draw: Draw, isWide = false, legend: Child = []): Markup {
  return el(
    'figure',
    isWide ? { class: 'wide' } : {},
    el('figcaption', {}, el('h3', {}, title), el('p', {}, what)),
    legend,
    el('div', { class: 'on-desk' }, draw(isWide ? HERO : HALF)),
    el('div', { class: 'on-phone' }, draw(PHONE)),
  );
}

interface Shown {
  readonly key: string;
  readonly tone: string;
  readonly column: ColumnReport;
}

/** All plots of the columns that stand for themselves. */
export function plots(report: Report): Markup {
  const all = Object.keys(report.modes);
  const shown = mainKeys(report).map((key) => ({ key, tone: toneOf(key, all), column: report.modes[key]! }));
  return el(
    'div',
    { class: 'figures' },
    startup(report, shown),
    overTime(report, shown),
    latency(report, shown),
    buffers(report, shown),
    upload(report, shown),
    freezeBars(shown),
    missedBars(shown),
    efficiencyBars(shown),
    carriers(shown),
  );
}

function startup(report: Report, shown: readonly Shown[]): Markup {
  const lines = shown.map(({ tone, column }) => ({
    tone,
    label: column.label,
    values: column.series.startupDelayMs,
    of: column.viewers.joined * column.runs.length,
    bound: column.series.startupBoundMs,
  }));
  const kinds = new Set(shown.map(({ column }) => draftsKind(column.mode)).filter((kind) => kind !== null));
  const marks = [...kinds].sort().map((kind) => {
    const [fromMs, toMs] = DRAFTS.startupDelayMs[kind];
    const name = kind === 'ins' ? 'INS' : 'native';
    const label = `the drafts, ${name}: ${fromMs / 1000}–${toMs / 1000} s`;
    return { tone: toneOf(kind, Object.keys(report.modes)), label, fromMs, toMs };
  });
  const label = `Share of viewers who have started, by seconds since their first dial. ${shown
    .map(
      ({ column }) =>
        `${column.label}: half ${figureText(column.startupDelayMs.p50, 'ms')}, 95 % ${figureText(column.startupDelayMs.p95, 'ms')}`,
    )
    .join('; ')}`;
  return figure(
    'Startup delay',
    'Of all viewers of all runs. Dots: half and 95\u00a0%. Dashed: what no system can beat with this supply and these arrivals. Arrows: what the drafts measured, off this scale.',
    (size) => cdfPlot(size, label, lines, marks),
    true,
    legendOf('legend on-phone', lines),
  );
}

const TIME = { xLabel: 'seconds of the run', xText: secondsText };

/** The crowd's coming, as a stretch of the axis of time. */
function crowd({ crowdInAtMs, modes }: Report) {
  const viewers = Object.values(modes)[0]?.series.perSecond.viewers ?? [];
  const first = viewers.findIndex((count) => count > 0);
  return first < 0 ? {} : { span: { from: first * 1000, to: crowdInAtMs, label: 'the crowd joins' } };
}

function seconds(values: readonly (number | null)[]): { x: number; y: number | null }[] {
  return values.map((y, at) => ({ x: at * 1000, y }));
}

function overTime(report: Report, shown: readonly Shown[]): Markup {
  const lines = shown.map(({ tone, column }) => ({
    tone,
    label: column.label,
    points: seconds(column.series.perSecond.frozenShare),
  }));
  const options = {
    ...TIME,
    ...crowd(report),
    yLabel: 'viewers whose picture stands still',
    yText: percentText,
    yMax: 0.01,
  };
  return figure(
    'Freezes over time',
    'Of the viewers who have started, those who stand still for want of data.',
    (size) => linesPlot(size, 'Share of viewers frozen, second by second', lines, options),
  );
}

function latency(report: Report, shown: readonly Shown[]): Markup {
  const lines = shown.map(({ tone, column: { label, series } }) => ({
    tone,
    label,
    points: seconds(series.perSecond.latencyP50Ms),
    upTo: series.perSecond.latencyP95Ms,
  }));
  const levels = latencyBounds(shown);
  const options = { ...TIME, ...crowd(report), yLabel: 'seconds behind the camera', yText: secondsText, levels };
  return figure('Live latency', 'Line: the median viewer; band: up to the 95th percentile.', (size) =>
    linesPlot(size, 'Seconds from camera to screen, second by second', lines, options),
  );
}

/** Where the medians' bounds lie: a line for each that differs, the highest of them with a word on what they are. */
function latencyBounds(shown: readonly Shown[]): Level[] {
  const levels: Level[] = [];
  for (const { tone, column } of shown) {
    const y = column.liveLatencyMs.bound?.p50 ?? null;
    const same = levels.find((level) => y !== null && Math.abs(level.y - y) < y / 50);
    if (same !== undefined) levels[levels.indexOf(same)] = { ...same, tone: 'c-quiet' };
    else if (y !== null) levels.push({ tone, label: '', y });
  }
  const highest = Math.max(...levels.map(({ y }) => y));
  const label = levels.length === 1 ? 'bound' : 'bounds';
  return levels.map((level) => (level.y === highest ? { ...level, label } : level));
}

function buffers(report: Report, shown: readonly Shown[]): Markup {
  const lines = shown.map(({ tone, column: { label, series } }) => ({
    tone,
    label,
    points: seconds(series.perSecond.bufferMs),
  }));
  const options = { ...TIME, ...crowd(report), yLabel: 'seconds in hand', yText: secondsText };
  return figure('Buffer', 'What the median viewer has in hand: what stands between a hiccup and a freeze.', (size) =>
    linesPlot(size, 'Median seconds of media in hand, second by second', lines, options),
  );
}

function upload(report: Report, shown: readonly Shown[]): Markup {
  const lines = shown.map(({ tone, column: { label, series } }) => {
    const { sorted } = series.uploadBps;
    const step = Math.max(1, Math.floor(sorted.length / 200));
    const points = sorted.flatMap((y, at) =>
      at % step === 0 || at === sorted.length - 1 ? [{ x: at / Math.max(1, sorted.length - 1), y }] : [],
    );
    return { tone, label, points };
  });
  const levels = [{ tone: 'c-quiet', label: 'the stream’s rate', y: report.streamBps }];
  const options = {
    xLabel: 'viewers, by how much they send',
    yLabel: 'sent per second',
    xText: percentText,
    yText: () => rateTickText,
    levels,
  };
  return figure(
    'What viewers upload',
    'Everything a viewer sends, video and control, on average over its stay.',
    (size) => linesPlot(size, 'Upload rate of viewers, ascending', lines, options),
  );
}

function freezeBars(shown: readonly Shown[]): Markup {
  const what = 'Per hour that a viewer watches; whiskers are 95\u00a0% confidence over runs.';
  return bars(shown, 'freezes.perPeerHour', 'Freezes, all told', what);
}

function missedBars(shown: readonly Shown[]): Markup {
  const what = `Blocks that came too late or not at all, of all that were due. ▲ is what the drafts had: ${figureText(DRAFTS.missedRate, 'share')}.`;
  return bars(shown, 'missedRate', 'Pieces missed', what, () => DRAFTS.missedRate);
}

function efficiencyBars(shown: readonly Shown[]): Markup {
  const { ins, native } = DRAFTS.efficiency;
  const what = `What all download over all that could be sent. Dashed: what demand allows. ▲ is what the drafts had: ${figureText(ins, 'share')} with INS, ${figureText(native, 'share')} native.`;
  const mark = ({ mode }: ColumnReport): number | null => {
    const kind = draftsKind(mode);
    return kind === null ? null : DRAFTS.efficiency[kind];
  };
  return bars(shown, 'efficiency', 'Network efficiency', what, mark, 1);
}

function bars(
  shown: readonly Shown[],
  key: string,
  title: string,
  what: string,
  mark: (column: ColumnReport) => number | null = () => null,
  least = 0,
): Markup {
  const measure = measureOf(key);
  const made = shown.map(({ tone, column }) => barOf(column, measure, tone, column.label, mark(column)));
  const max = Math.max(
    least,
    ...made.flatMap(({ value, half, bound, mark }) => [(value ?? 0) + (half ?? 0), bound ?? 0, mark ?? 0]),
  );
  const label = `${title}. ${made.map((bar) => `${bar.label}: ${bar.text}`).join('; ')}`;
  return figure(title, what, (size) => barsPlot(size, label, made, max));
}

export function barOf(column: ColumnReport, measure: Measure, tone: string, label: string, mark: number | null): Bar {
  const value = measure.pick(column);
  const half = column.confidence[measure.key] ?? null;
  const shownHalf = halfText(half, value, measure.unit);
  const text = `${figureText(value, measure.unit)}${shownHalf === '' ? '' : ` ${shownHalf}`}`;
  return { tone, label, value, half, text, bound: measure.bound(column), mark };
}

const ORIGINS = [
  { tone: 'o-ins', label: 'INS servers', key: 'ins' },
  { tone: 'o-peers', label: 'other viewers', key: 'peers' },
  { tone: 'o-source', label: 'the source', key: 'source' },
] as const;

function carriers(shown: readonly Shown[]): Markup {
  const stacks = shown.map(({ column }) => ({
    label: `${column.label}: the source sends each byte ${figureText(column.sourceCopies, 'times').replace('×', ' times')}`,
    pieces: ORIGINS.map(({ tone, label, key }) => ({ tone, label, value: column.bytesFrom[key] })),
  }));
  return figure(
    'Who carried the bytes',
    'Of the video that viewers got, by who sent it to them.',
    (size) => stackPlot(size, 'Shares of the bytes by who sent them', stacks),
    false,
    legendOf('legend', ORIGINS),
  );
}

function legendOf(style: string, names: readonly { readonly tone: string; readonly label: string }[]): Markup {
  return el(
    'ul',
    { class: style },
    names.map(({ tone, label }) => el('li', { class: tone }, el('i'), label)),
  );
}

/** For each column with variations: bars of one figure, the column itself first. */
export function variationPlots(report: Report): readonly Markup[] {
  const bases = [...new Set(Object.values(report.modes).flatMap(({ base }) => (base === null ? [] : [base])))];
  const all = Object.keys(report.modes);
  return bases.flatMap((base) => {
    const own = report.modes[base];
    if (own === undefined) return [];
    const keys = [base, ...all.filter((key) => report.modes[key]!.base === base)];
    return VARIED.map((key) => {
      const measure = measureOf(key);
      const made = keys.map((at) =>
        barOf(report.modes[at]!, measure, at === base ? toneOf(base, all) : 'c7', report.modes[at]!.label, null),
      );
      const max = Math.max(...made.flatMap(({ value, half, bound }) => [(value ?? 0) + (half ?? 0), bound ?? 0]));
      const label = `${measure.label}. ${made.map((bar) => `${bar.label}: ${bar.text}`).join('; ')}`;
      return figure(measure.label, `${own.label}, and with one thing changed each.`, (size) =>
        barsPlot(size, label, made, max),
      );
    });
  });
}

const VARIED = ['startupDelayMs.p95', 'liveLatencyMs.p50', 'controlBps.sent', 'freezes.perPeerHour'];
