import type { Body } from '../../machine/machine.ts';
import type { BlockHeader, Label, Labelled } from '../../protocol/frames.ts';
import type {
  AccessKind,
  DescribeItem,
  FromInsClient,
  FromInsServer,
  Priority,
  PutBlock,
} from '../../protocol/ins-messages.ts';
import type { Reason } from '../../protocol/reasons.ts';

/** What crosses the border between one INS conversation and the program around it. */

/**
 * Tokens are sealed bytes. In the place of one, the 32 bytes of an account's key open its locker on this server as far as that is open to
 * us without a token; null is our own locker.
 */

/** One block to get: by name, or by label (then `collection` of the get is set and the answer comes labelled). */
export interface WantedBlock {
  readonly token: Uint8Array | null;
  readonly name: Uint8Array | null;
  readonly label: Label | null;
  /** Unix ms after which the block is worth nothing; null for none. */
  readonly deadlineAtMs: number | null;
  /** By label: answered when it is put, if it is not there yet. Default false: NOT_YET. */
  readonly wait?: boolean;
  /** Among what its locker's application has to send. Default normal. */
  readonly priority?: Priority;
}

/** What is in a locker. */
export type Usage = Omit<Extract<FromInsServer, { readonly type: 'usage' }>, 'type' | 'request' | 'item'>;

/** What is known of a block in a locker. */
export type Attributes = Omit<Extract<FromInsServer, { readonly type: 'attributes' }>, 'type' | 'request' | 'item'>;
export type SetAttributes = NonNullable<DescribeItem['set']>;

export type InsClientInput =
  /** Dial, and keep the connection up, until `stop`. */
  | { readonly kind: 'start' }
  | { readonly kind: 'stop' }
  | { readonly kind: 'opened' }
  | { readonly kind: 'closed'; readonly code: number; readonly why: string }
  | { readonly kind: 'message'; readonly message: FromInsServer }
  | { readonly kind: 'block'; readonly header: BlockHeader; readonly body: Body }
  | { readonly kind: 'violation'; readonly why: string }
  /** Answer to `sign`. */
  | { readonly kind: 'signed'; readonly ref: number; readonly signature: Uint8Array }
  /** The calls. `handle` is the caller's, unique among its open requests; requests survive a reconnect. */
  | {
      readonly kind: 'get';
      readonly handle: number;
      readonly keep: boolean;
      /** False with `keep`: only to be filed in our locker, which `stored` says. Default true. */
      readonly deliver?: boolean;
      readonly collection: Uint8Array | null;
      readonly items: readonly WantedBlock[];
    }
  | {
      readonly kind: 'follow';
      readonly handle: number;
      readonly keep: boolean;
      readonly token: Uint8Array | null;
      readonly collection: Uint8Array;
      /** Empty is all tracks. */
      readonly tracks: readonly number[];
      /** A part, or FROM_NEWEST_START. After a reconnect it goes on behind the newest part seen. */
      readonly from: number;
      /** Default normal. */
      readonly priority?: Priority;
    }
  | {
      readonly kind: 'put';
      readonly handle: number;
      /** Default: our own locker. */
      readonly token?: Uint8Array | null;
      readonly collection: Uint8Array;
      readonly ttlSeconds: number;
      readonly items: readonly PutBlock[];
      readonly bodies: readonly Body[];
    }
  | {
      readonly kind: 'delete';
      readonly handle: number;
      readonly token: Uint8Array | null;
      readonly names: readonly Uint8Array[];
    }
  | { readonly kind: 'status'; readonly handle: number; readonly token: Uint8Array | null }
  /** Asks for a block's attributes, setting them first where `set` is not null. */
  | {
      readonly kind: 'describe';
      readonly handle: number;
      readonly token: Uint8Array | null;
      readonly name: Uint8Array;
      readonly set: SetAttributes | null;
    }
  /** Makes tokens of ours void: those of these ids, and those below the epoch (null leaves that as it is). */
  | {
      readonly kind: 'revoke';
      readonly handle: number;
      readonly ids: readonly Uint8Array[];
      readonly epoch: number | null;
    }
  /** Who may read a collection of ours without a token. */
  | { readonly kind: 'access'; readonly handle: number; readonly collection: Uint8Array; readonly access: AccessKind }
  | { readonly kind: 'cancel'; readonly handle: number }
  /** A token takes the place of another of the same locker: what runs under the old one goes on under the new one. */
  | { readonly kind: 'renew'; readonly old: Uint8Array; readonly token: Uint8Array }
  /** The newest range token of our own locker, for the server to hand to those who follow it. */
  | { readonly kind: 'range-token'; readonly token: Uint8Array };

export type InsClientOutput =
  /** For the world. One connection at a time; `closed` must come back for every `dial` that fails or ends. */
  | { readonly kind: 'dial'; readonly url: string }
  | { readonly kind: 'send'; readonly message: FromInsClient }
  | { readonly kind: 'send-block'; readonly header: BlockHeader; readonly body: Body }
  | { readonly kind: 'close'; readonly code: number; readonly why: string }
  | { readonly kind: 'sign'; readonly ref: number; readonly bytes: Uint8Array }
  /** For the caller. The server has said who it is; whether it takes us is not known yet. */
  | {
      readonly kind: 'ready';
      /** The server's key: tokens for lockers on it name it. */
      readonly server: Uint8Array;
      /** Of this connection: what proves that we have a block is made with it. */
      readonly nonce: Uint8Array;
      /** Add to our time to get the server's. */
      readonly clockOffsetMs: number;
    }
  /** The server takes us: the account may store so many bytes. */
  | { readonly kind: 'accepted'; readonly quotaBytes: number }
  | {
      readonly kind: 'arrived';
      readonly handle: number;
      /** Index in the batch; a running number for a follow. */
      readonly item: number;
      readonly labelled: Labelled | null;
      /** The server filed it in our locker. */
      readonly kept: boolean;
      readonly body: Body;
    }
  /** One item, or (null) all that is left of the request: the handle is free then. */
  | {
      readonly kind: 'refused';
      readonly handle: number;
      readonly item: number | null;
      readonly reason: Reason;
      readonly retryAfterMs: number;
      readonly otherServer: string | null;
    }
  | { readonly kind: 'stored'; readonly handle: number; readonly items: readonly number[] }
  | { readonly kind: 'deleted'; readonly handle: number; readonly items: readonly number[] }
  | { readonly kind: 'usage'; readonly handle: number; readonly usage: Usage }
  | { readonly kind: 'attributes'; readonly handle: number; readonly attributes: Attributes }
  | { readonly kind: 'done'; readonly handle: number }
  /** A followed locker's owner has a new token; the conversation has registered it already. */
  | { readonly kind: 'renewed'; readonly handle: number; readonly token: Uint8Array }
  /** The connection is gone. It is dialled again after a pause unless `final` (replaced by a newer one, or stopped). */
  | {
      readonly kind: 'lost';
      readonly why: string;
      readonly final: boolean;
      /** Ms that the server wants us to stay away, which the pause is no shorter than (up to 40 s); 0 where it said nothing. */
      readonly retryAfterMs: number;
      /** Where it sends us meanwhile, as it said: nothing is known of that server. */
      readonly otherServer: string | null;
    };
