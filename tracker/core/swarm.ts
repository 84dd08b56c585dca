import type { LinkId } from '../../machine/machine.ts';
import type { Prng } from '../../machine/prng.ts';
import { NEIGHBOURS_ANSWER_MAX } from '../../protocol/limits.ts';
import type { Description } from '../../protocol/media.ts';
import type { InsServerEntry, NeighbourEntry, StreamState } from '../../protocol/swarm-fields.ts';
import { bytesKey } from '../../protocol/text.ts';
import type { ToTracker } from '../../protocol/tracker-messages.ts';
import { NEIGHBOURS_KNOWN_MAX, PLACE_LOOKS, UPLOAD_BPS_MAX } from './limits.ts';
import type { Member } from './member.ts';
import { RecordBuffer } from './record-buffer.ts';
import { Candidates } from './sampling.ts';
import { SourcePlaces } from './source-places.ts';

type State = Extract<ToTracker, { type: 'state' }>;

/** What a source has published, and found good. */
export interface Published {
  readonly sealed: Uint8Array;
  readonly description: Description;
  readonly insServers: readonly InsServerEntry[];
  readonly hlsUrl: string | null;
}

/** The members of one stream, and what there is to know of the stream. */
export class Swarm {
  readonly id: Uint8Array;
  readonly idText: string;
  readonly members = new Map<LinkId, Member>();
  readonly records: RecordBuffer;
  /** The member whose description holds; undefined before the source comes, and while it is away. */
  source: Member | undefined;
  published: Published | undefined;
  state: StreamState = 'interrupted';
  why = 'the stream has not begun';
  emptySinceMs: number;
  viewers = 0;
  private readonly byKey = new Map<string, Member>();
  private readonly candidates = new Candidates();
  /** Members that were given the source's URL. */
  private readonly places = new SourcePlaces(
    (member) => this.candidates.capacityBps(member),
    (member) => this.feedersOf(member),
  );

  constructor(id: Uint8Array, nowMs: number) {
    this.id = id;
    this.idText = bytesKey(id);
    this.records = new RecordBuffer(id);
    this.emptySinceMs = nowMs;
  }

  /** Who uses a key now. */
  holder(keyText: string): Member | undefined {
    return this.byKey.get(keyText);
  }

  add(member: Member): void {
    member.present = true;
    this.members.set(member.link, member);
    this.byKey.set(member.keyText, member);
    if (member.role !== 'viewer') return;
    this.viewers++;
    this.candidates.add(member);
  }

  remove(member: Member, nowMs: number): void {
    member.present = false;
    this.members.delete(member.link);
    if (this.byKey.get(member.keyText) === member) this.byKey.delete(member.keyText);
    if (member.role === 'viewer') {
      this.viewers--;
      this.candidates.delete(member);
    }
    for (const { member: other, direct } of member.known.values()) if (direct) this.lean(other, -1);
    member.known.clear();
    this.places.leave(member);
    if (this.members.size === 0) this.emptySinceMs = nowMs;
  }

  /** Takes a description over; its member is the source from now on. */
  publish(published: Published, source: Member): void {
    // Records of another signing key cannot be verified with this description.
    if (
      bytesKey(published.description.signingKey) !==
      bytesKey(this.published?.description.signingKey ?? new Uint8Array())
    ) {
      this.records.clear();
    }
    this.published = published;
    if (this.source === source) return;
    this.source = source;
    this.places.clear();
  }

  /** Takes a member's state in. @returns Who is to be told of the source anew, because a place there changes hands. */
  update(member: Member, state: State, nowMs: number): Member[] {
    if (!member.update(state, nowMs)) return [];
    const wasFed = member.insFed;
    member.insFed = state.insFed;
    if (wasFed !== false && !state.insFed && this.takesPlace(member, nowMs)) return [member];
    const uploadBps = Math.min(state.uploadBps, UPLOAD_BPS_MAX);
    if (uploadBps === member.uploadBps || member.role !== 'viewer') return [];
    this.candidates.measure(member, uploadBps);
    return this.handOver(member, nowMs);
  }

  /** Gives a member that carries far more the place at the source of one who carries little. @returns Like {@link update}. */
  handOver(member: Member, nowMs: number): Member[] {
    if (this.source === undefined || this.source.url === null || this.places.free) return [];
    const loser = this.places.handOverTo(member, nowMs);
    return loser === undefined ? [] : [loser, member];
  }

