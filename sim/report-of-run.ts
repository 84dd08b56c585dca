import { mergeRuns } from '../report/merge.ts';
import { type Made, REPORT_SCHEMA, type Report } from '../report/report.ts';
import type { ScenarioMode } from '../scenarios/plan/scenario.ts';
import type { SharedOut } from '../scenarios/plan/supply.ts';
import { mainColumn } from './columns.ts';
import type { SimResult } from './result.ts';

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
  const { key, label, what } = mainColumn(mode, follow);
  const supply = { sourceBps: run.supply.sourceBps, insBps: run.supply.insBps, peersBps: run.supply.peersBps };
  const one = { seed, traceHash, command: made.command, figures, series, supply, rig: null };
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
    modes: { [key]: mergeRuns({ label, mode, what, base: null }, [one]) },
  };
}
