import { createHash } from 'node:crypto';
import { bitmapOf } from '../../protocol/bitmap.ts';
import type { Description, IndexRecord } from '../../protocol/media.ts';
import { nameOfHash } from '../../protocol/names.ts';
import {
  decodeRecord,
  descriptionSigned,
  encodeDescription,
  encodeRecord,
  recordSigned,
} from '../../protocol/records.ts';
import { concatBytes } from '../../protocol/text.ts';
import { type FromTracker, fromTrackerCodec, joinSigned, type ToTracker } from '../../protocol/tracker-messages.ts';
import type { TrackerInput, TrackerOptions, TrackerOutput } from '../../tracker/core/io.ts';
import { TRACKER_LIMITS } from '../../tracker/core/limits.ts';
import { Tracker } from '../../tracker/core/tracker.ts';

/** A tracker's core with everybody it talks to, under virtual time. Hashes and signatures are stand-ins. */

export type Join = Extract<ToTracker, { type: 'join' }>;
export type Publish = Extract<ToTracker, { type: 'publish' }>;
export type State = Extract<ToTracker, { type: 'state' }>;
export type Received<Type extends FromTracker['type']> = Extract<FromTracker, { type: Type }>;

export function key(name: string): Uint8Array {
  return hash(new TextEncoder().encode(name));
}

export function hash(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update(bytes).digest());
}

/** Whoever knows the public key can make this: enough to test who checks what. */
export function sign(publicKey: Uint8Array, signed: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha512').update(publicKey).update(signed).digest());
}

export interface StreamKeys {
  readonly rootKey: Uint8Array;
  readonly signingKey: Uint8Array;
  readonly stream: Uint8Array;
}

export function streamKeys(name: string): StreamKeys {
  const rootKey = key(`${name}/root`);
  return { rootKey, signingKey: key(`${name}/signing`), stream: hash(rootKey) };
}

export function sealDescription(keys: StreamKeys, change: Partial<Description> = {}): Uint8Array {
  const description: Description = {
    rootKey: keys.rootKey,
    signingKey: keys.signingKey,
    revision: 0,
    issuedAtMs: 1_000,
    expiresAtMs: 1e12,
    title: 'a stream',
    partTargetMs: 250,
    segmentTargetMs: 1_000,
    tracks: [],
    ...change,
  };
  const body = encodeDescription(description);
  return concatBytes(body, sign(keys.rootKey, descriptionSigned(keys.stream, body)));
}

export function sealRecord(keys: StreamKeys, part: number, change: Partial<IndexRecord> = {}): Uint8Array {
  const record: IndexRecord = {
    track: 0,
    part,
    revision: 0,
    segment: Math.floor(part / 4),
    indexInSegment: part % 4,
    independent: part % 4 === 0,
    discontinuity: false,
    timeUs: part * 250_000,
    durationUs: 250_000,
    capturedAtMs: 1_000 + part * 250,
    blocks: [{ name: nameOfHash(hash(Uint8Array.of(part & 0xff))), sizeBytes: 1_000 }],
    previous: new Uint8Array(32),
    ...change,
  };
  const body = encodeRecord(record);
  return concatBytes(body, sign(keys.signingKey, recordSigned(keys.stream, body)));
}

/** The part numbers of sealed records, in order. */
export function partsOf(stream: Uint8Array, records: readonly Uint8Array[]): number[] {
  return records.map((sealed) => decodeRecord(stream, sealed)!.value.part);
}

export class World {
  readonly tracker: Tracker;
  nowMs = 1_000_000;
  readonly closed = new Map<number, { readonly code: number; readonly why: string }>();
  readonly said: TrackerOutput[] = [];
  /** All messages that were sent, in order: every one must be fit for the wire. */
  private readonly inbox = new Map<number, FromTracker[]>();
  private links = 0;
  /** Answers to checks are kept back until {@link release}. */
  holdChecks = false;
  private readonly held: TrackerOutput[] = [];

  constructor(options: Partial<TrackerOptions> = {}) {
    this.tracker = new Tracker({
      seed: 1,
      insServers: [],
      regionOf: () => undefined,
      limits: TRACKER_LIMITS,
      ...options,
    });
  }

  input(input: TrackerInput): void {
    this.tracker.handleInput(input, this.nowMs);
    this.drain();
  }

  /** Lets time pass, as an embedder does. */
  run(ms: number): void {
    const endMs = this.nowMs + ms;
    for (;;) {
      const atMs = this.tracker.nextDeadline();
      if (atMs === undefined || atMs > endMs) break;
      this.nowMs = Math.max(this.nowMs, atMs);
      this.tracker.handleTimeout(this.nowMs);
      this.drain();
    }
    this.nowMs = endMs;
  }

