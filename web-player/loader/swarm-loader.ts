import type { HlsConfig, Loader, LoaderCallbacks, LoaderConfiguration, LoaderContext, LoaderStats } from 'hls.js';
import { type Answer, answer, type ErrorAnswer, type Query, wantedTrack } from '../../hls/answer.ts';
import type { LiveSource } from '../../hls/live-source.ts';
import type { PlaylistOptions } from '../../hls/playlists.ts';
import { startPosition } from './player-config.ts';

/**
 * Requests wait this long. The times that hls.js sets are shorter and meant for connections that may be dead: with them it would
 * poll twice a second while the edge stands still, and see the next part late.
 */
const WAIT_MS_MAX = 20_000;

/** What hls.js is told to load. Nothing is ever asked of that host: `.invalid` has none (RFC 6761). */
export const SWARM_URL = 'https://swarm.invalid/master.m3u8';

/** A live source that knows how its bytes came. */
export interface MeasuredLiveSource extends LiveSource {
  /** Ms between the first and the last byte of a part on the way here; waiting for it to exist does not count. */
  transferMs?(track: number, part: number): number | undefined;
  /** The player is led to this rendition where the last one ends: it asks for no part before its first. */
  leadsTo?(track: number): boolean;
}

export type SwarmLoaderClass = new (config: HlsConfig) => Loader<LoaderContext>;

/**
 * A loader for hls.js (its `loader` option) that answers playlists and media from a live source in the page. It opens no
 * connection. What is not there yet is waited for.
 */
export function createSwarmLoader(live: MeasuredLiveSource, options: PlaylistOptions = {}): SwarmLoaderClass {
  const early = new EarlyStart(live);
  return class extends SwarmLoader {
    constructor(_config: HlsConfig) {
      super(live, options, early);
    }
  };
}

/**
 * Where a player begins it is given a playlist that stands on a gap (`startEarlyMs`). One that changes to another rendition is not: told by a
 * viewer to change, hls.js looks at the segment before the one it needs, and takes a gap there for a rendition that cannot be had.
 */
class EarlyStart {
  private readonly live: MeasuredLiveSource;
  private readonly played = new Set<number>();

  constructor(live: MeasuredLiveSource) {
    this.live = live;
  }

  allows(track: number): boolean {
    return this.played.has(track) || ![...this.played].some((other) => this.kindOf(other) === this.kindOf(track));
  }

  plays(track: number): void {
    this.played.add(track);
  }

  private kindOf(track: number): string | undefined {
    return this.live.window.description?.tracks.find(({ id }) => id === track)?.kind;
  }
}

class SwarmLoader implements Loader<LoaderContext> {
  context: LoaderContext | null = null;
  stats: LoaderStats = newStats();
  private readonly live: MeasuredLiveSource;
  private readonly options: PlaylistOptions;
  private readonly early: EarlyStart;
  private callbacks: LoaderCallbacks<LoaderContext> | null = null;
  private stopWaiting: (() => void) | undefined;

  constructor(live: MeasuredLiveSource, options: PlaylistOptions, early: EarlyStart) {
    this.live = live;
    this.options = options;
    this.early = early;
  }

  load(context: LoaderContext, _config: LoaderConfiguration, callbacks: LoaderCallbacks<LoaderContext>): void {
    this.context = context;
    this.callbacks = callbacks;
    this.stats.loading.start = performance.now();
    // hls.js finishes its own bookkeeping after this call: no answer before that.
    queueMicrotask(() => this.begin(context));
  }

  abort(): void {
    const { callbacks, context } = this;
    this.leave();
    if (callbacks && context) callbacks.onAbort?.(this.stats, context, null);
  }

  destroy(): void {
    this.leave();
    this.context = null;
  }

  getCacheAge(): null {
    return null;
  }

  getResponseHeader(): null {
    return null;
  }

  /** After this no callback is called any more. */
  private leave(): void {
    if (this.callbacks) this.stats.aborted = true;
    this.callbacks = null;
    this.stopWaiting?.();
    this.stopWaiting = undefined;
  }

  private begin(context: LoaderContext): void {
    if (!this.callbacks) return;
    const { path, query } = split(context.url);
    const track = wantedTrack(path);
    if (track !== undefined) this.live.wantTrack?.(track);
    const ask = () => {
      const given = answer(this.live.window, path, query, this.optionsFor(track));
      if (given.kind === 'wait') return false;
      this.give(given, context);
      return true;
    };
    if (!ask()) this.wait(ask, context);
  }

  /** Where to start is told when the playlist is given: what it lists by then, nobody knows before. */
  private optionsFor(track: number | undefined): PlaylistOptions {
    const { startEarlyMs } = this.options;
    if (track === undefined || startEarlyMs === undefined) return this.options;
    if (!this.early.allows(track)) {
      return { ...this.options, startEarlyMs: this.live.leadsTo?.(track) === true ? 0 : Number.POSITIVE_INFINITY };
    }
    return { ...this.options, startAtS: startPosition(this.live.window) };
  }

