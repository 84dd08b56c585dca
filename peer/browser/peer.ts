import { LiveParts } from '../../hls/live-parts.ts';
import type { Sought } from '../../hls/live-source.ts';
import { GATHERED } from '../../hls/live-window.ts';
import { unreachable } from '../../machine/machine.ts';
import { Prng } from '../../machine/prng.ts';
import type { IndexRecord } from '../../protocol/media.ts';
import { streamIdFromText } from '../../protocol/names.ts';
import { CLOSE } from '../../protocol/reasons.ts';
import type { StreamState } from '../../protocol/swarm-fields.ts';
import { sameBytes } from '../../protocol/text.ts';
import { browserClock, nowMs } from '../../runtime/browser/clock.ts';
import { randomSeed } from '../../runtime/browser/crypto.ts';
import { type Driven, drive } from '../../runtime/drive.ts';
import type { PeerEvent, PeerInput, PeerOutput } from '../core/io.ts';
import { PeerCore } from '../core/peer.ts';
import type { MakeRenditionChoice, Quality } from '../core/rendition-choice.ts';
import { Selection } from '../core/selection.ts';
import { Arrivals } from './arrivals.ts';
import type {
  BrowserPeer,
  BrowserPeerEvent,
  BrowserPeerOptions,
  BrowserPeerStats,
  PageLiveSource,
  Screen,
} from './browser-peer.ts';
import { add, Links, noBytes } from './links.ts';
import { Listeners } from './listeners.ts';
import type { NativeSide } from './native-side.ts';
import { onScreen } from './on-screen.ts';
import type { PastSide } from './past-side.ts';
import { Rendition } from './rendition.ts';
import { Standing } from './standing.ts';
import { isThrifty, onThrift } from './thrift.ts';
import { loaded, loadNativeSide, loadQualitySide, loadTools, type Tools } from './tools.ts';
import { Wake } from './wake.ts';

/** Media with which playback begins: about what a page keeps in hand. */
const BEGIN_WITH_MS = 750;
/** How often it is looked whether the machine slept, or connections died. */
const WAKE_LOOK_MS = 500;

/** Ms after which what could not be loaded is loaded again. */
const LOAD_AGAIN_MS = 10_000;

/** Ms after the word that a stream has ended until its playlist says so: the last parts are on the way. */
const END_AFTER_MS = 3_000;

/**
 * A peer in this page.
 *
 * @throws RangeError when the stream's id is none.
 */
export function createPeer(options: BrowserPeerOptions): BrowserPeer {
  const stream = streamIdFromText(options.stream);
  if (stream === undefined)
    throw new RangeError(`"${options.stream}" is no stream id: it has 43 letters, digits, - or _`);
  return new PagePeer(options, stream);
}

class PagePeer implements BrowserPeer {
  readonly live: PageLiveSource;
  private readonly options: BrowserPeerOptions;
  private readonly stream: Uint8Array;
  private readonly parts = new LiveParts(GATHERED);
  private readonly standing = new Standing();
  private readonly arrivals = new Arrivals();
  private readonly selection = new Selection(() => this.tellSelection());
  private readonly chosen = new Rendition();
  private chooses: boolean;
  private prefers: number | undefined;
  private hasChoice = false;
  private readonly listeners = new Listeners<BrowserPeerEvent>();
  private readonly tools: Promise<Tools>;
  private readonly links: Links;
  private core: PeerCore | undefined;
  private driven: Driven<PeerInput> | undefined;
  private ready: Tools | undefined;
  private asked: 'prepare' | 'rest' | 'start' | undefined;
  private over = false;
  private trackerUp = false;
  private streamState: BrowserPeerStats['streamState'] = 'unknown';
  private streamStateWhy = '';
  private refused: string | null = null;
  private insServers = 0;
  private usefulBytes = 0;
  clockOffsetMs = 0;
  private endTimer: number | undefined;
  private readonly wake = new Wake();
  /** Loaded when a player asks for what is over. */
  private past: PastSide | undefined;
  /** What is said until then to who asks: undefined before, and again where that failed, so that it is loaded anew. */
  private pastIs: 'coming' | 'failed' | undefined;
  private wakeTimer: number | undefined;
  private leaveThrift: (() => void) | undefined;
  private readonly leave = (): void => this.close();
  private readonly look = (): void => {
    const expects = this.streamState === 'live' && navigator.onLine;
    const why = this.wake.look({ pageMs: performance.now(), wallMs: Date.now(), expects });
    if (why !== undefined) this.redial(why);
  };
  /** Connections of the network that was before are dead, most often without a word. */
  private readonly online = (): void => this.redial('the network is back');

