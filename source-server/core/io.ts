import type { Body, LinkId } from '../../machine/machine.ts';
import type { BlockHeader } from '../../protocol/frames.ts';
import type { FromInsClient, FromInsServer } from '../../protocol/ins-messages.ts';
import type { Description, IndexRecord, Track } from '../../protocol/media.ts';
import type { StreamState } from '../../protocol/swarm-fields.ts';
import type { SwarmInput, SwarmOutput } from '../../swarm/io.ts';

/** What crosses the border between the source's decisions and the world. */

/** One track's share of a part, before it is cut into blocks. */
export interface SourceChunk {
  readonly track: number;
  readonly timeUs: number;
  readonly durationUs: number;
  /** The CMAF chunk; null when the track delivered nothing in time. */
  readonly body: Body | null;
}

export interface SourcePart {
  readonly part: number;
  readonly segment: number;
  readonly indexInSegment: number;
  readonly independent: boolean;
  readonly discontinuity: boolean;
  readonly capturedAtMs: number;
  readonly chunks: readonly SourceChunk[];
}

export type SourceInput =
  | SwarmInput
  | { readonly kind: 'start' }
  | { readonly kind: 'stop' }
  /** The tracks, before the first part and whenever one of them changes. */
  | {
      readonly kind: 'tracks';
      readonly tracks: readonly Track[];
      readonly partTargetMs: number;
      readonly segmentTargetMs: number;
    }
  | { readonly kind: 'part'; readonly part: SourcePart }
  | { readonly kind: 'stream-state'; readonly state: StreamState; readonly why: string }
  | { readonly kind: 'ins-message'; readonly link: LinkId; readonly message: FromInsServer }
  | { readonly kind: 'ins-block'; readonly link: LinkId; readonly header: BlockHeader; readonly body: Body }
  /** Answers to `cut` and `sign`. */
  | { readonly kind: 'cut'; readonly ref: number; readonly blocks: readonly { name: Uint8Array; body: Body }[] }
  | { readonly kind: 'signed'; readonly ref: number; readonly signature: Uint8Array; readonly digest: Uint8Array };

export type SourceOutput =
  | SwarmOutput
  | { readonly kind: 'send-ins'; readonly link: LinkId; readonly message: FromInsClient }
  | { readonly kind: 'send-ins-block'; readonly link: LinkId; readonly header: BlockHeader; readonly body: Body }
  /** Cut a chunk into blocks of at most `blockBytes`, and name each. Null stands for an empty chunk (a `free` box). */
  | { readonly kind: 'cut'; readonly ref: number; readonly body: Body | null; readonly blockBytes: number }
  /** Sign with the root key or the signing key; `digest` of the answer is the BLAKE3-256 of the bytes. */
  | { readonly kind: 'sign'; readonly ref: number; readonly with: 'root' | 'signing'; readonly bytes: Uint8Array }
  /** For the plain HLS: the description, and each part of a track as it is announced. */
  | { readonly kind: 'description'; readonly description: Description }
  | { readonly kind: 'part'; readonly record: IndexRecord; readonly bodies: readonly Body[] }
  | { readonly kind: 'event'; readonly event: SourceEvent };

export type SourceEvent =
  | { readonly kind: 'tracker-up'; readonly neighbours: number }
  | { readonly kind: 'tracker-lost'; readonly why: string }
  | { readonly kind: 'ins-up'; readonly url: string }
  | { readonly kind: 'ins-lost'; readonly url: string; readonly why: string }
  | { readonly kind: 'refused'; readonly by: string; readonly why: string }
  /** Something that whoever runs the source should know; nothing has failed. */
  | { readonly kind: 'notice'; readonly text: string };
