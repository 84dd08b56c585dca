import { MEASURES, type Measure } from '../report/measures.ts';
import type { ColumnReport, Report } from '../report/report.ts';
import { isReached, targetOf } from '../report/targets.ts';
import { countText, figureText, rateText } from '../report/text.ts';
import type { SimResult } from '../sim/result.ts';
import { STARTUP_STAGES, type StartupStage, type StartupStages } from '../sim/startup-stages.ts';
import { bytesText, rowOf } from './figures.ts';

const WIDTHS = [28, 12, 12, 9, 14];

/** The figures of a run for people: beside each the bound that no system can beat, how near it is, and what it is to reach. */
export function simTable(
  report: Report,
  { duplicateShare, startupStagesMs, events }: Pick<SimResult, 'duplicateShare' | 'startupStagesMs' | 'events'>,
  cpuMs: number,
): string {
  const [key = '', column] = Object.entries(report.modes)[0] ?? [];
  if (column === undefined) return '';
  const { scenario, peers, seed, supplyBps, made, warnings } = report;
  const { bytesFrom, viewers, runs } = column;
  const took = `${(cpuMs / 1000).toFixed(1)} s of CPU, ${(made.tookMs / 1000).toFixed(1)} s`;
  return (
    [
      `${scenario}, ${column.label}, ${countText(peers)} viewers, seed ${seed}, supply ${rateText(supplyBps)}`,
      rowOf(['', '', 'bound', 'near', 'target'], WIDTHS),
      ...MEASURES.map((measure) => rowFor(report, key, column, measure)),
      rowOf(['Came twice', figureText(duplicateShare, 'share')], WIDTHS),
      `startup, p50 / p95 after the first dial: ${stagesText(startupStagesMs)}`,
      `bytes from INS servers ${bytesText(bytesFrom.ins)}, viewers ${bytesText(bytesFrom.peers)}, the source ${bytesText(bytesFrom.source)}`,
      `${countText(viewers.started)} of ${countText(viewers.joined)} viewers started`,
      `trace ${runs[0]!.traceHash}, ${countText(events)} events, ${took}`,
      ...warnings.map((warning) => `warning: ${warning}`),
      `again: ${made.command}`,
    ]
      // Terminals break no line at a space, and who searches types a plain one.
      .map((line) => line.trimEnd().replaceAll('\u00a0', ' '))
      .join('\n')
  );
}

const STAGE_TEXTS: Readonly<Record<StartupStage, string>> = {
  joined: 'joined',
  insDialled: 'INS server dialled',
  insUp: 'up',
  asked: 'first request',
  firstBlock: 'first block',
  firstPart: 'first part',
  started: 'first frame',
};

/** What a startup consists of; what nobody came to is left out. */
function stagesText(stages: StartupStages): string {
  const reached = STARTUP_STAGES.filter((stage) => stages[stage].p50 !== null);
  const text = (ms: number | null) => Math.round(ms ?? 0);
  return (
    reached
      .map((stage) => `${STAGE_TEXTS[stage]} ${text(stages[stage].p50)} / ${text(stages[stage].p95)}`)
      .join(', ') || 'none'
  );
}

function rowFor(report: Report, key: string, column: ColumnReport, measure: Measure): string {
  const value = measure.pick(column);
  const bound = measure.key === 'started' ? null : measure.bound(column);
  const target = targetOf(report, key, measure.key);
  const met = target === null ? '' : value !== null && isReached(value, target, measure.better) ? 'ok' : 'missed';
  return rowOf(
    [
      measure.label,
      figureText(value, measure.unit),
      bound === null ? '' : figureText(bound, measure.unit),
      nearText(value, bound),
      target === null ? '' : `${figureText(target, measure.unit)} ${met}`,
    ],
    WIDTHS,
  );
}

function nearText(value: number | null, bound: number | null): string {
  return value === null || bound === null || bound === 0 ? '' : `${(value / bound).toFixed(2)}×`;
}
