import { availableParallelism } from 'node:os';
import type { Made, Supply } from '../report/report.ts';
import type { Scenario, ScenarioMode } from '../scenarios/plan/scenario.ts';
import { version } from './version.ts';

/** How a report of simulated runs was made, a moment ago. */
export function madeBy(command: string, tookMs: number): Made {
  const machine = `Node ${process.versions.node}, ${availableParallelism()} CPUs`;
  return { command, version: version(), machine, at: new Date().toISOString(), tookMs: Math.round(tookMs) };
}

/** What is odd about the supply of so small a crowd, for who reads the figures. */
export function supplyWarnings(
  mode: ScenarioMode,
  { supply, insServers, stream }: Scenario,
  peers: number,
  { insBps }: Supply,
): string[] {
  if (mode !== 'ins' || supply.kind !== 'fair' || supply.times < 1) return [];
  if (insServers > 0 && insBps >= peers * stream.bps) return [];
  return [
    "of so small a crowd's supply the source has most, and INS servers too little: take more viewers or more --supply",
  ];
}
