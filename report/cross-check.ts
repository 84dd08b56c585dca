import type { Unit } from './measures.ts';
import type { ColumnReport, Report } from './report.ts';
import { capital, figureText, percentText, signedPercentText } from './text.ts';
import { saturatedColumns, saturatedText } from './validity.ts';

/** Whether simulator and real processes say the same of one crowd. */
export interface CrossCheck {
  /** Why the two cannot be compared at all; nothing is found then. */
  readonly problems: readonly string[];
  readonly findings: readonly Finding[];
  /** Sentences: columns of the real report in which the machine was the bottleneck. What they differ in says nothing of the simulator. */
  readonly noResults: readonly string[];
  /** There is something to compare, all of it is a result, and nothing that is judged differs by more than is tolerated. */
  readonly ok: boolean;
}

/** One figure, as both have it. */
export interface Finding {
  /** The column's key, such as `ins`. */
  readonly column: string;
  readonly label: string;
  readonly name: string;
  readonly unit: Unit;
  /** Null where there is none. */
  readonly sim: number | null;
  readonly real: number | null;
  /** What the real figure has more, over the simulator's; of shares (`points`) the difference itself. Null where either is missing, and of something over nothing. */
  readonly difference: number | null;
  readonly differenceIn: 'share' | 'points';
  /** Null: told beside the others, and not judged. */
  readonly tolerated: number | null;
  readonly ok: boolean;
  /** For people: what is compared, or how it differs. */
  readonly sentence: string;
}

/** What is still the same: medians of startups, bytes, and no difference at all. */
const STARTUP = 0.2;
const BYTES = 0.05;
const EQUAL = 0;

interface Compared {
  readonly name: string;
  readonly what: string;
  readonly unit: Unit;
  readonly differenceIn?: 'points';
  /** Given the simulator's column: some figures are only judged where that says nothing went wrong. */
  readonly tolerated: (sim: ColumnReport) => number | null;
  readonly pick: (column: ColumnReport) => number | null;
}

const COMPARED: readonly Compared[] = [
  {
    name: 'supply',
    what: 'all that may be sent per second, to the bit',
    unit: 'bps',
    tolerated: () => EQUAL,
    pick: ({ supply }) => Math.round(supply.sourceBps + supply.insBps + supply.peersBps),
  },
  {
    name: 'startup, median',
    what: 'half of the viewers saw a first frame by then',
    unit: 'ms',
    tolerated: () => STARTUP,
    pick: ({ startupDelayMs }) => startupDelayMs.p50,
  },
  {
    name: 'startup, 95 %',
    what: 'of few viewers it hangs on one or two of them',
    unit: 'ms',
    tolerated: () => null,
    pick: ({ startupDelayMs }) => startupDelayMs.p95,
  },
  {
    name: 'viewers who started',
    what: 'of those who joined; judged where all do in the simulator',
    unit: 'share',
    differenceIn: 'points',
    tolerated: ({ viewers }) => (viewers.started === viewers.joined ? EQUAL : null),
    pick: ({ viewers }) => (viewers.joined === 0 ? null : viewers.started / viewers.joined),
  },
  {
    name: 'freezes',
    what: 'of all viewers; judged where there is none in the simulator',
    unit: 'count',
    tolerated: ({ freezes }) => (freezes.total === 0 ? EQUAL : null),
    pick: ({ freezes }) => freezes.total,
  },
  {
    name: 'video that a viewer gets',
    what: 'per second of its stay, from whomever',
    unit: 'bps',
    tolerated: () => BYTES,
    pick: downloadBps,
  },
  {
    name: 'video from INS servers',
    what: 'of all that viewers get',
    unit: 'share',
    differenceIn: 'points',
    tolerated: () => BYTES,
    pick: (column) => originShare(column, 'ins'),
  },
  {
    name: 'video from other viewers',
    what: 'of all that viewers get',
    unit: 'share',
    differenceIn: 'points',
    tolerated: () => BYTES,
    pick: (column) => originShare(column, 'peers'),
  },
  {
    name: 'video from the source',
    what: 'of all that viewers get',
    unit: 'share',
    differenceIn: 'points',
    tolerated: () => BYTES,
    pick: (column) => originShare(column, 'source'),
  },
  {
    name: 'video that a viewer sends',
    what: 'per second of its stay',
    unit: 'bps',
    tolerated: () => BYTES,
    pick: ({ uploadBps }) => uploadBps.data,
  },
  {
    name: 'control that a viewer sends',
    what: 'messages, per second of its stay',
    unit: 'bps',
    tolerated: () => BYTES,
    pick: ({ controlBps }) => controlBps.sent,
  },
  {
    name: 'control that a viewer gets',
    what: 'messages, per second of its stay',
    unit: 'bps',
    tolerated: () => BYTES,
    pick: ({ controlBps }) => controlBps.received,
  },
  {
    name: 'copies the source sends',
    what: 'how often each byte of video leaves it',
    unit: 'times',
    tolerated: () => BYTES,
    pick: ({ sourceCopies }) => sourceCopies,
  },
  {
    name: 'pieces missed',
    what: 'blocks whose play time came and went without them',
    unit: 'share',
    differenceIn: 'points',
    tolerated: () => null,
    pick: ({ missedRate }) => missedRate,
  },
  {
    name: 'live latency, median',
    what: 'from the camera to the screen',
    unit: 'ms',
    tolerated: () => null,
    pick: ({ liveLatencyMs }) => liveLatencyMs.p50,
  },
];

