import { type Sink, unreachable } from '../../machine/machine.ts';
import { RECORDS_MESSAGE_MAX } from '../../protocol/limits.ts';
import type { NeighbourEntry, StreamState } from '../../protocol/swarm-fields.ts';
import { bytesKey, sameBytes } from '../../protocol/text.ts';
import type { FromTracker } from '../../protocol/tracker-messages.ts';
import type { Descriptions } from '../../swarm/descriptions.ts';
import type { Membership } from '../../swarm/membership.ts';
import type { InsFeed } from './ins-feed.ts';
import type { Intake, Origin } from './intake.ts';
import type { PeerOutput } from './io.ts';
import type { Lockers } from './lockers.ts';
import type { Mesh } from './mesh.ts';
import type { PeerOptions } from './peer-options.ts';
import type { Bounded } from './peer-stats.ts';
import type { TracksTaken } from './tracks-taken.ts';

export interface SignallingParts {
  readonly options: PeerOptions;
  readonly member: Membership;
  readonly descriptions: Descriptions;
  readonly lockers: Lockers;
  readonly intake: Intake;
  readonly ins: InsFeed;
  readonly taken: TracksTaken;
  readonly outputs: Sink<PeerOutput>;
  /** Numbers for what is to be verified, each given once. */
  readonly nextRef: () => number;
  /** Whether the source sends, as somebody says who has to know. */
  readonly streamState: (state: StreamState, why: string, nowMs: number) => void;
}

/** Neighbours that are remembered for a mesh that is still to come: the newest that the tracker has named. */
const NAMED_MAX = 64;
const TRACKER: Origin = { from: 'source', link: 0, who: 'the tracker' };

/**
 * What the tracker and neighbours say beside blocks: the stream's description and records, who is there, whose locker holds what and the
 * tokens that open it, which INS servers there are. Passes it on to those whom it concerns, descriptions once they are verified.
 */
export class Signalling {
  /** Whom neighbours' names are for, and who says what they say. */
  private mesh: Mesh | undefined;
  /** Whom the tracker has named while there was no mesh to dial them. */
  private readonly named = new Map<string, NeighbourEntry>();
  /** Records that came before the description they are checked with. */
  private early: { readonly sealed: Uint8Array; readonly origin: Origin }[] = [];
  private readonly parts: SignallingParts;

  constructor(parts: SignallingParts) {
    this.parts = parts;
  }

  sizes(): Record<string, Bounded> {
    return {
      'neighbours that no mesh dials': { size: this.named.size, max: NAMED_MAX },
      'records before their description': { size: this.early.length, max: RECORDS_MESSAGE_MAX },
    };
  }

  setMesh(mesh: Mesh): void {
    this.mesh = mesh;
    for (const entry of this.named.values()) mesh.introduce(entry);
    this.named.clear();
  }

  trackerMessage(message: FromTracker, nowMs: number): void {
    const { options, member, ins, outputs, streamState } = this.parts;
    switch (message.type) {
      case 'welcome':
        member.welcomed(message);
        return;
      case 'joined':
        member.joined(message, nowMs);
        if (message.description !== null) this.offerDescription(message.description);
        this.introduce(message.neighbours, nowMs);
        if (options.mode !== 'native') ins.failover.setServers(message.insServers, nowMs);
        for (const sealed of message.records) this.record(sealed, TRACKER);
        outputs.push({
          kind: 'event',
          event: { kind: 'joined', neighbours: message.neighbours.length, insServers: message.insServers.length },
        });
        streamState(message.state, '', nowMs);
        return;
      case 'neighbours':
        this.introduce(message.neighbours, nowMs);
        return;
      case 'digest':
        this.digest(message, nowMs);
        return;
      case 'description':
        this.offerDescription(message.description);
        return;
      case 'stream-state':
        streamState(message.state, message.why, nowMs);
        return;
      case 'ins-servers':
        if (options.mode !== 'native') ins.failover.setServers(message.insServers, nowMs);
        return;
      case 'refused':
        outputs.push({
          kind: 'event',
          event: { kind: 'refused', by: 'tracker', why: message.text || message.reason },
        });
        return;
      default:
        unreachable(message);
    }
  }