  private wait(ask: () => boolean, context: LoaderContext): void {
    this.stopWaiting?.();
    const unsubscribe = this.live.onChange(() => ask());
    const timer = setTimeout(() => {
      const callbacks = this.finish();
      callbacks?.onTimeout(this.stats, context, null);
    }, WAIT_MS_MAX);
    this.stopWaiting = () => {
      unsubscribe();
      clearTimeout(timer);
    };
  }

  private give(given: Exclude<Answer, { kind: 'wait' }>, context: LoaderContext): void {
    switch (given.kind) {
      case 'text':
        this.succeed(given.body, given.body.length, 0, context);
        return;
      case 'init':
        this.giveBytes(given.track, [], [given.bytes], context);
        return;
      case 'part':
        this.giveParts(given.track, [given.part], context);
        return;
      case 'segment':
        this.giveParts(given.track, given.parts, context);
        return;
      case 'error':
        this.fail(given, context);
        return;
    }
  }

  private giveParts(track: number, parts: readonly number[], context: LoaderContext): void {
    this.early.plays(track);
    this.live.playTrack?.(track, parts.at(-1) ?? -1);
    const blocks: Uint8Array[] = [];
    for (const part of parts) {
      const read = this.live.readPart(track, part);
      if (!read) {
        const sought = this.live.seek?.(track, parts);
        if (sought === 'coming') {
          this.wait(() => this.sought(track, parts, context), context);
          return;
        }
        // hls.js asks again after a 503.
        const status = sought === 'failed' ? 503 : 404;
        this.fail({ kind: 'error', status, why: 'not-kept' }, context);
        return;
      }
      blocks.push(...read);
    }
    this.giveBytes(track, parts, blocks, context);
  }

  /** What is listed and was not here: gives it once it is, or says that it cannot be had. */
  private sought(track: number, parts: readonly number[], context: LoaderContext): boolean {
    const isHere = parts.every((part) => this.live.readPart(track, part) !== undefined);
    if (!isHere && this.live.seek?.(track, parts) === 'coming') return false;
    this.giveParts(track, parts, context);
    return true;
  }

  private giveBytes(
    track: number,
    parts: readonly number[],
    blocks: readonly Uint8Array[],
    context: LoaderContext,
  ): void {
    const transferMs = parts.reduce((sum, part) => sum + (this.live.transferMs?.(track, part) ?? 0), 0);
    const bytes = joined(blocks);
    this.succeed(bytes, bytes.byteLength, transferMs, context);
  }

  /** hls.js takes the time from `loading.start` for that of the transfer, so the start lies as long ago as the bytes were on the way. */
  private succeed(data: string | ArrayBuffer, size: number, transferMs: number, context: LoaderContext): void {
    const callbacks = this.finish();
    if (!callbacks) return;
    const { stats } = this;
    const nowMs = performance.now();
    stats.loaded = size;
    stats.total = size;
    stats.chunkCount += 1;
    if (typeof data !== 'string') stats.loading.start = nowMs - transferMs;
    stats.loading.first = nowMs - transferMs;
    stats.loading.end = nowMs;
    if (transferMs > 0) stats.bwEstimate = (size * 8_000) / transferMs;
    callbacks.onSuccess({ url: context.url, data, code: 200 }, stats, context, null);
  }

  private fail(error: ErrorAnswer, context: LoaderContext): void {
    const callbacks = this.finish();
    callbacks?.onError({ code: error.status, text: error.why }, context, null, this.stats);
  }

  private finish(): LoaderCallbacks<LoaderContext> | null {
    const { callbacks } = this;
    this.callbacks = null;
    this.stopWaiting?.();
    this.stopWaiting = undefined;
    return callbacks;
  }
}

function newStats(): LoaderStats {
  return {
    aborted: false,
    loaded: 0,
    retry: 0,
    total: 0,
    chunkCount: 0,
    bwEstimate: 0,
    loading: { start: 0, first: 0, end: 0 },
    parsing: { start: 0, end: 0 },
    buffering: { start: 0, first: 0, end: 0 },
  };
}

function split(url: string): { path: string; query: Query } {
  const { pathname, searchParams } = new URL(url);
  return { path: pathname.slice(1), query: Object.fromEntries(searchParams) };
}

/** A copy: hls.js hands the buffer to its worker, which takes it away from here. */
function joined(blocks: readonly Uint8Array[]): ArrayBuffer {
  const bytes = new Uint8Array(blocks.reduce((sum, block) => sum + block.byteLength, 0));
  let at = 0;
  for (const block of blocks) {
    bytes.set(block, at);
    at += block.byteLength;
  }
  return bytes.buffer;
}
