import type { PlayerOptions } from '../../machine/player.ts';
import type { Prng } from '../../machine/prng.ts';
import type { decodeRecord } from '../../protocol/records.ts';
import type { InsServerEntry, Mode } from '../../protocol/swarm-fields.ts';
import type { MakeMesh } from './mesh.ts';
import type { MakeRenditionChoice, Quality } from './rendition-choice.ts';

/** What a peer is told when it is made. */
export interface PeerOptions {
  readonly stream: Uint8Array;
  /** The peer's own Ed25519 key, new for every instance: its name in the swarm and its account at the INS server. */
  readonly key: Uint8Array;
  readonly trackerUrl: string;
  readonly mode: Mode;
  /** Where neighbours can dial us (a full address, or `:PORT` for the tracker to complete); null for browsers. */
  readonly url: string | null;
  readonly region?: string | null;
  /**
   * INS servers that the viewer was told of on an earlier visit, first choice first: one is dialled while the join is under way, so that
   * the first request leaves with the join's answer. The tracker's list, when it comes, is what counts.
   */
  readonly insServers?: readonly InsServerEntry[];
  /** A provider's, for INS servers that keep blocks only for those who are invited. */
  readonly invitation?: Uint8Array;
  /**
   * Dial the neighbours that the tracker names; default true. A browser in INS mode does not: it takes no block from them,
   * and they would see its address.
   */
  readonly dialsNeighbours?: boolean;
  /**
   * Its side towards neighbours. Null: a viewer that INS servers alone feed, as long as no input brings one (`mesh`); whoever dials it is
   * turned away. Comparisons without range tokens need it from the beginning.
   */
  readonly mesh: MakeMesh | null;
  /** Give blocks to neighbours (native and hybrid mode). */
  readonly gives?: boolean;
  /** Bits per second given to neighbours at most; as much as the uplink carries by default. */
  readonly uploadBpsMax?: number;
  /** Which rendition is taken, where no player selects; all by default. */
  readonly quality?: Quality;
  /** What chooses among renditions. Left out: an input brings it (`choice`) once it plays; until then any quality but `all` is the least. */
  readonly choice?: MakeRenditionChoice;
  /** Let the INS server send the live edge unasked; false is the drafts' own way. */
  readonly follow?: boolean;
  /**
   * For comparisons with what the drafts began with. `rangeTokens: false`: no token that rides on a bitmap is used; a neighbour that
   * has a block is asked for a token for it. `batches: false`: one block is asked for at a time on a connection. `insConnections`:
   * connections to the INS server over which blocks are asked for (M; the server has to allow so many). Default true, true, 1.
   */
  readonly rangeTokens?: boolean;
  readonly batches?: boolean;
  readonly insConnections?: number;
  /** Have neighbours push blocks along lanes; false: each block is asked for. Default true. */
  readonly lanes?: boolean;
  /**
   * Media from the first part on with which a viewer begins that an INS server feeds, in ms: by the mode, as the player model keeps it
   * in hand. A real player that keeps less would only skip it.
   */
  readonly beginWithMs?: number;
  /** Parts kept in memory for neighbours and for going back. */
  readonly windowParts?: number;
  readonly player?: PlayerOptions;
  /** Takes index records apart; where many peers share one process, one that remembers what it has read. */
  readonly readRecord?: typeof decodeRecord;
  readonly prng: Prng;
}
