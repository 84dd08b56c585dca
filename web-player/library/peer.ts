import Hls, { Events, type HlsConfig, type Loader, type LoaderContext } from 'hls.js';
import type { BrowserPeer } from '../../peer/browser/browser-peer.ts';
import { Listeners } from '../../peer/browser/listeners.ts';
import { createPeer as createPagePeer } from '../../peer/browser/peer.ts';
import type { Mode } from '../../protocol/swarm-fields.ts';
import { createEitherLoader } from '../loader/either-loader.ts';
import { createLedAbr } from '../loader/led-abr.ts';
import { playerConfig, START_BUFFER_MS } from '../loader/player-config.ts';
import { createSwarmLoader, SWARM_URL } from '../loader/swarm-loader.ts';
import type { SessionEvent } from '../playback/events.ts';
import { Session, type SessionOptions, type SessionStats } from '../playback/session.ts';

export type { BrowserPeerStats } from '../../peer/browser/browser-peer.ts';
export type { ErrorCode, Phase, PlayedFrom, SessionEvent } from '../playback/events.ts';
export type { Mode };
export { Session, type SessionStats };

export interface PeerOptions {
  /** WebSocket address of the tracker, as in `wss://tracker.example/`. */
  readonly tracker: string;
  /** The stream's id: 43 characters of base64url. */
  readonly stream: string;
  /** Where blocks may come from; `hybrid` by default. In `ins` no viewer learns another's address. */
  readonly mode?: Mode;
  /** `off` gives no block to other peers (native and hybrid mode). Default `on`. */
  readonly upload?: 'on' | 'off';
  /** Live latency that is aimed at, from the camera to the screen, in ms: 500 to 30,000. */
  readonly targetLatencyMs?: number;
  /**
   * Where the stream is to be had as plain HLS, played while nothing comes out of the swarm: an address, or `auto` for the one that the
   * tracker knows. Default `off`: the source then sees the viewer's address, and sends what the swarm saves it. An hls.js of your own
   * that is attached ({@link InswarmPeer.attach}) is told to load that address, and the swarm's again.
   */
  readonly fallback?: string;
}

/** What one kind of event brings. */
export type EventOf<K extends SessionEvent['kind']> = Extract<SessionEvent, { readonly kind: K }>;

/** Whether this browser can play: it has Media Source Extensions. Where it has none, give it the source's plain HLS address. */
export function isSupported(): boolean {
  return Hls.isSupported();
}

/**
 * A peer for an hls.js of your own. It joins when hls.js loads the manifest, and takes media when hls.js asks for it.
 *
 * ```js
 * const peer = createPeer({ tracker, stream });
 * const hls = new Hls(hlsConfigFor(peer));
 * hls.loadSource(peer.src);
 * hls.attachMedia(video);
 * peer.attach(hls);
 * ```
 *
 * @throws RangeError when the stream's id is none.
 */
export function createPeer(options: PeerOptions): InswarmPeer {
  return new InswarmPeer(options);
}

/** A peer in this page, and what hls.js plays of what it takes. */
export class InswarmPeer {
  /** What hls.js is told to load. No such host exists, and none is asked. */
  readonly src = SWARM_URL;
  /** @internal */
  readonly peer: BrowserPeer;
  private readonly options: PeerOptions;
  private readonly listeners = new Listeners<SessionEvent>();
  private readonly endings = new Set<() => void>();
  private current: Session | undefined;

  constructor(options: PeerOptions) {
    this.options = options;
    this.peer = createPagePeer(inside(options));
  }

  /**
   * Watches over an hls.js that was made with {@link hlsConfigFor}: keeps it near live, brings it back from errors, tells the peer
   * what is on screen, and tells events. Without it hls.js plays, and drifts. Ends when hls.js is destroyed. A second hls.js
   * takes the place of the first.
   *
   * @returns The peer itself.
   */
  attach(hls: Hls): this {
    this.detach();
    const attached = (video: HTMLMediaElement): void => this.watch(hls, video as HTMLVideoElement);
    const later = (): void => {
      if (hls.media !== null) attached(hls.media);
    };
    const end = (): void => this.detach();
    if (hls.media === null) hls.once(Events.MEDIA_ATTACHED, later);
    else attached(hls.media);
    hls.once(Events.DESTROYING, end);
    this.endings.add(() => {
      hls.off(Events.MEDIA_ATTACHED, later);
      hls.off(Events.DESTROYING, end);
    });
    return this;
  }

