import type { InsWorldInput, InsWorldOutput } from '../../ins-client/core/world.ts';
import type { Body, LinkId } from '../../machine/machine.ts';
import type { BlockHeader, Label, Labelled } from '../../protocol/frames.ts';
import type { FromInsClient, FromInsServer } from '../../protocol/ins-messages.ts';
import type { Reason } from '../../protocol/reasons.ts';

/** What crosses the border between the INS server's decisions and the world: clients, a block store, other servers. */

/** A block as the core knows it; its bytes are in the store. */
export interface StoredBlock {
  /** The name as text, made once: what stores and maps go by. */
  readonly key: string;
  /** 33 bytes. */
  readonly name: Uint8Array;
  readonly sizeBytes: number;
}

/** Where something is filed: at most one block is. */
export interface FiledAt {
  /** The locker's key as text. */
  readonly owner: string;
  readonly collection: Uint8Array;
  readonly label: Label;
}

/** A block under its label, as a store that outlives the process keeps it beside the bytes. */
export interface Filed extends FiledAt {
  readonly label: Labelled;
  readonly block: StoredBlock;
  readonly expiresAtMs: number;
  /** RFC 6838; empty for none, and so is absence. */
  readonly mediaType?: string;
}

/** Bytes that are in the store, on their way to another server. */
export interface StoredBody extends Body {
  readonly block: StoredBlock;
}

export type InsServerInput =
  /**
   * A client connected. `nonce`: 32 bytes that nobody can guess and that were never used before; the core has no such source.
   * `origin`: what tells one attacker from another, such as an address; none is limited by it when left out.
   */
  | { readonly kind: 'link-opened'; readonly link: LinkId; readonly nonce: Uint8Array; readonly origin?: string }
  | { readonly kind: 'link-closed'; readonly link: LinkId }
  | { readonly kind: 'message'; readonly link: LinkId; readonly message: FromInsClient }
  | { readonly kind: 'block'; readonly link: LinkId; readonly header: BlockHeader; readonly body: Body }
  /**
   * Somebody who proves no key asks one thing over HTTP: a link of its own until `link-closed`, which is to come once the
   * answer has left. The answer is the first of: `send` of `refused`, `stored`, `deleted` or `usage`; `send-block`; `close`.
   * The bytes of a put follow as a `block` of request 1, item 0.
   */
  | {
      readonly kind: 'asked';
      readonly link: LinkId;
      /** What the address goes by in counts; empty for this machine. */
      readonly address: string;
      readonly token: Uint8Array | null;
      readonly call: GuestCall;
    }
  /** What came breaks the protocol: not decodable. */
  | { readonly kind: 'violation'; readonly link: LinkId; readonly why: string }
  /**
   * Of the blocks sent on a link, only `leftBytes` still wait in its send buffer. To be told whenever it falls to 0, and
   * once a second while it shrinks: a link that stays where it is for 5 s is a reader that does not keep up.
   */
  | { readonly kind: 'drained'; readonly link: LinkId; readonly leftBytes: number }
  /** Something sent on a link waits for the store: it is not the reader that is slow. To be told once a second while it is so. */
  | { readonly kind: 'loading'; readonly link: LinkId }
  /** Answers to `verify`, `check-name`, `check-proof`, `store`, `file` and `unfile`; each output is answered once. `full`: for want of room. */
  | { readonly kind: 'verified'; readonly ref: number; readonly ok: boolean }
  | { readonly kind: 'named' | 'proved'; readonly ref: number; readonly ok: boolean }
  | {
      readonly kind: 'stored' | 'filed' | 'unfiled';
      readonly ref: number;
      readonly ok: boolean;
      readonly full?: boolean;
    }
  /** What a store that outlives the process has kept, each place once; before the first client. */
  | { readonly kind: 'restored'; readonly entries: readonly Filed[] }
  /** The store has lost a block that was to be sent. */
  | {
      readonly kind: 'load-failed';
      readonly link: LinkId;
      readonly header: BlockHeader;
      readonly block: StoredBlock;
    }
  /** From a connection to another server. */
  | { readonly kind: 'upstream'; readonly upstream: number; readonly input: InsWorldInput }
  /** Tells all clients, then closes everything. */
  | { readonly kind: 'stop' };

