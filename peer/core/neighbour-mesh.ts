import { earlier } from '../../machine/deadlines.ts';
import { type Body, type LinkId, Queue } from '../../machine/machine.ts';
import type { BlockHeader } from '../../protocol/frames.ts';
import { PUSHED } from '../../protocol/limits.ts';
import type { PeerMessage } from '../../protocol/peer-messages.ts';
import { CLOSE } from '../../protocol/reasons.ts';
import type { Mode, NeighbourEntry } from '../../protocol/swarm-fields.ts';
import { bytesKey, toBase64Url } from '../../protocol/text.ts';
import type { PartEntry } from '../../swarm/catalogue.ts';
import { Neighbourhood } from '../../swarm/neighbourhood.ts';
import type { Neighbour } from '../../swarm/neighbours.ts';
import { BlockTokens } from './block-tokens.ts';
import { Candidates } from './candidates.ts';
import { ClaimedTokens } from './claimed-tokens.ts';
import { Feeding } from './feeding.ts';
import type { Origin } from './intake.ts';
import type { Given, Lacking, MakeMesh, Mesh, MeshEvent, MeshParts } from './mesh.ts';
import { NativeFeed } from './native-feed.ts';
import type { Bounded } from './peer-stats.ts';
import { PushFeed } from './push-feed.ts';
import { StartPosition } from './start-position.ts';

const NEIGHBOURS_WANTED = { ins: 4, native: 12, hybrid: 12 } as const;
const NEIGHBOURS_ACCEPTED_MAX = 24;
const MORE_EVERY_MS = 5_000;
/** Neighbours below which more are asked for, and none is given up. */
const FEEDERS_MIN = 4;

/** Makes a peer's side towards its neighbours: the only way in to all that peers give to and ask of one another. */
export const neighbourMesh: MakeMesh = (parts) => new NeighbourMesh(parts);

class NeighbourMesh implements Mesh {
  readonly events = new Queue<MeshEvent>();
  readonly feeding: Feeding;
  readonly blockTokens: BlockTokens | undefined;
  private readonly parts: MeshParts;
  private readonly mode: Mode;
  private readonly neighbourhood: Neighbourhood;
  private readonly candidates = new Candidates();
  private readonly claimed: ClaimedTokens;
  private readonly native: NativeFeed;
  private readonly push: PushFeed;
  private readonly start: StartPosition;
  /** Links we dialled, open or not, and to whom. */
  private readonly dialled = new Map<LinkId, string>();
  private moreAtMs = 0;

  constructor(parts: MeshParts) {
    this.parts = parts;
    const { options, catalogue, outputs, nextRef, availability, token } = parts;
    const { stream, key, mode, url, prng, uploadBpsMax } = options;
    this.mode = mode;
    const gives = (options.gives ?? true) && mode !== 'ins';
    this.neighbourhood = new Neighbourhood({
      self: { stream, key, mode, source: false, gives, url },
      catalogue,
      acceptedMax: NEIGHBOURS_ACCEPTED_MAX,
      uploadBpsMax,
      outputs,
      availability,
      token,
    });
    const { neighbours, pushing } = this.neighbourhood;
    this.claimed = new ClaimedTokens(outputs, nextRef);
    this.push = new PushFeed(neighbours, pushing, prng.fork('push'), outputs);
    this.native = new NativeFeed(neighbours, this.push, prng.fork('native'), outputs);
    this.start = new StartPosition(catalogue, neighbours);
    this.feeding = new Feeding(prng.fork('feeding'));
    if (options.rangeTokens === false) this.blockTokens = new BlockTokens(neighbours, prng.fork('tokens'), outputs);
  }

  get size(): number {
    return this.neighbourhood.neighbours.size;
  }

  get givenBytes(): number {
    return this.neighbourhood.serving.givenBytes;
  }

  get uploadBps(): number {
    return this.neighbourhood.uploadBps;
  }

  get newestPart(): number {
    return this.neighbourhood.neighbours.newestPart;
  }

  get isPushed(): boolean {
    return this.push.fed > 0;
  }

  sizes(): Record<string, Bounded> {
    const wanted = NEIGHBOURS_WANTED[this.mode];
    return {
      neighbours: { size: this.size, max: NEIGHBOURS_ACCEPTED_MAX + wanted + 1 },
      'links dialled': { size: this.dialled.size, max: 2 * wanted },
      'tokens under verification': { size: this.claimed.size, max: this.claimed.max },
    };
  }

  nextDeadline(): number | undefined {
    const next = earlier(this.neighbourhood.nextDeadline(), this.native.nextDeadline());
    return earlier(earlier(next, this.push.nextDeadline()), this.blockTokens?.nextDeadline());
  }

