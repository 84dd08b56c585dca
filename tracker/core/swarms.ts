import { bytesKey } from '../../protocol/text.ts';
import type { ToTracker } from '../../protocol/tracker-messages.ts';
import type { StreamReport, TrackerLimits } from './io.ts';
import { SWARM_KEPT_MS } from './limits.ts';
import { type Refusal, refusal } from './refusal.ts';
import { Swarm } from './swarm.ts';

type Join = Extract<ToTracker, { type: 'join' }>;

/** All swarms of a tracker, by stream. They know nothing of each other. */
export class Swarms {
  private readonly byStream = new Map<string, Swarm>();
  private readonly limits: TrackerLimits;

  constructor(limits: TrackerLimits) {
    this.limits = limits;
  }

  get size(): number {
    return this.byStream.size;
  }

  /** The swarm that a member may join; a new one where there is none yet. */
  enter(join: Join, nowMs: number): Swarm | Refusal {
    const known = this.byStream.get(bytesKey(join.stream));
    if (known === undefined) return this.open(join, nowMs);
    const replaces = known.holder(bytesKey(join.key)) !== undefined;
    if (!replaces && known.members.size >= this.limits.membersPerSwarmMax) {
      return refusal('OVERLOAD', 'the stream has as many members as the tracker takes');
    }
    return known;
  }

  /** Forgets those that have been without members for a while. */
  sweep(nowMs: number): void {
    for (const [stream, swarm] of this.byStream) {
      if (swarm.members.size === 0 && nowMs - swarm.emptySinceMs >= SWARM_KEPT_MS) this.byStream.delete(stream);
    }
  }

  report(): StreamReport[] {
    return [...this.byStream.values()].map((swarm) => ({
      stream: swarm.id,
      title: swarm.published?.description.title ?? null,
      state: swarm.state,
      viewers: swarm.viewers,
      hlsUrl: swarm.source === undefined ? null : (swarm.published?.hlsUrl ?? null),
    }));
  }

  private open(join: Join, nowMs: number): Swarm | Refusal {
    const full = refusal('OVERLOAD', 'the tracker has as many streams as it takes');
    if (this.byStream.size >= this.limits.swarmsMax) return full;
    if (join.role === 'viewer') {
      let unknown = 0;
      for (const swarm of this.byStream.values()) if (swarm.published === undefined) unknown++;
      if (unknown >= this.limits.unknownSwarmsMax) return full;
    }
    const swarm = new Swarm(join.stream, nowMs);
    this.byStream.set(swarm.idText, swarm);
    return swarm;
  }
}