  /** Gives a hybrid member that no INS server feeds a place at the source, where there is one. */
  private takesPlace(member: Member, nowMs: number): boolean {
    if (this.source === undefined || this.source.url === null || member.mode !== 'hybrid') return false;
    if (this.places.has(member) || !this.places.mayTake(member)) return false;
    this.places.take(member, nowMs);
    return true;
  }

  /** Gives a place at the source that has become free to one who can use it. @returns Like {@link update}. */
  fillPlace(prng: Prng, nowMs: number): Member[] {
    if (this.source === undefined || this.source.url === null || !this.places.free) return [];
    const found = this.candidates.givers(PLACE_LOOKS, prng, (member) => !this.places.has(member));
    const worth = (member: Member): number => this.places.worthOf(member);
    const [best] = found.sort((a, b) => worth(b) - worth(a));
    if (best === undefined) return [];
    this.places.take(best, nowMs);
    return [best];
  }

  /**
   * Chooses neighbours for a member and notes that it knows them: the source first, then at most `count` others.
   * @param except - Keys of those that it knows from elsewhere.
   */
  introduce(member: Member, count: number, prng: Prng, nowMs: number, except?: ReadonlySet<string>): NeighbourEntry[] {
    const fresh = (other: Member): boolean => !member.known.has(other.keyText) && except?.has(other.keyText) !== true;
    const others = this.candidates.choose(member, Math.min(count, NEIGHBOURS_ANSWER_MAX - 1), prng, fresh);
    const entries = others.map((other) => this.tell(member, other, nowMs));
    return [...this.introduceSource(member, nowMs), ...entries];
  }

  /** The source as the member is to know it; none when it is away, or is the member, or is known and nothing changes. */
  introduceSource(member: Member, nowMs: number): NeighbourEntry[] {
    const { source } = this;
    if (source === undefined || source === member) return [];
    if (member.known.get(source.keyText)?.member === source && !this.mayStartToDial(member)) return [];
    return [this.tell(member, source, nowMs)];
  }

  /** Notes that `member` is told of `other` now, and makes the entry that tells it. */
  tell(member: Member, other: Member, nowMs: number): NeighbourEntry {
    const url = this.urlFor(member, other, nowMs);
    this.forget(member, other.keyText);
    this.forgetOldest(member);
    const direct = url !== null;
    if (direct) this.lean(other, 1);
    const { version, token } = other;
    member.known.set(other.keyText, { member: other, version, token, direct, toldAtMs: nowMs });
    return other.entry(other === this.source, url);
  }

  forget(member: Member, keyText: string): void {
    const known = member.known.get(keyText);
    if (known === undefined) return;
    if (known.direct) this.lean(known.member, -1);
    member.known.delete(keyText);
  }

  private lean(other: Member, by: 1 | -1): void {
    other.leaning += by;
    // The burdens are those of who is here and can be given.
    if (other.role === 'viewer' && other.present) this.candidates.lean(other, by);
  }

  private urlFor(member: Member, other: Member, nowMs: number): string | null {
    // A browser in INS mode dials nobody: it has no use for addresses, and the others' are nobody's business.
    if (member.mode === 'ins' && member.url === null) return null;
    if (other !== this.source) return other.url;
    if (this.mayStartToDial(member)) this.places.take(member, nowMs);
    return this.places.has(member) ? other.url : null;
  }

  private mayStartToDial(member: Member): boolean {
    if (this.places.has(member) || this.source?.url === null || (member.mode === 'ins' && member.url === null)) {
      return false;
    }
    return this.places.mayTake(member);
  }

  /** Others that a member may have a connection with: those that it can dial, and those that can dial it. */
  private feedersOf(member: Member): number {
    let feeders = member.leaning;
    for (const { member: other, direct } of member.known.values()) {
      if (direct && other.present && other !== this.source) feeders++;
    }
    return feeders;
  }

  private forgetOldest(member: Member): void {
    if (member.known.size < NEIGHBOURS_KNOWN_MAX) return;
    for (const [keyText, known] of member.known) {
      if (known.member === this.source) continue;
      this.forget(member, keyText);
      return;
    }
  }
}
