import type { CancelSignal } from './cancel.ts';
import type { Keys } from './keys.ts';
import type { AccountLike, CollectionLike, TokenLike } from './texts.ts';

/** What calls take, and what they tell besides blocks. */

export interface InsClientOptions {
  /** The server's address, `ws://…` or `wss://…`. */
  readonly url: string;
  /** Our account: `makeKeys()` or `loadKeys(…)`. Each running instance has keys of its own. */
  readonly keys: Keys;
  /** The application that the account belongs to: any word of at most 64 characters. */
  readonly application: string;
  /** A provider's word that we may keep blocks there, for servers that want one: text as it was given to us. */
  readonly invitation?: string | Uint8Array;
  /** Ms without a connection after which what waits for one fails with UNREACHABLE. Default 30,000; Infinity for never. */
  readonly giveUpAfterMs?: number;
  /** Bytes that one call may have under way and unread. Default 16 MiB, and never less than one block. */
  readonly bufferBytes?: number;
}

export interface CallOptions {
  /** Aborting ends the call, here and at the server; it throws the signal's reason. `AbortSignal.timeout(ms)` is a time limit. */
  readonly signal?: CancelSignal | undefined;
}

/** Whose locker it is about. Default: our own. */
export interface LockerOptions extends CallOptions {
  /** Opens the locker of its owner: on this server, and for getting on others, too. */
  readonly token?: TokenLike;
  /** The account whose locker on this server is open to us without a token (`setAccess`). */
  readonly owner?: AccountLike;
}

export interface GetOptions extends LockerOptions {
  /** For blocks wanted by label. */
  readonly collection?: CollectionLike;
  /** Ms from now after which a block is worth nothing and is refused with DEADLINE. Default: none. */
  readonly deadlineMs?: number;
  /** Have the server file each block in our own locker, too, for as long as the original lives. Default false. */
  readonly keep?: boolean;
  /** As of the client, for this call. */
  readonly bufferBytes?: number;
}

export interface PutOptions extends LockerOptions {
  /** Seconds for which the server keeps the blocks, 1 … 86,400. Default 120. */
  readonly ttlSeconds?: number;
  /** For blocks put under labels. */
  readonly collection?: CollectionLike;
  /**
   * Prove first that we have the blocks, and send only the bytes of those that the server does not hold yet, from anybody. Default
   * false: for blocks that nobody else has, asking costs a round trip and a hash. Into lockers on this server.
   */
  readonly askFirst?: boolean;
}

/** A token is renewed by the server as its owner renews it. */
export interface FollowOptions extends LockerOptions {
  readonly collection: CollectionLike;
  /** Default: all that the token covers. */
  readonly tracks?: readonly number[];
  /** A part, or `newest` to begin at the newest part that a reader may start at. Default `newest`. */
  readonly from?: number | 'newest';
  readonly keep?: boolean;
  readonly bufferBytes?: number;
}

export type InsState =
  /** For the first time. */
  | { readonly kind: 'connecting' }
  | { readonly kind: 'ready'; readonly server: ServerInfo }
  /** It is dialled again by itself; what was asked goes on then. */
  | {
      readonly kind: 'lost';
      readonly why: string;
      /** Ms that the server wants us to stay away, which it is not dialled in (up to 40 s); 0 where it said nothing. */
      readonly retryAfterMs: number;
      /** Where the server sends its clients meanwhile, if it said so: an address for a client of its own. */
      readonly otherServer: string | null;
    }
  /** Another connection with the same keys took over: this client is finished. */
  | { readonly kind: 'replaced' }
  | { readonly kind: 'closed' };

export interface ServerInfo {
  /** The server's key and address, as tokens name it. */
  readonly key: string;
  readonly url: string;
  /** What to add to our time to have the server's. */
  readonly clockOffsetMs: number;
  /** Bytes that our locker may hold. */
  readonly quotaBytes: number;
}

export interface LockerStatus {
  readonly objects: number;
  readonly usedBytes: number;
  readonly quotaBytes: number;
  /** The newest, at most 64. */
  readonly names: readonly string[];
  /** How often blocks were read there since `sinceMs` (Unix ms of the server), their bytes, and by how many accounts. */
  readonly reads: number;
  readonly readBytes: number;
  readonly readers: number;
  readonly sinceMs: number;
}

export interface ObjectAttributes {
  readonly sizeBytes: number;
  /** Empty for none. */
  readonly mediaType: string;
  /** Seconds until it is gone. */
  readonly lifeSeconds: number;
  /** How often it was read there; null for whom a token lets read only. */
  readonly reads: number | null;
}
