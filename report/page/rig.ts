import { mainKeys } from '../ideas.ts';
import type { Report } from '../report.ts';
import type { MachineFigures, ProcessFigures, Rig } from '../rig.ts';
import { byKind } from '../saturation.ts';
import { type Child, el, type Markup } from '../svg/element.ts';
import { toneOf } from '../svg/tone.ts';
import { bytesText, capital, percentText } from '../text.ts';

/** More processes of a kind than this are one line. */
const LINES_MAX = 4;

/** What real processes ran on, column by column; nothing of a simulated run. */
export function ranOn(report: Report): Child {
  const all = Object.keys(report.modes);
  const columns = mainKeys(report).flatMap((key) => {
    const { label, runs } = report.modes[key]!;
    const rigs = runs.flatMap(({ rig }) => (rig ? [rig] : []));
    return rigs.length === 0 ? [] : [{ label, tone: toneOf(key, all), rigs }];
  });
  if (columns.length === 0) return [];
  return [
    el('h2', {}, 'What it ran on'),
    el(
      'p',
      { class: 'about' },
      'Real programs share real processors. Where these are full, figures tell of the machine: a run is no result where, in more than a twentieth of its seconds, a machine was more than 90\u00a0% busy, a process used 95\u00a0% of a processor, or an event loop came more than 50\u00a0ms late. Bars: how busy all processors were on average, fainter in 95\u00a0% of the seconds; the stroke is where it is too much.',
    ),
    links(columns.flatMap(({ rigs }) => rigs)),
    el(
      'div',
      { class: 'figures' },
      columns.map(({ label, tone, rigs }) =>
        el('section', { class: `rig ${tone}` }, el('h3', {}, el('i'), label), machines(rigs), processes(label, rigs)),
      ),
    ),
  ];
}

function links(rigs: readonly Rig[]): Markup {
  const sentences = [...new Set(rigs.map(({ linksAre }) => `${capital(linksAre).replace(/\.$/, '')}.`))];
  return el('dl', {}, el('dt', {}, 'Links'), el('dd', {}, sentences.join(' ')));
}

/** Over all runs of a column: the mean of the median run, and the worst of the rest. */
function machines(rigs: readonly Rig[]): Child {
  const names = [...new Set(rigs.flatMap((rig) => rig.machines.map(({ name }) => name)))];
  return names.map((name) => {
    const those = rigs.flatMap((rig) => rig.machines.filter((machine) => machine.name === name));
    return machine(name, those);
  });
}

function machine(name: string, those: readonly MachineFigures[]): Markup {
  const { cpus } = those[0]!;
  const mean = middle(those.map(({ cpuBusy }) => cpuBusy.mean));
  const p95 = Math.max(...those.map(({ cpuBusy }) => cpuBusy.p95));
  const what = `${capital(name)}, ${cpus} ${cpus === 1 ? 'processor' : 'processors'}: ${percentText(mean)} busy on average, at most ${percentText(p95)} in 95\u00a0% of the seconds`;
  return el('div', { class: 'machine' }, el('p', {}, what), meter(mean, p95, 0.9));
}

/** A bar to the mean, fainter to the 95th percentile, and a stroke where it would be too much. */
function meter(mean: number, p95: number, limit: number): Markup {
  const width = (share: number) => `width:${(Math.min(1, share) * 100).toFixed(1)}%`;
  return el(
    'div',
    { class: 'meter', 'aria-hidden': 'true' },
    el('span', { class: 'far', style: width(p95) }),
    el('span', { style: width(mean) }),
    el('span', { class: 'limit', style: `left:${limit * 100}%` }),
  );
}

function processes(label: string, rigs: readonly Rig[]): Child {
  const hasOne = rigs.every(({ machines }) => machines.length === 1);
  const rows = [...byKind(rigs.flatMap(({ processes }) => processes))].flatMap(([kind, all]) => {
    const names = inOrder(all.map(({ name, machine }) => (hasOne ? name : `${name}, ${machine}`)));
    if (names.length > LINES_MAX) return [row(kind, `${all.length / rigs.length} of them`, all)];
    return names.map((name) =>
      row(
        name,
        '',
        all.filter((one) => (hasOne ? one.name : `${one.name}, ${one.machine}`) === name),
      ),
    );
  });
  const names = ['', 'Processor', 'in 95\u00a0%', 'Late', 'Memory'];
  const head = names.map((name) => el('th', { scope: 'col' }, name));
  const table = el('table', { class: 'fine' }, el('thead', {}, el('tr', {}, head)), el('tbody', {}, rows));
  const several = rigs.length === 1 ? 'Of several processes' : `Of several processes, and of ${rigs.length} runs`;
  return [
    el('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': `Processes, ${label}` }, table),
    el(
      'p',
      { class: 'note' },
      `Of one processor, on average and in 95\u00a0% of the seconds; how late the event loop was in 95\u00a0% of them; the most memory. ${several}: the median, and under it the least and the most.`,
    ),
  ];
}

/** Each once, `viewers 2` before `viewers 10`. */
function inOrder(names: readonly string[]): readonly string[] {
  return [...new Set(names)].sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
}

function row(name: string, note: string, those: readonly ProcessFigures[]): Markup {
  const loops = those.flatMap(({ loopDelayMs }) => (loopDelayMs === null ? [] : [loopDelayMs.p95]));
  const memory = those.flatMap(({ rssBytes }) => (rssBytes === null ? [] : [rssBytes]));
  return el(
    'tr',
    {},
    el('th', { scope: 'row' }, name, note === '' ? [] : el('small', {}, note)),
    cell(
      those.map(({ cpu }) => cpu.mean),
      percentText,
      0.95,
    ),
    cell(
      those.map(({ cpu }) => cpu.p95),
      percentText,
      0.95,
    ),
    cell(loops, (ms) => `${ms.toFixed(ms < 10 ? 1 : 0)}\u00a0ms`, 50),
    cell(memory, bytesText, Number.POSITIVE_INFINITY),
  );
}

/** One value, or the least, the median and the most of several; what is too much stands out. */
function cell(values: readonly number[], text: (value: number) => string, limit: number): Markup {
  if (values.length === 0) return el('td', {}, '–');
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const style = most >= limit ? { class: 'no' } : {};
  if (text(least) === text(most)) return el('td', style, text(most));
  return el('td', style, text(middle(values)), el('small', {}, rangeText(text(least), text(most))));
}

/** `5.0–5.4 %`: the unit once, where both have the same. */
function rangeText(least: string, most: string): string {
  const [value = '', unit] = least.split('\u00a0');
  return most.endsWith(`\u00a0${unit}`) ? `${value}–${most}` : `${least}–${most}`;
}

function middle(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)]!;
}
