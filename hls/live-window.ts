import { TRACKS_MAX } from '../protocol/limits.ts';
import type { Description, IndexRecord, Track } from '../protocol/media.ts';
import { REACH_MS_MAX, segmentsBefore } from './past.ts';
import { segmentUs, type TrackContext, TrackWindow, type WindowPart, type WindowSegment } from './track-window.ts';

export interface LiveWindowOptions {
  /** How much of the stream playlists list. Default 60,000. */
  readonly windowMs?: number;
  /** Newer media that must be there before a missing part is listed as a hole. Default 1,500. */
  readonly patienceMs?: number;
  /** Nothing is listed before {@link LiveWindow.begin} has told from which part on. Default false: tracks begin with the first start that comes. */
  readonly waitsToBegin?: boolean;
}

/**
 * For a viewer whose parts come in any order: where playback begins decides where tracks begin, and a missing part is a hole once
 * playback has gone on without it. The patience is for what playback never comes to, as when it is paused.
 */
export const GATHERED: LiveWindowOptions = { waitsToBegin: true, patienceMs: 10_000 };

/** From this part on, segments have numbers moved by `shift`. */
interface Break {
  readonly part: number;
  readonly shift: number;
}

interface Header {
  readonly revision: number;
  readonly init: Uint8Array;
}

/** CMAF headers kept per track: those of parts still in the window, and newer ones whose parts are yet to come. */
const HEADERS_MAX = 8;
/** Breaks remembered: tracks lag behind each other by less than one. */
const BREAKS_MAX = 8;
/** Newer parts, counted in ms, after which a source that has begun anew is believed to have left out the numbers that are missing. */
const BREAK_PATIENCE_MS = 1_500;
/**
 * A hole is listed as ending so much before the segment behind it. What a browser has buffered up to there ends up to a microsecond
 * early, and times of day are rounded to ms: a player that changes to this track there would look for the next bytes in the hole.
 */
const HOLE_SHORT_US = 2_000;
/** It begins anew with the least beyond this. */
const HOLE_SHORT_US_MAX = 50_000;
/** Wall clock and timeline may drift apart this far before EXT-X-PROGRAM-DATE-TIME is set anew. */
const WALL_DRIFT_MS = 250;

/**
 * The newest part of a stream as playlists tell of it: descriptions and index records go in, in any order; per track, segments
 * and their parts come out, which change only at their ends. Bounded by `windowMs`.
 */
export class LiveWindow {
  readonly windowMs: number;
  private readonly patienceMs: number;
  private beginsAt: number | undefined;
  private readonly tracks = new Map<number, TrackWindow>();
  private readonly headers = new Map<number, Header[]>();
  private readonly discontinuities: number[] = [];
  private discontinuitiesDropped = 0;
  private breaks: Break[] = [];
  private wallOffsetMs: number | undefined;
  /** The oldest part that can be had although its bytes are not here. */
  private reachFrom = Number.POSITIVE_INFINITY;
  /** By track: segments before the first one that was listed, guessed when that was. Who finds out that one is not so puts another in its place. */
  readonly guessed = new Map<number, readonly WindowSegment[]>();
  /** By track, see {@link shortBeforeUs}. */
  private readonly shortsUs = new Map<number, number>();
  private newest: Description | undefined;
  private over = false;

  constructor(options: LiveWindowOptions = {}) {
    this.windowMs = options.windowMs ?? 60_000;
    this.patienceMs = options.patienceMs ?? 1_500;
    this.beginsAt = options.waitsToBegin === true ? undefined : 0;
  }

  get description(): Description | undefined {
    return this.newest;
  }

  get ended(): boolean {
    return this.over;
  }

  /** Takes a revision of the description; true if playlists may have changed. Older ones than the newest only add their headers. */
  setDescription(description: Description): boolean {
    for (const track of description.tracks) this.keepHeader(track, description.revision);
    if (this.newest === undefined || description.revision > this.newest.revision) this.newest = description;
    let changed = false;
    for (const [id, track] of this.tracks) changed = track.advance(this.context(id)) || changed;
    this.dropOldHeaders();
    return changed || this.newest === description;
  }

  /** Takes the record of a part whose bytes are at hand. True if playlists have changed; duplicates and parts too late are ignored. */
  addRecord(record: IndexRecord): boolean {
    if (this.over || record.track < 0 || record.track >= TRACKS_MAX) return false;
    const track = this.trackWindow(record.track);
    return track.add(record) && this.advance(record.track, track);
  }

