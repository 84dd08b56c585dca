import { headSentence, ideasIn, mainKeys, sentenceOf } from '../ideas.ts';
import { measureOf } from '../measures.ts';
import type { ColumnReport, Report } from '../report.ts';
import { hasIntervals, runsText } from '../runs.ts';
import { type Child, el, type Markup } from '../svg/element.ts';
import { toneOf } from '../svg/tone.ts';
import { capital, countText, figureText, listed, rateText } from '../text.ts';
import { disagreements, isSaturated, type Saturated, saturatedColumns, saturatedText } from '../validity.ts';
import { countedTwice } from './checks.ts';
import { documentOf } from './document.ts';
import { plots, variationPlots } from './plots.ts';
import { ranOn } from './rig.ts';
import { figuresTable, nearness } from './table.ts';

/** A report as one HTML file that opens anywhere: no server, no script, nothing from elsewhere. */
export function pageOf(report: Report): string {
  const title = titleOf(report);
  const body = el(
    'main',
    {},
    head(report, title),
    cards(report),
    table(report),
    section(report),
    ideas(report),
    ranOn(report),
    countedTwice(report),
    made(report),
  );
  return documentOf(title, body);
}

function titleOf({ scenario, peers }: Report): string {
  return `${capital(scenario.replaceAll('-', ' '))}: ${countText(peers)} viewers, one supply`;
}

function head(report: Report, title: string): Child {
  const { engine, streamBps, supplyBps, peers, warnings } = report;
  const times = peers === 0 ? '' : `, ${(supplyBps / (streamBps * peers)).toFixed(2)} times the demand`;
  const where = engine === 'sim' ? 'the shipped programs under virtual time' : 'real processes over real sockets';
  const saturated = saturatedColumns(report);
  const eyebrow = ['inswarm', where, runsText(report), ...(saturated.length === 0 ? [] : [title])];
  return [
    el('p', { class: 'eyebrow' }, eyebrow.join(' · ')),
    saturated.length === 0 ? el('h1', {}, title) : el('h1', { class: 'no' }, noResult(report, saturated)),
    el(
      'p',
      { class: 'lede' },
      `A stream of ${rateText(streamBps)}, and in every column ${rateText(supplyBps)} in all to send it with${times}. ${headSentence(report)}`,
    ),
    saturated.map((one) => warned(saturatedText(one), one.reasons)),
    disagreeing(report),
    warnings.map((warning) => el('p', { class: 'warning' }, warning)),
  ];
}

function warned(text: string, reasons: readonly string[]): Markup {
  const items = reasons.map((reason) => el('li', {}, reason));
  return el('div', { class: 'warning' }, el('p', {}, text), el('ul', {}, items));
}

/** A line for each name: the section on what was counted twice has the figures. */
function disagreeing(report: Report): Child {
  const names = [...new Set(disagreements(report).map(({ label, check }) => `${label}: ${check.name}`))];
  return names.length === 0 ? [] : warned('What was counted twice is not the same.', names);
}

function noResult({ modes }: Report, saturated: readonly Saturated[]): string {
  const isAll = saturated.length === Object.keys(modes).length;
  const which = isAll ? '' : ` for ${listed(saturated.map(({ label }) => label))}`;
  return `Not a result${which}: the machine was the bottleneck`;
}

/** The one figure that a viewer feels first, large. */
function cards(report: Report): Markup {
  const all = Object.keys(report.modes);
  return el(
    'div',
    { class: 'cards' },
    mainKeys(report).map((key) => {
      const column = report.modes[key]!;
      return isSaturated(column) ? doubtfulCard(column, toneOf(key, all)) : card(column, toneOf(key, all));
    }),
  );
}

/** No figure is put forward that says what the machine could do, not what the system can. */
function doubtfulCard({ label }: ColumnReport, tone: string): Markup {
  return el(
    'div',
    { class: `card ${tone}` },
    el('b', {}, label),
    el('div', { class: 'big no' }, 'no result'),
    el('small', {}, 'The machine was the bottleneck: fewer viewers, or a larger machine, would tell.'),
  );
}

function card(column: ColumnReport, tone: string): Markup {
  const { startupDelayMs, freezes } = column;
  const [big = '–', unit = ''] = figureText(startupDelayMs.p95, 'ms').split('\u00a0');
  const bound = startupDelayMs.bound?.p95 ?? null;
  const near =
    bound === null || startupDelayMs.p95 === null
      ? ''
      : nearness(startupDelayMs.p95, bound, measureOf('startupDelayMs.p95'));
  const frozen =
    freezes.total === 0 ? 'no freeze' : `${figureText(freezes.perPeerHour, 'count')} freezes per viewer-hour`;
  return el(
    'div',
    { class: `card ${tone}` },
    el('b', {}, column.label),
    el('div', { class: 'big' }, big, el('i', {}, unit)),
    el('small', {}, 'until 95\u00a0% of the viewers have a picture'),
    near === '' ? [] : el('small', {}, `${near} the bound of ${figureText(bound, 'ms')}`),
    el('small', {}, `half within ${figureText(startupDelayMs.p50, 'ms')}; ${frozen}`),
  );
}

