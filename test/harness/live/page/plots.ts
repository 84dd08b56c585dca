import { distributionOf } from '../../../../report/distribution.ts';
import { BUSY_MAX } from '../../../../report/saturation.ts';
import { cdfPlot } from '../../../../report/svg/cdf.ts';
import type { Markup } from '../../../../report/svg/element.ts';
import type { Size } from '../../../../report/svg/frame.ts';
import { type Line, type LinesOptions, linesPlot } from '../../../../report/svg/lines.ts';
import { percentText, rateTickText, secondsText } from '../../../../report/svg/scale.ts';
import { toneOf } from '../../../../report/svg/tone.ts';
import { countText } from '../../../../report/text.ts';
import { el } from '../../../../web-player/element/dom.ts';
import type { Picture, RunPicture } from '../picture.ts';
import type { Totals } from '../totals.ts';
import { Drawing, isSeen, watchSeen } from './markup.ts';
import type { View } from './view.ts';

/** A run with its colour: pale where it is over and another one is under way. */
interface Shown {
  readonly run: RunPicture;
  readonly label: string;
  readonly tone: string;
}

interface Plot {
  readonly title: string;
  readonly what: string;
  readonly isWide?: boolean;
  readonly draw: (size: Size, picture: Picture, runs: readonly Shown[]) => Markup;
}

/** Running plots, drawn by what draws the report. */
export function plotsView(): View {
  const drawings = PLOTS.map((plot) => {
    const place = el('div', { class: 'plot-place' });
    watchSeen(place);
    const head = el('figcaption', {}, el('h3', {}, plot.title), el('p', {}, plot.what));
    return {
      plot,
      drawing: new Drawing(place),
      figure: el('figure', plot.isWide ? { class: 'wide' } : {}, head, place),
    };
  });
  const element = el('section', { class: 'plots', 'aria-label': 'Plots' }, ...drawings.map(({ figure }) => figure));
  let shows = 0;
  return {
    element,
    show(picture) {
      const runs = shownOf(picture);
      // What nobody sees is for pictures and prints of the whole page.
      const isForAll = shows++ % UNSEEN_EVERY === 0 || picture.end !== null;
      for (const { plot, drawing } of drawings) {
        const { clientWidth: width, clientHeight: height } = drawing.element;
        if (width === 0 || runs.length === 0) continue;
        if (!isForAll && !isSeen(drawing.element) && !drawing.isEmpty) continue;
        drawing.show(plot.draw({ width, height, font: 12 }, picture, runs));
      }
    },
  };
}

/** Of several runs of one kind the last is shown: they would be one line over the other. */
function shownOf({ session, runs, end }: Picture): Shown[] {
  const planned = session?.runs ?? [];
  const keys = planned.map(({ mode }) => mode);
  const all = runs.map((run, at) => {
    const { mode = '', label = '' } = planned[at] ?? {};
    const isNow = at === runs.length - 1 || end !== null;
    return { run, label, tone: `${toneOf(mode, keys)}${isNow ? '' : ' pale'}` };
  });
  return all.filter(({ label }, at) => !all.slice(at + 1).some((later) => later.label === label));
}

/** Of so many seconds, those plots that are not on the screen are drawn in one. */
const UNSEEN_EVERY = 5;

type Pick = (totals: Totals) => number | null;

function lineOf({ run, label, tone }: Shown, y: Pick, upTo?: Pick): Line {
  const { points } = run.history;
  const line = { tone, label, points: points.map((totals) => ({ x: totals.atMs, y: y(totals) })) };
  return upTo === undefined ? line : { ...line, upTo: points.map(upTo) };
}

function overTime(
  size: Size,
  picture: Picture,
  label: string,
  lines: readonly Line[],
  options: Partial<LinesOptions> = {},
): Markup {
  return linesPlot(size, label, lines, {
    xLabel: 'seconds of the run',
    yLabel: '',
    xText: secondsText,
    yText: secondsText,
    xMax: picture.session?.durationMs ?? 0,
    ...options,
  });
}

const RATES = { yText: () => rateTickText } as const;
const COUNTS = { yText: () => countText } as const;

