import { InsConversation } from '../../ins-client/core/conversation.ts';
import type { InsClientInput, InsClientOutput, WantedBlock } from '../../ins-client/core/io.ts';
import { earlier } from '../../machine/deadlines.ts';
import { type Body, type LinkId, Queue, type Sink } from '../../machine/machine.ts';
import type { Prng } from '../../machine/prng.ts';
import { Backoff } from '../../machine/rates.ts';
import type { Labelled } from '../../protocol/frames.ts';
import { FROM_NEWEST_START } from '../../protocol/ins-messages.ts';
import { BATCH_ITEMS_MAX } from '../../protocol/limits.ts';
import type { InsServerEntry } from '../../protocol/swarm-fields.ts';
import type { Catalogue } from '../../swarm/catalogue.ts';
import type { LinkNumbers } from '../../swarm/io.ts';
import type { PeerOutput } from './io.ts';
import type { Lockers } from './lockers.ts';

export type InsFeedEvent =
  | { readonly kind: 'up'; readonly url: string; readonly server: Uint8Array; readonly clockOffsetMs: number }
  | { readonly kind: 'lost'; readonly url: string; readonly why: string; readonly server: Uint8Array | undefined }
  | { readonly kind: 'refused'; readonly why: string }
  | { readonly kind: 'labelled'; readonly labelled: Labelled; readonly body: Body; readonly kept: boolean }
  | { readonly kind: 'block'; readonly place: Place; readonly body: Body; readonly kept: boolean };

/** One block of one part of one track. */
export interface Place {
  readonly track: number;
  readonly part: number;
  readonly index: number;
}

/** A block that was asked for, and whose locker it was to come from. */
export interface Asked extends Place {
  readonly owner: string;
}

/** Ms to stay away, 0 where nothing was said, and where to go meanwhile. */
interface SentAway {
  readonly retryAfterMs: number;
  readonly otherServer: string | null;
}

interface Get {
  readonly places: readonly Asked[];
  readonly byAtMs: number;
}

/** Ms after which an unanswered get is asked again, and after which a silent server is given up for another. */
const ANSWER_WITHIN_MS = 1_500;
const SILENT_MS = 2_500;
const GETS_MAX = 32;
/** Ms a server must have served for its loss to be worth no pause, and the pause after one that wants us no more. */
const WORKED_MS = 3_000;
const REPLACED_PAUSE_MS = 30_000;
/** Ms a server that sends us away is left alone: no less, and no more but for the half that chance adds. */
const AWAY_MS_MIN = 5_000;
const AWAY_MS_MAX = 40_000;
/** Ms a locker that lacked what it was said to hold is left alone. */
const LOCKER_REST_MS = 5_000;

/**
 * A peer's dealings with its INS server: a follow for the live edge, batches in deadline order for what it does not bring,
 * and the choice of another server when this one is lost.
 */
export class InsFeed {
  readonly events = new Queue<InsFeedEvent>();
  server: Uint8Array | undefined;
  /** Where a follow begins: a part, or the newest that a viewer can start at. Kept up to date by the peer. */
  from = FROM_NEWEST_START;
  /** Grows with each conversation: an answer to the one before is not for this one. */
  generation = 0;
  private tracks: readonly number[] = [];
  /** The tracker's list; behind it the one that a server without room has named, as long as we are there. */
  private servers: readonly InsServerEntry[] = [];
  private named: InsServerEntry | undefined;
  /** Unix ms until which those servers are left alone that have sent us away. */
  private readonly awayUntilMs = new Map<string, number>();
  private at = -1;
  private conversation: InsConversation | undefined;
  private link: LinkId | undefined;
  private handles = 0;
  /** The running follow: its handle, the owner of the followed locker, the token it began with, the first part it brings. */
  private follow: { handle: number; owner: string; sealed: Uint8Array; from: number } | undefined;
  private followAtMs: number | undefined;
  private switchAtMs: number | undefined;
  private readonly pause = new Backoff(200, 5_000);
  private followFailures = 0;
  /** Newest part that the follow has brought, by track. */
  private readonly brought = new Map<number, number>();
  private readonly gets = new Map<number, Get>();
  private readonly asked = new Map<string, number>();
  private heardAtMs = 0;
  private upAtMs = 0;
  /** Add to our time to get the server's, by which tokens are judged. */
  private clockOffsetMs = 0;
  private readonly stream: Uint8Array;
  private readonly useFollow: boolean;
  private readonly key: Uint8Array;
  private readonly invitation: Uint8Array | undefined;
  private readonly catalogue: Catalogue;
  private readonly lockers: Lockers;
  private readonly numbers: LinkNumbers;
  private readonly prng: Prng;
  private readonly outputs: Sink<PeerOutput>;
  private readonly signRef: (conversationRef: number) => number;

