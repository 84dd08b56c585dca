import type { LiveSource } from '../../hls/live-source.ts';
import type { PlayerEvent } from '../../machine/player.ts';
import type { InsServerEntry, Mode, StreamState } from '../../protocol/swarm-fields.ts';
import type { Ed25519 } from '../../runtime/browser/crypto.ts';
import type { Blake3 } from '../../runtime/browser/hash.ts';
import type { LinkCounters } from '../../runtime/browser/ws-link.ts';
import type { BytesFrom, PeerEvent } from '../core/io.ts';
import type { PeerStats } from '../core/peer-stats.ts';
import type { LinkReport, LinkTo } from './links.ts';

export interface BrowserPeerOptions {
  /** WebSocket address of the tracker. */
  readonly tracker: string;
  /** The stream's id: 43 characters of base64url. */
  readonly stream: string;
  readonly mode: Mode;
  /**
   * Give blocks to headless peers that this one has dialled (native and hybrid mode). Default true; never where the viewer saves data,
   * or pays for it (Data Saver, `prefers-reduced-data`, a cellular network), as far as the browser says.
   */
  readonly gives?: boolean;
  /** Let the INS server send the live edge unasked; false is the drafts' own way. Default true. */
  readonly follow?: boolean;
  /** Choose the rendition here, by what the line carries, instead of taking what a player asks for. Default false. */
  readonly choosesQuality?: boolean;
  /** INS servers known from an earlier visit, first choice first: one is dialled while the join is under way. */
  readonly insServers?: readonly InsServerEntry[];
}

/** What happens to a peer in a page. How the picture does is for the player to tell. */
export type BrowserPeerEvent =
  | Exclude<PeerEvent, PlayerEvent>
  /** This browser cannot be a peer; nothing more will come. */
  | { readonly kind: 'failed'; readonly why: string }
  /** What it takes to ask neighbours could not be loaded: INS servers alone feed this peer until it is, which is tried again and again. */
  | { readonly kind: 'no-neighbours'; readonly why: string }
  /** What it takes to choose among renditions could not be loaded: what is taken stays as it is until it is, which is tried again and again. */
  | { readonly kind: 'no-choice'; readonly why: string }
  /** What it takes to seek back beyond the window could not be loaded: that is tried again when a player asks again. */
  | { readonly kind: 'no-past'; readonly why: string };

export interface BrowserPeerStats {
  readonly mode: Mode;
  readonly trackerUp: boolean;
  /** `unknown` until the tracker has said. */
  readonly streamState: StreamState | 'unknown';
  readonly streamStateWhy: string;
  /** Why the tracker does not take this peer in; null when it has, or has not said. */
  readonly refused: string | null;
  /** Address of the INS server in use; null for none. */
  readonly ins: string | null;
  /** INS servers that the tracker has named. */
  readonly insServers: number;
  /** Block bytes taken, by where they came from. */
  readonly bytesFrom: Readonly<Record<BytesFrom, number>>;
  /** The stream's tracks, and the newest part that is here of each; null where there is none. */
  readonly tracks: readonly { readonly id: number; readonly name: string; readonly newestPart: number | null }[];
  /** Block bytes of the parts that the player was given. */
  readonly usefulBytes: number;
  /** Block bytes given to neighbours. */
  readonly givenBytes: number;
  /** Blocks and records that were not what they should be, and were dropped. */
  readonly bad: number;
  /** Bytes on the wire over all connections there were. */
  readonly wire: Readonly<LinkCounters>;
  readonly wireByKind: Readonly<Record<LinkTo, Readonly<LinkCounters>>>;
  readonly links: readonly LinkReport[];
  /** What the core says, whose player model plays the same parts as the page; null before {@link BrowserPeer.start}. */
  readonly model: PeerStats | null;
  /** What to add to this page's clock to have the tracker's, in ms; 0 until it is known. */
  readonly clockOffsetMs: number;
  /** How hashes are made here; null until it is known. */
  readonly hash: Blake3['kind'] | null;
  readonly signatures: Ed25519['kind'] | null;
}

/** A live source that knows how its bytes came. */
export interface PageLiveSource extends LiveSource {
  /** Ms between the first and the last byte of a part on the way here; undefined when nobody can know. */
  transferMs(track: number, part: number): number | undefined;
  /** See {@link BrowserPeer.rendition}. */
  leadsTo(track: number): boolean;
}

export interface BrowserPeer {
  /** The stream's parts as they come, for a player. */
  readonly live: PageLiveSource;
  /** What to add to this page's clock to have the tracker's, in ms; 0 until it is known. */
  readonly clockOffsetMs: number;
  /**
   * The viewer may press play soon: joins and dials an INS server, so that {@link start} can ask for media at once. Nothing is taken
   * and no neighbour is dialled, so no viewer learns of it; the tracker counts a viewer.
   */
  prepare(): void;
  /** Takes {@link prepare} back: leaves until one of the two is called. Does nothing after {@link start}. */
  rest(): void;
  /** The viewer pressed play: join, fetch. Loading what it takes begins earlier, with {@link createPeer}. */
  start(): void;
  /** Whether the rendition is chosen here (see {@link BrowserPeerOptions.choosesQuality}) or by the player. */
  choosesQuality: boolean;
  /** The track that {@link prefer} has named last. */
  readonly preferred: number | undefined;
  /**
   * Takes the rendition that a viewer wants, where it is chosen here: the player is led to it at a segment behind all that it has, so that
   * nothing is loaded twice. Undefined, as it is first: whatever the line carries.
   *
   * @returns False where it cannot be chosen here, as what does that is not loaded (yet).
   */
  prefer(track: number | undefined): boolean;
  /** The track of the rendition that the player is to load next, where it is chosen here; undefined where there is no choice. */
  readonly rendition: number | undefined;
  /** Tells what is on screen, so that fetching follows the real picture. Wanted several times a second. */
  playing(screen: Screen): void;
  stats(): BrowserPeerStats;
  /** Calls for every event; gives back what ends that. */
  onEvent(listener: (event: BrowserPeerEvent) => void): () => void;
  /** Leaves: connections are closed, timers cleared. Also happens by itself when the page goes away. */
  close(): void;
}

export interface Screen {
  /** Unix ms, by the stream's own clock (EXT-X-PROGRAM-DATE-TIME), of the frame on screen. */
  readonly capturedAtMs: number;
  /** How fast it plays; 0 when it stands. */
  readonly rate: number;
  /** The viewer follows the live edge: after an outage what is over need not be fetched. Default false. */
  readonly live?: boolean;
}
