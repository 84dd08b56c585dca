import { MEASURES, type Measure } from './measures.ts';
import type { ColumnReport, Report } from './report.ts';
import { pairedRuns } from './runs.ts';
import { type Contrast, pairedContrast, surelyBeyondChance, welchContrast } from './statistics.ts';
import { countText, listed, rateText } from './text.ts';
import { isSaturated } from './validity.ts';

/** What changed from one report (A) to another (B). */
export interface Comparison {
  /** What makes the two hard to compare, such as different supplies: to be read first. */
  readonly warnings: readonly string[];
  /** That both have, in the order of A. */
  readonly columns: readonly ColumnComparison[];
}

export interface ColumnComparison {
  readonly key: string;
  readonly label: string;
  readonly runs: readonly [a: number, b: number];
  readonly noise: Noise;
  /** Measures of which either has a figure. */
  readonly changes: readonly Change[];
}

/**
 * Where it is known from what is chance: `seeds`: both have the same seeds, and runs of a seed are compared with each other; `runs`: from how much
 * runs differ in each report (Welch); `unknown`: a report has one run only; `no-result`: a machine was the bottleneck.
 */
export type Noise = 'seeds' | 'runs' | 'unknown' | 'no-result';

export interface Change {
  readonly measure: Measure;
  /** Means over runs; null where there is none. */
  readonly a: number | null;
  readonly b: number | null;
  /** B less A; null where either is. */
  readonly difference: number | null;
  /** The difference over A; null where there is none, and where A is 0 and B is not. */
  readonly share: number | null;
  /** Half the 95 % confidence interval of the difference; null where noise is not known. */
  readonly half: number | null;
  readonly verdict: Verdict;
}

/**
 * `better`, `worse`: beyond noise, though so many figures were looked at (Holm's method, 95 %). `perhaps-…`: its own interval does not hold 0, but of so
 * many figures some look like that by chance. `same`: what noise explains. `unknown`: nothing can be said.
 */
export type Verdict = 'better' | 'worse' | 'perhaps-better' | 'perhaps-worse' | 'same' | 'unknown';

/**
 * Compares two reports column by column and measure by measure.
 *
 * @param noiseShare - A change of at most this share of A's figure counts as noise, whatever the runs say; and where there is one run only, a larger
 *   one does not. Null: nobody said so.
 */
export function compareReports(a: Report, b: Report, noiseShare: number | null = null): Comparison {
  const keys = Object.keys(a.modes).filter((key) => key in b.modes);
  const raw = keys.map((key) => rawColumn(key, a.modes[key]!, b.modes[key]!));
  // What is the same in every run of both was not looked at for chance.
  const judged = raw.flatMap(({ changes }) =>
    changes.flatMap(({ contrast }) =>
      contrast === null || (contrast.mean === 0 && contrast.half === 0) ? [] : [contrast],
    ),
  );
  const sure = surelyBeyondChance(judged.map(({ chance }) => chance));
  const isSure = new Map(judged.map((contrast, at) => [contrast, sure[at]!]));
  const columns = raw.map(({ changes, ...column }) => ({
    ...column,
    changes: changes.map((change) => judge(change, column.noise, noiseShare, isSure)),
  }));
  return { warnings: warningsOf(a, b), columns };
}

/** All changes of a verdict, with the columns they are in. */
export function changesOf(
  { columns }: Comparison,
  verdict: Verdict,
): readonly { readonly column: ColumnComparison; readonly change: Change }[] {
  return columns.flatMap((column) =>
    column.changes.filter((change) => change.verdict === verdict).map((change) => ({ column, change })),
  );
}

interface RawChange {
  readonly measure: Measure;
  readonly a: number | null;
  readonly b: number | null;
  readonly contrast: Contrast | null;
}

function rawColumn(key: string, allA: ColumnReport, allB: ColumnReport) {
  const [a, b] = [withDifferentRuns(allA), withDifferentRuns(allB)];
  const noise = noiseOf(a, b);
  const changes = MEASURES.flatMap((measure): RawChange[] => {
    const [before, after] = [measure.pick(a), measure.pick(b)];
    if (before === null && after === null) return [];
    return [{ measure, a: before, b: after, contrast: contrastOf(a, b, noise, measure) }];
  });
  return { key, label: b.label, runs: [a.runs.length, b.runs.length] as const, noise, changes };
}

/** Without runs that are another one again: the simulator does the same for the same seed, which says nothing of chance. */
function withDifferentRuns(column: ColumnReport): ColumnReport {
  const runs = column.runs.filter(
    ({ traceHash }, at, all) => traceHash === '' || all.findIndex((run) => run.traceHash === traceHash) === at,
  );
  return { ...column, runs };
}

