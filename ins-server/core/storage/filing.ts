import type { Reason } from '../../../protocol/reasons.ts';
import { bytesKey } from '../../../protocol/text.ts';
import type { Checks } from '../checks.ts';
import type { Filed, FiledAt } from '../io.ts';

/** `refused`: why it could not be filed, or is not any more. */
type Then = (refused: Reason | undefined, nowMs: number) => void;

interface Underway {
  /** It was deleted before it was there. */
  gone: boolean;
  /** Who wants to file under the same label. */
  readonly waiting: ((nowMs: number) => void)[];
}

/**
 * Has a store that outlives the process keep where blocks are filed. What is under way is not filed yet: it can neither be
 * read nor deleted, and nothing else is filed at its place. Other stores need not know, and nothing waits for them.
 */
export class Filing {
  private readonly underway = new Map<string, Underway>();
  private readonly checks: Checks;
  private readonly durable: boolean;

  constructor(checks: Checks, durable: boolean) {
    this.checks = checks;
    this.durable = durable;
  }

  /** Runs `act`, which may {@link file}, when nothing is on its way to the same place. */
  inTurn(place: FiledAt, act: (nowMs: number) => void, nowMs: number): void {
    const before = this.durable ? this.underway.get(placeKey(place)) : undefined;
    if (before === undefined) act(nowMs);
    else before.waiting.push(act);
  }

  /** The answer may be there at once. To be called in turn. */
  file(entry: Filed, nowMs: number, then: Then): void {
    if (!this.durable) {
      then(undefined, nowMs);
      return;
    }
    const key = placeKey(entry);
    const mine: Underway = { gone: false, waiting: [] };
    this.underway.set(key, mine);
    this.checks.file(entry, (ok, atMs, full) => {
      this.underway.delete(key);
      then(!ok ? (full ? 'QUOTA_STORAGE' : 'OVERLOAD') : mine.gone ? 'OVERLOAD' : undefined, atMs);
      for (const act of mine.waiting) this.inTurn(entry, act, atMs);
    });
  }

  /** @param then - It is gone for good, or (false) may be back after a restart. */
  unfile(places: readonly FiledAt[], nowMs = 0, then: (ok: boolean, nowMs: number) => void = () => {}): void {
    if (!this.durable || places.length === 0) {
      then(true, nowMs);
      return;
    }
    for (const place of places) {
      const filing = this.underway.get(placeKey(place));
      if (filing !== undefined) filing.gone = true;
    }
    this.checks.unfile(places, then);
  }
}

function placeKey({ owner, collection, label }: FiledAt): string {
  return `${owner}${bytesKey(collection)}${label.track}:${label.part}:${label.index}`;
}