  /** Takes in what neighbours have said. */
  meshEvents(nowMs: number): void {
    const events = this.mesh?.events;
    for (let event = events?.shift(); event !== undefined; event = events?.shift()) {
      switch (event.kind) {
        case 'record':
          this.record(event.sealed, event.origin);
          break;
        case 'description':
          this.offerDescription(event.sealed);
          break;
        case 'token':
          this.token(event.owner, event.sealed, nowMs);
          break;
        case 'stream-state':
          if (this.isSource(event.key)) this.parts.streamState(event.state, event.why, nowMs);
          break;
        default:
          unreachable(event);
      }
    }
  }

  /** An answer to `verify`: a description's, or nobody's any more. */
  verified(ref: number, ok: boolean, nowMs: number): void {
    const { descriptions, lockers, taken, ins, intake, outputs } = this.parts;
    const description = descriptions.verified(ref, ok);
    if (description === undefined || description === null) return;
    lockers.nameSource(description.signingKey);
    taken.describe(description.tracks, nowMs);
    ins.sourceNamed(nowMs);
    outputs.push({ kind: 'description', description });
    const { early } = this;
    this.early = [];
    for (const { sealed, origin } of early) intake.record(sealed, origin);
  }

  private digest({ neighbours, records }: Extract<FromTracker, { type: 'digest' }>, nowMs: number): void {
    for (const { peer, availability, token, gone } of neighbours) {
      const id = bytesKey(peer);
      if (gone) this.forget(id);
      else {
        if (token !== null) this.token(peer, token, nowMs);
        this.parts.lockers.get(id)?.availability.replace(availability);
      }
    }
    for (const sealed of records) this.record(sealed, TRACKER);
  }

  private introduce(entries: readonly NeighbourEntry[], nowMs: number): void {
    const { options, descriptions, lockers } = this.parts;
    for (const entry of entries) {
      const { peer, source, token, availability } = entry;
      if (sameBytes(peer, options.key)) continue;
      if (this.mesh !== undefined) this.mesh.introduce(entry);
      else if (options.mode !== 'ins') this.note(entry);
      if (source && descriptions.newest === undefined) lockers.nameSource(peer);
      if (token !== null) this.token(peer, token, nowMs);
      lockers.get(bytesKey(peer))?.availability.replace(availability);
    }
  }

  private note(entry: NeighbourEntry): void {
    const id = bytesKey(entry.peer);
    this.named.delete(id);
    this.named.set(id, entry);
    if (this.named.size <= NAMED_MAX) return;
    for (const oldest of this.named.keys()) {
      this.named.delete(oldest);
      return;
    }
  }

  private forget(id: string): void {
    const { lockers } = this.parts;
    this.mesh?.forget(id);
    this.named.delete(id);
    // Its blocks stay in its locker until they expire, but nobody renews the token.
    if (lockers.source?.owner !== id) lockers.remove(id);
  }

  /** Only the key that signs the records is the source's, whoever else says so. */
  private isSource(key: Uint8Array): boolean {
    const { newest } = this.parts.descriptions;
    return newest !== undefined && sameBytes(newest.signingKey, key);
  }

  private token(owner: Uint8Array, sealed: Uint8Array, nowMs: number): void {
    const { options, lockers, ins } = this.parts;
    if (options.rangeTokens === false) return;
    const old = lockers.addToken(owner, sealed);
    if (old !== undefined) ins.tokenChanged(old, sealed, nowMs);
  }

  private record(sealed: Uint8Array, origin: Origin): void {
    if (this.parts.descriptions.newest !== undefined) this.parts.intake.record(sealed, origin);
    else if (this.early.length < RECORDS_MESSAGE_MAX) this.early.push({ sealed, origin });
  }

  private offerDescription(sealed: Uint8Array): void {
    const { descriptions, outputs, options, nextRef } = this.parts;
    const ref = nextRef();
    const offered = descriptions.offer(sealed, ref);
    if (offered === undefined) return;
    const { value, signed, signature } = offered;
    outputs.push({ kind: 'verify', ref, key: value.rootKey, keyHash: options.stream, signed, signature });
  }
}
