import { type Body, type LinkId, type Sink, unreachable } from '../../machine/machine.ts';
import type { Player } from '../../machine/player.ts';
import type { BlockHeader } from '../../protocol/frames.ts';
import type { Mode } from '../../protocol/swarm-fields.ts';
import { isWhole, type PartEntry } from '../../swarm/catalogue.ts';
import type { Descriptions } from '../../swarm/descriptions.ts';
import type { Membership } from '../../swarm/membership.ts';
import type { Account } from './account.ts';
import type { Evaluation } from './evaluate.ts';
import type { InsFeed } from './ins-feed.ts';
import type { Intake, IntakeEvent, Origin } from './intake.ts';
import type { PeerOutput } from './io.ts';
import type { Mesh } from './mesh.ts';
import type { PartsKept } from './parts-kept.ts';
import type { Past } from './past.ts';
import type { TracksTaken } from './tracks-taken.ts';

export interface ReceptionParts {
  readonly mode: Mode;
  readonly member: Membership;
  readonly descriptions: Descriptions;
  readonly intake: Intake;
  readonly ins: InsFeed;
  readonly taken: TracksTaken;
  readonly evaluation: Evaluation;
  readonly player: Player;
  /** What our locker holds, and what is counted. */
  readonly kept: PartsKept;
  readonly account: Account;
  readonly outputs: Sink<PeerOutput>;
}

/** Wrong blocks after which an INS server is left for another. */
const STRIKES_MAX = 3;

/**
 * What comes in of media, from its sender through the gate: blocks of INS servers and neighbours go to be verified, and what is verified to
 * the player, the counters, and those who are told of it.
 */
export class Reception {
  /** Who hears of what is here now. */
  mesh: Mesh | undefined;
  /** Who has what was asked for of the past, kept apart from the window; undefined while nothing was. */
  past: Past | undefined;
  private insStrikes = 0;
  private readonly parts: ReceptionParts;

  constructor(parts: ReceptionParts) {
    this.parts = parts;
  }

  /** A block came from a neighbour. */
  peerBlock(link: LinkId, header: BlockHeader, body: Body, nowMs: number): void {
    const given = this.mesh?.block(link, header, body, nowMs);
    if (given === undefined) return;
    const { origin, labelled } = given;
    this.parts.account.bytesFrom[origin.from] += body.byteLength;
    if (labelled === null) return;
    this.parts.intake.labelled(labelled, body, origin, false);
    this.intakeEvents(nowMs);
  }

  /** Takes in what INS servers gave and said. */
  insEvents(nowMs: number): void {
    const { ins, intake, member, kept, outputs } = this.parts;
    if (ins.events.length === 0) return;
    for (let event = ins.events.shift(); event !== undefined; event = ins.events.shift()) {
      if (this.past?.takes(event)) continue;
      switch (event.kind) {
        case 'up':
          member.tokens.addServer(event.server, event.url, event.clockOffsetMs, nowMs);
          outputs.push({ kind: 'event', event: { kind: 'ins-up', url: event.url } });
          break;
        case 'lost':
          if (event.server !== undefined) member.tokens.removeServer(event.server, nowMs);
          kept.clear();
          outputs.push({ kind: 'event', event: { kind: 'ins-lost', url: event.url, why: event.why } });
          break;
        case 'refused':
          outputs.push({ kind: 'event', event: { kind: 'refused', by: 'ins', why: event.why } });
          break;
        case 'labelled':
          intake.labelled(event.labelled, event.body, insOrigin(event), event.kept);
          break;
        case 'block': {
          const { track, part, index } = event.place;
          const entry = member.catalogue.get(track, part);
          if (entry !== undefined) intake.block(entry, index, event.body, insOrigin(event), event.kept);
          break;
        }
        case 'none':
          // What is live is asked for again.
          break;
        default:
          unreachable(event);
      }
      this.intakeEvents(nowMs);
    }
  }

  /** The tracks that are taken: the chosen ones, or all. */
  get tracks(): readonly number[] {
    return this.parts.taken.change.tracks ?? this.parts.descriptions.tracks;
  }

  /** Takes in what has been verified. */
  intakeEvents(nowMs: number): void {
    const { intake, account, evaluation } = this.parts;
    for (let event = intake.events.shift(); event !== undefined; event = intake.events.shift()) {
      if (event.kind === 'bad') this.bad(event.origin, event.what, event.track, event.part, nowMs);
      else if (event.kind === 'record') {
        if (this.tracks.includes(event.entry.record.track)) account.recorded(event.entry);
        this.mesh?.recorded(event.entry);
        evaluation.recorded(nowMs);
      } else this.came(event, nowMs);
    }
  }

  /** A block is there and verified. */
  private came({ entry, index, origin, kept }: Extract<IntakeEvent, { kind: 'block' }>, nowMs: number): void {
    const { taken, ins } = this.parts;
    const { track, part } = entry.record;
    const { mesh } = this;
    const isInsMode = this.parts.mode === 'ins';
    taken.came(entry.bodies[index]?.byteLength ?? 0, nowMs);
    if (kept && this.parts.kept.add(entry) && isInsMode) mesh?.announce(track, part, nowMs);
    if (origin.from === 'ins') ins.failover.came(origin.link, entry, isWhole(entry), nowMs);
    mesh?.came(entry, index, origin, nowMs);
    if (isWhole(entry)) this.whole(entry, nowMs);
    else if (!isInsMode) mesh?.announceBlock(track, part, index, nowMs);
  }

  /** A part of a track is there and verified. */
  private whole(entry: PartEntry, nowMs: number): void {
    const { evaluation, outputs, taken, descriptions, member, player, kept } = this.parts;
    const { record } = entry;
    if (!evaluation.deliver(record.track, record.part)) return;
    outputs.push({ kind: 'part', record, bodies: entry.bodies as readonly Body[] });
    if (this.parts.mode !== 'ins') this.mesh?.announce(record.track, record.part, nowMs);
    const tracks = taken.change.of(record.part) ?? descriptions.tracks;
    const lead = tracks[0];
    if (lead === undefined || !member.catalogue.holdsAll(tracks, record.part)) return;
    const { part, durationUs, independent, discontinuity, capturedAtMs } = member.catalogue.get(
      lead,
      record.part,
    )!.record;
    taken.whole(nowMs - capturedAtMs - durationUs / 1000, nowMs);
    player.add({ part, durationMs: durationUs / 1000, independent, discontinuity, capturedAtMs }, nowMs);
    kept.forgetBefore(member.catalogue.oldestPart);
  }

  /** Somebody sent what is not right: it was dropped, and who does that often is left. */
  bad(origin: Origin, what: string, track: number, part: number, nowMs: number): void {
    const { account, outputs, ins } = this.parts;
    account.bad++;
    outputs.push({ kind: 'event', event: { kind: 'bad', from: origin.who, what, track, part } });
    this.mesh?.strike(origin, track, part, nowMs);
    if (origin.from === 'ins' && ++this.insStrikes % STRIKES_MAX === 0)
      ins.failover.avoid('it sent wrong blocks', nowMs);
  }
}

function insOrigin({ link, url }: { readonly link: LinkId; readonly url: string }): Origin {
  return { from: 'ins', link, who: url };
}
