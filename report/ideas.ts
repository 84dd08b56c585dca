import { MEASURES, type Measure } from './measures.ts';
import type { ColumnReport, Report } from './report.ts';
import { pairedRuns } from './runs.ts';
import { isBeyondChance, pairedDifference } from './statistics.ts';
import { capital, differenceText, figureText, listed } from './text.ts';
import { isSaturated, saturatedColumns } from './validity.ts';

/** What one change was worth, measured over the same seeds. */
export interface Difference {
  readonly measure: Measure;
  readonly before: number;
  readonly after: number;
  /** `after` less `before`, as a mean over seeds, and half its 95 % interval: null of one seed. */
  readonly mean: number;
  readonly half: number | null;
  readonly isSure: boolean;
}

/** Figure by figure from one column to another; seeds that only one of them has are left out. */
export function differences(from: ColumnReport, to: ColumnReport): readonly Difference[] {
  const pairs = pairedRuns(from, to);
  return MEASURES.flatMap((measure) => {
    const before = pairs.map((pair) => measure.pick(pair.before));
    const after = pairs.map((pair) => measure.pick(pair.after));
    const difference = pairedDifference(before, after);
    const [old, now] = [measure.pick(from), measure.pick(to)];
    if (difference === null || old === null || now === null) return [];
    return [{ measure, before: old, after: now, ...difference, isSure: isBeyondChance(difference) }];
  });
}

/** A design idea, the column that has it and the one that does without. */
export interface Idea {
  readonly name: string;
  readonly what: string;
  readonly withKey: string;
  readonly withoutKey: string;
}

const BIG_IDEAS: readonly Idea[] = [
  {
    name: 'Storage in the network',
    what: 'blocks come from INS servers with the bandwidth that viewers’ uplinks would have had',
    withKey: 'ins',
    withoutKey: 'native',
  },
  {
    name: 'Storage in the network, as the drafts have it',
    what: 'bitmaps, range tokens and batches, without follow',
    withKey: 'ins-drafts',
    withoutKey: 'native',
  },
  {
    name: 'Follow',
    what: 'one request for all blocks of a range as they are put',
    withKey: 'ins',
    withoutKey: 'ins-drafts',
  },
];

/** The ideas of which this report has both sides, and both are results: the large ones, then every variation of a column. */
export function ideasIn(report: Report): readonly Idea[] {
  const none = new Set(saturatedColumns(report).map(({ key }) => key));
  const modes = Object.fromEntries(Object.entries(report.modes).filter(([key]) => !none.has(key)));
  const big = BIG_IDEAS.filter(({ withKey, withoutKey }) => withKey in modes && withoutKey in modes);
  const varied = Object.entries(modes).flatMap(([key, { base, label, what }]) =>
    base !== null && base in modes ? [{ name: label, what, withKey: base, withoutKey: key }] : [],
  );
  return [...big, ...varied];
}

/** One sentence on what an idea is worth, out of the figures that were measured. */
export function sentenceOf(report: Report, { withKey, withoutKey, what }: Idea): string {
  const isVariation = report.modes[withoutKey]!.base === withKey;
  const [from, to] = isVariation ? [withKey, withoutKey] : [withoutKey, withKey];
  const all = differences(report.modes[from]!, report.modes[to]!);
  const told = TOLD.flatMap((key) => all.filter(({ measure }) => measure.key === key));
  const changed = told.filter((difference) => isWorthTelling(difference)).slice(0, SAID_MAX);
  const same = told.find(({ measure }) => measure.key === 'startupDelayMs.p95');
  if (changed.length === 0) {
    const rest =
      same === undefined
        ? ''
        : ` (${same.measure.name}: ${figureText(same.before, 'ms')} and ${figureText(same.after, 'ms')})`;
    return `${capital(what)}: nothing changes beyond chance${rest}.`;
  }
  return `${capital(what)}: ${listed(changed.map(phrase))}.`;
}

const SAID_MAX = 4;
const TOLD = [
  'startupDelayMs.p50',
  'startupDelayMs.p95',
  'liveLatencyMs.p50',
  'freezes.perPeerHour',
  'missedRate',
  'uploadBps.data',
  'controlBps.sent',
  'efficiency',
];
/** Smaller changes than a fiftieth are no news, however sure. */
const NEWS = 0.02;

function isWorthTelling({ before, after, isSure, half }: Difference): boolean {
  const size = Math.max(Math.abs(before), Math.abs(after));
  return (isSure || half === null) && size > 0 && Math.abs(after - before) / size >= NEWS;
}

function phrase({ measure, before, after, mean, half }: Difference): string {
  const { name, unit } = measure;
  const way = mean > 0 ? 'rose' : 'fell';
  return `${name} ${way} from ${figureText(before, unit)} to ${figureText(after, unit)} (${differenceText(mean, half, unit)})`;
}

/** The sentence at the head of the page: what the crowd felt, in each column that stands for itself and is a result; empty where none is. */
export function headSentence(report: Report): string {
  const columns = mainKeys(report)
    .map((key) => report.modes[key]!)
    .filter((column) => !isSaturated(column));
  if (columns.length === 0) return '';
  const each = (pick: (column: ColumnReport) => number | null): string =>
    listed(columns.map((column) => `${figureText(pick(column), 'ms')} (${column.label})`));
  const half = each(({ startupDelayMs }) => startupDelayMs.p50);
  return `Half of the viewers see the first frame within ${half}; 95 % within ${each(({ startupDelayMs }) => startupDelayMs.p95)}.`;
}

/** The columns that stand for themselves, in order. */
export function mainKeys({ modes }: Report): string[] {
  return Object.entries(modes).flatMap(([key, { base }]) => (base === null ? [key] : []));
}
