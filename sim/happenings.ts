import type { Prng } from '../machine/prng.ts';
import type { Happening } from '../scenarios/plan/scenario.ts';
import type { Host } from './host.ts';
import type { Network } from './network.ts';
import type { SimStay } from './run.ts';
import type { SimInsServer } from './sim-ins-server.ts';
import type { SimSource } from './sim-source.ts';
import type { SimTracker } from './sim-tracker.ts';

/** What happenings happen to. */
export interface Stage {
  readonly nowMs: number;
  readonly network: Network;
  readonly stays: readonly SimStay[];
  readonly insServers: readonly SimInsServer[];
  readonly source: SimSource;
  readonly tracker: SimTracker;
  /** Starts a server again at its address, where it has died. */
  restartIns(server: number): void;
  restartTracker(): void;
  leave(stay: SimStay, crashes: boolean): void;
}

/** Lets something happen. Servers that there are not, are not harmed. */
export function happen(happening: Happening, stage: Stage, prng: Prng): void {
  switch (happening.what) {
    case 'ins-dies':
      stage.insServers[happening.server]?.kill();
      return;
    case 'ins-back':
      if (stage.insServers[happening.server]?.alive === false) stage.restartIns(happening.server);
      return;
    case 'ins-drops-links':
      stage.insServers[happening.server]?.dropLinks();
      return;
    case 'tracker-dies':
      stage.tracker.kill();
      return;
    case 'tracker-back':
      if (!stage.tracker.alive) stage.restartTracker();
      return;
    case 'source-drops-links':
      stage.source.dropLinks();
      return;
    case 'viewers-drop-links':
      for (const { peer } of someOf(happening.share, stage, prng)) peer.dropLinks();
      return;
    case 'viewers-lose-links':
      for (const { peer } of someOf(1, stage, prng)) peer.loseLinks(() => prng.unit() < happening.share);
      return;
    case 'partition':
      stage.network.partRegions([happening.regions[0]], [happening.regions[1]], stage.nowMs + happening.forMs);
      return;
    case 'ins-stalls':
      stall(stage, stage.insServers[happening.server]?.host, happening.forMs);
      return;
    case 'viewers-stall':
      for (const { peer } of someOf(happening.share, stage, prng)) stall(stage, peer.host, happening.forMs);
      return;
    case 'ins-throttled':
      throttle(stage.insServers[happening.server]?.host, happening.to);
      return;
    case 'viewers-throttled':
      for (const { peer } of someOf(happening.share, stage, prng)) throttle(peer.host, happening.to);
      return;
    case 'viewers-lie':
      for (const { peer } of someOf(happening.share, stage, prng)) peer.lies = true;
      return;
    case 'viewers-crash':
      for (const stay of someOf(happening.share, stage, prng)) stage.leave(stay, true);
      return;
  }
}

function stall({ network, nowMs }: Stage, host: Host | undefined, forMs: number): void {
  if (host !== undefined) network.stop(host, nowMs + forMs);
}

function throttle(host: Host | undefined, to: number): void {
  host?.setRates(host.options.upBps * to, host.options.downBps * to);
}

/** A share of those who are there. */
function someOf(share: number, { stays, nowMs }: Stage, prng: Prng): SimStay[] {
  const there = stays.filter(({ leftAtMs }) => leftAtMs > nowMs);
  return prng.sample(there, Math.round(share * there.length));
}
