import type { Prng } from '../../machine/prng.ts';
import type { InsServerEntry, StreamState } from '../../protocol/swarm-fields.ts';
import { bytesKey, sameBytes } from '../../protocol/text.ts';
import type { FromTracker, ToTracker } from '../../protocol/tracker-messages.ts';
import { splitEntries, splitRecords } from './fit.ts';
import type { InsChoice } from './ins-choice.ts';
import { MESSAGE_FILL_BYTES, NEIGHBOURS_DEFAULT, NEIGHBOURS_NATIVE } from './limits.ts';
import type { Member } from './member.ts';
import type { Outbox } from './outbox.ts';
import { sameServers } from './publishing.ts';
import type { Published, Swarm } from './swarm.ts';

/** Tells the members of swarms what they are to know. */
export class Hub {
  private readonly outbox: Outbox;
  private readonly ins: InsChoice;
  private readonly prng: Prng;

  constructor(outbox: Outbox, ins: InsChoice, prng: Prng) {
    this.outbox = outbox;
    this.ins = ins;
    this.prng = prng;
  }

  /** The answer to a join; what does not fit into one message follows in others. */
  welcome(member: Member, swarm: Swarm, nowMs: number): void {
    // A source is dialled by the others; only one that cannot be has to dial.
    const viewersMax = member.mode === 'native' ? NEIGHBOURS_NATIVE : NEIGHBOURS_DEFAULT;
    const neighboursMax = member.role === 'viewer' || member.url === null ? viewersMax : 0;
    const description = swarm.published?.sealed ?? null;
    let leftBytes = MESSAGE_FILL_BYTES - (description?.length ?? 0);
    const [records, ...moreRecords] = splitRecords(swarm.records.forJoiner(), leftBytes);
    member.recordsSent = swarm.records.newest;
    leftBytes -= records!.reduce((sum, record) => sum + record.length + 3, 0);
    const entries = neighboursMax === 0 ? [] : swarm.introduce(member, neighboursMax, this.prng, nowMs);
    const [neighbours, ...moreNeighbours] = splitEntries(entries, leftBytes);
    this.outbox.send(member.link, {
      type: 'joined',
      clockMs: Math.floor(nowMs),
      heartbeatMs: member.heartbeatMs,
      state: swarm.state,
      description,
      records: records!,
      neighbours: neighbours!,
      insServers: this.chooseIns(member, swarm),
    });
    for (const more of moreNeighbours) this.outbox.send(member.link, { type: 'neighbours', neighbours: more });
    for (const more of moreRecords) this.outbox.send(member.link, { type: 'digest', neighbours: [], records: more });
    this.tellOfSource(swarm.handOver(member, nowMs), swarm, nowMs);
  }

  /** Takes in how a member is. */
  state(member: Member, swarm: Swarm, state: Extract<ToTracker, { type: 'state' }>, nowMs: number): void {
    this.tellOfSource(swarm.update(member, state, nowMs), swarm, nowMs);
  }

  more(member: Member, swarm: Swarm, { count, known }: Extract<ToTracker, { type: 'more' }>, nowMs: number): void {
    if (!member.mayAskForMore(nowMs)) return;
    const entries = swarm.introduce(member, count, this.prng, nowMs, new Set(known.map(bytesKey)));
    for (const neighbours of splitEntries(entries)) this.outbox.send(member.link, { type: 'neighbours', neighbours });
  }

  /**
   * Tells all what a publish has changed.
   * @param newSource - Another member is the source now than before.
   */
  announce(swarm: Swarm, old: Published | undefined, newSource: boolean, nowMs: number): void {
    const { sealed } = swarm.published!;
    const news: FromTracker = { type: 'description', description: sealed };
    const newDescription = old === undefined || !sameBytes(old.sealed, sealed);
    const newServers = !sameServers(old, swarm.published);
    for (const member of swarm.members.values()) {
      if (member === swarm.source) continue;
      if (newDescription) this.outbox.send(member.link, news);
      const neighbours = newSource ? swarm.introduceSource(member, nowMs) : [];
      if (neighbours.length > 0) this.outbox.send(member.link, { type: 'neighbours', neighbours });
      if (newServers) this.outbox.send(member.link, { type: 'ins-servers', insServers: this.chooseIns(member, swarm) });
    }
  }

  setState(swarm: Swarm, state: StreamState, why: string): void {
    if (swarm.state === state && swarm.why === why) return;
    swarm.state = state;
    swarm.why = why;
    this.outbox.push({ kind: 'stream', stream: swarm.id, state, why });
    const message: FromTracker = { type: 'stream-state', state, why };
    for (const member of swarm.members.values()) {
      if (member !== swarm.source) this.outbox.send(member.link, message);
    }
  }

  /** A member is gone: it loads no INS server any more, and its place at the source is for another one. */
  left(member: Member, swarm: Swarm, nowMs: number): void {
    this.release(member);
    this.tellOfSource(swarm.fillPlace(this.prng, nowMs), swarm, nowMs);
  }

  private release(member: Member): void {
    if (member.ins !== undefined) this.ins.release(member.ins);
  }

  private tellOfSource(members: readonly Member[], swarm: Swarm, nowMs: number): void {
    for (const member of members) {
      const neighbours = [swarm.tell(member, swarm.source!, nowMs)];
      this.outbox.send(member.link, { type: 'neighbours', neighbours });
    }
  }

  private chooseIns(member: Member, swarm: Swarm): InsServerEntry[] {
    const servers = this.ins.choose(swarm.published?.insServers ?? [], member.region, member.ins);
    const first = servers[0]?.url;
    // What a source is told loads no server: it feeds those that it announces.
    if (member.role === 'source' || first === member.ins) return servers;
    this.release(member);
    if (first !== undefined) this.ins.take(first);
    member.ins = first;
    return servers;
  }
}
