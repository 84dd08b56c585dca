import type { Report } from './report.ts';

/** Per column, by the path of the figure; see the numbers that the project has set itself for these two scenarios. */
type Targets = Readonly<Record<string, Readonly<Record<string, number>>>>;

const INS = {
  'startupDelayMs.p50': 700,
  'startupDelayMs.p95': 1_500,
  'freezes.perPeerHour': 0,
  missedRate: 0.00001,
  'liveLatencyMs.p95': 1_500,
  'uploadBps.data': 0,
  'controlBps.sent': 5_000,
  controlShare: 0.005,
  'uploadBps.shareAboveStream': 0,
};
const NATIVE = {
  'startupDelayMs.p50': 3_000,
  'startupDelayMs.p95': 6_000,
  'freezes.afterCrowd.perPeerHour': 1,
  missedRate: 0.0002,
  'controlBps.sent': 20_000,
};
const DRAFTS = { 'startupDelayMs.p95': 2_500, 'freezes.perPeerHour': 0, 'uploadBps.data': 0 };

const FLASH_CROWD: Targets = { ins: INS, native: NATIVE, 'ins-drafts': DRAFTS };
const TIGHT: Targets = {
  ins: { ...INS, 'startupDelayMs.p95': 2_500 },
  native: { ...NATIVE, 'startupDelayMs.p95': 12_000 },
  'ins-drafts': DRAFTS,
};
/** Of what the bound allows. */
const EFFICIENCY_OF_BOUND = 0.97;
/** From so many viewers on, the crowd of ten thousand's targets hold. */
const LARGE_CROWD = 5_000;

/** The target of a figure in a column; null where none is set. */
export function targetOf({ scenario, peers, modes }: Report, column: string, key: string): number | null {
  const targets = scenario === 'flash-crowd' ? FLASH_CROWD : scenario === 'flash-crowd-tight' ? TIGHT : {};
  const own = targets[column];
  if (own === undefined) return null;
  if (key === 'efficiency' && column === 'ins') {
    const bound = modes[column]?.efficiencyBound ?? null;
    return bound === null ? null : bound * EFFICIENCY_OF_BOUND;
  }
  const value = own[key] ?? null;
  if (key !== 'startupDelayMs.p95' || peers < LARGE_CROWD || value === null) return value;
  // Ten thousand: 2 s with INS, and native at most two and a half times what a thousand take.
  return column === 'ins' ? Math.max(value, 2_000) : column === 'native' ? value * 2.5 : value;
}

/** Whether a figure reaches its target, as far as three digits show. */
export function isReached(value: number, target: number, better: 'less' | 'more'): boolean {
  const slack = Math.abs(target) * 1e-9;
  return better === 'less' ? value <= target + slack : value >= target - slack;
}