  timeout(nowMs: number): void {
    this.native.timeout(nowMs);
    this.push.timeout(nowMs);
    this.blockTokens?.timeout(nowMs);
    this.neighbourhood.timeout(nowMs);
  }

  opened(link: LinkId, nowMs: number): boolean {
    if (!this.dialled.has(link)) return false;
    this.neighbourhood.neighbours.opened(link, true, nowMs);
    return true;
  }

  accepted(link: LinkId, nowMs: number): void {
    this.neighbourhood.neighbours.opened(link, false, nowMs);
  }

  closed(link: LinkId, nowMs: number): void {
    const id = this.neighbourhood.closed(link, nowMs)?.id ?? this.dialled.get(link);
    this.dialled.delete(link);
    if (id !== undefined) this.candidates.closed(id, nowMs);
    this.native.closed(link);
    this.blockTokens?.closed(link);
    this.push.closed(link, nowMs);
  }

  message(link: LinkId, message: PeerMessage, nowMs: number): void {
    const { neighbourhood } = this;
    if (message.type === 'hello') {
      const banned = this.candidates.banned(bytesKey(message.key), nowMs);
      if (banned) this.close(link, CLOSE.policy, 'not welcome');
      else neighbourhood.greet(link, message);
      return;
    }
    const neighbour = neighbourhood.neighbours.get(link);
    if (neighbour === undefined || neighbourhood.peerMessage(neighbour, message, nowMs)) return;
    this.told(neighbour, message, nowMs);
  }

  private told(neighbour: Neighbour, message: PeerMessage, nowMs: number): void {
    const { link } = neighbour;
    switch (message.type) {
      case 'bitmap':
        if (message.token !== null && this.blockTokens === undefined) this.claim(neighbour, message.token);
        this.parts.lockers.get(neighbour.id)?.availability.replace(message.availability);
        return;
      case 'records':
        for (const sealed of message.records) this.events.push({ kind: 'record', sealed, origin: originOf(neighbour) });
        return;
      case 'refused':
        this.native.refused(link, message.request, message.retryAfterMs, nowMs);
        return;
      case 'token':
        if (this.blockTokens !== undefined) this.blockTokens.granted(neighbour, message.token);
        else this.claim(neighbour, message.token);
        return;
      case 'lanes':
        if (neighbour.gives && this.parts.options.lanes !== false)
          this.push.offered(link, message.depths, message.free, nowMs);
        return;
      case 'subscribed':
        // Its pushes begin with what it has not announced yet.
        this.push.granted(
          link,
          message.lanes,
          Math.max(this.parts.catalogue.newest, neighbour.availability.newest),
          nowMs,
        );
        return;
      case 'description':
        this.events.push({ kind: 'description', sealed: message.description });
        return;
      case 'stream-state': {
        // A hello proves no key; who answers at the address that the tracker gave for the source's key is the source.
        if (this.dialled.get(link) !== neighbour.id) return;
        const { state, why } = message;
        this.events.push({ kind: 'stream-state', key: neighbour.key, state, why });
        return;
      }
      default:
        // The rest is the neighbourhood's.
        return;
    }
  }

  private claim({ id, key }: Neighbour, sealed: Uint8Array): void {
    this.claimed.offer(key, sealed, this.parts.lockers.get(id)?.sealed);
  }

  verified(ref: number, ok: boolean): boolean {
    const token = this.claimed.verified(ref);
    if (token !== undefined && ok) this.events.push({ kind: 'token', ...token });
    return token !== undefined;
  }

  block(link: LinkId, { request, labelled }: BlockHeader, body: Body, nowMs: number): Given | undefined {
    const neighbour = this.neighbourhood.neighbours.get(link);
    if (neighbour === undefined) return undefined;
    const origin = originOf(neighbour);
    if (labelled === null) return { origin, labelled };
    const { track, part, index } = labelled;
    // What was neither asked for nor subscribed to is not taken: in INS mode that is everything.
    const isWanted = this.push.takes(link, track, part, index, nowMs) || this.native.awaits(link, track, part, index);
    const isPushed = request === PUSHED && isWanted;
    if (!isPushed && !this.native.asked(link, request)) return { origin, labelled: null };
    neighbour.availability.addBlock(track, part, index);
    this.neighbourhood.serving.received(link, body.byteLength, nowMs);
    return { origin, labelled };
  }

  sent(link: LinkId, bytes: number, nowMs: number): void {
    this.neighbourhood.serving.sent(link, bytes, nowMs);
  }

  originOf(link: LinkId): Origin | undefined {
    const neighbour = this.neighbourhood.neighbours.get(link);
    return neighbour === undefined ? undefined : originOf(neighbour);
  }

