import type { LinkId, Sink } from '../../machine/machine.ts';
import type { Prng } from '../../machine/prng.ts';
import type { Neighbour, Neighbours } from '../../swarm/neighbours.ts';
import type { Place } from './ins-gets.ts';
import type { PeerOutput } from './io.ts';

/** A token that a neighbour gave for one block in its locker. */
export interface Grant {
  readonly owner: string;
  readonly sealed: Uint8Array;
}

/** Where tokens for single blocks come from. */
export interface BlockGrants {
  /** The token for a block, for one use; where there is none yet, somebody who has the block is asked for it. */
  take(place: Place, nowMs: number): Grant | undefined;
}

interface Want {
  readonly id: string;
  readonly byAtMs: number;
}

/** Wants that are open at all neighbours, and ms for an answer. */
const OPEN_MAX = 64;
const ANSWER_WITHIN_MS = 1_000;
/** Grants that are remembered until they are used. */
const GRANTS_MAX = 512;

/**
 * The first version of the drafts, to be measured beside range tokens: a neighbour that has a block is asked for a token for
 * it, and the block is asked for when the token has come. A token is used for one request of one block.
 */
export class BlockTokens implements BlockGrants {
  private readonly grants = new Map<string, Grant>();
  /** By link, in the order in which answers come. */
  private readonly wants = new Map<LinkId, Want[]>();
  private readonly asked = new Set<string>();
  private readonly neighbours: Neighbours;
  private readonly prng: Prng;
  private readonly outputs: Sink<PeerOutput>;

  constructor(neighbours: Neighbours, prng: Prng, outputs: Sink<PeerOutput>) {
    this.neighbours = neighbours;
    this.prng = prng;
    this.outputs = outputs;
  }

  take(place: Place, nowMs: number): Grant | undefined {
    const { track, part, index } = place;
    const id = `${track}:${part}:${index}`;
    const grant = this.grants.get(id);
    this.grants.delete(id);
    if (grant !== undefined || this.asked.has(id)) return grant;
    if (this.asked.size >= OPEN_MAX) return undefined;
    const holders = this.holders(track, part);
    if (holders.length === 0) return undefined;
    const { link } = this.prng.sample(holders, 1)[0]!;
    this.asked.add(id);
    const open = this.wants.get(link) ?? [];
    this.wants.set(link, open);
    open.push({ id, byAtMs: nowMs + ANSWER_WITHIN_MS });
    this.outputs.push({ kind: 'send-peer', link, message: { type: 'want', items: [{ track, part, index }] } });
    return undefined;
  }

  /** A neighbour has answered. */
  granted(neighbour: Neighbour, sealed: Uint8Array): void {
    const want = this.wants.get(neighbour.link)?.shift();
    if (want === undefined || !this.asked.delete(want.id)) return;
    if (this.grants.size >= GRANTS_MAX) this.grants.delete(this.grants.keys().next().value!);
    this.grants.set(want.id, { owner: neighbour.id, sealed });
  }

  closed(link: LinkId): void {
    for (const { id } of this.wants.get(link) ?? []) this.asked.delete(id);
    this.wants.delete(link);
  }

  nextDeadline(): number | undefined {
    let next: number | undefined;
    for (const [first] of this.wants.values())
      if (first !== undefined && first.byAtMs < (next ?? Number.POSITIVE_INFINITY)) next = first.byAtMs;
    return next;
  }

  /** Who does not answer in time is passed over: somebody is asked anew. */
  timeout(nowMs: number): void {
    for (const open of this.wants.values()) {
      while (open[0] !== undefined && open[0].byAtMs <= nowMs) this.asked.delete(open.shift()!.id);
    }
  }

  private holders(track: number, part: number): Neighbour[] {
    return [...this.neighbours.all()].filter(
      ({ mode, availability }) => mode !== 'native' && availability.has(track, part),
    );
  }
}