  /**
   * Playback begins with this part, of which every track that is taken is there; earlier parts are not listed. With `track`: that
   * one is taken from this part on, whichever of its parts comes first. True if playlists have changed.
   */
  begin(part: number, track?: number): boolean {
    if (this.over || (track !== undefined && (track < 0 || track >= TRACKS_MAX))) return false;
    if (track !== undefined) {
      this.forgetBeforeHole(track, part);
      this.trackWindow(track).begin(part);
    } else this.beginsAt = part;
    let changed = false;
    for (const [id, window] of this.tracks) changed = this.advance(id, window) || changed;
    return changed;
  }

  /**
   * A sound that is taken again is listed anew where what was not taken of it can be had: who seeks back finds it there, where a hole
   * would be silence. Not so pictures, of which players would ask for what they need not show.
   */
  private forgetBeforeHole(track: number, part: number): void {
    const nextPart = this.tracks.get(track)?.nextPart;
    if (nextPart === undefined || nextPart >= part || nextPart < this.reachFrom) return;
    if (this.kindOf(track) !== 'audio') return;
    this.tracks.delete(track);
    this.guessed.delete(track);
    this.shortsUs.delete(track);
  }

  /** The parts of a track (of all tracks) before `beforePart` that are not there will not come: the window goes on without them. */
  giveUp(beforePart: number, track?: number): boolean {
    let changed = false;
    for (const [id, window] of this.tracks) {
      if (track !== undefined && track !== id) continue;
      window.giveUp(beforePart);
      changed = this.advance(id, window) || changed;
    }
    return changed;
  }

  /** The stream is over: playlists say so, nothing is added any more. */
  end(): void {
    for (const [id, track] of this.tracks) track.end(this.context(id));
    this.over = true;
  }

  /**
   * Parts from this one on can be had when a player asks for them, whether or not their bytes are here: playlists reach back as far, for
   * two hours at most. What a playlist lists first counts for what lies before it.
   */
  setReach(fromPart: number): void {
    this.reachFrom = fromPart;
  }

  /** Segments that playlists list, oldest first; the last one may still grow. */
  segments(track: number): readonly WindowSegment[] {
    const all = this.tracks.get(track)?.segments ?? [];
    let first = all.length;
    for (let us = 0; first > 0 && us < this.windowMs * 1_000; first--) us += segmentUs(all[first - 1]!);
    while (first > 0 && (all[first - 1]!.parts[0]?.part ?? -1) >= this.reachFrom) first--;
    const listed = first === 0 ? all : all.slice(first);
    const before = first === 0 ? this.segmentsBefore(track) : [];
    return before.length === 0 ? listed : [...before, ...listed];
  }

  /** A segment by its number, also a little after playlists stopped listing it. */
  segment(track: number, number: number): WindowSegment | undefined {
    const all = this.tracks.get(track)?.segments ?? [];
    const firstNumber = all[0]?.number ?? 0;
    if (number >= firstNumber) return all[number - firstNumber];
    return this.guessed.get(track)?.find((segment) => segment.number === number);
  }

  part(track: number, part: number): WindowPart | undefined {
    const found = this.tracks.get(track)?.find(part);
    if (found !== undefined) return found;
    const segment = this.guessed.get(track)?.findLast(({ parts }) => parts[0]!.part <= part);
    return segment?.parts[part - segment.parts[0]!.part];
  }

  /** How many of the segments listed, from the oldest on, are guessed. */
  guessedSegments(track: number): number {
    const firstNumber = this.tracks.get(track)?.segments[0]?.number ?? 0;
    return this.segments(track).findIndex(({ number }) => number >= firstNumber);
  }

  /** Fixed when something of the track is looked at first: a playlist that has begun with a segment never begins earlier. */
  private segmentsBefore(track: number): readonly WindowSegment[] {
    const first = this.tracks.get(track)?.segments[0];
    if (first === undefined || this.newest === undefined) return [];
    let before = this.guessed.get(track);
    if (before === undefined) {
      const { partTargetMs, segmentTargetMs } = this.newest;
      const cut = { partTargetUs: partTargetMs * 1_000, segmentTargetUs: segmentTargetMs * 1_000 };
      const shortUs = this.shortBeforeUs(track);
      before = Number.isFinite(this.reachFrom) ? segmentsBefore(first, this.reachFrom, cut, shortUs) : [];
      this.guessed.set(track, before);
    }
    if (
      before.length > 0 &&
      (before[0]!.parts[0]!.part < this.reachFrom || before.at(-1)!.number !== first.number - 1)
    ) {
      const fits = before.at(-1)!.number === first.number - 1;
      before = fits ? before.filter(({ parts }) => parts[0]!.part >= this.reachFrom) : [];
      this.guessed.set(track, before);
    }
    return before;
  }