  strike({ from, link }: Origin, track: number, part: number, nowMs: number): void {
    this.native.failed(track, part, nowMs);
    const neighbour = from === 'ins' ? undefined : this.neighbourhood.neighbours.get(link);
    if (neighbour !== undefined && this.candidates.strike(neighbour.id, nowMs))
      this.close(link, CLOSE.policy, 'sent wrong blocks');
  }

  introduce(entry: NeighbourEntry): void {
    this.candidates.add(entry);
    if (entry.source && entry.url === null) this.leaveSource(bytesKey(entry.peer));
  }

  /** Our place at the source is another's now, who can pass on more; we have others to take from. */
  private leaveSource(id: string): void {
    if (this.size <= FEEDERS_MIN) return;
    for (const [link, dialled] of this.dialled) {
      if (dialled === id) this.close(link, CLOSE.normal, 'the place is for another');
    }
  }

  forget(id: string): void {
    this.candidates.remove(id);
  }

  dial(nowMs: number): void {
    const { options, tracker, numbers, outputs } = this.parts;
    const { neighbours } = this.neighbourhood;
    if (options.dialsNeighbours === false) return;
    const offersSource = this.candidates.offersSource(nowMs);
    if (neighbours.size >= NEIGHBOURS_WANTED[this.mode] && !offersSource) return;
    let opening = 0;
    for (const link of this.dialled.keys()) if (neighbours.get(link) === undefined) opening++;
    const wanted = NEIGHBOURS_WANTED[this.mode] - neighbours.size - opening;
    if (wanted <= 0 && !offersSource) return;
    const taken = this.candidates.take(Math.max(0, wanted), (id) => neighbours.knows(id), options.prng, nowMs);
    for (const { id, url } of taken) {
      const link = numbers.next();
      this.dialled.set(link, id);
      outputs.push({ kind: 'dial', link, to: 'peer', url });
    }
    if (taken.length > 0 || neighbours.size >= FEEDERS_MIN || this.moreAtMs > nowMs || !tracker.up) return;
    this.moreAtMs = nowMs + MORE_EVERY_MS;
    tracker.send({ type: 'more', count: 16, known: this.candidates.ids() });
  }

  redial(why: string, nowMs: number): void {
    for (const link of [...this.dialled.keys()]) {
      this.close(link, CLOSE.goingAway, why);
      this.closed(link, nowMs);
    }
    this.candidates.redial(nowMs);
  }

  leave(why: string): void {
    this.neighbourhood.leave(why);
  }

  give(gives: boolean, nowMs: number): void {
    this.neighbourhood.give(gives, nowMs);
  }

  setToken(token: Uint8Array, nowMs: number): void {
    this.neighbourhood.announcer.setToken(token, nowMs);
  }

  recorded(entry: PartEntry): void {
    this.neighbourhood.pushing.recorded(entry);
  }

  came(entry: PartEntry, index: number, { from, link }: Origin, nowMs: number): void {
    const { track, part } = entry.record;
    const asked = this.native.have(track, part, index, link, nowMs);
    this.push.came(from === 'ins' ? undefined : link, !asked, track, part, index, nowMs);
    this.neighbourhood.pushing.block(entry, index, this.parts.catalogue.newest, nowMs);
  }

  announce(track: number, part: number, nowMs: number): void {
    this.neighbourhood.announcer.add(track, part, nowMs);
  }

  announceBlock(track: number, part: number, index: number, nowMs: number): void {
    this.neighbourhood.announcer.addBlock(track, part, index, nowMs);
  }

  startAt(track: number, partsPerSegment: number, partMs: number, nowMs: number): number {
    return this.start.choose(track, partsPerSegment, partMs, nowMs);
  }

  seeks(track: number, part: number, entry: PartEntry | undefined): boolean {
    return this.native.seeks(track, part, entry);
  }

  fetch(lacking: readonly Lacking[], nowMs: number): void {
    this.native.fetch(lacking, this.parts.catalogue, nowMs);
  }

  wantPushes(wanted: boolean, tracks: readonly number[] | null): void {
    this.push.want(wanted, tracks);
  }

  fedByIns(isFed: boolean, nowMs: number): void {
    this.push.fedByIns(isFed, nowMs);
  }

  private close(link: LinkId, code: number, why: string): void {
    this.parts.outputs.push({ kind: 'close', link, code, why });
  }
}

const origins = new WeakMap<Neighbour, Origin>();

function originOf(neighbour: Neighbour): Origin {
  let origin = origins.get(neighbour);
  if (origin === undefined) {
    const who = `peer ${toBase64Url(neighbour.key).slice(0, 12)}${neighbour.url === null ? '' : ` at ${neighbour.url}`}`;
    origin = { from: neighbour.source ? 'source' : 'peers', link: neighbour.link, who };
    origins.set(neighbour, origin);
  }
  return origin;
}
