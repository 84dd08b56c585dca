import { distributionOf, quantileOf } from '../../report/distribution.ts';
import type { Figures, FreezeFigures, Quantiles, Series } from '../../report/report.ts';
import { crowdInAtMs } from '../plan/arrivals.ts';
import { efficiencyBound, frozenShareBound, latencyBoundMs, type Span, startupBoundMs } from '../plan/bound.ts';
import type { RunPlan } from '../plan/plan.ts';
import type { StayAccount } from './account.ts';
import { boundViewers, boundWorld, type PlayerShape } from './bounds.ts';
import type { Freeze } from './freezes.ts';
import type { Sampling } from './sampling.ts';

/** All that was counted in a run so far, whatever ran it. */
export interface Counted {
  readonly plan: RunPlan;
  readonly player: PlayerShape;
  /** Since the run's start, in ms. */
  readonly elapsedMs: number;
  /** In order of their coming. */
  readonly stays: readonly StayAccount[];
  readonly sampling: Sampling;
  readonly source: {
    /** Block bytes that it sent. */
    readonly dataSentBytes: number;
    /** Media bytes that it made, each once. */
    readonly mediaBytes: number;
  };
}

/** The measures of a run, and what is drawn of it. */
export interface Measured {
  readonly supplyBps: number;
  readonly streamBps: number;
  readonly crowdInAtMs: number;
  readonly figures: Figures;
  readonly series: Series;
}

/** What the last of the crowd take before their first frame is no steady use. */
const FILLING_MS = 5_000;

/** Works out the measures of a run so far. */
export function measuresOf(run: Counted): Measured {
  const { plan, stays, sampling, source } = run;
  const { sharedOut } = plan;
  const streamBps = plan.scenario.stream.bps;
  const supplyBps = sharedOut.sourceBps + sharedOut.insBps + sharedOut.peersBps;
  const crowdAtMs = crowdInAtMs(plan.visits);
  const boundsMs = startupBoundMs(boundWorld(plan, run.player), boundViewers(plan));
  const startups = stays.flatMap(({ startupDelayMs }) => (startupDelayMs === null ? [] : [startupDelayMs]));
  const sum = (pick: (stay: StayAccount) => number) => stays.reduce((total, stay) => total + pick(stay), 0);
  const hereMs = sum((stay) => stay.hereMs);
  const received = { ins: sum((s) => s.from.ins), peers: sum((s) => s.from.peers), source: sum((s) => s.from.source) };
  const figures: Figures = {
    viewers: { joined: stays.length, started: startups.length },
    startupDelayMs: { ...quantiles(startups), bound: quantiles(boundsMs) },
    freezes: freezeFigures(run, crowdAtMs),
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
      p50: sampling.latencyMs(0.5),
      p95: sampling.latencyMs(0.95),
      bound: { p50: latencyBound(run, 0.5), p95: latencyBound(run, 0.95) },
    },
    ...efficiencies(run, crowdAtMs, supplyBps),
    offload: hereMs === 0 ? 0 : 1 - (source.dataSentBytes * 8000) / (hereMs * streamBps),
    sourceCopies: over(source.dataSentBytes, source.mediaBytes),
    bytesFrom: received,
  };
  return {
    supplyBps,
    streamBps,
    crowdInAtMs: crowdAtMs,
    figures,
    series: seriesOf(run, startups, boundsMs),
  };
}

function freezeFigures({ plan, stays }: Counted, crowdAtMs: number): Figures['freezes'] {
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
    frozenShareBound: frozenShareBound(sentToViewersBps(plan), plan.scenario.stream.bps, stays.map(spanOf)),
  };
}

/** What can be sent to viewers: where nobody is fed by the source, its uplink is for the servers. */
function sentToViewersBps({ mode, sharedOut: { sourceBps, insBps, peersBps } }: RunPlan): number {
  return mode === 'ins' ? insBps : sourceBps + insBps + peersBps;
}

function spanOf({ joinedAtMs, endMs }: StayAccount): Span {
  return { fromMs: joinedAtMs, toMs: endMs };
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
function efficiencies(run: Counted, crowdAtMs: number, supplyBps: number) {
  const { usefulBytesAt } = run.sampling;
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
function demandBps({ plan, stays, elapsedMs }: Counted, crowdAtMs: number): number {
  const { bps } = plan.scenario.stream;
  const spanMs = elapsedMs - crowdAtMs;
  if (spanMs <= 0) return plan.peers * bps;
  const hereMs = stays.reduce((sum, { joinedAtMs, endMs }) => {
    return sum + Math.max(0, endMs - Math.max(crowdAtMs, joinedAtMs));
  }, 0);
  return (hereMs / spanMs) * bps;
}

function latencyBound({ plan, player }: Counted, share: number): number | null {
  const meanUpBps = plan.sharedOut.peersBps / Math.max(1, plan.peers);
  const boundMs = latencyBoundMs(boundWorld(plan, player), plan.peers, meanUpBps, share);
  return Number.isFinite(boundMs) ? boundMs : null;
}

function seriesOf(
  { plan, stays, sampling: { perSecond } }: Counted,
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
    startupBoundMs: plan.visits.length === 0 ? null : distributionOf(boundsMs),
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
