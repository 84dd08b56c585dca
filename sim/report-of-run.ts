import { type Column, mergeRuns } from '../report/merge.ts';
import { type Made, REPORT_SCHEMA, type Report } from '../report/report.ts';
import type { SimResult } from './result.ts';
import type { ScenarioMode } from './scenario.ts';
import type { SharedOut } from './supply.ts';

const COLUMNS: Readonly<Record<ScenarioMode, Column>> = {
  ins: { label: 'INS', mode: 'ins', what: 'blocks from INS servers, sent as they are put', base: null },
  native: { label: 'Native', mode: 'native', what: 'blocks from other viewers and the source', base: null },
  hybrid: { label: 'Hybrid', mode: 'hybrid', what: 'INS servers first, viewers where these are late', base: null },
  mixed: { label: 'Mixed', mode: 'mixed', what: 'half of the viewers in INS mode, half native', base: null },
};
const DRAFTS: Column = {
  label: 'INS, no follow',
  mode: 'ins',
  what: 'as the drafts have it: bitmaps, range tokens and batches',
  base: null,
};

/** A run for its report. */
export interface RunForReport {
  readonly scenario: string;
  readonly seed: string | number;
  readonly peers: number;
  readonly seconds: number;
  readonly mode: ScenarioMode;
  readonly follow: boolean;
  readonly supply: SharedOut;
  readonly result: SimResult;
  /** Its command is the run's, too. */
  readonly made: Made;
  readonly warnings: readonly string[];
}

/** One run in the one shape of report. Its column has the name of its mode; without follow `ins-drafts`. */
export function reportOfRun(run: RunForReport): Report {
  const { scenario, seed, peers, seconds, mode, follow, result, made, warnings } = run;
  const { traceHash, figures, series, supplyBps, streamBps, crowdInAtMs } = result;
  const drafts = mode === 'ins' && !follow;
  const supply = { sourceBps: run.supply.sourceBps, insBps: run.supply.insBps, peersBps: run.supply.peersBps };
  const one = { seed, traceHash, command: made.command, figures, series, supply };
  return {
    schema: REPORT_SCHEMA,
    scenario,
    engine: 'sim',
    seed,
    seeds: [seed],
    peers,
    supplyBps,
    streamBps,
    seconds,
    crowdInAtMs,
    made,
    warnings,
    modes: { [drafts ? 'ins-drafts' : mode]: mergeRuns(drafts ? DRAFTS : COLUMNS[mode], [one]) },
  };
}
