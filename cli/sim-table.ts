import type { Asked } from '../sim/replay.ts';
import type { SimResult } from '../sim/result.ts';
import { bytesText, countText, rateText, rowOf } from './figures.ts';

const WIDTHS = [30, 14, 14, 10];

/** The figures of a run for people, each with the bound beside it and how near it is. */
export function simTable(
  { scenario, mode, peers, seed }: Asked,
  { figures, traceHash, events, supplyBps, duplicateShare, bad }: SimResult,
  took: { readonly wallMs: number; readonly cpuMs: number },
  replay: string,
): string {
  const { startupDelayMs: startup, freezes, liveLatencyMs: latency, uploadBps: upload, bytesFrom } = figures;
  const row = (label: string, value: string, bound = '', near = '') => rowOf([label, value, bound, near], WIDTHS);
  const time = (label: string, ms: number | null, boundMs: number | null | undefined) =>
    row(label, secondsText(ms), secondsText(boundMs ?? null), nearText(ms, boundMs ?? null));
  const share = (label: string, value: number, bound: number | null) =>
    row(label, percent(value), bound === null ? '' : percent(bound), nearText(value, bound));
  return [
    `${scenario}, ${mode}, ${countText(peers)} viewers, seed ${seed}, supply ${rateText(supplyBps)}`,
    row('', '', 'no system can', 'times'),
    row('viewers started', `${figures.viewers.started} of ${figures.viewers.joined}`),
    time('startup p50', startup.p50, startup.bound?.p50),
    time('startup p95', startup.p95, startup.bound?.p95),
    time('startup max', startup.max, startup.bound?.max),
    row('freezes', countText(freezes.total)),
    row('  per viewer-hour', freezes.perPeerHour.toFixed(2)),
    row('  … after the crowd is in', freezes.afterCrowd.perPeerHour.toFixed(2)),
    share('time frozen', freezes.frozenShare, freezes.frozenShareBound),
    share('blocks missed', figures.missedRate, null),
    time('live latency p50', latency.p50, latency.bound?.p50),
    time('live latency p95', latency.p95, latency.bound?.p95),
    share('efficiency', figures.efficiency, figures.efficiencyBound),
    share('offload', figures.offload, null),
    row('copies that the source sends', figures.sourceCopies.toFixed(2)),
    row('blocks sent by a viewer', rateText(upload.data)),
    row('control sent by a viewer', rateText(upload.control)),
    share('  over what it downloads', figures.controlShare, null),
    row('viewers who send > stream', percent(upload.shareAboveStream)),
    row('bytes from INS servers', bytesText(bytesFrom.ins)),
    row('bytes from viewers', bytesText(bytesFrom.peers)),
    row('bytes from the source', bytesText(bytesFrom.source)),
    share('bytes that came twice', duplicateShare, null),
    row('wrong blocks dropped', countText(bad)),
    `trace ${traceHash}, ${countText(events)} events, ${(took.cpuMs / 1000).toFixed(1)} s of CPU, ${(took.wallMs / 1000).toFixed(1)} s`,
    `again: ${replay}`,
  ].join('\n');
}

function secondsText(ms: number | null): string {
  return ms === null ? '–' : `${(ms / 1000).toFixed(2)} s`;
}

function percent(share: number): string {
  const value = share * 100;
  return `${value === 0 || value >= 1 ? value.toFixed(1) : value.toPrecision(2)} %`;
}

function nearText(value: number | null, bound: number | null): string {
  return value === null || bound === null || bound === 0 ? '' : `${(value / bound).toFixed(2)}x`;
}
