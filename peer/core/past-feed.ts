import { earlier } from '../../machine/deadlines.ts';
import type { Body, Sink } from '../../machine/machine.ts';
import type { Description, IndexRecord } from '../../protocol/media.ts';
import type { Reason } from '../../protocol/reasons.ts';
import { type Catalogue, isWhole, type PartEntry } from '../../swarm/catalogue.ts';
import type { Place } from './ins-gets.ts';
import { Intake, type PartShelf } from './intake.ts';
import type { PeerOutput } from './io.ts';

/** One part of one track that is over. */
export interface PastPart {
  readonly track: number;
  readonly part: number;
}

/** A block to ask for; by its label where its name is not known, as before the record has come. */
export interface PastBlock extends Place {
  readonly name: Uint8Array | null;
}

interface Wanted extends PastPart {
  /** When something of it is asked for next, and how often that was done in vain. */
  askAtMs: number;
  tries: number;
  readonly byAtMs: number;
}

/** Parts wanted at once: some seconds of two tracks. The oldest wish gives way: the player has gone elsewhere. */
const WANTED_MAX = 128;
/** Parts that are asked for together: what is live goes first, and a server is not asked for a film at once. */
const ASKED_MAX = 16;
/** Ms after which what did not come is asked for again, how often, and within which it has to come at all. */
const AGAIN_MS = 1_700;
const TRIES_MAX = 4;
const WITHIN_MS = 15_000;
/** Reasons that mean that nobody will ever have it. */
const FINAL: readonly Reason[] = ['GONE', 'NO_OBJECT', 'TOKEN_SCOPE', 'POLICY_DENIED'];

/**
 * What a viewer who seeks back wants of the time before the window: fetched from INS servers when a player asks for it, record and
 * blocks verified as any others, handed on and forgotten here.
 */
export class PastFeed {
  readonly intake: Intake;
  private readonly wanted = new Map<string, Wanted>();
  private readonly shelf = new Shelf();
  private readonly window: Pick<Catalogue, 'get'>;
  private readonly outputs: Sink<PeerOutput>;
  private readonly ask: (blocks: readonly PastBlock[], nowMs: number) => boolean;

  /**
   * @param window - What is live, and held.
   * @param ask - Asks an INS server for blocks; false when none is there.
   */
  constructor(
    stream: Uint8Array,
    window: Pick<Catalogue, 'get'>,
    outputs: Sink<PeerOutput>,
    nextRef: () => number,
    descriptionOf: (revision: number) => Description | undefined,
    ask: (blocks: readonly PastBlock[], nowMs: number) => boolean,
  ) {
    this.intake = new Intake(stream, this.shelf, outputs, nextRef, descriptionOf);
    this.window = window;
    this.outputs = outputs;
    this.ask = ask;
  }

  get size(): number {
    return this.wanted.size;
  }

  wants(track: number, part: number): boolean {
    return this.wanted.has(keyOf(track, part));
  }

  /** A player wants these: what is in the window it has at once. */
  want(parts: readonly PastPart[], nowMs: number): void {
    for (const { track, part } of parts) {
      const key = keyOf(track, part);
      const held = this.window.get(track, part);
      const isHeld = held !== undefined && isWhole(held);
      if (isHeld) this.give(held);
      if (isHeld || this.wanted.has(key)) continue;
      this.wanted.set(key, { track, part, askAtMs: nowMs, tries: 0, byAtMs: nowMs + WITHIN_MS });
      const oldest = this.wanted.values().next().value;
      if (this.wanted.size > WANTED_MAX && oldest !== undefined) this.end(oldest);
    }
  }

  /** Asks for what is not on its way. */
  run(nowMs: number): void {
    if (this.wanted.size === 0) return;
    const blocks: PastBlock[] = [];
    const asked: Wanted[] = [];
    let open = 0;
    for (const wanted of [...this.wanted.values()]) {
      if (wanted.askAtMs > nowMs) open++;
      else if (wanted.byAtMs <= nowMs || wanted.tries >= TRIES_MAX) this.end(wanted);
      else if (open < ASKED_MAX) {
        open++;
        asked.push(wanted);
        blocks.push(...this.lacking(wanted));
      }
    }
    if (asked.length === 0) return;
    const isSent = this.ask(blocks, nowMs);
    for (const wanted of asked) {
      wanted.askAtMs = nowMs + AGAIN_MS;
      if (isSent) wanted.tries++;
    }
  }

  nextDeadline(): number | undefined {
    let next: number | undefined;
    let open = 0;
    for (const { askAtMs } of this.wanted.values()) {
      if (++open > ASKED_MAX) break;
      next = earlier(next, askAtMs);
    }
    return next;
  }

  /** The record behind a part that is wanted, when it has come. */
  entry({ track, part }: PastPart): PartEntry | undefined {
    return this.shelf.get(track, part);
  }

  /** A server does not give a block. */
  refused({ track, part }: PastPart, reason: Reason): void {
    const wanted = this.wanted.get(keyOf(track, part));
    if (wanted !== undefined && FINAL.includes(reason)) this.end(wanted);
  }

  /** A record or a block is verified. */
  came(entry: PartEntry, nowMs: number): void {
    const { track, part } = entry.record;
    const wanted = this.wanted.get(keyOf(track, part));
    if (wanted === undefined) return;
    if (!isWhole(entry)) {
      // With the record it is known what else there is.
      wanted.askAtMs = nowMs;
      return;
    }
    this.forget(wanted);
    this.give(entry);
  }

  private give({ record, bodies }: PartEntry): void {
    this.outputs.push({ kind: 'past-part', record, bodies: bodies as readonly Body[] });
  }

  private lacking({ track, part }: PastPart): PastBlock[] {
    const entry = this.shelf.get(track, part);
    if (entry === undefined) return [{ track, part, index: 0, name: null }];
    return entry.record.blocks.flatMap(({ name }, index) =>
      entry.bodies[index] === undefined ? [{ track, part, index, name }] : [],
    );
  }

  private end(wanted: Wanted): void {
    this.forget(wanted);
    this.outputs.push({ kind: 'past-none', track: wanted.track, part: wanted.part });
  }

  private forget({ track, part }: PastPart): void {
    this.wanted.delete(keyOf(track, part));
    this.shelf.drop(track, part);
  }
}

/** Records and blocks of parts on their way: no more than are wanted. */
class Shelf implements PartShelf {
  readonly oldestPart = 0;
  private readonly entries = new Map<string, PartEntry>();

  get(track: number, part: number): PartEntry | undefined {
    return this.entries.get(keyOf(track, part));
  }

  addRecord(record: IndexRecord, sealed: Uint8Array): PartEntry | undefined {
    const key = keyOf(record.track, record.part);
    const known = this.entries.get(key);
    if (known !== undefined) return known;
    const entry: PartEntry = { record, sealed, bodies: record.blocks.map(() => undefined), heldBlocks: 0 };
    this.entries.set(key, entry);
    if (this.entries.size > WANTED_MAX)
      for (const oldest of this.entries.keys()) {
        this.entries.delete(oldest);
        break;
      }
    return entry;
  }

  addBlock(entry: PartEntry, index: number, body: Body): boolean {
    if (entry.bodies[index] !== undefined) return false;
    entry.bodies[index] = body;
    entry.heldBlocks++;
    return true;
  }

  drop(track: number, part: number): void {
    this.entries.delete(keyOf(track, part));
  }
}

function keyOf(track: number, part: number): string {
  return `${track}:${part}`;
}
