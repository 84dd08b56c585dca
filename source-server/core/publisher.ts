import type { Body, Sink } from '../../machine/machine.ts';
import type { Description, IndexRecord, Track } from '../../protocol/media.ts';
import { descriptionSigned, encodeDescription, encodeRecord, recordSigned } from '../../protocol/records.ts';
import { concatBytes } from '../../protocol/text.ts';
import type { SourceOutput, SourcePart } from './io.ts';

/** A record with its signature, and its blocks. */
export interface Published {
  readonly record: IndexRecord;
  readonly sealed: Uint8Array;
  readonly bodies: readonly Body[];
}

interface Cutting {
  readonly part: SourcePart;
  readonly chunk: number;
}

interface Signing {
  readonly record: IndexRecord;
  readonly body: Uint8Array;
  readonly bodies: readonly Body[];
}

/** Seconds since 2024 count the revisions: they grow over restarts without any state kept. */
const REVISION_EPOCH_MS = 1_704_067_200_000;
const DESCRIPTION_LIFE_MS = 24 * 3_600_000;
const FIRST = new Uint8Array(32);

/**
 * Makes signed descriptions out of tracks and signed records out of parts. Each track's records form a chain by the digest
 * of the one before, so a track has one record in signing at a time.
 */
export class Publisher {
  description: Description | undefined;
  private readonly stream: Uint8Array;
  private readonly keys: { readonly root: Uint8Array; readonly signing: Uint8Array };
  private readonly title: string;
  private readonly blockBytes: number;
  private readonly outputs: Sink<SourceOutput>;
  private readonly nextRef: () => number;
  private readonly cutting = new Map<number, Cutting>();
  private readonly signing = new Map<number, Signing>();
  private readonly describing = new Map<number, { description: Description; body: Uint8Array }>();
  private readonly previous = new Map<number, Uint8Array>();
  /** Chunks of a track that wait for the record before them. */
  private readonly waiting = new Map<number, Signing[]>();

  constructor(
    stream: Uint8Array,
    keys: { readonly root: Uint8Array; readonly signing: Uint8Array },
    title: string,
    blockBytes: number,
    outputs: Sink<SourceOutput>,
    nextRef: () => number,
  ) {
    this.stream = stream;
    this.keys = keys;
    this.title = title;
    this.blockBytes = blockBytes;
    this.outputs = outputs;
    this.nextRef = nextRef;
  }

  /** New tracks: a new description, to be signed by the root key. */
  describe(tracks: readonly Track[], partTargetMs: number, segmentTargetMs: number, nowMs: number): void {
    const revision = Math.max(Math.floor((nowMs - REVISION_EPOCH_MS) / 1000), (this.description?.revision ?? 0) + 1);
    const description: Description = {
      rootKey: this.keys.root,
      signingKey: this.keys.signing,
      revision,
      issuedAtMs: Math.floor(nowMs),
      expiresAtMs: Math.floor(nowMs) + DESCRIPTION_LIFE_MS,
      title: this.title,
      partTargetMs,
      segmentTargetMs,
      tracks,
    };
    this.description = description;
    const body = encodeDescription(description);
    const ref = this.nextRef();
    this.describing.set(ref, { description, body });
    this.outputs.push({ kind: 'sign', ref, with: 'root', bytes: descriptionSigned(this.stream, body) });
  }

  /** Before the description expires, the same again with a later end. */
  renew(nowMs: number): void {
    const { description } = this;
    if (description === undefined || nowMs < description.expiresAtMs - DESCRIPTION_LIFE_MS / 2) return;
    this.describe(description.tracks, description.partTargetMs, description.segmentTargetMs, nowMs);
  }

  part(part: SourcePart): void {
    if (this.description === undefined) return;
    for (const [chunk, { body }] of part.chunks.entries()) {
      const ref = this.nextRef();
      this.cutting.set(ref, { part, chunk });
      this.outputs.push({ kind: 'cut', ref, body, blockBytes: this.blockBytes });
    }
  }

  /** Answer to `cut`. */
  cut(ref: number, blocks: readonly { name: Uint8Array; body: Body }[]): void {
    const cutting = this.cutting.get(ref);
    if (cutting === undefined || this.description === undefined) return;
    this.cutting.delete(ref);
    const { part, segment, indexInSegment, independent, discontinuity, capturedAtMs, chunks } = cutting.part;
    const { track, timeUs, durationUs } = chunks[cutting.chunk]!;
    const record: IndexRecord = {
      track,
      part,
      revision: this.description.revision,
      segment,
      indexInSegment,
      independent,
      discontinuity,
      timeUs,
      durationUs,
      capturedAtMs: Math.floor(capturedAtMs),
      blocks: blocks.map(({ name, body }) => ({ name, sizeBytes: body.byteLength })),
      previous: FIRST,
    };
    const line = this.waiting.get(track) ?? [];
    this.waiting.set(track, line);
    line.push({ record, body: FIRST, bodies: blocks.map(({ body }) => body) });
    if (line.length === 1) this.sign(line[0]!);
  }

  /** Answer to `sign`: a sealed description, a published part, or nothing when the reference is another's. */
  signed(
    ref: number,
    signature: Uint8Array,
    digest: Uint8Array,
  ): { readonly description: Description; readonly sealed: Uint8Array } | Published | undefined {
    const describing = this.describing.get(ref);
    if (describing !== undefined) {
      this.describing.delete(ref);
      return { description: describing.description, sealed: concatBytes(describing.body, signature) };
    }
    const signing = this.signing.get(ref);
    if (signing === undefined) return undefined;
    this.signing.delete(ref);
    const { record, body, bodies } = signing;
    this.previous.set(record.track, digest);
    const line = this.waiting.get(record.track)!;
    line.shift();
    if (line[0] !== undefined) this.sign(line[0]);
    return { record, sealed: concatBytes(body, signature), bodies };
  }

  private sign({ record, bodies }: Signing): void {
    const chained = { ...record, previous: this.previous.get(record.track) ?? FIRST };
    const body = encodeRecord(chained);
    const ref = this.nextRef();
    this.signing.set(ref, { record: chained, body, bodies });
    this.outputs.push({ kind: 'sign', ref, with: 'signing', bytes: recordSigned(this.stream, body) });
  }
}
