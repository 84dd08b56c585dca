import { earlier } from '../machine/deadlines.ts';
import type { Sink } from '../machine/machine.ts';
import { TokenBucket } from '../machine/rates.ts';
import type { Bitmap } from '../protocol/bitmap.ts';
import type { PeerMessage } from '../protocol/peer-messages.ts';
import type { Mode } from '../protocol/swarm-fields.ts';
import type { SwarmOutput } from './io.ts';
import type { Neighbour, Neighbours } from './neighbours.ts';

/** Deltas at most four times a second where blocks go from peer to peer; full bitmaps once a second where they do not. */
const HAVES_PER_SECOND = 4;
/** The tracks of one part become whole within moments: one delta tells of all. */
const HAVE_TOGETHER_MS = 30;
const BITMAP_EVERY_MS = 1_000;
/** Where deltas carry the news, a full bitmap now and then tells what was forgotten. */
const BITMAP_FULL_EVERY_MS = 10_000;
const HAVES_MAX = 256;

/**
 * Tells neighbours what can be had, cheaply. Neighbours in INS mode get one bitmap a second, the others a delta as soon as
 * a part is whole (never one they announced themselves). Range tokens ride on bitmaps.
 */
export class Announcer {
  private fresh: { track: number; part: number }[] = [];
  private freshBlocks: { track: number; part: number; index: number }[] = [];
  private changed = false;
  private haveAtMs: number | undefined;
  private blocksAtMs: number | undefined;
  private readonly haveAllowance = new TokenBucket(HAVES_PER_SECOND, HAVES_PER_SECOND);
  private readonly blocksAllowance = new TokenBucket(HAVES_PER_SECOND, HAVES_PER_SECOND);
  private bitmapAtMs: number | undefined;
  private fullAtMs = 0;
  private token: Uint8Array | null = null;
  /** The token is news to those who have been greeted. */
  private tokenFresh = false;
  private readonly mode: Mode;
  private readonly neighbours: Neighbours;
  private readonly outputs: Sink<SwarmOutput>;

  constructor(mode: Mode, neighbours: Neighbours, outputs: Sink<SwarmOutput>) {
    this.mode = mode;
    this.neighbours = neighbours;
    this.outputs = outputs;
  }

  /** A part of a track can be had from now on. */
  add(track: number, part: number, nowMs: number): void {
    this.changed = true;
    this.bitmapAtMs ??= nowMs + BITMAP_EVERY_MS;
    if (this.mode === 'ins' || this.fresh.length >= HAVES_MAX) return;
    this.fresh.push({ track, part });
    // The part speaks for its blocks.
    this.freshBlocks = this.freshBlocks.filter((block) => block.track !== track || block.part !== part);
    this.haveAtMs ??= nowMs + HAVE_TOGETHER_MS;
  }

  /** A block can be had from now on of a part that is not whole yet: the others need not wait for the rest of it. */
  addBlock(track: number, part: number, index: number, nowMs: number): void {
    if (this.mode === 'ins' || this.freshBlocks.length >= HAVES_MAX) return;
    this.freshBlocks.push({ track, part, index });
    this.blocksAtMs ??= nowMs + HAVE_TOGETHER_MS;
  }

  /** Our newest range token: everybody gets it with a bitmap at once. */
  setToken(token: Uint8Array, nowMs: number): void {
    this.token = token;
    this.tokenFresh = true;
    this.changed = true;
    this.bitmapAtMs = nowMs;
    this.fullAtMs = nowMs;
  }

  /** What a new neighbour is told first. */
  greet(neighbour: Neighbour, availability: Bitmap[]): void {
    const message = { type: 'bitmap', availability, token: this.tokenFor(neighbour, true) } as const;
    this.outputs.push({ kind: 'send-peer', link: neighbour.link, message });
  }

  /** Tells one neighbour now what the others hear of in a moment. */
  tell({ link, mode, availability }: Neighbour): void {
    if (mode === 'ins') return;
    const parts = this.fresh.filter(({ track, part }) => !availability.has(track, part));
    const blocks = this.freshBlocks.filter(({ track, part, index }) => !availability.hasBlock(track, part, index));
    if (parts.length > 0) this.outputs.push({ kind: 'send-peer', link, message: { type: 'have', parts } });
    if (blocks.length > 0) this.outputs.push({ kind: 'send-peer', link, message: { type: 'have-blocks', blocks } });
  }

  nextDeadline(): number | undefined {
    return earlier(earlier(this.haveAtMs, this.blocksAtMs), this.bitmapAtMs);
  }

  /** @param availability - Makes the bitmaps, only when they are wanted. */
  timeout(nowMs: number, availability: () => Bitmap[]): void {
    if (this.haveAtMs !== undefined && this.haveAtMs <= nowMs) this.haves(nowMs);
    if (this.blocksAtMs !== undefined && this.blocksAtMs <= nowMs) this.haveBlocks(nowMs);
    if (this.bitmapAtMs === undefined || this.bitmapAtMs > nowMs) return;
    this.bitmapAtMs = undefined;
    if (!this.changed) return;
    this.changed = false;
    const full = this.fullAtMs <= nowMs;
    if (full) this.fullAtMs = nowMs + BITMAP_FULL_EVERY_MS;
    let bitmaps: Bitmap[] | undefined;
    let message: Extract<PeerMessage, { type: 'bitmap' }> | undefined;
    for (const neighbour of this.neighbours.all()) {
      if (!full && this.mode !== 'ins' && neighbour.mode !== 'ins') continue;
      bitmaps ??= availability();
      const token = this.tokenFor(neighbour, this.tokenFresh);
      message = message?.token === token ? message : { type: 'bitmap', availability: bitmaps, token };
      this.outputs.push({ kind: 'send-peer', link: neighbour.link, message });
    }
    if (full) this.tokenFresh = false;
  }

  private haves(nowMs: number): void {
    if (!this.haveAllowance.take(1, nowMs)) {
      this.haveAtMs = nowMs + HAVE_TOGETHER_MS;
      return;
    }
    this.haveAtMs = undefined;
    // Most lack all of it: one message for them all.
    const toAll = { type: 'have', parts: this.fresh } as const;
    for (const { link, mode, availability } of this.neighbours.all()) {
      if (mode === 'ins') continue;
      const parts = this.fresh.filter(({ track, part }) => !availability.has(track, part));
      const message = parts.length === toAll.parts.length ? toAll : ({ type: 'have', parts } as const);
      if (parts.length > 0) this.outputs.push({ kind: 'send-peer', link, message });
    }
    this.fresh = [];
  }

  private haveBlocks(nowMs: number): void {
    if (this.freshBlocks.length > 0 && !this.blocksAllowance.take(1, nowMs)) {
      this.blocksAtMs = nowMs + HAVE_TOGETHER_MS;
      return;
    }
    this.blocksAtMs = undefined;
    const toAll = { type: 'have-blocks', blocks: this.freshBlocks } as const;
    for (const { link, mode, availability } of this.neighbours.all()) {
      if (mode === 'ins') continue;
      const blocks = this.freshBlocks.filter(({ track, part, index }) => !availability.hasBlock(track, part, index));
      const message = blocks.length === toAll.blocks.length ? toAll : ({ type: 'have-blocks', blocks } as const);
      if (blocks.length > 0) this.outputs.push({ kind: 'send-peer', link, message });
    }
    this.freshBlocks = [];
  }

  private tokenFor({ mode }: Neighbour, isNews: boolean): Uint8Array | null {
    return isNews && mode !== 'native' ? this.token : null;
  }
}
