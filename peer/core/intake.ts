import { type Body, type LinkId, Queue, type Sink } from '../../machine/machine.ts';
import type { Labelled } from '../../protocol/frames.ts';
import { BLOCKS_PER_PART_MAX } from '../../protocol/limits.ts';
import type { Description, IndexRecord } from '../../protocol/media.ts';
import { decodeRecord, type Signed } from '../../protocol/records.ts';
import type { Catalogue, PartEntry } from '../../swarm/catalogue.ts';
import type { BytesFrom, PeerOutput } from './io.ts';

/** Who sent a block or a record. */
export interface Origin {
  readonly from: BytesFrom;
  readonly link: LinkId;
  /** What a person reads: the INS server's address or the neighbour's key. */
  readonly who: string;
}

/** Where what is verified is put. */
export type PartShelf = Pick<Catalogue, 'oldestPart' | 'get' | 'addRecord' | 'addBlock'>;

export type IntakeEvent =
  | { readonly kind: 'record'; readonly entry: PartEntry }
  | {
      readonly kind: 'block';
      readonly entry: PartEntry;
      readonly index: number;
      readonly origin: Origin;
      readonly kept: boolean;
    }
  | {
      readonly kind: 'bad';
      readonly origin: Origin;
      readonly what: string;
      readonly track: number;
      readonly part: number;
    };

interface Waiting {
  readonly index: number;
  readonly body: Body;
  readonly origin: Origin;
  readonly kept: boolean;
}

interface RecordCheck {
  readonly ref: number;
  readonly record: IndexRecord;
  readonly sealed: Uint8Array;
  readonly origin: Origin;
  /** Blocks that came while the signature was being checked. */
  readonly waiting: Waiting[];
}

interface NameCheck extends Waiting {
  readonly ref: number;
  readonly entry: PartEntry;
}

/** Records and blocks under verification at once; what comes beyond is dropped and asked for again. */
const CHECKS_MAX = 1_024;

/**
 * The gate: nothing gets into the catalogue, and so to a player or a neighbour, before its record's signature and its
 * name are verified. What fails is dropped and its sender named.
 */
export class Intake {
  readonly events = new Queue<IntakeEvent>();
  /** Oldest first. Lists, for they are short: what is checked is mostly answered at once, and in order. */
  private readonly recordChecks: RecordCheck[] = [];
  private readonly nameChecks: NameCheck[] = [];
  private readonly stream: Uint8Array;
  private readonly catalogue: PartShelf;
  private readonly outputs: Sink<PeerOutput>;
  private readonly nextRef: () => number;
  private readonly descriptionOf: (revision: number) => Description | undefined;
  private readonly readRecord: typeof decodeRecord;

  constructor(
    stream: Uint8Array,
    catalogue: PartShelf,
    outputs: Sink<PeerOutput>,
    nextRef: () => number,
    descriptionOf: (revision: number) => Description | undefined,
    readRecord: typeof decodeRecord = decodeRecord,
  ) {
    this.stream = stream;
    this.catalogue = catalogue;
    this.outputs = outputs;
    this.nextRef = nextRef;
    this.descriptionOf = descriptionOf;
    this.readRecord = readRecord;
  }

  /** Whether something of this part is being checked right now: it is as good as there. */
  busy(track: number, part: number): boolean {
    if (this.recordCheckOf(track, part) !== undefined) return true;
    for (const { entry } of this.nameChecks) {
      if (entry.record.part === part && entry.record.track === track) return true;
    }
    return false;
  }

  /** A sealed record from the tracker, a neighbour, or beside a block. */
  record(sealed: Uint8Array, origin: Origin): void {
    const decoded = this.readRecord(this.stream, sealed);
    if (decoded === undefined) this.bad(origin, 'malformed record', 0, 0);
    else this.checkRecord(decoded, sealed, origin);
  }

