import type { Body, LinkId } from '../../machine/machine.ts';
import type { PlayerEvent } from '../../machine/player.ts';
import type { BlockHeader } from '../../protocol/frames.ts';
import type { FromInsClient, FromInsServer } from '../../protocol/ins-messages.ts';
import type { Description, IndexRecord } from '../../protocol/media.ts';
import type { StreamState } from '../../protocol/swarm-fields.ts';
import type { SwarmInput, SwarmOutput } from '../../swarm/io.ts';
import type { MakeMesh } from './mesh.ts';
import type { MakePast, PastPart } from './past.ts';
import type { OnScreen } from './playhead.ts';
import type { MakeRenditionChoice, Quality } from './rendition-choice.ts';

/** What crosses the border between a peer and its world. */

export type PeerInput =
  | SwarmInput
  /** The viewer may press play soon: join and dial an INS server, so that the first request can leave with the press; take nothing. */
  | { readonly kind: 'prepare' }
  /** The viewer pressed play: join where that is not done, fetch, start. Startup delay counts from here. */
  | { readonly kind: 'start' }
  | { readonly kind: 'stop' }
  /** The connections are dead though nobody has said so (sleep, another network): all are dialled anew at once. */
  | { readonly kind: 'redial'; readonly why: string }
  /** Whether blocks are given to neighbours, for one who said at the beginning that it gives some: the line may have become dear. */
  | { readonly kind: 'give'; readonly gives: boolean }
  /** From now on there are neighbours: what the peer was made without, or `want-mesh` asked for. A second one changes nothing. */
  | { readonly kind: 'mesh'; readonly make: MakeMesh }
  /** From now on there is what chooses among renditions, as `want-choice` asked for. A second one changes nothing. */
  | { readonly kind: 'choice'; readonly make: MakeRenditionChoice }
  /** Which tracks to take; null is all of them. */
  | { readonly kind: 'select'; readonly tracks: readonly number[] | null }
  /** Which tracks a player has asked for where it leaves the quality to the peer: the sounds among them are taken with its pictures. */
  | { readonly kind: 'hear'; readonly tracks: readonly number[] }
  /** Which rendition to take from the next part on where a decoder can begin. */
  | { readonly kind: 'quality'; readonly quality: Quality }
  /** A player asks for parts that are not in the window: each is answered by `past-part` or `past-none`. `make` is used the first time. */
  | { readonly kind: 'past'; readonly make: MakePast; readonly parts: readonly PastPart[] }
  /** A real player's picture, wanted several times a second while it plays: fetching follows it instead of the model. */
  | { readonly kind: 'screen'; readonly screen: OnScreen }
  | { readonly kind: 'ins-message'; readonly link: LinkId; readonly message: FromInsServer }
  | { readonly kind: 'ins-block'; readonly link: LinkId; readonly header: BlockHeader; readonly body: Body }
  /** Answers to `sign`, `verify` and `check-name`. */
  | { readonly kind: 'signed'; readonly ref: number; readonly signature: Uint8Array }
  | { readonly kind: 'verified'; readonly ref: number; readonly ok: boolean }
  | { readonly kind: 'named'; readonly ref: number; readonly ok: boolean };

export type PeerOutput =
  | SwarmOutput
  | { readonly kind: 'send-ins'; readonly link: LinkId; readonly message: FromInsClient }
  /** Sign with the peer's own key. */
  | { readonly kind: 'sign'; readonly ref: number; readonly bytes: Uint8Array }
  /** Check an Ed25519 signature, and (unless null) that BLAKE3 of the key is `keyHash`. */
  | {
      readonly kind: 'verify';
      readonly ref: number;
      readonly key: Uint8Array;
      readonly keyHash: Uint8Array | null;
      readonly signed: Uint8Array;
      readonly signature: Uint8Array;
    }
  /** Check that the bytes have the name. */
  | { readonly kind: 'check-name'; readonly ref: number; readonly name: Uint8Array; readonly body: Body }
  /** For playlists and players: a description, and each part of a track once it is whole. */
  | { readonly kind: 'description'; readonly description: Description }
  | { readonly kind: 'part'; readonly record: IndexRecord; readonly bodies: readonly Body[] }
  /** What was asked for by `past`: the part, whole, or that it cannot be had. */
  | { readonly kind: 'past-part'; readonly record: IndexRecord; readonly bodies: readonly Body[] }
  /** Not gone: nobody could be asked in time, or newer wishes have taken its place. Who still waits for it asks again. */
  | ({ readonly kind: 'past-none'; readonly isGone: boolean } & PastPart)
  /** Neighbours may be needed soon, and the peer was made without a mesh: an input is to bring one. Said once. */
  | { readonly kind: 'want-mesh' }
  /** It plays a stream of several renditions, and the peer was made without what chooses: an input is to bring it. Said once. */
  | { readonly kind: 'want-choice' }
  /** Playlists begin with this part; `track`: that one is taken from this part on, null is all of them. */
  | { readonly kind: 'begin'; readonly part: number; readonly track: number | null }
  | { readonly kind: 'event'; readonly event: PeerEvent };

/** Where a block came from. */
export type BytesFrom = 'ins' | 'peers' | 'source';

export type PeerEvent =
  | PlayerEvent
  | { readonly kind: 'joined'; readonly neighbours: number; readonly insServers: number }
  | { readonly kind: 'stream-state'; readonly state: StreamState; readonly why: string }
  | { readonly kind: 'ins-up'; readonly url: string }
  | { readonly kind: 'ins-lost'; readonly url: string; readonly why: string }
  /** Blocks are now taken from neighbours, or from the INS server again (hybrid mode). */
  | { readonly kind: 'switched'; readonly to: 'ins' | 'native'; readonly why: string }
  | { readonly kind: 'tracker-lost'; readonly why: string }
  | { readonly kind: 'refused'; readonly by: 'tracker' | 'ins'; readonly why: string }
  /** Another rendition is taken from this part on. */
  | { readonly kind: 'rendition'; readonly name: string; readonly from: number }
  /** The stream has none of the name that was asked for; the best is taken. */
  | { readonly kind: 'no-rendition'; readonly why: string }
  /** Somebody sent what is not right; it was dropped. */
  | {
      readonly kind: 'bad';
      readonly from: string;
      readonly what: string;
      readonly track: number;
      readonly part: number;
    };