  /** The part that is listed next; undefined before the first. */
  nextPart(track: number): number | undefined {
    return this.tracks.get(track)?.nextPart;
  }

  /** What is listed of the track is from before it was left for another; what it is taken for again is still to come. */
  isStale(track: number): boolean {
    return !this.over && this.tracks.get(track)?.isStale === true;
  }

  /** Whether the part is at hand but waits for one before it. */
  isPending(track: number, part: number): boolean {
    return this.tracks.get(track)?.isPending(part) ?? false;
  }

  /** The oldest part that a player may still ask for: older bytes can go. Undefined before the first. */
  oldestPart(track: number): number | undefined {
    const all = this.tracks.get(track)?.segments ?? [];
    const { keptUs } = this.context(track);
    let first = all.length;
    for (let us = 0; first > 0 && us < keptUs; first--) us += segmentUs(all[first - 1]!);
    return all[first]?.parts[0]?.part;
  }

  /** Bits per second of what is listed of a track; undefined while that is nothing. */
  averageBps(track: number): number | undefined {
    const parts = (this.tracks.get(track)?.segments ?? []).flatMap(({ parts }) => parts.filter(isHere));
    const us = parts.reduce((sum, part) => sum + part.durationUs, 0);
    const bytes = parts.reduce((sum, part) => sum + part.sizeBytes, 0);
    return us > 0 ? (bytes * 8_000_000) / us : undefined;
  }

  /** The CMAF header under this revision. */
  init(track: number, revision: number): Uint8Array | undefined {
    return this.headers.get(track)?.find((header) => header.revision === revision)?.init;
  }

  hasDiscontinuity(segment: number): boolean {
    return this.discontinuities.includes(segment);
  }

  /** Discontinuities before this segment (EXT-X-DISCONTINUITY-SEQUENCE of a playlist that begins with it); the same for all tracks. */
  discontinuitySequence(segment: number): number {
    return this.discontinuitiesDropped + this.discontinuities.filter((number) => number < segment).length;
  }

  private advance(id: number, track: TrackWindow): boolean {
    const changed = track.advance(this.context(id));
    if (changed) {
      this.dropStaleTracks(track.segments.at(-1)?.number ?? 0);
      this.dropOldDiscontinuities();
      this.dropOldHeaders();
    }
    return changed;
  }

  /** A peer that changed to another rendition leaves one behind; what is listed of that may not outlive the window. */
  private dropStaleTracks(edgeSegment: number): void {
    const staleBefore = edgeSegment - this.context(0).segmentsMax;
    for (const track of this.tracks.values()) track.dropBefore(staleBefore);
  }

  private kindOf(id: number): Track['kind'] | undefined {
    return this.newest?.tracks.find((track) => track.id === id)?.kind;
  }

  private trackWindow(id: number): TrackWindow {
    let track = this.tracks.get(id);
    if (!track) {
      track = new TrackWindow();
      this.tracks.set(id, track);
    }
    return track;
  }

  private context(id: number): TrackContext {
    const partTargetMs = Math.max(this.newest?.partTargetMs ?? 250, 1);
    const segmentTargetMs = Math.max(this.newest?.segmentTargetMs ?? 1_000, partTargetMs);
    // A player that has just read a playlist may still ask for the oldest segments in it after they have left it.
    const keptMs = this.windowMs + 3 * segmentTargetMs;
    const kind = this.kindOf(id);
    return {
      headerOf: (revision) => this.headerOf(id, revision)?.revision,
      wallMs: (record) => this.wallMs(record),
      markDiscontinuity: (segment) => this.markDiscontinuity(segment),
      segmentNumber: (record) => record.segment + this.shiftAt(record.part),
      crossesBreak: (firstMissing, record) => this.crossesBreak(firstMissing, record),
      decodableAnywhere: kind === 'audio' || kind === 'text',
      holeShortUs: () => this.holeShortUs(id),
      partTargetUs: partTargetMs * 1_000,
      beginsAt: this.beginsAt,
      patienceParts: Math.ceil(this.patienceMs / partTargetMs),
      breakPatienceParts: Math.ceil(Math.min(this.patienceMs, BREAK_PATIENCE_MS) / partTargetMs),
      keptUs: keptMs * 1_000,
      reachFrom: this.reachFrom,
      reachUs: REACH_MS_MAX * 1_000,
      // Parts and segments may be shorter than their targets; four times shorter is no stream that we know.
      partsMax: Math.ceil(keptMs / partTargetMs) * 4 + 64,
      segmentsMax: Math.ceil(keptMs / segmentTargetMs) * 4,
    };
  }