  constructor(options: BrowserPeerOptions, stream: Uint8Array) {
    this.options = options;
    this.stream = stream;
    this.chooses = options.choosesQuality ?? false;
    const { parts, arrivals, selection } = this;
    this.live = {
      window: parts.window,
      readPart: (track, part) => parts.readPart(track, part) ?? this.past?.read(track, part),
      seek: (track, numbers) => this.seek(track, numbers),
      onChange: (listener) => parts.onChange(listener),
      wantTrack: (track) => selection.want(track, nowMs()),
      expectTrack: (track) => selection.expect(track),
      playTrack: (track, part) => {
        selection.plays(track);
        this.chosen.gave(track, part);
      },
      transferMs: (track, part) => arrivals.transferMs(track, part),
      leadsTo: (track) => this.rendition === track,
    };
    this.links = new Links({
      input: (input) => this.driven?.input(input),
      clock: (trackerMs) => {
        this.clockOffsetMs = trackerMs - nowMs();
      },
      heard: () => this.wake.heard(performance.now()),
      arrived: (track, part, bytes) => arrivals.add(track, part, bytes, performance.now()),
    });
    this.tools = loadTools(options.mode);
    // Told in `start`; until then nobody has asked for anything.
    this.tools.catch(() => {});
    window.addEventListener('pagehide', this.leave);
  }

  prepare(): void {
    this.ask('prepare');
  }

  start(): void {
    this.ask('start');
  }

  rest(): void {
    if (this.asked !== 'prepare') return;
    this.asked = 'rest';
    this.driven?.input({ kind: 'stop' });
    this.trackerUp = false;
  }

  private ask(what: 'prepare' | 'start'): void {
    if (this.over || this.asked === 'start' || this.asked === what) return;
    const isFirst = this.asked === undefined;
    this.asked = what;
    if (isFirst) {
      this.tools.then(
        (tools) => this.begin(tools),
        (error: Error) => this.fail(error.message),
      );
    } else this.driven?.input({ kind: what });
  }

  get choosesQuality(): boolean {
    return this.chooses;
  }

  set choosesQuality(chooses: boolean) {
    if (chooses === this.chooses) return;
    this.chooses = chooses;
    if (chooses) {
      this.chosen.resume();
      this.tellQuality();
    }
    this.tellSelection();
  }

  get preferred(): number | undefined {
    return this.prefers;
  }

  prefer(track: number | undefined): boolean {
    if (track !== undefined && !this.hasChoice) return false;
    this.prefers = track;
    if (this.chooses) this.tellQuality();
    return true;
  }

  get rendition(): number | undefined {
    return this.chooses ? this.chosen.next : undefined;
  }

  playing({ capturedAtMs, rate, live = false }: Screen): void {
    const place = onScreen(this.live.window, capturedAtMs);
    // What is sought in the past is fetched for the player; what is live comes as if he had stayed.
    if (place === undefined || this.parts.isPast(place.part)) return;
    this.driven?.input({ kind: 'screen', screen: { ...place, rate, live } });
    // Playback has gone on without what is missing before it.
    this.parts.giveUp(place.part);
    // The part that is wanted may be the one on screen, of which the last frame is shown, or the next one.
    if (!this.standing.tell(capturedAtMs, rate, performance.now())) return;
    this.parts.giveUp(place.part + 2);
    this.chosen.stands((track) => this.live.window.nextPart(track));
  }

  stats(): BrowserPeerStats {
    const core = this.core?.stats(nowMs());
    const wireByKind = this.links.totals();
    const wire = noBytes();
    for (const counters of Object.values(wireByKind)) add(wire, counters);
    return {
      mode: this.options.mode,
      trackerUp: this.trackerUp,
      streamState: this.streamState,
      streamStateWhy: this.streamStateWhy,
      refused: this.refused,
      ins: core?.ins ?? null,
      insServers: this.insServers,
      tracks: this.tracks(),
      bytesFrom: core?.bytesFrom ?? { ins: 0, peers: 0, source: 0 },
      usefulBytes: this.usefulBytes,
      givenBytes: core?.givenBytes ?? 0,
      bad: core?.bad ?? 0,
      wire,
      wireByKind,
      links: this.links.reports(),
      model: core ?? null,
      clockOffsetMs: this.clockOffsetMs,
      hash: this.ready?.blake3.kind ?? null,
      signatures: this.ready?.ed25519.kind ?? null,
    };
  }