  /** Joins now, so that the first picture comes sooner when the viewer presses play. Takes no media. */
  prepare(): void {
    this.peer.prepare();
  }

  /** Calls for every event of one kind; gives back what ends that. */
  on<K extends SessionEvent['kind']>(kind: K, listener: (event: EventOf<K>) => void): () => void {
    return this.listeners.add((event) => {
      if (event.kind === kind) listener(event as EventOf<K>);
    });
  }

  /** What watches over playback and has all figures; undefined before {@link attach}, and before a video element is attached to hls.js. */
  get session(): Session | undefined {
    return this.current;
  }

  /** All figures; undefined while there is no {@link session}. */
  stats(): SessionStats | undefined {
    return this.current?.stats();
  }

  /** Leaves the swarm. It cannot be used again; hls.js is yours to destroy. */
  close(): void {
    this.detach();
    this.peer.close();
    this.listeners.clear();
  }

  private watch(hls: Hls, video: HTMLVideoElement): void {
    const session = new Session(video, inside(this.options), { peer: this.peer, hls });
    this.current = session;
    this.endings.add(session.onEvent((event) => this.listeners.tell(event)));
  }

  private detach(): void {
    for (const end of this.endings) end();
    this.endings.clear();
    this.current?.release();
    this.current = undefined;
  }
}

/**
 * The options of hls.js with which it plays from a peer: {@link InswarmLoader}, an automatic choice of the rendition that follows the
 * peer, which sees sooner what the line carries, and what keeps it near live. Your own go behind: `{ ...hlsConfigFor(peer), … }`.
 */
export function hlsConfigFor(peer: InswarmPeer): Partial<HlsConfig> {
  const abrController = createLedAbr(peer.peer);
  return { ...playerConfig(peer.peer.live.window), loader: InswarmLoader.for(peer), abrController };
}

/** The loader for hls.js (its `loader` option) that answers from a peer instead of a server; what is not the peer's it leaves to hls.js. */
export const InswarmLoader = {
  /** A class for one hls.js. It joins with the manifest and takes media with the first playlist of a track. */
  for(peer: InswarmPeer): new (config: HlsConfig) => Loader<LoaderContext> {
    const { live } = peer.peer;
    const begins = {
      ...live,
      wantTrack: (track: number) => {
        peer.peer.start();
        live.wantTrack?.(track);
      },
    };
    const SwarmLoader = createSwarmLoader(begins, { startEarlyMs: START_BUFFER_MS });
    return class extends createEitherLoader(SwarmLoader) {
      constructor(config: HlsConfig) {
        super(config);
        peer.prepare();
      }
    };
  },
};

/**
 * Plays a stream on a video element of yours with an hls.js of this library; the session's `hls` is that one. The element's
 * own controls, or your player's, work: media is taken when it is made to play. It plays at once with the element's `autoplay`; else it
 * joins at once, so that playing begins sooner, unless the element has `preload="none"`.
 *
 * @throws RangeError when the stream's id is none.
 * @throws Error where nothing can be played: ask {@link isSupported} before.
 */
export function createPlayer(video: HTMLVideoElement, options: PeerOptions): Session {
  if (!isSupported()) {
    throw new Error(
      'This browser has no Media Source Extensions: give it the plain HLS address of the stream instead.',
    );
  }
  const session = new Session(video, inside(options));
  if (video.autoplay) void session.play();
  else if (video.preload !== 'none') session.prepare();
  return session;
}

function inside({ mode = 'hybrid', upload = 'on', ...rest }: PeerOptions): SessionOptions {
  return { ...rest, mode, gives: upload !== 'off' };
}