  /**
   * By how much what lies before the first of a track is listed as ending early: where another one of its kind is played, a player that changes
   * is to go on behind that.
   */
  shortBeforeUs(track: number): number {
    const kind = this.kindOf(track);
    const isOther = (id: number) => id !== track && this.kindOf(id) === kind && this.nextPart(id) !== undefined;
    let shortUs = this.shortsUs.get(track);
    if (shortUs === undefined) {
      shortUs = [...this.tracks.keys()].some(isOther) ? this.holeShortUs(track) : 0;
      this.shortsUs.set(track, shortUs);
    }
    return shortUs;
  }

  /**
   * hls.js puts a track where it is by a time of day of the one that it leaves, which is as much late as a hole there ends early: each
   * hole ends earlier than those that other tracks list, and what lies before their first.
   */
  private holeShortUs(id: number): number {
    let most = 0;
    for (const [other, track] of this.tracks)
      if (other !== id) most = Math.max(most, track.holeShortUs, this.shortsUs.get(other) ?? 0);
    return most + HOLE_SHORT_US > HOLE_SHORT_US_MAX ? HOLE_SHORT_US : most + HOLE_SHORT_US;
  }

  private crossesBreak(firstMissing: number, record: IndexRecord): boolean {
    if (this.breaks.some(({ part }) => part > firstMissing && part <= record.part)) return true;
    const missing = record.part - firstMissing;
    if (!record.discontinuity && missing <= this.context(record.track).partsMax) return false;
    this.makeBreak(record);
    return true;
  }

  /** Playlists count on, in all tracks alike, and a discontinuity tells that the media does not. */
  private makeBreak(record: IndexRecord): void {
    const lasts = [...this.tracks.values()].flatMap((track) => track.segments.at(-1)?.number ?? []);
    const number = Math.max(...lasts) + 1;
    this.breaks = this.breaks.filter(({ part }) => part < record.part);
    this.breaks.push({ part: record.part, shift: number - record.segment });
    while (this.breaks.length > BREAKS_MAX) this.breaks.shift();
    this.markDiscontinuity(number);
  }

  private shiftAt(part: number): number {
    return this.breaks.findLast((candidate) => candidate.part <= part)?.shift ?? 0;
  }

  /** One offset for all tracks: their clocks must not differ by the jitter of single parts. */
  private wallMs(record: IndexRecord): number {
    const offsetMs = record.capturedAtMs - record.timeUs / 1_000;
    if (this.wallOffsetMs === undefined || Math.abs(offsetMs - this.wallOffsetMs) > WALL_DRIFT_MS) {
      this.wallOffsetMs = offsetMs;
    }
    return this.wallOffsetMs + record.timeUs / 1_000;
  }

  private markDiscontinuity(segment: number): void {
    if (this.discontinuities.includes(segment)) return;
    this.discontinuities.push(segment);
    this.discontinuities.sort((a, b) => a - b);
  }

  private dropOldDiscontinuities(): void {
    const firsts = [...this.tracks.values()].flatMap((track) => track.segments[0]?.number ?? []);
    const first = Math.min(...firsts);
    while (this.discontinuities.length > 0 && this.discontinuities[0]! < first) {
      this.discontinuities.shift();
      this.discontinuitiesDropped += 1;
    }
  }

  /** The newest header that is not newer than the revision: descriptions that left a track's header as it was name no new one. */
  private headerOf(track: number, revision: number): Header | undefined {
    if (this.newest === undefined || revision > this.newest.revision) return undefined;
    return this.headers.get(track)?.findLast((header) => header.revision <= revision);
  }

  private keepHeader(track: Track, revision: number): void {
    const headers = this.headers.get(track.id) ?? [];
    this.headers.set(track.id, headers);
    const before = headers.findLast((header) => header.revision <= revision);
    if (before && sameBytes(before.init, track.init)) return;
    if (headers.some((header) => header.revision > revision)) return;
    headers.push({ revision, init: track.init });
    while (headers.length > HEADERS_MAX) headers.shift();
  }

  private dropOldHeaders(): void {
    for (const [id, headers] of this.headers) {
      const oldestUsed = this.tracks.get(id)?.segments[0]?.header;
      if (oldestUsed === undefined) continue;
      while (headers.length > 1 && headers[0]!.revision < oldestUsed) headers.shift();
    }
  }
}

function isHere({ available }: WindowPart): boolean {
  return available;
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