function noiseOf(a: ColumnReport, b: ColumnReport): Noise {
  if (isSaturated(a) || isSaturated(b)) return 'no-result';
  if (a.runs.length < 2 || b.runs.length < 2) return 'unknown';
  const [seedsA, seedsB] = [a, b].map(({ runs }) => new Set(runs.map(({ seed }) => seed)));
  // Repetitions of one seed have nothing in common with those of the other report beyond what all have.
  const hasRepetitions = seedsA!.size < a.runs.length || seedsB!.size < b.runs.length;
  const areSame = seedsA!.size === seedsB!.size && [...seedsA!].every((seed) => seedsB!.has(seed));
  return areSame && !hasRepetitions ? 'seeds' : 'runs';
}

/** Null where too few runs have the figure. */
function contrastOf(a: ColumnReport, b: ColumnReport, noise: Noise, { pick }: Measure): Contrast | null {
  if (noise === 'seeds') {
    const pairs = pairedRuns(a, b).flatMap((pair) => {
      const [before, after] = [pick(pair.before), pick(pair.after)];
      return before === null || after === null ? [] : [[before, after] as const];
    });
    return pairedContrast(
      pairs.map(([before]) => before),
      pairs.map(([, after]) => after),
    );
  }
  if (noise !== 'runs') return null;
  const [valuesA, valuesB] = [a, b].map(({ runs }) =>
    runs.map(({ figures }) => pick(figures)).filter((value) => value !== null),
  );
  return welchContrast(valuesA!, valuesB!);
}

function judge(
  { measure, a, b, contrast }: RawChange,
  noise: Noise,
  noiseShare: number | null,
  isSure: ReadonlyMap<Contrast, boolean>,
): Change {
  const difference = a === null || b === null ? null : b - a;
  const share =
    difference === null || a === null ? null : difference === 0 ? 0 : a === 0 ? null : difference / Math.abs(a);
  const change = { measure, a, b, difference, share, half: contrast?.half ?? null };
  if (difference === null || noise === 'no-result') return { ...change, verdict: 'unknown' };
  const isLarge = isBeyondShare(a!, b!, noiseShare ?? ROUNDING);
  const way = difference > 0 === (measure.better === 'more') ? 'better' : 'worse';
  if (contrast === null) {
    if (noiseShare === null) return { ...change, verdict: 'unknown' };
    return { ...change, verdict: isLarge ? way : 'same' };
  }
  if (!isLarge || Math.abs(contrast.mean) <= contrast.half) return { ...change, verdict: 'same' };
  return { ...change, verdict: isSure.get(contrast) === true ? way : `perhaps-${way}` };
}

/** Files have nine digits of a figure. */
const ROUNDING = 1e-8;

function isBeyondShare(a: number, b: number, share: number): boolean {
  return Math.abs(b - a) > Math.abs(a) * share;
}

/** What is different beside what is measured. */
function warningsOf(a: Report, b: Report): string[] {
  const warnings: string[] = [];
  const differ = (what: string, ofA: string, ofB: string) => {
    if (ofA !== ofB) warnings.push(`Different ${what}: ${ofA} in A, ${ofB} in B.`);
  };
  differ('scenarios', a.scenario, b.scenario);
  differ('engines', engineText(a), engineText(b));
  differ('crowds', `${countText(a.peers)} viewers`, `${countText(b.peers)} viewers`);
  differ('supplies', rateText(a.supplyBps), rateText(b.supplyBps));
  differ('streams', rateText(a.streamBps), rateText(b.streamBps));
  differ('lengths', `${a.seconds} s`, `${b.seconds} s`);
  // What the simulator says does not depend on the machine.
  if (a.engine === 'processes' || b.engine === 'processes') {
    differ('machines', a.made.machine, b.made.machine);
    differ('links', linksText(a), linksText(b));
  }
  for (const [name, one, other] of [
    ['A', a, b],
    ['B', b, a],
  ] as const) {
    const alone = Object.entries(one.modes).filter(([key]) => !(key in other.modes));
    if (alone.length > 0) warnings.push(`In ${name} alone: ${listed(alone.map(([, { label }]) => label))}.`);
    const saturated = Object.values(one.modes).filter(isSaturated);
    if (saturated.length > 0)
      warnings.push(
        `Not a result in ${name}, for the machine was the bottleneck: ${listed(saturated.map(({ label }) => label))}.`,
      );
  }
  for (const [key, { label, supply }] of Object.entries(a.modes)) {
    const other = b.modes[key]?.supply;
    if (other === undefined || a.supplyBps !== b.supplyBps) continue;
    const shared = ({ sourceBps, insBps, peersBps }: typeof supply) =>
      [sourceBps, insBps, peersBps].map(rateText).join(' + ');
    differ(`shares of the supply in ${label} (source + INS servers + viewers)`, shared(supply), shared(other));
  }
  return warnings;
}

function engineText({ engine }: Report): string {
  return engine === 'sim' ? 'the simulator' : 'real processes';
}

function linksText({ modes }: Report): string {
  const kinds = Object.values(modes).flatMap(({ runs }) =>
    runs.flatMap(({ rig }) => (rig === null ? [] : [rig.links])),
  );
  return [...new Set(kinds)].sort().join(' and ') || 'not told';
}