  constructor(options: {
    stream: Uint8Array;
    key: Uint8Array;
    invitation: Uint8Array | undefined;
    useFollow: boolean;
    catalogue: Catalogue;
    lockers: Lockers;
    numbers: LinkNumbers;
    prng: Prng;
    outputs: Sink<PeerOutput>;
    signRef: (conversationRef: number) => number;
  }) {
    this.stream = options.stream;
    this.key = options.key;
    this.invitation = options.invitation;
    this.useFollow = options.useFollow;
    this.catalogue = options.catalogue;
    this.lockers = options.lockers;
    this.numbers = options.numbers;
    this.prng = options.prng;
    this.outputs = options.outputs;
    this.signRef = options.signRef;
  }

  get url(): string {
    return this.servers[this.at]?.url ?? '';
  }

  get up(): boolean {
    return this.server !== undefined;
  }

  /** The tracker's newest list, first choice first. A running connection to a server still on it stays. */
  setServers(servers: readonly InsServerEntry[], nowMs: number): void {
    if (servers.length === 0) return;
    const current = this.url;
    const isListed = servers.some(({ url }) => url === this.named?.url);
    if (isListed || current !== this.named?.url) this.named = undefined;
    this.servers = this.named === undefined ? servers : [...servers, this.named];
    this.at = this.servers.findIndex((server) => server.url === current);
    if (this.at < 0) this.connect(0, nowMs);
  }

  owns(link: LinkId): boolean {
    return link === this.link;
  }

  input(input: InsClientInput, nowMs: number): void {
    this.conversation?.handleInput(input, nowMs);
    this.drain(nowMs);
  }

  linkClosed(code: number, why: string, nowMs: number): void {
    this.link = undefined;
    this.input({ kind: 'closed', code, why }, nowMs);
  }

  /** A locker's token was renewed; a follow that waited for one can begin. */
  tokenChanged(old: Uint8Array | null, sealed: Uint8Array, nowMs: number): void {
    if (old !== null) this.input({ kind: 'renew', old, token: sealed }, nowMs);
    this.followAtMs ??= nowMs;
    this.sourceNamed(nowMs);
  }

  /** Which tracks to take from now on; empty is all. */
  setTracks(tracks: readonly number[], nowMs: number): void {
    this.tracks = tracks;
    this.followAnew(nowMs);
  }

  /** The source may have another locker now: a restarted source has a new key. */
  sourceNamed(nowMs: number): void {
    if (this.follow === undefined) this.startFollow(nowMs);
    else if (this.lockers.source !== undefined && this.lockers.source.owner !== this.follow.owner)
      this.followAnew(nowMs);
  }

  private followAnew(nowMs: number): void {
    const running = this.follow;
    if (running === undefined) return;
    this.follow = undefined;
    this.brought.clear();
    this.input({ kind: 'cancel', handle: running.handle }, nowMs);
    this.followAtMs = nowMs;
    this.startFollow(nowMs);
  }

  /** Hands our own new range token to those who follow our locker. */
  announceToken(sealed: Uint8Array, nowMs: number): void {
    this.input({ kind: 'range-token', token: sealed }, nowMs);
  }

  /** Whether the follow is going to bring this part of a track without being asked. */
  expects(track: number, part: number): boolean {
    if (this.follow === undefined || !this.up) return false;
    const { from } = this.follow;
    return (from === FROM_NEWEST_START || part >= from) && part > (this.brought.get(track) ?? -1);
  }

  /** Whether the follow has brought something within the time of a part and a half. */
  keepsPace(partMs: number, nowMs: number): boolean {
    return this.follow !== undefined && this.up && nowMs - this.heardAtMs < partMs * 1.5;
  }