  /** A block with its label, and on the first block of a part its record. */
  labelled(labelled: Labelled, body: Body, origin: Origin, kept: boolean): void {
    const { track, part, index, companion } = labelled;
    const waiting = { index, body, origin, kept };
    const entry = this.catalogue.get(track, part);
    if (entry !== undefined) {
      this.checkName(entry, waiting);
      return;
    }
    const check = this.recordCheckOf(track, part);
    if (companion.length > 0 && check === undefined) {
      const decoded = this.readRecord(this.stream, companion);
      if (decoded === undefined || decoded.value.track !== track || decoded.value.part !== part) {
        this.bad(origin, 'record does not fit its label', track, part);
        return;
      }
      this.checkRecord(decoded, companion, origin, waiting);
      return;
    }
    if (check !== undefined && check.waiting.length < BLOCKS_PER_PART_MAX) check.waiting.push(waiting);
  }

  /** A block that was asked for by its place in a known part. */
  block(entry: PartEntry, index: number, body: Body, origin: Origin, kept: boolean): void {
    this.checkName(entry, { index, body, origin, kept });
  }

  /** Answer to `verify`; false when the reference is not one of ours. */
  verified(ref: number, ok: boolean): boolean {
    const check = takeCheck(this.recordChecks, ref);
    if (check === undefined) return false;
    const { record, sealed, origin, waiting } = check;
    if (!ok) {
      this.bad(origin, 'wrong record signature', record.track, record.part);
      return true;
    }
    const entry = this.catalogue.addRecord(record, sealed);
    if (entry === undefined) return true;
    this.events.push({ kind: 'record', entry });
    for (const block of waiting) this.checkName(entry, block);
    return true;
  }

  /** Answer to `check-name`. */
  named(ref: number, ok: boolean): void {
    const check = takeCheck(this.nameChecks, ref);
    if (check === undefined) return;
    const { entry, index, body, origin, kept } = check;
    const { track, part } = entry.record;
    if (!ok) this.bad(origin, 'wrong block: its bytes do not have the name', track, part);
    else if (this.catalogue.addBlock(entry, index, body))
      this.events.push({ kind: 'block', entry, index, origin, kept });
  }

  private checkRecord(decoded: Signed<IndexRecord>, sealed: Uint8Array, origin: Origin, waiting?: Waiting): void {
    const record = decoded.value;
    const { track, part } = record;
    const description = this.descriptionOf(record.revision);
    if (record.part < this.catalogue.oldestPart) return;
    const known = this.catalogue.get(track, part) !== undefined || this.recordCheckOf(track, part) !== undefined;
    if (description === undefined || known || this.recordChecks.length >= CHECKS_MAX) return;
    const ref = this.nextRef();
    this.recordChecks.push({ ref, record, sealed, origin, waiting: waiting === undefined ? [] : [waiting] });
    const { signed, signature } = decoded;
    this.outputs.push({ kind: 'verify', ref, key: description.signingKey, keyHash: null, signed, signature });
  }

  private checkName(entry: PartEntry, waiting: Waiting): void {
    const { track, part, blocks } = entry.record;
    const block = blocks[waiting.index];
    if (block === undefined || block.sizeBytes !== waiting.body.byteLength) {
      this.bad(waiting.origin, 'wrong length', track, part);
      return;
    }
    if (entry.bodies[waiting.index] !== undefined) {
      // Held already: only the news that it is in our locker now counts.
      if (waiting.kept)
        this.events.push({ kind: 'block', entry, index: waiting.index, origin: waiting.origin, kept: true });
      return;
    }
    for (const check of this.nameChecks) if (check.entry === entry && check.index === waiting.index) return;
    if (this.nameChecks.length >= CHECKS_MAX) return;
    const ref = this.nextRef();
    const { index, body, origin, kept } = waiting;
    this.nameChecks.push({ ref, entry, index, body, origin, kept });
    this.outputs.push({ kind: 'check-name', ref, name: block.name, body: waiting.body });
  }

  private recordCheckOf(track: number, part: number): RecordCheck | undefined {
    for (const check of this.recordChecks) {
      if (check.record.part === part && check.record.track === track) return check;
    }
    return undefined;
  }

  private bad(origin: Origin, what: string, track: number, part: number): void {
    this.events.push({ kind: 'bad', origin, what, track, part });
  }
}

/** Takes out what was asked under a reference. */
function takeCheck<T extends { readonly ref: number }>(checks: T[], ref: number): T | undefined {
  const at = checks.findIndex((check) => check.ref === ref);
  if (at < 0) return undefined;
  const check = checks[at];
  if (at === 0) checks.shift();
  else checks.splice(at, 1);
  return check;
}
