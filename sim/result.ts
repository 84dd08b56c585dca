import { type Counted, type Measured, measuresOf } from '../scenarios/measures/figures.ts';
import { type CheckedRun, fedTwice, type Invariants, type Violation } from './invariants.ts';
import { type StartupStages, startupStages } from './startup-stages.ts';

/** What came of a run. */
export interface SimResult extends Measured {
  /** Of everything that happened: equal for equal options. */
  readonly traceHash: string;
  readonly events: number;
  /** Blocks that came more than once, over all that came. */
  readonly duplicateShare: number;
  /** What startups consist of. */
  readonly startupStagesMs: StartupStages;
  /** Wrong records and blocks that viewers dropped. */
  readonly bad: number;
  /** Rules of the system that did not hold: the first of them, and how many there were. */
  readonly violations: readonly Violation[];
  readonly violationCount: number;
}

/** Works out what came of a run so far. */
export function resultOf(run: CheckedRun, counted: Counted, invariants: Invariants): SimResult {
  const measured = measuresOf(counted);
  const { ins, peers, source } = measured.figures.bytesFrom;
  const receivedBytes = ins + peers + source;
  const usefulBytes = counted.stays.reduce((sum, stay) => sum + stay.usefulBytes, 0);
  const duplicateShare = receivedBytes === 0 ? 0 : Math.max(0, 1 - usefulBytes / receivedBytes);
  const violations = [...invariants.violations, ...fedTwice(run, duplicateShare)];
  return {
    ...measured,
    traceHash: run.trace.hash,
    events: run.eventCount,
    duplicateShare,
    startupStagesMs: startupStages(run.stays.map(({ peer }) => peer.startup)),
    bad: counted.stays.reduce((sum, stay) => sum + stay.bad, 0),
    violations,
    violationCount: invariants.count + violations.length - invariants.violations.length,
  };
}