  /** Asks for what is missing of one part of a track. `dueAtMs` orders it among the others. */
  fetch(track: number, part: number, dueAtMs: number, want: WantedBlock[], places: Asked[], nowMs: number): void {
    if (this.server === undefined || this.gets.size >= GETS_MAX) return;
    const locker = this.lockers.choose(this.server, track, part, nowMs, this.clockOffsetMs);
    if (locker === undefined) return;
    const entry = this.catalogue.get(track, part);
    const deadlineAtMs = Math.max(dueAtMs, nowMs + 500);
    const indexes = entry === undefined ? [0] : entry.bodies.keys();
    for (const index of indexes) {
      if (entry?.bodies[index] !== undefined || this.asked.has(`${track}:${part}:${index}`)) continue;
      if (want.length >= BATCH_ITEMS_MAX) return;
      const name = entry?.record.blocks[index]?.name ?? null;
      const label = name === null ? { track, part, index } : null;
      want.push({ token: locker.sealed, name, label, deadlineAtMs });
      places.push({ track, part, index, owner: locker.owner });
    }
  }

  /** Sends a batch that {@link fetch} has gathered. */
  flush(items: readonly WantedBlock[], places: readonly Asked[], nowMs: number): void {
    if (items.length === 0) return;
    const handle = ++this.handles;
    this.gets.set(handle, { places, byAtMs: nowMs + ANSWER_WITHIN_MS });
    for (const { track, part, index } of places) this.asked.set(`${track}:${part}:${index}`, handle);
    this.input({ kind: 'get', handle, keep: true, collection: this.stream, items }, nowMs);
  }

  nextDeadline(): number | undefined {
    let next = this.conversation?.nextDeadline();
    for (const get of this.gets.values()) next = earlier(next, get.byAtMs);
    next = earlier(next, this.switchAtMs);
    return this.up && this.follow === undefined ? earlier(next, this.followAtMs) : next;
  }

  timeout(nowMs: number): void {
    for (const [handle, { byAtMs }] of this.gets) {
      if (byAtMs > nowMs) continue;
      this.forget(handle);
      this.input({ kind: 'cancel', handle }, nowMs);
    }
    this.conversation?.handleTimeout(nowMs);
    this.drain(nowMs);
    if (this.switchAtMs !== undefined && this.switchAtMs <= nowMs) this.switchServer('it cannot be reached', nowMs);
    this.startFollow(nowMs);
  }

  /** The swarm has newer parts than this server brings: after a while another server is tried. */
  checkSilence(newestKnown: number, nowMs: number): void {
    if (!this.up || this.servers.length < 2 || nowMs - this.heardAtMs < SILENT_MS) return;
    if (newestKnown > this.catalogue.newest + 2) this.switchServer('nothing came for too long', nowMs);
  }

  /** Gives this server up for the next on the list. */
  switchServer(why: string, nowMs: number): void {
    this.stop(why, nowMs);
    this.connect(this.next(nowMs).at, nowMs);
  }

  /** Like {@link switchServer}, where there is another one. */
  avoid(why: string, nowMs: number): void {
    if (this.servers.length > 1) this.switchServer(why, nowMs);
  }

  /** The next server that has not sent us away, or which of them may be asked first, and when. */
  private next(nowMs: number): { readonly at: number; readonly fromMs: number } {
    const { length } = this.servers;
    let first = { at: this.at, fromMs: Number.POSITIVE_INFINITY };
    for (let step = 1; step <= length; step++) {
      const at = (this.at + step) % length;
      const fromMs = Math.max(nowMs, this.awayUntilMs.get(this.servers[at]!.url) ?? nowMs);
      if (fromMs < first.fromMs) first = { at, fromMs };
    }
    return first;
  }

  /** The server wants us elsewhere for a while: the list goes before what it names. @returns When there is one to go to. */
  private sentAway({ retryAfterMs, otherServer }: SentAway, nowMs: number): number {
    const awayMs = Math.min(Math.max(retryAfterMs, AWAY_MS_MIN), AWAY_MS_MAX) * (1 + this.prng.unit() / 2);
    for (const [url, untilMs] of this.awayUntilMs) if (untilMs <= nowMs) this.awayUntilMs.delete(url);
    this.awayUntilMs.set(this.url, nowMs + awayMs);
    const isUsable = otherServer !== null && /^wss?:\/\//.test(otherServer) && !this.awayUntilMs.has(otherServer);
    if (isUsable && this.next(nowMs).fromMs > nowMs) {
      const listed = this.servers.filter((server) => server !== this.named);
      this.named = { url: otherServer, region: '' };
      this.servers = [...listed, this.named];
    }
    return this.next(nowMs).fromMs;
  }