const PLOTS: readonly Plot[] = [
  {
    title: 'Startup',
    what: 'Share of the viewers who came and have a picture, by seconds since their first dial.',
    isWide: true,
    draw: (size, _, runs) => {
      const lines = runs.map(({ run, label, tone }) => {
        const values = distributionOf(run.startupsMs);
        const waiting = run.history.points.at(-1)?.waiting ?? 0;
        return { tone, label, values, of: values.count + waiting, bound: null };
      });
      const said = lines.map(({ label, values }) => `${label}: ${values.count} have started`);
      return cdfPlot(size, `Startup delays. ${said.join('; ')}`, lines, []);
    },
  },
  {
    title: 'Viewers',
    what: 'There, of these waiting for a first frame, and standing still.',
    draw: (size, picture, runs) => {
      const now = runs.at(-1)!;
      const lines = [
        { ...lineOf(now, ({ here }) => here), tone: 'c-quiet', label: 'there' },
        { ...lineOf(now, ({ waiting }) => waiting), tone: 's-waiting', label: 'wait' },
        { ...lineOf(now, ({ stalled }) => stalled), tone: 's-stalled', label: 'stand still' },
      ];
      return overTime(size, picture, 'Viewers over time', lines, COUNTS);
    },
  },
  {
    title: 'Standing still',
    what: 'Share of those who have started, for want of data.',
    draw: (size, picture, runs) => {
      const share: Pick = ({ playing, stalled }) => (playing + stalled === 0 ? null : stalled / (playing + stalled));
      const lines = runs.map((run) => lineOf(run, share));
      const most = Math.max(...lines.flatMap(({ points }) => points.map(({ y }) => y ?? 0)));
      const end = most > 0.75 ? { yEnd: 1 } : { yMax: 0.01 };
      return overTime(size, picture, 'Share of viewers who stand still', lines, { yText: percentText, ...end });
    },
  },
  {
    title: 'In hand',
    what: 'What the median viewer has buffered, in seconds.',
    draw: (size, picture, runs) =>
      overTime(
        size,
        picture,
        'Median buffer in seconds',
        runs.map((run) => lineOf(run, ({ bufferMs }) => bufferMs)),
      ),
  },
  {
    title: 'Behind the camera',
    what: 'Seconds; line: the median viewer, band: up to the 95th percentile.',
    draw: (size, picture, runs) => {
      const lines = runs.map((run) =>
        lineOf(
          run,
          ({ latencyP50Ms }) => latencyP50Ms,
          ({ latencyP95Ms }) => latencyP95Ms,
        ),
      );
      return overTime(size, picture, 'Live latency in seconds', lines);
    },
  },
  {
    title: 'What a viewer gets',
    what: 'Mean per second, by who sends it.',
    draw: (size, picture, runs) => {
      const now = runs.at(-1)!;
      const all = [
        { ...lineOf(now, ({ insBps }) => insBps), tone: 'o-ins', label: 'INS servers' },
        { ...lineOf(now, ({ peersBps }) => peersBps), tone: 'o-peers', label: 'viewers' },
        { ...lineOf(now, ({ sourceBps }) => sourceBps), tone: 'o-source', label: 'source' },
      ];
      const there = all.filter(({ points }) => points.some(({ y }) => (y ?? 0) > 0));
      const lines = there.length > 0 ? there : all;
      const y = picture.session?.streamBps ?? 0;
      const levels = [{ tone: 'c-quiet', label: 'the stream’s rate', y }];
      return overTime(size, picture, 'Download per viewer', lines, { ...RATES, levels });
    },
  },
  {
    title: 'What a viewer uploads',
    what: 'Mean per second; dashed: control messages.',
    draw: (size, picture, runs) => {
      const data = runs.map((run) => lineOf(run, ({ dataUpBps }) => dataUpBps));
      const control = runs.map((run) => ({
        ...lineOf(run, ({ controlUpBps }) => controlUpBps),
        tone: `${run.tone} dashes`,
        label: '',
      }));
      return overTime(size, picture, 'Upload per viewer', [...data, ...control], { ...RATES, yMax: 20_000 });
    },
  },
  {
    title: 'The machine',
    what: 'How busy all processors together are. What is above the dashed line is not to be trusted.',
    draw: (size, picture, runs) => {
      const levels = [{ tone: 's-stalled', label: '', y: BUSY_MAX }];
      return overTime(
        size,
        picture,
        'Processors busy',
        runs.map((run) => lineOf(run, ({ busy }) => busy)),
        {
          yText: percentText,
          yEnd: 1,
          levels,
        },
      );
    },
  },
];
