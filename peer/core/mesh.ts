import type { Body, LinkId, Queue, Sink } from '../../machine/machine.ts';
import type { Bitmap } from '../../protocol/bitmap.ts';
import type { BlockHeader, Labelled } from '../../protocol/frames.ts';
import type { PeerMessage } from '../../protocol/peer-messages.ts';
import type { NeighbourEntry, StreamState } from '../../protocol/swarm-fields.ts';
import type { Catalogue, PartEntry } from '../../swarm/catalogue.ts';
import type { LinkNumbers } from '../../swarm/io.ts';
import type { TrackerSession } from '../../swarm/tracker-session.ts';
import type { BlockGrants } from './block-tokens.ts';
import type { Feeding } from './feeding.ts';
import type { Origin } from './intake.ts';
import type { PeerOutput } from './io.ts';
import type { Lockers } from './lockers.ts';
import type { PeerOptions } from './peer-options.ts';
import type { Bounded } from './peer-stats.ts';

/** One part of one track that is not whole. */
export interface Lacking {
  readonly track: number;
  readonly part: number;
  /** When it is due on screen. */
  readonly dueAtMs: number;
}

/** What neighbours have said that is for others than the mesh. */
export type MeshEvent =
  | { readonly kind: 'record'; readonly sealed: Uint8Array; readonly origin: Origin }
  | { readonly kind: 'description'; readonly sealed: Uint8Array }
  /** A range token, and its owner has signed it. */
  | { readonly kind: 'token'; readonly owner: Uint8Array; readonly sealed: Uint8Array }
  /** Who is at the address that the tracker gave for this key says so. */
  | { readonly kind: 'stream-state'; readonly key: Uint8Array; readonly state: StreamState; readonly why: string };

/** A block that came from a neighbour: `labelled` is null where it was not asked for, nor subscribed to. */
export interface Given {
  readonly origin: Origin;
  readonly labelled: Labelled | null;
}

/** What a mesh is made with; nothing else of the peer is known to it. */
export interface MeshParts {
  readonly options: PeerOptions;
  readonly catalogue: Catalogue;
  readonly lockers: Lockers;
  readonly tracker: Pick<TrackerSession, 'up' | 'send'>;
  readonly numbers: LinkNumbers;
  readonly outputs: Sink<PeerOutput>;
  /** Numbers for what is to be verified, each given once. */
  readonly nextRef: () => number;
  /** What we can give, as bitmaps. */
  readonly availability: () => Bitmap[];
  /** Our newest range token; null before the first. */
  readonly token: () => Uint8Array | null;
}

/** Makes a mesh: what has the code gives it to a peer. */
export type MakeMesh = (parts: MeshParts) => Mesh;

/**
 * A peer's side towards its neighbours: whom it dials, what it tells them and gives them, what it asks them for. The peer decides what it
 * lacks and verifies what comes; the mesh decides of whom to ask it. A peer without one is a viewer that INS servers alone feed.
 */
export interface Mesh {
  readonly events: Queue<MeshEvent>;
  /** Neighbours that have said hello. */
  readonly size: number;
  /** Block bytes given so far. */
  readonly givenBytes: number;
  /** Bits per second that the uplink carries; 0 where nobody has measured it. */
  readonly uploadBps: number;
  /** The newest part of which any neighbour has at least a block; -1 when none. */
  readonly newestPart: number;
  /** Who feeds a hybrid viewer. */
  readonly feeding: Feeding;
  /** Only where range tokens are not used. */
  readonly blockTokens: BlockGrants | undefined;
  sizes(): Record<string, Bounded>;
  nextDeadline(): number | undefined;
  timeout(nowMs: number): void;

  /** A link opened that we dialled. @returns False when it is none of ours. */
  opened(link: LinkId, nowMs: number): boolean;
  /** A neighbour has dialled us. */
  accepted(link: LinkId, nowMs: number): void;
  closed(link: LinkId, nowMs: number): void;
  message(link: LinkId, message: PeerMessage, nowMs: number): void;
  /** @returns `undefined` when it came from nobody who has said hello. */
  block(link: LinkId, header: BlockHeader, body: Body, nowMs: number): Given | undefined;
  sent(link: LinkId, bytes: number, nowMs: number): void;
  /** An answer to `verify`. @returns False when the reference is none of ours. */
  verified(ref: number, ok: boolean): boolean;
  /** Who is at the other end, if it has said hello. */
  originOf(link: LinkId): Origin | undefined;
  /** It sent something wrong: it is not asked for this part again, and who does it again and again is banned. */
  strike(origin: Origin, track: number, part: number, nowMs: number): void;

  /** The tracker names somebody, or says that he has left. */
  introduce(entry: NeighbourEntry): void;
  forget(id: string): void;
  /** Dials those that are wanted. */
  dial(nowMs: number): void;
  /** All links are dead though nobody has said so. */
  redial(why: string, nowMs: number): void;
  leave(why: string): void;
  give(gives: boolean, nowMs: number): void;
  setToken(token: Uint8Array, nowMs: number): void;

  /** A record is known; a block is there and verified; a part, or a block of one that is not whole, can be had of us from now on. */
  recorded(entry: PartEntry): void;
  came(entry: PartEntry, index: number, origin: Origin, nowMs: number): void;
  announce(track: number, part: number, nowMs: number): void;
  announceBlock(track: number, part: number, index: number, nowMs: number): void;

  /** Where a viewer begins whom neighbours feed; -1 while nobody who gives has anything. */
  startAt(track: number, partsPerSegment: number, partMs: number, nowMs: number): number;
  /** Whether blocks of the part are missing that nobody has been asked for. */
  seeks(track: number, part: number, entry: PartEntry | undefined): boolean;
  /** Asks for what is missing. @param lacking - In the order of their time. */
  fetch(lacking: readonly Lacking[], nowMs: number): void;
  /** Whether anybody pushes to us, and whether it is of use; tracks: null is all. */
  readonly isPushed: boolean;
  wantPushes(wanted: boolean, tracks: readonly number[] | null): void;
  /** An INS server sends us everything as soon as it is there. */
  fedByIns(isFed: boolean, nowMs: number): void;
}