  stop(why: string, nowMs: number): void {
    if (this.conversation === undefined) return;
    this.hangUp(nowMs);
    this.lost(why);
  }

  /** Ends the conversation: nothing is dialled before the next one. */
  private hangUp(nowMs: number): void {
    const { conversation } = this;
    this.conversation = undefined;
    conversation?.handleInput({ kind: 'stop' }, nowMs);
    for (let output = conversation?.pollOutput(); output !== undefined; output = conversation?.pollOutput()) {
      if (output.kind === 'close') this.handle(output, nowMs);
    }
    this.link = undefined;
  }

  private connect(at: number, nowMs: number): void {
    this.stop('another server', nowMs);
    this.switchAtMs = undefined;
    this.at = at;
    this.followFailures = 0;
    const prng = this.prng.fork(`ins ${at} ${nowMs}`);
    this.generation++;
    const { url, key, invitation } = this;
    const known = invitation === undefined ? {} : { invitation };
    this.conversation = new InsConversation({ url, key, application: 'inswarm/live', prng, ...known });
    this.input({ kind: 'start' }, nowMs);
  }

  /** What was asked is asked anew on the next connection: the conversation must not ask, too. */
  private withdraw(nowMs: number): void {
    const handles = [...this.gets.keys()];
    if (this.follow !== undefined) handles.push(this.follow.handle);
    for (const handle of handles) this.conversation?.handleInput({ kind: 'cancel', handle }, nowMs);
  }

  private lost(why: string): void {
    const { server } = this;
    this.server = undefined;
    if (server !== undefined) this.events.push({ kind: 'lost', url: this.url, why, server });
    this.follow = undefined;
    this.brought.clear();
    for (const handle of [...this.gets.keys()]) this.forget(handle);
  }

  private startFollow(nowMs: number): void {
    if (!this.up || this.follow !== undefined || this.followAtMs === undefined || this.followAtMs > nowMs) return;
    // Tried now; without a token it waits for one to come.
    this.followAtMs = undefined;
    if (!this.useFollow) return;
    const source = this.lockers.source;
    if (source === undefined || source.token.expires * 1000 <= nowMs + this.clockOffsetMs) return;
    const handle = ++this.handles;
    const { stream: collection, tracks, from } = this;
    this.follow = { handle, owner: source.owner, sealed: source.sealed, from };
    this.heardAtMs = nowMs;
    this.input({ kind: 'follow', handle, keep: true, token: source.sealed, collection, tracks, from }, nowMs);
  }

  private drain(nowMs: number): void {
    const conversation = this.conversation;
    for (let output = conversation?.pollOutput(); output !== undefined; output = conversation?.pollOutput()) {
      this.handle(output, nowMs);
      // Switching servers while draining makes a new conversation, which has drained itself.
      if (this.conversation !== conversation) return;
    }
  }