/**
 * Compares what the simulator and real processes say of the same crowd: medians of startup within 20 %, bytes of each kind within 5 % (shares: five
 * points), no freeze and nobody without a picture where the simulator has none; the supply equal.
 */
export function crossCheck(sim: Report, real: Report): CrossCheck {
  const problems = problemsOf(sim, real);
  if (problems.length > 0) return { problems, findings: [], noResults: [], ok: false };
  const keys = Object.keys(sim.modes).filter((key) => key in real.modes);
  const findings = keys.flatMap((key) => COMPARED.map((what) => finding(key, what, sim.modes[key]!, real.modes[key]!)));
  const saturated = saturatedColumns(real).filter(({ key }) => keys.includes(key));
  const noResults = saturated.flatMap((one) => [saturatedText(one), ...one.reasons]);
  return { problems, findings, noResults, ok: noResults.length === 0 && findings.every(({ ok }) => ok) };
}

/** Two reports that are not of one crowd in two engines. */
function problemsOf(sim: Report, real: Report): string[] {
  const problems: string[] = [];
  if (sim.engine !== 'sim') problems.push('The report that is to be the simulator’s is of real processes.');
  if (real.engine !== 'processes') problems.push('The report that is to be of real processes is the simulator’s.');
  for (const [name, a, b] of [
    ['scenarios', sim.scenario, real.scenario],
    ['numbers of viewers', sim.peers, real.peers],
    ['lengths in seconds', sim.seconds, real.seconds],
    ['rates of the stream', sim.streamBps, real.streamBps],
  ] as const)
    if (a !== b) problems.push(`Their ${name} differ: ${a} in the simulator, ${b} real.`);
  if (!Object.keys(sim.modes).some((key) => key in real.modes)) problems.push('They have no column in common.');
  return problems;
}

function finding(column: string, compared: Compared, ofSim: ColumnReport, ofReal: ColumnReport): Finding {
  const { name, what, unit, pick } = compared;
  const differenceIn = compared.differenceIn ?? 'share';
  const [sim, real] = [pick(ofSim), pick(ofReal)];
  const difference = differenceOf(sim, real, differenceIn);
  const tolerated = compared.tolerated(ofSim);
  const ok = tolerated === null || sim === real || isWithin(difference, tolerated);
  const told: Omit<Finding, 'sentence'> = {
    column,
    label: ofSim.label,
    name,
    unit,
    sim,
    real,
    difference,
    differenceIn,
    tolerated,
    ok,
  };
  return { ...told, sentence: ok ? `${capital(what)}.` : differing(told) };
}

/** Files have nine digits of a figure, which is no matter where it is to be equal. */
const ROUNDING = 1e-8;

function isWithin(difference: number | null, tolerated: number): boolean {
  return difference !== null && tolerated > EQUAL && Math.abs(difference) <= tolerated + ROUNDING;
}

function differenceOf(sim: number | null, real: number | null, differenceIn: Finding['differenceIn']): number | null {
  if (sim === null || real === null) return null;
  if (sim === real) return 0;
  if (differenceIn === 'points') return real - sim;
  return sim === 0 ? null : (real - sim) / Math.abs(sim);
}

function differing({
  label,
  name,
  unit,
  sim,
  real,
  difference,
  differenceIn,
  tolerated,
}: Omit<Finding, 'sentence'>): string {
  const both = `${figureText(sim, unit)} in the simulator, ${figureText(real, unit)} by real processes`;
  if (difference === null || tolerated === EQUAL) return `${label}, ${name}: ${both}; they have to be equal.`;
  return `${label}, ${name}: ${both}: ${differenceInText(difference, differenceIn)}, where ${percentText(tolerated!)} is tolerated.`;
}

/** `+12 %`, or `+3.1 points` of shares. */
export function differenceInText(difference: number, differenceIn: Finding['differenceIn']): string {
  const text = signedPercentText(difference);
  return differenceIn === 'points' ? text.replace('\u00a0%', '\u00a0points') : text;
}

/** Video, in bits per second of all stays. */
function downloadBps({ bytesFrom, series }: ColumnReport): number | null {
  const viewerSeconds = series.perSecond.viewers.reduce((sum, count) => sum + count, 0);
  const { ins, peers, source } = bytesFrom;
  return viewerSeconds === 0 ? null : ((ins + peers + source) * 8) / viewerSeconds;
}

function originShare({ bytesFrom }: ColumnReport, origin: 'ins' | 'peers' | 'source'): number | null {
  const { ins, peers, source } = bytesFrom;
  const all = ins + peers + source;
  return all === 0 ? null : bytesFrom[origin] / all;
}
