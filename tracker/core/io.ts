import type { LinkId } from '../../machine/machine.ts';
import type { InsServerEntry, StreamState } from '../../protocol/swarm-fields.ts';
import type { FromTracker, ToTracker } from '../../protocol/tracker-messages.ts';

/** What crosses the border between the tracker's decisions and the world. */

export type TrackerInput =
  /**
   * Somebody connected. `address` is the IP address as text, without a port; `nonce` is 32 bytes that nobody can guess,
   * never used before: the core has no such source.
   */
  | { readonly kind: 'link-opened'; readonly link: LinkId; readonly address: string; readonly nonce: Uint8Array }
  | { readonly kind: 'link-closed'; readonly link: LinkId }
  /** Undefined is a message of a later version: it counts as one and says nothing. */
  | { readonly kind: 'message'; readonly link: LinkId; readonly message: ToTracker | undefined }
  /** What came breaks the protocol: not decodable, or not a control message. */
  | { readonly kind: 'violation'; readonly link: LinkId; readonly why: string }
  /** Answer to `hash`: BLAKE3-256, 32 bytes. */
  | { readonly kind: 'hashed'; readonly ref: number; readonly hash: Uint8Array }
  /** Answer to `verify`. */
  | { readonly kind: 'verified'; readonly ref: number; readonly ok: boolean };

export type TrackerOutput =
  /** One message object may go to many links: encode it once. */
  | { readonly kind: 'send'; readonly link: LinkId; readonly message: FromTracker }
  /** The core has forgotten the link; a `link-closed` for it may come or not. */
  | { readonly kind: 'close'; readonly link: LinkId; readonly code: number; readonly why: string }
  /** BLAKE3-256 of `bytes` is wanted. */
  | { readonly kind: 'hash'; readonly ref: number; readonly bytes: Uint8Array }
  /** Whether `signature` is the Ed25519 signature of `signed` under `key`. */
  | {
      readonly kind: 'verify';
      readonly ref: number;
      readonly key: Uint8Array;
      readonly signed: Uint8Array;
      readonly signature: Uint8Array;
    }
  /** For the log: a stream changed its state. */
  | { readonly kind: 'stream'; readonly stream: Uint8Array; readonly state: StreamState; readonly why: string }
  /** For the log: a link was refused or closed for what it did. */
  | { readonly kind: 'turned-away'; readonly link: LinkId; readonly why: string };

export interface TrackerOptions {
  /** Random numbers for sampling; equal seeds and inputs give equal outputs. */
  readonly seed: string | number;
  /** INS servers recommended besides those that the sources announce. */
  readonly insServers: readonly InsServerEntry[];
  /** Region of an IP address; undefined when no table says. */
  readonly regionOf: (address: string) => string | undefined;
  readonly limits: TrackerLimits;
}

/** Bounds of what strangers can make the tracker keep; see {@link TRACKER_LIMITS} for the reasons. */
export interface TrackerLimits {
  readonly linksMax: number;
  readonly swarmsMax: number;
  readonly unknownSwarmsMax: number;
  readonly membersPerSwarmMax: number;
}

/** One stream, for `/api/streams`. */
export interface StreamReport {
  readonly stream: Uint8Array;
  /** Null until its source has published. */
  readonly title: string | null;
  readonly state: StreamState;
  readonly viewers: number;
  readonly hlsUrl: string | null;
}
