import type { ColumnReport, Report, Run } from './report.ts';
import type { Check } from './rig.ts';
import { countText } from './text.ts';

/** A column that is no result: its figures say what the machine could do, not what the system can. */
export interface Saturated {
  readonly key: string;
  readonly label: string;
  /** In how many of the column's runs the machine was the bottleneck. */
  readonly runs: number;
  readonly ofRuns: number;
  /** Sentences, each once. */
  readonly reasons: readonly string[];
}

/** The columns in which the machine was the bottleneck in any run: means over runs hold that run, too. None of the simulator's. */
export function saturatedColumns({ modes }: Pick<Report, 'modes'>): readonly Saturated[] {
  return Object.entries(modes).flatMap(([key, column]) => {
    const those = column.runs.filter((run) => reasonsOf(run).length > 0);
    if (those.length === 0) return [];
    const reasons = [...new Set(those.flatMap(reasonsOf))];
    return [{ key, label: column.label, runs: those.length, ofRuns: column.runs.length, reasons }];
  });
}

export function isSaturated(column: Pick<ColumnReport, 'runs'>): boolean {
  return column.runs.some((run) => reasonsOf(run).length > 0);
}

/** `INS: not a result`, with how many of its runs where there are several. */
export function saturatedText({ label, runs, ofRuns }: Saturated): string {
  const which = ofRuns === 1 ? '' : ` (${runs} of ${ofRuns} runs)`;
  return `${label} is not a result: the machine was the bottleneck${which}.`;
}

/** Reports written before runs told of their rigs have none. */
function reasonsOf({ rig }: Pick<Run, 'rig'>): readonly string[] {
  return rig?.saturatedBy ?? [];
}

/** A figure that was counted twice and is not the same. */
export interface Disagreement {
  readonly label: string;
  readonly seed: string | number;
  readonly check: Check;
}

/** All that was counted twice and differs by more than can be explained. */
export function disagreements({ modes }: Pick<Report, 'modes'>): readonly Disagreement[] {
  return Object.values(modes).flatMap(({ label, runs }) =>
    runs.flatMap(({ seed, rig }) =>
      (rig?.checks ?? []).filter(({ ok }) => !ok).map((check) => ({ label, seed, check })),
    ),
  );
}

/** `INS, seed 1: media got: 5,000,000 bytes by its own count, 4,800,000 from outside`. */
export function disagreementText({ label, seed, check }: Disagreement): string {
  const { name, own, outside, unit } = check;
  return `${label}, seed ${seed}: ${name}: ${countedText(own, unit)} by its own count, ${countedText(outside, unit)} from outside`;
}

/** `1,234,567 bytes`, `12 ms`, `7`. */
export function countedText(value: number, unit: Check['unit']): string {
  return unit === 'count' ? countText(value) : `${countText(value)}\u00a0${unit}`;
}
