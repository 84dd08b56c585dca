import type { IndexRecord } from '../protocol/media.ts';

/** A part as playlists list it. */
export interface WindowPart {
  readonly part: number;
  readonly timeUs: number;
  readonly durationUs: number;
  readonly independent: boolean;
  readonly sizeBytes: number;
  /** False for a hole: the part did not come in time, is empty, or cannot be decoded because one before it did not come. */
  readonly available: boolean;
}

export interface WindowSegment {
  /** What EXT-X-MEDIA-SEQUENCE counts. */
  readonly number: number;
  readonly parts: readonly WindowPart[];
  /** Revision of the CMAF header that opens the segment. */
  readonly header: number;
  /** True when nothing will be added any more. */
  readonly complete: boolean;
  /** Unix ms of the segment's first frame. */
  readonly startsAtMs: number;
  /** What is listed of it begins with its first part. */
  readonly fromItsStart: boolean;
}

interface GrowingSegment extends WindowSegment {
  readonly parts: WindowPart[];
  complete: boolean;
  /** So much earlier than its media would, it ends as it is listed: the end of a hole. */
  shortUs: number;
}

/** What a track must know of the stream around it. */
export interface TrackContext {
  /** Revision of the header to use for records of this revision; undefined as long as it is not known. */
  headerOf(revision: number): number | undefined;
  /** Wall clock of a time on the stream's timeline, in Unix ms. */
  wallMs(record: IndexRecord): number;
  markDiscontinuity(segment: number): void;
  /** Number that playlists give to the segment of this record. */
  segmentNumber(record: IndexRecord): number;
  /**
   * Whether what is missing from `firstMissing` up to the record is no hole to be listed: the source began anew and left numbers
   * out, or there is more missing than a window holds.
   */
  crossesBreak(firstMissing: number, record: IndexRecord): boolean;
  readonly decodableAnywhere: boolean;
  /** A hole up to a segment's start is listed as ending so much before it. */
  holeShortUs(): number;
  readonly partTargetUs: number;
  /** Before this part no track begins; undefined: they wait to be told. */
  readonly beginsAt: number | undefined;
  readonly patienceParts: number;
  /** The same where the source began anew: what is missing before that may be numbers that it left out. */
  readonly breakPatienceParts: number;
  readonly keptUs: number;
  /** Older segments stay as long as they begin no earlier than this part, and together are no longer: their bytes can be had. */
  readonly reachFrom: number;
  readonly reachUs: number;
  readonly partsMax: number;
  readonly segmentsMax: number;
}

/** Parts that wait for one before them, or for their description. */
const PENDING_MAX = 1_024;
/** Parts of one segment; more than this is no segment that a player could start with. */
const SEGMENT_PARTS_MAX = 256;

/**
 * One track of a window: takes records in any order, gives segments that only ever grow at the end.
 *
 * A part is listed when all before it are listed, from the first one on that a decoder can begin with, or the one that `begin`
 * names. What does not come is waited for until `patienceParts` newer ones are there, or until `giveUp`; then it is listed as a
 * hole, up to the next part from which a decoder can go on.
 */
export class TrackWindow {
  readonly segments: GrowingSegment[] = [];
  private readonly parts = new Map<number, WindowPart>();
  private readonly pending = new Map<number, IndexRecord>();
  private newestPending = -1;
  private giveUpBefore = 0;
  private beginsAt: number | undefined;
  private totalUs = 0;
  /** The part that is listed next; undefined before the first. */
  nextPart: number | undefined;

  /** True if the record is new. */
  add(record: IndexRecord): boolean {
    if (record.part < (this.wantedPart ?? 0)) return false;
    if (this.pending.has(record.part)) return false;
    if (this.pending.size >= PENDING_MAX) this.pending.delete(Math.min(...this.pending.keys()));
    this.pending.set(record.part, record);
    if (record.part > this.newestPending) this.newestPending = record.part;
    return true;
  }

  giveUp(beforePart: number): void {
    if (beforePart > this.giveUpBefore) this.giveUpBefore = beforePart;
  }

  /** The track is taken from this part on: what lies between that and what is listed will not come. */
  begin(part: number): void {
    this.beginsAt = part;
  }

  /** Nothing is listed yet from where the track is taken again on. */
  get isStale(): boolean {
    return this.nextPart !== undefined && this.nextPart < (this.beginsAt ?? 0);
  }