function table(report: Report): Child {
  const confidence = hasIntervals(report)
    ? `Means over ${runsText(report)}, ± half the width of their 95\u00a0% confidence interval. `
    : `One ${report.engine === 'sim' ? 'seed' : 'run'}, so no confidence interval. `;
  return [
    el('h2', {}, 'The figures'),
    el(
      'p',
      { class: 'about' },
      `${confidence}The bound is what no system can beat with this supply, these arrivals and these distances; the target is what this project has set itself.`,
    ),
    figuresTable(report),
  ];
}

function section(report: Report): Child {
  return [el('h2', {}, 'How it went'), plots(report)];
}

function ideas(report: Report): Child {
  const there = ideasIn(report);
  if (there.length === 0) return [];
  const items = there.map((idea) => el('li', {}, el('h3', {}, idea.name), el('p', {}, sentenceOf(report, idea))));
  const varied = variationPlots(report);
  return [
    el('h2', {}, 'What the design ideas are worth'),
    el(
      'p',
      { class: 'about' },
      'Each compares two columns seed by seed: the same arrivals, the same hosts, the same supply. What is not beyond chance is not told.',
    ),
    el('ul', { class: 'ideas' }, items),
    varied.length === 0 ? [] : el('div', { class: 'figures', style: 'margin-top:40px' }, varied),
  ];
}

function made(report: Report): Child {
  const { made, seeds, seconds, supplyBps, modes } = report;
  const supplies = Object.values(modes).map(({ label, supply: { sourceBps, insBps, peersBps } }) => {
    const total = sourceBps + insBps + peersBps;
    const parts = `source ${rateText(sourceBps)}, INS servers ${rateText(insBps)}, viewers ${rateText(peersBps)}`;
    return el('div', {}, `${label}: ${parts}: ${countText(total)} bit/s`);
  });
  const rows: [string, Child][] = [
    ['Command', el('code', {}, made.command)],
    ['Seeds', [...new Set(seeds)].join(', ')],
    ...(new Set(seeds).size === seeds.length ? [] : [['Runs', runsText(report)] as [string, Child]]),
    ['A run', `${countText(seconds)} s of stream, ${countText(report.peers)} viewers`],
    ['Supply', [`${countText(supplyBps)} bit/s in every column`, supplies]],
    ['Version', made.version],
    ['Machine', made.machine],
    ...(made.at === '' ? [] : [['Made at', made.at.replace(/^(.*)T(\d\d:\d\d).*Z$/, '$1 $2 UTC')] as [string, Child]]),
    ['Took', `${countText(made.tookMs / 1000)} s`],
  ];
  return [
    el('h2', {}, 'How this was made'),
    el(
      'dl',
      {},
      rows.map(([name, what]) => [el('dt', {}, name), el('dd', {}, what)]),
    ),
    runs(report),
  ];
}

/** Every run, with the command that makes it again. */
function runs({ modes, engine }: Report): Markup {
  // Equal traces tell equal runs; real processes have none.
  const hasTraces = engine === 'sim';
  const rows = Object.values(modes).flatMap(({ label, runs }) =>
    runs.map(({ seed, traceHash, command, figures }) =>
      el(
        'tr',
        {},
        el('td', {}, label),
        el('td', {}, String(seed)),
        el('td', {}, figureText(figures.startupDelayMs.p50, 'ms')),
        el('td', {}, figureText(figures.startupDelayMs.p95, 'ms')),
        el('td', {}, countText(figures.freezes.total)),
        hasTraces ? el('td', {}, el('code', {}, traceHash)) : [],
        el('td', {}, el('code', {}, command)),
      ),
    ),
  );
  const last = hasTraces ? ['Trace', 'Replay'] : ['Again'];
  const names = ['Column', 'Seed', 'Half', '95\u00a0%', 'Freezes', ...last].map((name) =>
    el('th', { scope: 'col' }, name),
  );
  const table = el('table', { class: 'fine' }, el('thead', {}, el('tr', {}, names)), el('tbody', {}, rows));
  return el(
    'details',
    {},
    el('summary', {}, `Every run, and the command that ${hasTraces ? 'replays it' : 'makes one like it'}`),
    el('div', { class: 'scroll' }, table),
  );
}
