import type { Body } from '../../../machine/machine.ts';
import type { Reason } from '../../../protocol/reasons.ts';
import { bytesKey } from '../../../protocol/text.ts';
import type { Checks } from '../checks.ts';
import type { Block } from './shelf.ts';
import type { Storage } from './storage.ts';

/** What became of a block that came in. The block stays for as long as the receiver of this runs, and on if it files it. */
export type Taken = { readonly block: Block } | { readonly reason: Reason };
type Then = (taken: Taken, nowMs: number) => void;

/** Takes blocks in: room first, then the name is checked against the bytes, then they are stored, each block once. */
export class Intake {
  /** Blocks that the store is taking, and who waits for that. */
  private readonly storing = new Map<Block, Then[]>();
  private readonly storage: Storage;
  private readonly checks: Checks;

  constructor(storage: Storage, checks: Checks) {
    this.storage = storage;
    this.checks = checks;
  }

  take(name: Uint8Array, body: Body, nowMs: number, then: Then): void {
    const { byteLength } = body;
    if (!this.storage.reserve(byteLength)) {
      then({ reason: 'QUOTA_STORAGE' }, nowMs);
      return;
    }
    this.checks.checkName(name, body, (ok, atMs) => {
      this.storage.release(byteLength);
      if (ok) this.store(name, body, atMs, then);
      else then({ reason: 'NAME_MISMATCH' }, atMs);
    });
  }

  private store(name: Uint8Array, body: Body, nowMs: number, then: Then): void {
    const key = bytesKey(name);
    const known = this.storage.block(key);
    if (known?.ready === true) {
      this.hand(known, [then], { block: known }, nowMs);
      return;
    }
    const waiting = known === undefined ? undefined : this.storing.get(known);
    if (waiting !== undefined) {
      waiting.push(then);
      return;
    }
    const block = this.storage.addBlock(name, key, body.byteLength);
    this.storing.set(block, [then]);
    this.storage.hold(block);
    this.checks.store(block, body, (ok, atMs, full) => {
      const thens = this.storing.get(block)!;
      this.storing.delete(block);
      block.ready = ok;
      this.hand(block, thens, ok ? { block } : { reason: full ? 'QUOTA_STORAGE' : 'OVERLOAD' }, atMs);
      this.storage.letGo(block);
    });
  }

  private hand(block: Block, thens: readonly Then[], taken: Taken, nowMs: number): void {
    this.storage.hold(block);
    for (const then of thens) then(taken, nowMs);
    this.storage.letGo(block);
  }
}
