import type { Body, LinkId } from '../machine/machine.ts';
import type { BlockHeader } from '../protocol/frames.ts';
import type { PeerMessage } from '../protocol/peer-messages.ts';
import type { FromTracker, ToTracker } from '../protocol/tracker-messages.ts';

/** What the source and the peers have in common at their border: neighbours, the tracker, keys. */

export type SwarmInput =
  /** A link that was dialled has opened, or has failed or ended (`link-closed` always comes, once). */
  | { readonly kind: 'link-opened'; readonly link: LinkId }
  /** A neighbour has dialled us. The embedder numbers accepted links downwards from -1. */
  | { readonly kind: 'link-accepted'; readonly link: LinkId }
  | { readonly kind: 'link-closed'; readonly link: LinkId; readonly code: number; readonly why: string }
  /** The bytes on a link break the protocol. */
  | { readonly kind: 'violation'; readonly link: LinkId; readonly why: string }
  | { readonly kind: 'peer-message'; readonly link: LinkId; readonly message: PeerMessage }
  | { readonly kind: 'peer-block'; readonly link: LinkId; readonly header: BlockHeader; readonly body: Body }
  /** So many bytes of block frames have left the link's send buffer. */
  | { readonly kind: 'sent'; readonly link: LinkId; readonly bytes: number }
  | { readonly kind: 'tracker-message'; readonly link: LinkId; readonly message: FromTracker };

export type SwarmOutput =
  | { readonly kind: 'dial'; readonly link: LinkId; readonly to: 'tracker' | 'peer' | 'ins'; readonly url: string }
  | { readonly kind: 'close'; readonly link: LinkId; readonly code: number; readonly why: string }
  | { readonly kind: 'send-peer'; readonly link: LinkId; readonly message: PeerMessage }
  | { readonly kind: 'send-block'; readonly link: LinkId; readonly header: BlockHeader; readonly body: Body }
  | { readonly kind: 'send-tracker'; readonly link: LinkId; readonly message: ToTracker };

/** Numbers for links that a core dials: 1, 2, 3 … Accepted ones are the embedder's, negative. */
export class LinkNumbers {
  private last = 0;
  next(): LinkId {
    return ++this.last;
  }
}
