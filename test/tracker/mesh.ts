import { Prng } from '../../machine/prng.ts';
import { bitmapOf } from '../../protocol/bitmap.ts';
import type { Mode } from '../../protocol/swarm-fields.ts';
import { Member } from '../../tracker/core/member.ts';
import { Swarm } from '../../tracker/core/swarm.ts';

/** Swarms of thousands of made-up members, and the meshes that come of whom the tracker names. */

export interface CrowdOptions {
  readonly seed?: string | number;
  readonly members: number;
  /** They come evenly within so many ms. */
  readonly withinMs: number;
  /** Share that nobody can dial. */
  readonly browsers?: number;
  readonly modeOf?: (at: number) => Mode;
  readonly regions?: number;
  /** What a member carries, in bits per second; told a second after it has come. */
  readonly uploadBpsOf?: (at: number) => number;
}

/** As peers do: so many links are wanted, so many accepted. */
const WANTED = { ins: 4, native: 12, hybrid: 8 } as const;
const ACCEPTED_MAX = 24;
const NEIGHBOURS = { ins: 16, native: 20, hybrid: 16 } as const;
/** Ms after which a member tells for the first time what it has and carries. */
const TOLD_AFTER_MS = 1_000;

export interface Person {
  readonly member: Member;
  readonly uploadBps: number;
  readonly links: Set<Person>;
  /** Links that others have opened to it. */
  accepted: number;
  /** Whom the tracker named, in its order. */
  readonly named: Person[];
}

export class Crowd {
  readonly swarm = new Swarm(new Uint8Array(32), 0);
  readonly people: Person[] = [];
  private readonly prng: Prng;
  private readonly byLink = new Map<number, Person>();
  private readonly options: CrowdOptions;
  private untold: Person[] = [];
  nowMs = 0;
  private links = 0;

  constructor(options: CrowdOptions) {
    this.options = options;
    this.prng = new Prng(options.seed ?? 1);
    for (let at = 0; at < options.members; at++) this.join(options.withinMs / options.members);
    this.pass(TOLD_AFTER_MS);
  }

  join(afterMs: number): Person {
    this.pass(afterMs);
    const { browsers = 0, modeOf = () => 'native' as const, regions = 4, uploadBpsOf = () => 2_000_000 } = this.options;
    const link = ++this.links;
    const mode = modeOf(link);
    const url = this.prng.unit() < browsers ? null : 'ws://192.0.2.1:7000';
    const region = `region-${this.prng.int(0, regions)}`;
    const stream = this.swarm.id;
    const join = {
      type: 'join',
      version: 1,
      role: 'viewer',
      stream,
      key: this.prng.bytes(32),
      mode,
      url,
      region,
    } as const;
    const member = new Member(link, { ...join, proof: new Uint8Array(64) }, url, region, this.nowMs);
    this.swarm.add(member);
    const person: Person = { member, uploadBps: uploadBpsOf(link), links: new Set(), accepted: 0, named: [] };
    this.people.push(person);
    this.byLink.set(link, person);
    this.untold.push(person);
    this.ask(person, NEIGHBOURS[mode]);
    return person;
  }

  /** Asks for neighbours, and dials as many as are wanted. */
  ask(person: Person, count: number): void {
    const before = new Set(person.member.known.keys());
    this.swarm.introduce(person.member, count, this.prng, this.nowMs);
    const named = [...person.member.known].flatMap(([key, { member }]) => {
      const other = this.byLink.get(member.link);
      return before.has(key) || other === undefined ? [] : [other];
    });
    person.named.push(...named);
    for (const other of this.prng.sample(named, named.length)) {
      if (person.links.size >= WANTED[person.member.mode]) return;
      if (other.member.url === null || other.accepted >= ACCEPTED_MAX || person.links.has(other)) continue;
      person.links.add(other);
      other.links.add(person);
      other.accepted++;
    }
  }

  leave(person: Person): void {
    this.people.splice(this.people.indexOf(person), 1);
    this.untold = this.untold.filter((other) => other !== person);
    this.byLink.delete(person.member.link);
    this.swarm.remove(person.member, this.nowMs);
    for (const other of person.links) other.links.delete(person);
  }

  /** A share of the members goes, others come in their place, and who has lost many neighbours asks for more. */
  churn(share: number): void {
    const gone = this.prng.sample(this.people, Math.round(this.people.length * share));
    for (const person of gone) {
      this.leave(person);
      this.join(1);
    }
    for (const person of this.people) {
      for (const [key, { member }] of person.member.known) {
        if (!this.byLink.has(member.link)) this.swarm.forget(person.member, key);
      }
    }
    this.askAgain();
  }

  /** Who has found too few asks for more. */
  askAgain(): void {
    for (const person of this.people) if (person.links.size < 4) this.ask(person, 16);
  }

  private pass(ms: number): void {
    this.nowMs += ms;
    // In the order in which they came.
    while (this.untold.length > 0) {
      const { member, uploadBps } = this.untold[0]!;
      if (this.joinedAtMs(member) > this.nowMs - TOLD_AFTER_MS) return;
      this.untold.shift();
      const availability = [bitmapOf(0, [100 + Math.floor(this.nowMs / 250)])];
      const state = {
        type: 'state',
        availability,
        token: null,
        bufferMs: 0,
        latencyMs: 0,
        uploadBps,
        insFed: false,
      } as const;
      this.swarm.update(member, state, this.nowMs);
    }
  }

  private joinedAtMs({ link }: Member): number {
    return (link * this.options.withinMs) / this.options.members;
  }
}

/** Whom one has a connection with, or whom the tracker has named. */
type Near = (person: Person) => Iterable<Person>;

export const linked: Near = ({ links }) => links;

/** A graph of who is near to whom, both ways. */
export function meshOf(people: readonly Person[], near: Near): Map<Person, Set<Person>> {
  const mesh = new Map(people.map((person) => [person, new Set<Person>()]));
  for (const person of people) {
    for (const other of near(person)) {
      if (!mesh.has(other)) continue;
      mesh.get(person)!.add(other);
      mesh.get(other)!.add(person);
    }
  }
  return mesh;
}

/** How many steps everybody is from one member; who cannot be reached is not in it. */
export function stepsFrom(mesh: ReadonlyMap<Person, ReadonlySet<Person>>, from: Person): Map<Person, number> {
  const steps = new Map([[from, 0]]);
  for (const [person, step] of steps) {
    for (const other of mesh.get(person)!) if (!steps.has(other)) steps.set(other, step + 1);
  }
  return steps;
}

/** The most steps between any member and the first few looked at, and how many of all they reach. */
export function span(mesh: ReadonlyMap<Person, ReadonlySet<Person>>): {
  readonly steps: number;
  readonly reached: number;
} {
  const people = [...mesh.keys()];
  let steps = 0;
  let reached = people.length;
  for (let at = 0; at < people.length; at += Math.ceil(people.length / 16)) {
    const found = stepsFrom(mesh, people[at]!);
    reached = Math.min(reached, found.size);
    steps = Math.max(steps, ...found.values());
  }
  return { steps, reached };
}
