import { insBpsOf, type RunPlan, upBpsOf } from '../../../scenarios/plan/plan.ts';
import { MBPS } from '../../../scenarios/plan/scenario.ts';
import type { Host } from '../links/links.ts';

/** Where everything of a run is: hosts with their links, and the processes that they are in. */
export interface Layout {
  readonly tracker: Host;
  readonly source: Host;
  readonly ins: readonly Host[];
  /** By the viewer's number. */
  readonly viewers: readonly Host[];
  /** Viewers who come before the run begins, and are not counted: a few in each process of viewers. */
  readonly rehearsers: readonly Host[];
  readonly workers: readonly WorkerSpec[];
}

/** A process. */
export interface WorkerSpec {
  readonly name: string;
  readonly hosts: readonly Host[];
}

/** What carries whatever there is. */
const WIDE_BPS = 1_000 * MBPS;
const VIEWERS_PER_SUBNET = 250;
const PLAYERS_PER_BROWSER = 4;
/** Fewer viewers than these do not fill a machine while their programs are being compiled. */
const REHEARSED_FROM = 25;
const REHEARSERS = 8;
const REHEARSER_UP_BPS = 5 * MBPS;

/**
 * @param prefix - The first half of all addresses, such as `198.18`.
 * @param viewersPerWorker - How many share a process, at most.
 * @param browsers - Viewers in real browsers: those of a process share one.
 */
export function layoutOf(
  plan: RunPlan,
  prefix: string,
  viewersPerWorker: number,
  browsers: ReadonlySet<number> = new Set(),
): Layout {
  const { scenario, sharedOut, peers } = plan;
  const { sourceBps } = sharedOut;
  const insBps = insBpsOf(plan);
  const regions = scenario.regions.names.length;
  const own = (name: string, last: string, region: number, upBps: number, downBps: number): Host => {
    return { name, address: `${prefix}.${last}`, region, upBps, downBps };
  };
  const tracker = own('tracker', '0.1', 0, WIDE_BPS, WIDE_BPS);
  const source = own('source', '0.2', 0, sourceBps, sourceBps);
  const ins = Array.from({ length: scenario.insServers }, (_, at) => {
    return own(`INS server ${at}`, `${240 + Math.floor(at / 250)}.${1 + (at % 250)}`, at % regions, insBps, insBps);
  });
  const viewers = Array.from({ length: peers }, (_, at) => {
    const last = `${1 + Math.floor(at / VIEWERS_PER_SUBNET)}.${1 + (at % VIEWERS_PER_SUBNET)}`;
    return own(`viewer ${at}`, last, plan.regions[at]!, upBpsOf(plan, at), scenario.downBps);
  });
  const servers = [tracker, source, ...ins].map((host) => ({ name: host.name, hosts: [host] }));
  const headless = viewers.filter((_, viewer) => !browsers.has(viewer));
  const inBrowsers = viewers.filter((_, viewer) => browsers.has(viewer));
  const rehearsers: Host[] = [];
  const ofViewers = workersOf('viewers', headless, viewersPerWorker).map((worker) => {
    if (peers < REHEARSED_FROM) return worker;
    const extra = Array.from({ length: REHEARSERS }, () => {
      const at = rehearsers.length;
      rehearsers.push(
        own(
          `rehearsal ${at}`,
          `${230 + Math.floor(at / 250)}.${1 + (at % 250)}`,
          at % regions,
          REHEARSER_UP_BPS,
          scenario.downBps,
        ),
      );
      return rehearsers[at]!;
    });
    return { ...worker, hosts: [...worker.hosts, ...extra] };
  });
  const workers = [...servers, ...ofViewers, ...workersOf('browsers', inBrowsers, PLAYERS_PER_BROWSER)];
  return { tracker, source, ins, viewers, rehearsers, workers };
}

/** Viewers are dealt out in turn, so that each process has its share of every moment's work. */
function workersOf(name: string, viewers: readonly Host[], most: number): WorkerSpec[] {
  const count = Math.ceil(viewers.length / most);
  return Array.from({ length: count }, (_, at) => ({
    name: `${name} ${at + 1}`,
    hosts: viewers.filter((_, viewer) => viewer % count === at),
  }));
}