/** What can be asked over HTTP. */
export type GuestCall =
  /** `bodyless`: size and time to live alone are wanted, the block is not sent. */
  | { readonly kind: 'get'; readonly name: Uint8Array; readonly bodyless: boolean }
  | {
      readonly kind: 'put';
      readonly name: Uint8Array;
      readonly sizeBytes: number;
      readonly ttlSeconds: number;
      readonly mediaType: string;
      /** Null: under the next free part of the collection of all zeros. */
      readonly label: (Label & { readonly collection: Uint8Array; readonly start: boolean }) | null;
    }
  | { readonly kind: 'delete'; readonly name: Uint8Array }
  | { readonly kind: 'status' };

export type InsServerOutput =
  /** One message object may go to many links: encode it once. */
  | { readonly kind: 'send'; readonly link: LinkId; readonly message: FromInsServer }
  /** The store's bytes of `block`, behind the header. In the order of the outputs, whatever loading takes. */
  | {
      readonly kind: 'send-block';
      readonly link: LinkId;
      readonly header: BlockHeader;
      readonly block: StoredBlock;
      /** For guests: as whoever put it has said, in whatever words; empty for nothing. */
      readonly mediaType?: string;
    }
  /** Where the block that a guest puts is to be filed, if it is; told before it is decided. */
  | {
      readonly kind: 'placed';
      readonly link: LinkId;
      readonly collection: Uint8Array;
      readonly label: Label;
      /** It is there already. */
      readonly known: boolean;
    }
  /** The core has forgotten the link; a `link-closed` for it may come or not. */
  | { readonly kind: 'close'; readonly link: LinkId; readonly code: number; readonly why: string }
  /** Whether `signature` is the Ed25519 signature of `signed` under `key`. */
  | {
      readonly kind: 'verify';
      readonly ref: number;
      readonly key: Uint8Array;
      readonly signed: Uint8Array;
      readonly signature: Uint8Array;
    }
  /** Whether the bytes have the name. */
  | { readonly kind: 'check-name'; readonly ref: number; readonly name: Uint8Array; readonly body: Body }
  /**
   * Whether `proof` is the BLAKE3-256 hash of `prefix` and the block's bytes. A null block is none that is here: as many other
   * bytes as `sizeBytes` says are hashed and the answer is no, so that the hashing takes the same time. A store that has to
   * read the bytes first takes longer for what is here: where blocks are on disk, the time may tell.
   */
  | {
      readonly kind: 'check-proof';
      readonly ref: number;
      readonly prefix: Uint8Array;
      readonly proof: Uint8Array;
      readonly block: StoredBlock | null;
      readonly sizeBytes: number;
    }
  | { readonly kind: 'store'; readonly ref: number; readonly block: StoredBlock; readonly body: Body }
  /**
   * To a store that outlives the process only: a stored block is filed at a place, in the stead of what was there, and the
   * answer may come when that will be found again after a crash; and the same for what is no longer filed. In the order of
   * the outputs. What has expired is for the store to forget.
   */
  | { readonly kind: 'file'; readonly ref: number; readonly entry: Filed }
  | { readonly kind: 'unfile'; readonly ref: number; readonly places: readonly FiledAt[] }
  /** Nothing refers to the block any more. */
  | { readonly kind: 'drop'; readonly block: StoredBlock }
  /** For the connection to another server, numbered by the core; bodies are {@link StoredBody}; `sign` is to be done with the server's own key. */
  | { readonly kind: 'upstream'; readonly upstream: number; readonly output: InsWorldOutput }
  /** The conversation with another server is over for good: whatever is left of its connection can go. */
  | { readonly kind: 'upstream-end'; readonly upstream: number }
  /** For the log. */
  | { readonly kind: 'turned-away'; readonly link: LinkId; readonly why: string };

