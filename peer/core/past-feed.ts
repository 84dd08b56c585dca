import type { WantedBlock } from '../../ins-client/core/io.ts';
import { earlier } from '../../machine/deadlines.ts';
import type { Body, LinkId } from '../../machine/machine.ts';
import { BATCH_ITEMS_MAX } from '../../protocol/limits.ts';
import type { IndexRecord } from '../../protocol/media.ts';
import type { Reason } from '../../protocol/reasons.ts';
import { isWhole, type PartEntry } from '../../swarm/catalogue.ts';
import type { InsFeedEvent } from './ins-feed.ts';
import type { Place } from './ins-gets.ts';
import { Intake, type Origin, type PartShelf } from './intake.ts';
import type { MakePast, Past, PastNeeds, PastPart } from './past.ts';
import type { Bounded } from './peer-stats.ts';

/** A block to ask for; by its label where its name is not known, as before the record has come. */
interface PastBlock extends Place {
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
/** Ms within which a block is worth sending. */
const SENT_WITHIN_MS = 5_000;
/** Reasons that mean that nobody will ever have it. */
const FINAL: readonly Reason[] = ['GONE', 'NO_OBJECT', 'TOKEN_SCOPE', 'POLICY_DENIED'];

/** Makes what fetches the past: the only way in to it. */
export const pastFeed: MakePast = (needs) => new PastFeed(needs);

/**
 * What a viewer who seeks back wants of the time before the window: fetched from INS servers when a player asks for it, record and
 * blocks verified as any others, handed on and forgotten here.
 */
class PastFeed implements Past {
  private readonly needs: PastNeeds;
  private readonly intake: Intake;
  private readonly wanted = new Map<string, Wanted>();
  private readonly shelf = new Shelf();

  constructor(needs: PastNeeds) {
    const { options, outputs, nextRef, descriptionOf } = needs;
    this.needs = needs;
    this.intake = new Intake(options.stream, this.shelf, outputs, nextRef, descriptionOf);
  }

  sizes(): Record<string, Bounded> {
    return { 'parts of the past that are wanted': { size: this.wanted.size, max: WANTED_MAX } };
  }

  want(parts: readonly PastPart[], nowMs: number): void {
    for (const { track, part } of parts) {
      const key = keyOf({ track, part });
      const held = this.needs.catalogue.get(track, part);
      const isHeld = held !== undefined && isWhole(held);
      if (isHeld) this.give(held);
      if (isHeld || this.wanted.has(key)) continue;
      this.wanted.set(key, { track, part, askAtMs: nowMs, tries: 0, byAtMs: nowMs + WITHIN_MS });
      const oldest = this.wanted.values().next().value;
      if (this.wanted.size > WANTED_MAX && oldest !== undefined) this.end(oldest, false);
    }
  }

  run(nowMs: number): void {
    this.takeIn(nowMs);
    if (this.wanted.size === 0) return;
    const blocks: PastBlock[] = [];
    const asked: Wanted[] = [];
    let open = 0;
    for (const wanted of [...this.wanted.values()]) {
      if (wanted.askAtMs > nowMs) open++;
      else if (wanted.byAtMs <= nowMs || wanted.tries >= TRIES_MAX) this.end(wanted, wanted.tries >= TRIES_MAX);
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

  takes(event: InsFeedEvent): boolean {
    switch (event.kind) {
      case 'labelled': {
        const { labelled, body, kept } = event;
        const isOurs = this.wanted.has(keyOf(labelled));
        if (isOurs) this.intake.labelled(labelled, body, originOf(event), kept);
        return isOurs;
      }
      case 'block': {
        const { place, body, kept } = event;
        const entry = this.wanted.has(keyOf(place)) ? this.shelf.get(place.track, place.part) : undefined;
        if (entry !== undefined) this.intake.block(entry, place.index, body, originOf(event), kept);
        return entry !== undefined;
      }
      case 'none': {
        const wanted = this.wanted.get(keyOf(event.place));
        if (wanted !== undefined && FINAL.includes(event.reason)) this.end(wanted, true);
        return wanted !== undefined;
      }
      default:
        return false;
    }
  }

  verified(ref: number, ok: boolean): boolean {
    return this.intake.verified(ref, ok);
  }

  named(ref: number, ok: boolean): void {
    this.intake.named(ref, ok);
  }

  private takeIn(nowMs: number): void {
    const { events } = this.intake;
    for (let event = events.shift(); event !== undefined; event = events.shift()) {
      if (event.kind === 'bad') this.needs.reception.bad(event.origin, event.what, event.track, event.part, nowMs);
      else this.came(event.entry, nowMs);
    }
  }

  /** A record or a block is verified. */
  private came(entry: PartEntry, nowMs: number): void {
    const wanted = this.wanted.get(keyOf(entry.record));
    if (wanted === undefined) return;
    if (!isWhole(entry)) {
      // With the record it is known what else there is.
      wanted.askAtMs = nowMs;
      return;
    }
    this.forget(wanted);
    this.give(entry);
  }

  /** After all else that the server has for us. @returns False when none is there. */
  private ask(blocks: readonly PastBlock[], nowMs: number): boolean {
    const { requests } = this.needs.ins;
    const { source } = this.needs.lockers;
    if (source === undefined || !requests.isIdle) return false;
    const free = blocks.filter((block) => !requests.isAsked(block));
    const deadlineAtMs = nowMs + SENT_WITHIN_MS;
    for (let at = 0; at < free.length; at += BATCH_ITEMS_MAX) {
      const some = free.slice(at, at + BATCH_ITEMS_MAX);
      const items = some.map(({ track, part, index, name }): WantedBlock => {
        const label = name === null ? { track, part, index } : null;
        return { token: source.sealed, name, label, deadlineAtMs, priority: 'low' };
      });
      const places = some.map(({ track, part, index }) => ({ track, part, index, owner: source.owner }));
      requests.ask(items, places, nowMs);
    }
    return true;
  }

  private give({ record, bodies }: PartEntry): void {
    this.needs.outputs.push({ kind: 'past-part', record, bodies: bodies as readonly Body[] });
  }

  private lacking({ track, part }: PastPart): PastBlock[] {
    const entry = this.shelf.get(track, part);
    if (entry === undefined) return [{ track, part, index: 0, name: null }];
    return entry.record.blocks.flatMap(({ name }, index) =>
      entry.bodies[index] === undefined ? [{ track, part, index, name }] : [],
    );
  }

  /** @param isGone - Whoever asks again is told the same. */
  private end(wanted: Wanted, isGone: boolean): void {
    this.forget(wanted);
    this.needs.outputs.push({ kind: 'past-none', track: wanted.track, part: wanted.part, isGone });
  }

  private forget(wanted: Wanted): void {
    this.wanted.delete(keyOf(wanted));
    this.shelf.drop(wanted);
  }
}

/** Records and blocks of parts on their way: no more than are wanted. */
class Shelf implements PartShelf {
  readonly oldestPart = 0;
  private readonly entries = new Map<string, PartEntry>();

  get(track: number, part: number): PartEntry | undefined {
    return this.entries.get(keyOf({ track, part }));
  }

  addRecord(record: IndexRecord, sealed: Uint8Array): PartEntry | undefined {
    const key = keyOf(record);
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

  drop(part: PastPart): void {
    this.entries.delete(keyOf(part));
  }
}

function keyOf({ track, part }: PastPart): string {
  return `${track}:${part}`;
}

function originOf({ link, url }: { readonly link: LinkId; readonly url: string }): Origin {
  return { from: 'ins', link, who: url };
}