  /** The most by which a hole that is listed ends early; 0 without one. */
  get holeShortUs(): number {
    return this.segments.reduce((most, { shortUs }) => Math.max(most, shortUs), 0);
  }

  /** Lists what can be listed; true if something was. */
  advance(context: TrackContext): boolean {
    let changed = false;
    for (let record = this.nextRecord(context); record; record = this.nextRecord(context)) {
      this.list(record, context);
      changed = true;
    }
    if (changed) this.trim(context);
    return changed;
  }

  /** Nothing comes any more. */
  end(context: TrackContext): void {
    this.giveUpBefore = Number.MAX_SAFE_INTEGER;
    this.advance(context);
    this.pending.clear();
    const last = this.segments.at(-1);
    if (last) last.complete = true;
  }

  find(part: number): WindowPart | undefined {
    return this.parts.get(part);
  }

  isPending(part: number): boolean {
    return this.pending.has(part);
  }

  private nextRecord(context: TrackContext): IndexRecord | undefined {
    const hasHeader = (record: IndexRecord) => context.headerOf(record.revision) !== undefined;
    const isFirst = this.segments.length === 0;
    const opens = (record: IndexRecord) =>
      isFirst ? record.independent && hasBytes(record) : record.independent || context.decodableAnywhere;
    const at = this.wantedPart;
    if (at === undefined) {
      const from = context.beginsAt ?? Number.POSITIVE_INFINITY;
      return this.lowestPending((record) => record.part >= from && opens(record) && hasHeader(record));
    }
    const next = this.pending.get(at);
    const follows = !isFirst && at === this.nextPart && this.parts.get(at - 1)?.available !== false;
    const continues = next && (opens(next) || follows);
    if (next && continues && hasHeader(next)) return next;
    const useless = next && !continues;
    const newer = this.newestPending - at;
    const waitedEnough =
      newer >= context.patienceParts ||
      (newer >= context.breakPatienceParts && this.lowestPending(() => true)?.discontinuity === true);
    if (!useless && !waitedEnough && this.giveUpBefore <= at) return undefined;
    return this.lowestPending((record) => opens(record) && hasHeader(record));
  }

  /** The part to go on with: behind what is listed, or where the track was told to begin. */
  private get wantedPart(): number | undefined {
    if (this.nextPart === undefined || this.beginsAt === undefined) return this.nextPart ?? this.beginsAt;
    return Math.max(this.nextPart, this.beginsAt);
  }

  private lowestPending(fits: (record: IndexRecord) => boolean): IndexRecord | undefined {
    let lowest: IndexRecord | undefined;
    for (const record of this.pending.values()) {
      if ((lowest === undefined || record.part < lowest.part) && fits(record)) lowest = record;
    }
    return lowest;
  }

  private list(record: IndexRecord, context: TrackContext): void {
    const header = context.headerOf(record.revision) ?? record.revision;
    const before = this.segments.at(-1);
    const first = this.nextPart ?? record.part;
    const isHole = record.part > first && !context.crossesBreak(first, record);
    const number = context.segmentNumber(record);
    if (isHole) this.fillHole(record, number, context);
    if (record.discontinuity || (before && (before.header !== header || jumps(before, record, context.partTargetUs)))) {
      context.markDiscontinuity(number);
    }
    this.append(number, header, context.wallMs(record), record.indexInSegment === 0, {
      part: record.part,
      timeUs: record.timeUs,
      durationUs: record.durationUs,
      independent: record.independent && hasBytes(record),
      sizeBytes: record.blocks.reduce((sum, block) => sum + block.sizeBytes, 0),
      available: hasBytes(record),
    });
    for (const part of this.pending.keys()) if (part <= record.part) this.pending.delete(part);
  }

