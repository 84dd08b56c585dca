import type { PutLedger } from './put-ledger.ts';
import type { SimStay } from './run.ts';

/**
 * States worth seeing in a suite of runs, and how often a run came through them: a run in which nothing ever went wrong says nothing about
 * what happens when something does.
 */
export function sightingsOf(stays: readonly SimStay[], ledgers: readonly PutLedger[]): Map<string, number> {
  const seen = new Map<string, number>();
  const see = (what: string, times = 1) => seen.set(what, (seen.get(what) ?? 0) + times);
  for (const { counts } of ledgers) for (const [what, times] of counts) see(what, times);
  for (const { peer } of stays) {
    let server: string | undefined;
    for (const event of peer.events) {
      if (event.kind === 'switched') see(`switched to ${event.to}`);
      else if (event.kind === 'skipped') see('jumped to the live edge');
      else if (event.kind === 'missed') see('jumped over what was missing');
      else if (event.kind === 'ins-up') {
        if (server !== undefined && server !== event.url) see('moved to another INS server');
        server = event.url;
      } else see(event.kind);
    }
    const { bytesFrom } = peer.core.stats(0);
    for (const origin of ['ins', 'peers', 'source'] as const) if (bytesFrom[origin] > 0) see(`fed by ${origin}`);
  }
  return seen;
}