export interface InsServerOptions {
  /** The server's Ed25519 public key: tokens name it. */
  readonly key: Uint8Array;
  /** Random numbers for the pauses between dials; nothing secret comes of them. */
  readonly seed: string | number;
  /**
   * Whether this server fetches from another one.
   * @param url - As a token names it: checked for nothing but its length.
   * @param key - The server's, which it may not have.
   */
  readonly mayDial: (url: string, key: Uint8Array) => boolean;
  /** Whether a key is that of a server the operator knows: it gets a server's budget, not a client's. Default: none is. */
  readonly isKnownServer?: (key: Uint8Array) => boolean;
  /** The store outlives the process and keeps where blocks are filed, too. Default false. */
  readonly durable?: boolean;
  /** Unix ms of the start: limited tokens from before it count as used up, since nobody knows what was used of them. */
  readonly startedAtMs: number;
  /** Who may have a locker: everybody (default), or only whom one of the providers invites. */
  readonly registration?: 'open' | 'invitation';
  /** Ed25519 public keys of those whose invitations count. */
  readonly providers?: readonly Uint8Array[];
  /** Addresses of servers to which clients are sent when this one stops or has no room, each in its turn. */
  readonly otherServers?: readonly string[];
  readonly limits: InsServerLimits;
}

export interface InsServerLimits {
  /** Bytes of what is kept about blocks, and of the blocks where they are in memory, too. Default 1 GiB. */
  readonly memoryBytes: number;
  /** Bytes of blocks where they are on disk; null where they are in memory. Default null. */
  readonly diskBytes: number | null;
  /** Bytes and blocks that one account may keep which nobody has invited. Default 128 MiB, 65,536. */
  readonly quotaBytes: number;
  readonly quotaObjects: number;
  /** Bytes that all these accounts together may put. Default all of the memory. */
  readonly strangersBytes: number;
  /** Connections of one account (M). Default 1. */
  readonly connectionsPerAccount: number;
  /** Accounts known at once; those without a connection and without blocks are forgotten. Default 65,536. */
  readonly accountsMax: number;
  /** Connections of clients and other servers at once. Default 16,384. */
  readonly linksMax: number;
  /** Bytes of blocks handed to one link's send buffer before it has drained. Default 512 KiB. */
  readonly sendWindowBytes: number;
  /** Bits per second of blocks sent, all links together. Default infinite. */
  readonly bandwidthBps: number;
  /**
   * Turn away who is new while more is wanted live than the bandwidth allows (PROTOCOL.md IN21); false lets everybody in, and all get
   * less alike. Default true.
   */
  readonly closesWhenOverloaded: boolean;
  /** Bytes of blocks handed to several links before the sockets have their turn. Default 512 KiB. */
  readonly turnBytes: number;
  /** Ms for what is on its way to arrive when the server is to stop. Default 10 s. */
  readonly drainMs: number;
  /** Other servers spoken to at once. Default 16. */
  readonly upstreamsMax: number;
}

/** Figures since the start, or of now. */
export interface InsServerStats {
  /** It is about to stop, and lets nobody in. */
  readonly draining: boolean;
  /** More is wanted live than the bandwidth allows, for so long that nobody new is let in. */
  readonly overloaded: boolean;
  /** Connections of clients and other servers. */
  readonly links: number;
  /** HTTP requests that are being answered. */
  readonly guests: number;
  readonly accounts: number;
  readonly lockers: number;
  readonly blocks: number;
  /** What counts towards {@link InsServerLimits.memoryBytes}. */
  readonly memoryBytes: number;
  /** What counts towards {@link InsServerLimits.diskBytes}. */
  readonly diskBytes: number;
  readonly follows: number;
  /** Gets that wait for labels. */
  readonly waits: number;
  readonly upstreams: number;
  /** Blocks sent, stored by clients, filed in askers' lockers. */
  readonly sentBlocks: number;
  readonly sentBytes: number;
  readonly putBlocks: number;
  readonly keptBlocks: number;
  /** Blocks from other servers, and items answered from what had been fetched before. */
  readonly remoteBlocks: number;
  readonly remoteBytes: number;
  readonly remoteHits: number;
  readonly refused: number;
  /** Connections closed for want of room. */
  readonly sentAway: number;
  readonly refusedFor: ReadonlyMap<Reason, number>;
  readonly tokensVerified: number;
}