  /**
   * Lists what is missing before `record` as holes, so that the numbers of segments and the places of parts in them stay what
   * they are. Records tell the record's own segment; how the rest falls into the segments before it is shared out evenly.
   */
  private fillHole(record: IndexRecord, number: number, context: TrackContext): void {
    const last = this.segments.at(-1);
    const lastPart = last?.parts.at(-1);
    if (!last || !lastPart) return;
    const first = lastPart.part + 1;
    const missing = record.part - first;
    // No segment is without a part: a source that counts otherwise has no hole there, and must not have us count on.
    if (number > last.number + missing + 1) return;
    const startUs = lastPart.timeUs + lastPart.durationUs;
    const spanUs = record.timeUs - startUs;
    const related = spanUs > 0 && spanUs <= (missing + 1) * context.partTargetUs;
    const durationUs = Math.round(related ? spanUs / missing : context.partTargetUs);
    const startsAtMs = context.wallMs(record) - (missing * durationUs) / 1_000;
    const counts = holeCounts(missing, number - last.number, last.parts.length, record.indexInSegment);
    const holeShortUs = context.holeShortUs();
    let done = 0;
    counts.forEach((count, offset) => {
      for (const end = done + count; done < end; done++) {
        const shortUs = done === missing - 1 && record.indexInSegment === 0 ? holeShortUs : 0;
        this.append(last.number + offset, last.header, startsAtMs + (done * durationUs) / 1_000, false, {
          part: first + done,
          timeUs: startUs + done * durationUs,
          durationUs: Math.max(1, durationUs - shortUs),
          independent: false,
          sizeBytes: 0,
          available: false,
        });
        this.segments.at(-1)!.shortUs = shortUs;
      }
    });
  }

  private append(number: number, header: number, startsAtMs: number, fromItsStart: boolean, part: WindowPart): void {
    const open = this.segments.at(-1);
    this.nextPart = part.part + 1;
    if (open?.number === number) {
      if (open.parts.length < SEGMENT_PARTS_MAX) this.push(open, part);
      return;
    }
    if (open) open.complete = true;
    // Players count segments from the first one listed: a number left out may not lie between two that are listed.
    if (open && number !== open.number + 1) this.restart();
    const segment: GrowingSegment = {
      number,
      header,
      startsAtMs,
      fromItsStart,
      parts: [],
      complete: false,
      shortUs: 0,
    };
    this.segments.push(segment);
    this.push(segment, part);
  }

  private push(segment: GrowingSegment, part: WindowPart): void {
    segment.parts.push(part);
    this.parts.set(part.part, part);
    this.totalUs += part.durationUs;
  }

  /** Forgets segments before this one: nobody adds to this track any more. */
  dropBefore(segment: number): void {
    for (;;) {
      const first = this.segments[0];
      if (!first || first.number >= segment) return;
      this.drop(first);
      this.segments.shift();
      if (this.segments.length === 0) this.nextPart = undefined;
    }
  }

  private trim(context: TrackContext): void {
    for (;;) {
      const first = this.segments[0];
      if (!first || this.segments.length < 2) return;
      const restUs = this.totalUs - segmentUs(first);
      if (restUs < context.keptUs && this.parts.size <= context.partsMax) return;
      if (restUs < context.reachUs && (first.parts[0]?.part ?? -1) >= context.reachFrom) return;
      this.drop(first);
      this.segments.shift();
    }
  }

  private restart(): void {
    for (const segment of this.segments.splice(0)) this.drop(segment);
  }

  private drop(segment: WindowSegment): void {
    for (const part of segment.parts) this.parts.delete(part.part);
    this.totalUs -= segmentUs(segment);
  }
}

export function segmentUs(segment: WindowSegment): number {
  return segment.parts.reduce((sum, part) => sum + part.durationUs, 0);
}

/** A track that had nothing to give for a part has a record without blocks for it. */
function hasBytes(record: IndexRecord): boolean {
  return record.blocks.length > 0;
}

/** Whether the media's timeline jumps between what is listed and the record. */
function jumps(before: WindowSegment, record: IndexRecord, partTargetUs: number): boolean {
  const last = before.parts.at(-1);
  if (!last) return false;
  const missing = record.part - last.part - 1;
  const spanUs = record.timeUs - (last.timeUs + last.durationUs);
  return spanUs < -partTargetUs || spanUs > (missing + 1) * partTargetUs;
}

/**
 * How many missing parts fall into each segment, from the last one listed (place 0) to the one of the next record (place `segments`).
 * @param have parts that the last segment has already
 * @param lead parts that come before the record in its own segment
 */
export function holeCounts(missing: number, segments: number, have: number, lead: number): number[] {
  if (segments <= 0) return [missing];
  const inOwn = Math.min(lead, missing);
  let rest = missing - inOwn;
  const typical = Math.max(1, Math.round((rest + have) / segments));
  const tail = segments === 1 ? rest : Math.min(rest, Math.max(0, typical - have));
  rest -= tail;
  const counts = [tail];
  for (let left = segments - 1; left > 0; left--) {
    const count = Math.ceil(rest / left);
    counts.push(count);
    rest -= count;
  }
  counts.push(inOwn);
  return counts;
}