  private handle(output: InsClientOutput, nowMs: number): void {
    switch (output.kind) {
      case 'dial':
        this.link = this.numbers.next();
        this.outputs.push({ kind: 'dial', link: this.link, to: 'ins', url: output.url });
        return;
      case 'send':
        if (this.link !== undefined) this.outputs.push({ kind: 'send-ins', link: this.link, message: output.message });
        return;
      case 'send-block':
        // A viewer puts nothing: its locker fills by `keep`.
        return;
      case 'close':
        if (this.link !== undefined) this.outputs.push({ ...output, link: this.link });
        return;
      case 'sign':
        this.outputs.push({ kind: 'sign', ref: this.signRef(output.ref), bytes: output.bytes });
        return;
      case 'ready':
        this.server = output.server;
        this.clockOffsetMs = output.clockOffsetMs;
        this.upAtMs = nowMs;
        this.switchAtMs = undefined;
        this.heardAtMs = nowMs;
        this.events.push({ kind: 'up', url: this.url, server: output.server, clockOffsetMs: output.clockOffsetMs });
        this.followAtMs = nowMs;
        this.startFollow(nowMs);
        return;
      case 'arrived':
        this.arrived(output, nowMs);
        return;
      case 'refused':
        this.refused(output, nowMs);
        return;
      case 'done':
        this.forget(output.handle);
        return;
      case 'renewed': {
        const owner = this.follow?.handle === output.handle ? this.lockers.get(this.follow.owner) : undefined;
        if (owner !== undefined) this.lockers.addToken(owner.token.issuer, output.token);
        return;
      }
      case 'stored':
        return;
      case 'lost': {
        this.link = undefined;
        const worked = this.up && nowMs - this.upAtMs > WORKED_MS;
        this.withdraw(nowMs);
        this.lost(output.why);
        if (output.retryAfterMs > 0 || output.otherServer !== null) {
          this.hangUp(nowMs);
          this.events.push({ kind: 'refused', why: output.why });
          this.switchAtMs = this.sentAway(output, nowMs);
          return;
        }
        // From one that worked to the next at once, or to the same again; where none does, with a growing pause between.
        if (worked) this.pause.succeed();
        else this.hangUp(nowMs);
        if (output.final && this.servers.length === 1) this.switchAtMs = nowMs + REPLACED_PAUSE_MS;
        else if (!worked) this.switchAtMs = nowMs + this.pause.fail(this.prng.unit());
        else if (this.servers.length > 1) this.switchAtMs = nowMs;
        return;
      }
    }
  }

  private arrived(output: Extract<InsClientOutput, { kind: 'arrived' }>, nowMs: number): void {
    this.heardAtMs = nowMs;
    const { handle, item, labelled, kept, body } = output;
    if (this.follow?.handle === handle && labelled !== null) {
      this.followFailures = 0;
      this.brought.set(labelled.track, Math.max(labelled.part - 1, this.brought.get(labelled.track) ?? -1));
      this.events.push({ kind: 'labelled', labelled, body, kept });
      return;
    }
    const place = this.gets.get(handle)?.places[item];
    if (place === undefined) return;
    this.asked.delete(`${place.track}:${place.part}:${place.index}`);
    if (labelled === null) this.events.push({ kind: 'block', place, body, kept });
    else if (labelled.track === place.track && labelled.part === place.part) {
      this.events.push({ kind: 'labelled', labelled, body, kept });
    }
  }

  private refused(output: Extract<InsClientOutput, { kind: 'refused' }>, nowMs: number): void {
    const { handle, item, reason, retryAfterMs } = output;
    if (this.follow?.handle === handle) {
      const { sealed, owner } = this.follow;
      this.follow = undefined;
      this.followFailures++;
      this.events.push({ kind: 'refused', why: reason });
      this.followAtMs = nowMs + Math.max(retryAfterMs, Math.min(4_000, 250 * 2 ** this.followFailures));
      const stale = reason.startsWith('TOKEN_') && this.lockers.get(owner)?.sealed === sealed;
      // The same token again would be refused again: the next one starts the follow.
      if (stale) this.followAtMs = nowMs + 1_000;
      const isBusy = reason === 'OVERLOAD' || reason === 'DRAINING';
      if (isBusy && this.sentAway(output, nowMs) <= nowMs) this.switchServer(reason, nowMs);
      else if (this.followFailures >= 4 && this.servers.length > 1) this.switchServer(reason, nowMs);
      return;
    }
    const get = this.gets.get(handle);
    if (get === undefined) return;
    if (item === null) this.forget(handle);
    else {
      const place = get.places[item];
      if (place === undefined) return;
      // Stays asked until the batch is done or its time is up: refused blocks are not asked for in a tight loop.
      if (reason === 'DEADLINE') this.asked.delete(`${place.track}:${place.part}:${place.index}`);
      else this.lockers.rest(place.owner, nowMs + LOCKER_REST_MS);
    }
  }

  private forget(handle: number): void {
    const get = this.gets.get(handle);
    if (get === undefined) return;
    this.gets.delete(handle);
    for (const { track, part, index } of get.places) {
      const id = `${track}:${part}:${index}`;
      if (this.asked.get(id) === handle) this.asked.delete(id);
    }
  }
}
