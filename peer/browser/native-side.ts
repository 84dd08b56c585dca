import type { Codec } from '../../protocol/codec.ts';
import { type PeerMessage, peerCodec } from '../../protocol/peer-messages.ts';
import type { MakeMesh } from '../core/mesh.ts';
import { neighbourMesh } from '../core/neighbour-mesh.ts';

/** What a page needs to give to neighbours and ask them, and else not: a file of its own, imported when it is wanted and by nobody else. */
export interface NativeSide {
  readonly mesh: MakeMesh;
  readonly codec: Codec<PeerMessage>;
}

export const nativeSide: NativeSide = { mesh: neighbourMesh, codec: peerCodec };