  onEvent(listener: (event: BrowserPeerEvent) => void): () => void {
    return this.listeners.add(listener);
  }

  close(): void {
    if (this.over) return;
    this.over = true;
    window.removeEventListener('pagehide', this.leave);
    this.leaveThrift?.();
    window.removeEventListener('online', this.online);
    document.removeEventListener('visibilitychange', this.look);
    window.clearInterval(this.wakeTimer);
    window.clearTimeout(this.endTimer);
    this.driven?.input({ kind: 'stop' });
    this.driven?.stop();
    // The core has closed them, unless this was called while it was at work.
    this.links.closeAll(CLOSE.normal, 'leaving');
    this.trackerUp = false;
  }

  private tellQuality(): void {
    this.driven?.input({ kind: 'quality', quality: this.quality });
  }

  private get quality(): Quality {
    return this.prefers === undefined ? 'auto' : { track: this.prefers };
  }

  /** Of what the player asks for the sound is its own choice in any case. */
  private tellSelection(): void {
    const { tracks } = this.selection;
    this.driven?.input(this.chooses ? { kind: 'hear', tracks: tracks ?? [] } : { kind: 'select', tracks });
  }

  private tracks(): BrowserPeerStats['tracks'] {
    const { window } = this.parts;
    const tracks = window.description?.tracks ?? [];
    return tracks.map(({ id, name }) => {
      const next = window.nextPart(id);
      return { id, name, newestPart: next === undefined ? null : next - 1 };
    });
  }

  private begin(tools: Tools): void {
    if (this.over) return;
    const { tracker, mode, gives, follow } = this.options;
    this.ready = tools;
    this.links.peerCodec = tools.native?.codec;
    this.core = new PeerCore({
      stream: this.stream,
      key: tools.keys.publicKey,
      trackerUrl: tracker,
      mode,
      mesh: tools.native?.mesh ?? null,
      url: null,
      // In INS mode nobody but the tracker and INS servers learns where this viewer is.
      dialsNeighbours: mode !== 'ins',
      gives: (gives ?? true) && !isThrifty(),
      follow: follow ?? true,
      insServers: this.options.insServers ?? [],
      beginWithMs: BEGIN_WITH_MS,
      quality: this.chooses ? this.quality : 'all',
      prng: new Prng(randomSeed()),
    });
    this.driven = drive(this.core, (output) => this.perform(output, tools), browserClock);
    if (this.selection.tracks !== null) this.tellSelection();
    if (this.asked === 'prepare' || this.asked === 'start') this.driven.input({ kind: this.asked });
    this.wakeTimer = window.setInterval(this.look, WAKE_LOOK_MS);
    this.leaveThrift = onThrift((isThrifty) => this.driven?.input({ kind: 'give', gives: !isThrifty }));
    window.addEventListener('online', this.online);
    document.addEventListener('visibilitychange', this.look);
  }

  /** Loads what is not needed before it plays. Playback goes on meanwhile, and where it cannot be had. */
  private later<T>(load: () => Promise<T>, use: (here: T) => void, missed: 'no-neighbours' | 'no-choice'): void {
    if (this.over) return;
    load().then(use, (error: Error) => {
      if (this.over) return;
      this.listeners.tell({ kind: missed, why: error.message });
      window.setTimeout(() => this.later(load, use, missed), LOAD_AGAIN_MS);
    });
  }

  private useMesh({ mesh, codec }: NativeSide): void {
    this.links.peerCodec = codec;
    this.driven?.input({ kind: 'mesh', make: mesh });
  }

  private useChoice(make: MakeRenditionChoice): void {
    this.hasChoice = true;
    this.driven?.input({ kind: 'choice', make });
  }

  private redial(why: string): void {
    this.driven?.input({ kind: 'redial', why });
  }

