import type { FromTracker } from '../../protocol/tracker-messages.ts';
import { splitEntries, splitRecords, splitToFit, stateBytes } from './fit.ts';
import { DIGEST_STATES_MAX, MESSAGE_FILL_BYTES } from './limits.ts';
import type { Known, Member } from './member.ts';
import type { Swarm } from './swarm.ts';

type Digest = Extract<FromTracker, { type: 'digest' }>;
type DigestState = Digest['neighbours'][number];

/** The digests of one look at one swarm. Members that are owed the same get the same object, which is encoded once. */
export class Digests {
  private readonly swarm: Swarm;
  private readonly nowMs: number;
  /** By the sequence number after which they begin: the records, and the sequence number of the last one. */
  private readonly records = new Map<number, { readonly sealed: readonly Uint8Array[]; readonly to: number }>();
  private readonly shared = new Map<string, Digest>();

  constructor(swarm: Swarm, nowMs: number) {
    this.swarm = swarm;
    this.nowMs = nowMs;
  }

  /** What a member is owed: at most one digest, and before it those neighbours that have joined anew under their key. */
  messagesFor(member: Member): FromTracker[] {
    const states: DigestState[] = [];
    const changed: Known[] = [];
    const anew: Member[] = [];
    for (const [keyText, known] of member.known) {
      const current = known.member.present ? known.member : this.swarm.holder(keyText);
      if (current === undefined) {
        if (states.length < DIGEST_STATES_MAX) states.push(this.gone(member, keyText, known));
      } else if (current !== known.member) anew.push(current);
      else if (current.version !== known.version && (!known.direct || current === this.swarm.source))
        changed.push(known);
    }
    this.addChanged(changed, states);
    const entries = anew.map((current) => this.swarm.tell(member, current, this.nowMs));
    const out: FromTracker[] = splitEntries(entries)
      .filter((neighbours) => neighbours.length > 0)
      .map((neighbours) => ({ type: 'neighbours', neighbours }));
    const digest = this.digest(member, states);
    if (digest !== undefined) out.push(digest);
    return out;
  }

  private gone(member: Member, keyText: string, known: Known): DigestState {
    this.swarm.forget(member, keyText);
    return { peer: known.member.key, availability: [], token: null, gone: true };
  }

  /** The source first, then who was told of longest ago; what does not fit comes with the next digest. */
  private addChanged(changed: Known[], states: DigestState[]): void {
    const age = (known: Known): number => (known.member === this.swarm.source ? 0 : known.toldAtMs);
    changed.sort((a, b) => age(a) - age(b));
    const left = Math.max(1, DIGEST_STATES_MAX - states.length);
    const sizeOf = ({ member }: Known): number => 40 + stateBytes(member.availability, member.token);
    for (const known of splitToFit(changed, sizeOf, left, MESSAGE_FILL_BYTES / 2)[0]!) {
      const { token, version } = known.member;
      states.push(known.member.state(token !== null && token !== known.token));
      known.version = version;
      known.token = token;
      known.toldAtMs = this.nowMs;
    }
  }

  private digest(member: Member, neighbours: DigestState[]): Digest | undefined {
    const from = member.recordsSent;
    const { sealed: records, to } = this.recordsSince(wantsRecords(member) ? from : this.swarm.records.newest);
    member.recordsSent = to;
    if (records.length === 0 && neighbours.length === 0) return undefined;
    const [only] = neighbours;
    const { source } = this.swarm;
    if (neighbours.length > 1 || (only !== undefined && (only.peer !== source?.key || only.gone))) {
      return { type: 'digest', neighbours, records };
    }
    const name = `${records.length === 0 ? 0 : from}/${neighbours.length}/${only?.token === null ? 0 : 1}`;
    const same = this.shared.get(name) ?? { type: 'digest', neighbours, records };
    this.shared.set(name, same);
    return same;
  }

  private recordsSince(sequence: number): { readonly sealed: readonly Uint8Array[]; readonly to: number } {
    let found = this.records.get(sequence);
    if (found === undefined) {
      const kept = this.swarm.records.since(sequence);
      const sealed = splitRecords(
        kept.map((item) => item.sealed),
        MESSAGE_FILL_BYTES / 2,
      )[0]!;
      found = { sealed, to: kept[sealed.length - 1]?.sequence ?? sequence };
      this.records.set(sequence, found);
    }
    return found;
  }
}

/** Browsers, and INS members that nobody tells of records: no neighbour of theirs can be dialled. */
export function wantsRecords(member: Member): boolean {
  if (member.role === 'source') return false;
  if (member.url === null) return true;
  if (member.mode !== 'ins') return false;
  for (const { direct } of member.known.values()) if (direct) return false;
  return true;
}
