import { distributionOf, quantileOf } from '../report/distribution.ts';
import type { Figures, FreezeFigures, Quantiles, Series } from '../report/report.ts';
import { crowdInAtMs } from './arrivals.ts';
import { efficiencyBound, frozenShareBound, latencyBoundMs, type Span, startupBoundMs } from './bound.ts';
import { boundViewers, boundWorld } from './bound-of-run.ts';
import type { Freeze } from './freezes.ts';
import { type CheckedRun, fedTwice, type Invariants, type Violation } from './invariants.ts';
import type { Measuring } from './measuring.ts';
import { type Run, START_MS } from './run.ts';
import { type StartupStages, startupStages } from './startup-stages.ts';
import { accountOf, type StayAccount } from './stay-account.ts';

/** What came of a run. */
export interface SimResult {
  /** Of everything that happened: equal for equal options. */
  readonly traceHash: string;
  readonly events: number;
  readonly supplyBps: number;
  readonly streamBps: number;
  readonly crowdInAtMs: number;
  readonly figures: Figures;
  readonly series: Series;
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

/** What the last of the crowd take before their first frame is no steady use. */
const FILLING_MS = 5_000;

/** Works out the measures of a run so far. */
export function resultOf(run: CheckedRun, measuring: Measuring, invariants: Invariants): SimResult {
  const { sharedOut, options } = run;
  const streamBps = options.scenario.stream.bps;
  const supplyBps = sharedOut.sourceBps + sharedOut.insBps + sharedOut.peersBps;
  const crowdAtMs = crowdInAtMs(run.visits);
  const stays = run.stays.map((stay) => accountOf(stay, run.nowMs));
  const boundsMs = startupBoundMs(boundWorld(run), boundViewers(run));
  const startups = stays.flatMap(({ startupDelayMs }) => (startupDelayMs === null ? [] : [startupDelayMs]));
  const sum = (pick: (stay: StayAccount) => number) => stays.reduce((total, stay) => total + pick(stay), 0);
  const hereMs = sum((stay) => stay.hereMs);
  const received = { ins: sum((s) => s.from.ins), peers: sum((s) => s.from.peers), source: sum((s) => s.from.source) };
  const receivedBytes = received.ins + received.peers + received.source;
  const figures: Figures = {
    viewers: { joined: stays.length, started: startups.length },
    startupDelayMs: { ...quantiles(startups), bound: quantiles(boundsMs) },
    freezes: freezeFigures(stays, crowdAtMs, run),
    missedRate: over(
      sum((stay) => stay.missedBlocks),
      sum((stay) => stay.dueBlocks),
    ),
    uploadBps: uploads(stays, hereMs, streamBps),
    controlBps: {
      sent: perSecond(
        sum((stay) => stay.controlSentBytes),
        hereMs,
      ),
      received: perSecond(
        sum((stay) => stay.controlReceivedBytes),
        hereMs,
      ),
    },
    controlShare: over(
      sum((stay) => stay.controlSentBytes),
      sum((stay) => stay.receivedBytes),
    ),
    liveLatencyMs: {
      p50: measuring.latencyMs(0.5),
      p95: measuring.latencyMs(0.95),
      bound: { p50: latencyBound(run, 0.5), p95: latencyBound(run, 0.95) },
    },
    ...efficiencies(run, measuring, crowdAtMs, supplyBps),
    offload: hereMs === 0 ? 0 : 1 - (run.source.dataSentBytes * 8000) / (hereMs * streamBps),
    sourceCopies: over(run.source.dataSentBytes, run.source.mediaBytes),
    bytesFrom: received,
  };
  const usefulBytes = sum((stay) => stay.usefulBytes);
  const duplicateShare = receivedBytes === 0 ? 0 : Math.max(0, 1 - usefulBytes / receivedBytes);
  const violations = [...invariants.violations, ...fedTwice(run, duplicateShare)];
  return {
    traceHash: run.trace.hash,
    events: run.eventCount,
    supplyBps,
    streamBps,
    crowdInAtMs: crowdAtMs,
    figures,
    series: seriesOf(run, measuring, stays, startups, boundsMs),
    duplicateShare,
    startupStagesMs: startupStages(run.stays.map(({ peer }) => peer.startup)),
    bad: sum((stay) => stay.bad),
    violations,
    violationCount: invariants.count + violations.length - invariants.violations.length,
  };
}

function freezeFigures(stays: readonly StayAccount[], crowdAtMs: number, run: Run): Figures['freezes'] {
  const watchedMs = stays.reduce((sum, stay) => sum + stay.watchedMs, 0);
  const watchedAfterMs = stays.reduce((sum, { watchedMs, endMs }) => {
    return sum + Math.max(0, Math.min(watchedMs, endMs - crowdAtMs));
  }, 0);
  const all = stays.flatMap(({ freezes }) => freezes);
  const after = all.filter(({ atMs }) => atMs >= crowdAtMs);
  const total = freezesPer(all, watchedMs);
  return {
    ...total,
    afterCrowd: freezesPer(after, watchedAfterMs),
    frozenShare: over(total.frozenMs, watchedMs),
    frozenShareOfViewers: quantiles(stays.filter(({ watchedMs }) => watchedMs > 0).map(frozenShareOf)),
    frozenShareBound: frozenShareBound(sentToViewersBps(run), run.options.scenario.stream.bps, spansOf(run)),
  };
}

/** What can be sent to viewers: where nobody is fed by the source, its uplink is for the servers. */
function sentToViewersBps({ sharedOut: { sourceBps, insBps, peersBps }, options: { mode, scenario } }: Run): number {
  return (mode ?? scenario.mode) === 'ins' ? insBps : sourceBps + insBps + peersBps;
}

function spansOf({ stays, elapsedMs }: Run): Span[] {
  return stays.map(({ joinedAtMs, leftAtMs }) => ({
    fromMs: joinedAtMs - START_MS,
    toMs: Math.min(elapsedMs, leftAtMs - START_MS),
  }));
}

function frozenShareOf({ freezes, watchedMs }: StayAccount): number {
  return over(
    freezes.reduce((sum, { frozenMs }) => sum + frozenMs, 0),
    watchedMs,
  );
}

function freezesPer(freezes: readonly Freeze[], watchedMs: number): FreezeFigures {
  const frozenMs = freezes.reduce((sum, freeze) => sum + freeze.frozenMs, 0);
  return { total: freezes.length, perPeerHour: over(freezes.length * 3_600_000, watchedMs), frozenMs };
}

function uploads(stays: readonly StayAccount[], hereMs: number, streamBps: number): Figures['uploadBps'] {
  const sum = (pick: (stay: StayAccount) => number) => stays.reduce((total, stay) => total + pick(stay), 0);
  const each = uploadOfEach(stays).sort((a, b) => a - b);
  return {
    data: perSecond(
      sum((stay) => stay.dataSentBytes),
      hereMs,
    ),
    control: perSecond(
      sum((stay) => stay.controlSentBytes),
      hereMs,
    ),
    p50: quantileOf(each, 0.5),
    p95: quantileOf(each, 0.95),
    shareAboveStream: over(each.filter((bps) => bps > streamBps).length, each.length),
  };
}

function uploadOfEach(stays: readonly StayAccount[]): number[] {
  return stays.map((stay) => perSecond(stay.dataSentBytes + stay.controlSentBytes, stay.hereMs));
}

/** Over the seconds after the crowd is in and has had time to fill; over all where it never is. */
function efficiencies(run: Run, measuring: Measuring, crowdAtMs: number, supplyBps: number) {
  const { usefulBytesAt } = measuring;
  const end = usefulBytesAt.length;
  const from = Math.ceil((crowdAtMs + FILLING_MS) / 1000);
  const first = from < end ? from : 0;
  const bytes = (usefulBytesAt[end - 1] ?? 0) - (usefulBytesAt[first - 1] ?? 0);
  return {
    efficiency: over(bytes * 8, supplyBps * (end - first)),
    efficiencyBound: efficiencyBound(supplyBps, demandBps(run, crowdAtMs)),
  };
}

/** What those who are there need, on average after the crowd is in; of all viewers where it never is. */
function demandBps(run: Run, crowdAtMs: number): number {
  const { bps } = run.options.scenario.stream;
  const endMs = run.elapsedMs;
  const spanMs = endMs - crowdAtMs;
  if (spanMs <= 0) return run.options.peers * bps;
  let hereMs = 0;
  for (const { joinedAtMs, leftAtMs } of run.stays) {
    hereMs += Math.max(0, Math.min(endMs, leftAtMs - START_MS) - Math.max(crowdAtMs, joinedAtMs - START_MS));
  }
  return (hereMs / spanMs) * bps;
}

function latencyBound(run: Run, share: number): number | null {
  const meanUpBps = run.sharedOut.peersBps / Math.max(1, run.options.peers);
  const boundMs = latencyBoundMs(boundWorld(run), run.options.peers, meanUpBps, share);
  return Number.isFinite(boundMs) ? boundMs : null;
}

function seriesOf(
  run: Run,
  { perSecond }: Measuring,
  stays: readonly StayAccount[],
  startups: readonly number[],
  boundsMs: readonly number[],
): Series {
  const freezes = new Array<number>(perSecond.viewers.length).fill(0);
  for (const { atMs } of stays.flatMap((stay) => stay.freezes)) {
    const second = Math.floor(atMs / 1000);
    if (second < freezes.length) freezes[second]!++;
  }
  return {
    startupDelayMs: distributionOf(startups),
    startupBoundMs: run.visits.length === 0 ? null : distributionOf(boundsMs),
    uploadBps: distributionOf(uploadOfEach(stays)),
    perSecond: { ...perSecond, freezes },
  };
}

function quantiles(values: readonly number[]): Quantiles {
  const sorted = values.toSorted((a, b) => a - b);
  return { p50: quantileOf(sorted, 0.5), p95: quantileOf(sorted, 0.95), max: sorted.at(-1) ?? null };
}

function perSecond(bytes: number, ms: number): number {
  return over(bytes * 8000, ms);
}

function over(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}