  private perform(output: PeerOutput, { blake3, ed25519, keys }: Tools): void {
    const { links } = this;
    switch (output.kind) {
      case 'dial':
        links.dial(output.link, output.to, output.url);
        return;
      case 'close':
        links.close(output.link, output.code, output.why);
        return;
      case 'send-tracker':
        links.sendTracker(output.link, output.message);
        return;
      case 'send-ins':
        links.sendIns(output.link, output.message);
        return;
      case 'send-peer':
        links.sendPeer(output.link, output.message);
        return;
      case 'send-block':
        links.sendBlock(output.link, output.header, output.body as Uint8Array);
        return;
      case 'sign':
        this.answer(keys.sign(output.bytes), (signature) => ({ kind: 'signed', ref: output.ref, signature }));
        return;
      case 'verify': {
        const { key, keyHash, signed, signature, ref } = output;
        const isKey = keyHash === null || sameBytes(blake3.hashOf(key), keyHash);
        const verified = isKey ? ed25519.verify(key, signed, signature) : Promise.resolve(false);
        this.answer(verified, (ok) => ({ kind: 'verified', ref, ok }));
        return;
      }
      case 'check-name': {
        const ok = blake3.hasName(output.body as Uint8Array, output.name);
        this.driven?.input({ kind: 'named', ref: output.ref, ok });
        return;
      }
      case 'description':
        this.selection.describe(output.description);
        this.chosen.describe(output.description);
        this.parts.setDescription(output.description);
        return;
      case 'past-part':
        for (const body of output.bodies as readonly Uint8Array[]) this.usefulBytes += body.byteLength;
        this.past?.add(output.record, output.bodies as readonly Uint8Array[]);
        return;
      case 'past-none':
        if (output.isGone) this.past?.lacks(output.track, output.part);
        return;
      case 'part':
        this.reach();
        this.noteLag(output.record);
        for (const body of output.bodies as readonly Uint8Array[]) this.usefulBytes += body.byteLength;
        this.parts.add(output.record, output.bodies as readonly Uint8Array[]);
        return;
      case 'begin':
        if (output.track !== null) this.chosen.begin(output.track, output.part);
        this.parts.begin(output.part, output.track ?? undefined);
        return;
      case 'want-mesh':
        this.later(loadNativeSide, (side) => this.useMesh(side), 'no-neighbours');
        return;
      case 'want-choice':
        this.later(loadQualitySide, (make) => this.useChoice(make), 'no-choice');
        return;
      case 'event':
        this.event(output.event);
        return;
      default:
        unreachable(output);
    }
  }

  private noteLag({ capturedAtMs, durationUs }: IndexRecord): void {
    this.arrivals.whole(nowMs() - capturedAtMs - durationUs / 1_000, performance.now());
  }

  /** How far back INS servers keep the stream: playlists list that, and what a player asks for of it is fetched. */
  private reach(): void {
    const fromPart = this.core?.reachFrom;
    if (fromPart !== undefined) this.parts.reach(fromPart);
  }

  private seek(track: number, parts: readonly number[]): Sought {
    if (this.past !== undefined) return this.past.seek(track, parts);
    if (this.pastIs === undefined) void this.loadPast();
    return this.pastIs!;
  }

  /** Who waits for what is over asks again when this is loaded, and is told when it cannot be. */
  private async loadPast(): Promise<void> {
    this.pastIs = 'coming';
    try {
      const { PastSide } = await loaded('to seek back', import('./past-side.ts'));
      this.past = new PastSide(this.parts, (input) => this.driven?.input(input));
    } catch (error) {
      this.pastIs = 'failed';
      if (!this.over) this.listeners.tell({ kind: 'no-past', why: (error as Error).message });
    }
    this.parts.changed();
    this.pastIs = undefined;
  }

  private answer<T>(promise: Promise<T>, input: (value: T) => PeerInput): void {
    promise.then(
      (value) => this.driven?.input(input(value)),
      (error: Error) => this.fail(error.message),
    );
  }

  private event(event: PeerEvent): void {
    switch (event.kind) {
      case 'started':
      case 'freeze':
      case 'resumed':
      case 'missed':
      case 'skipped':
        // Of the model in the core; what is on screen, the video element knows.
        return;
      case 'joined':
        this.trackerUp = true;
        this.refused = null;
        this.insServers = event.insServers;
        break;
      case 'tracker-lost':
        this.trackerUp = false;
        break;
      case 'refused':
        if (event.by === 'tracker') this.refused = event.why;
        break;
      case 'stream-state':
        this.setStreamState(event.state, event.why);
        break;
    }
    this.listeners.tell(event);
  }

  private setStreamState(state: StreamState, why: string): void {
    this.streamState = state;
    this.streamStateWhy = why;
    window.clearTimeout(this.endTimer);
    if (state === 'ended') this.endTimer = window.setTimeout(() => this.parts.end(), END_AFTER_MS);
  }

  private fail(why: string): void {
    this.listeners.tell({ kind: 'failed', why });
    this.close();
  }
}