  open(address = '192.0.2.1'): Guest {
    const link = ++this.links;
    const guest = new Guest(this, link);
    this.input({ kind: 'link-opened', link, address, nonce: key(`nonce ${link}`) });
    return guest;
  }

  /** A viewer that has joined. */
  viewer(keys: StreamKeys, name: string, change: Partial<Join> = {}, address?: string): Guest {
    const guest = this.open(address);
    guest.join(keys, { key: key(name), ...change });
    return guest;
  }

  /** A source that has joined and published. */
  source(keys: StreamKeys, change: Partial<Publish> = {}, join: Partial<Join> = {}): Guest {
    const guest = this.open('192.0.2.9');
    guest.join(keys, { role: 'source', key: keys.signingKey, url: ':7000', ...join });
    guest.publish(keys, change);
    return guest;
  }

  take(link: number): FromTracker[] {
    const messages = this.inbox.get(link) ?? [];
    this.inbox.set(link, []);
    return messages;
  }

  /** Lets the checks that were held be answered. */
  release(): void {
    this.holdChecks = false;
    for (const output of this.held.splice(0)) this.check(output);
  }

  private drain(): void {
    for (let output = this.tracker.pollOutput(); output !== undefined; output = this.tracker.pollOutput()) {
      this.said.push(output);
      if (output.kind === 'close') this.closed.set(output.link, output);
      else if (output.kind === 'send') this.deliver(output.link, output.message);
      else if (this.holdChecks) this.held.push(output);
      else this.check(output);
    }
  }

  private deliver(link: number, message: FromTracker): void {
    const decoded = fromTrackerCodec.decode(fromTrackerCodec.encode(message));
    if (!decoded.ok || decoded.message === undefined) throw new Error(`not fit for the wire: ${message.type}`);
    this.inbox.set(link, [...(this.inbox.get(link) ?? []), decoded.message]);
  }

  private check(output: TrackerOutput): void {
    if (output.kind === 'hash') this.input({ kind: 'hashed', ref: output.ref, hash: hash(output.bytes) });
    if (output.kind !== 'verify') return;
    const ok = Buffer.from(sign(output.key, output.signed)).equals(output.signature);
    this.input({ kind: 'verified', ref: output.ref, ok });
  }
}

/** One connection, seen from its other end. */
export class Guest {
  readonly link: number;
  private readonly world: World;
  private readonly got: FromTracker[] = [];
  private last: Partial<State> = {};

  constructor(world: World, link: number) {
    this.world = world;
    this.link = link;
  }

  send(message: ToTracker): void {
    this.world.input({ kind: 'message', link: this.link, message });
  }

  join(keys: StreamKeys, change: Partial<Join> = {}): void {
    const memberKey = change.key ?? key(`viewer ${this.link}`);
    this.send({
      type: 'join',
      version: 1,
      role: 'viewer',
      stream: keys.stream,
      key: memberKey,
      mode: 'hybrid',
      url: null,
      region: null,
      proof: sign(memberKey, joinSigned(key(`nonce ${this.link}`), keys.stream, memberKey)),
      ...change,
    });
  }

  publish(keys: StreamKeys, change: Partial<Publish> = {}): void {
    this.send({ type: 'publish', description: sealDescription(keys), insServers: [], hlsUrl: null, ...change });
  }

  state(change: Partial<State> & { readonly parts?: readonly number[] } = {}): void {
    const { parts, ...rest } = change;
    const availability = parts === undefined ? [] : [bitmapOf(0, parts)];
    const state = {
      type: 'state',
      availability,
      token: null,
      bufferMs: 0,
      latencyMs: 0,
      uploadBps: 0,
      insFed: false,
      ...rest,
    } as const;
    this.last = state;
    this.send(state);
  }

  /** A heartbeat that says nothing new. */
  beat(): void {
    this.state(this.last);
  }

  close(): void {
    this.world.input({ kind: 'link-closed', link: this.link });
  }

  /** What came since the last call. */
  news(): FromTracker[] {
    const fresh = this.world.take(this.link);
    this.got.push(...fresh);
    return fresh;
  }

  /** All messages of one type that ever came. */
  all<Type extends FromTracker['type']>(type: Type): Received<Type>[] {
    this.news();
    return this.got.filter((message): message is Received<Type> => message.type === type);
  }

  get joined(): Received<'joined'> {
    return this.all('joined')[0]!;
  }

  get refused(): Received<'refused'> | undefined {
    return this.all('refused')[0];
  }

  get closed(): number | undefined {
    return this.world.closed.get(this.link)?.code;
  }
}
