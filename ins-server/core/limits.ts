import {
  REQUESTS_OPEN_MAX,
  SEND_QUEUE_BLOCKS_MAX,
  SERVER_REQUESTS_OPEN_MAX,
  SERVER_SEND_QUEUE_BLOCKS_MAX,
} from '../../protocol/limits.ts';
import type { InsServerLimits } from './io.ts';

/** Bounds of what clients can make an INS server keep and do, each with its reason. */

export const INS_SERVER_LIMITS: InsServerLimits = {
  memoryBytes: 1024 * 1024 * 1024,
  diskBytes: null,
  /** 120 s of 8 Mbit/s, and an eighth of the memory: no two strangers fill a server. */
  quotaBytes: 128 * 1024 * 1024,
  quotaObjects: 65_536,
  strangersBytes: Number.POSITIVE_INFINITY,
  /** The drafts' M. */
  connectionsPerAccount: 1,
  accountsMax: 65_536,
  /** 256 MiB, at 16 KiB for an idle one, and what a process may open leaves room for those who are sent elsewhere. */
  linksMax: 16_384,
  /** Enough to keep a fast link busy between two turns; little enough that an urgent block soon gets its turn. */
  sendWindowBytes: 512 * 1024,
  bandwidthBps: Number.POSITIVE_INFINITY,
  closesWhenOverloaded: true,
  /** A window: two readers already share turns by their weights then. About half of what Node hands out in a millisecond. */
  turnBytes: 512 * 1024,
  upstreamsMax: 16,
  drainMs: 10_000,
};

/** Ms between two looks at whether links have taken what was on its way when the server is to stop. */
export const DRAIN_LOOK_MS = 50;
/** Ms after which a server that stops may be there again. */
export const DRAINING_RETRY_MS = 5_000;
/** Ms after which a server that has no room may have some. */
export const BUSY_RETRY_MS = 5_000;
/** Ms after its coming, or after its reader had room for it, at which a live block is late; whoever plays has buffered about a second. */
export const LATE_MS = 500;
/** Share of the accounts with a late block from which on a sweep was late. */
export const LATE_SHARE = 0.25;
/** Sweeps in a row after which nobody new is let in, and after which they are again. */
export const LATE_SWEEPS = 3;
export const TIMELY_SWEEPS = 2;
/**
 * Follows of low priority are let in as long as all follows together want less than this share of the bandwidth: the rest is for those who
 * catch up, and for batches. Beyond the other share the newest of them end.
 */
export const ROOM_SHARE = 0.9;
export const SHED_SHARE = 0.97;
/** Sweeps over which the rate of a track is measured, for key frames make seconds uneven; and ms that say something of it. */
export const ROOM_SWEEPS_KEPT = 4;
export const ROOM_MEASURED_MS = 500;
/** Ms for a client to prove its key. */
export const HELLO_MS = 5_000;
/** Ms in which a link takes nothing of what waits for it, after which it is closed. */
export const STALL_MS = 5_000;
/** Ms for the blocks of a put to come after its message. */
export const PUT_MS = 30_000;
/** Ms between two rounds of looking after what has run out. */
export const SWEEP_MS = 1_000;
/** Sweeps between two rounds of forgetting what is empty. */
export const SWEEPS_PER_TIDY = 10;

/** Inputs and bytes of one link held back while a signature is checked; the answer is usually there at once. */
export const HELD_INPUTS_MAX = 512;
export const HELD_BYTES_MAX = 8 * 1024 * 1024;
/** HTTP requests answered at once: by the server, and for one address (this machine's own apart: a proxy's). */
export const GUESTS_MAX = 1_024;
export const GUESTS_PER_ADDRESS_MAX = 64;
/** Bytes that these requests and their answers may take; until the size is known, an answer counts as the largest block. */
export const GUEST_BYTES_MAX = 256 * 1024 * 1024;
/** Ms for a block to be found or fetched; and for a whole request, slow senders and readers included. */
export const GUEST_GET_MS = 10_000;
export const GUEST_MS = 120_000;
/** Addresses told apart, and ms for which one is remembered, with the invalid tokens that came from it. */
export const VISITORS_MAX = 20_000;
export const GUEST_PAUSE_MS = 60_000;
/** Forged or malformed tokens after which a link is closed. */
export const FAILURES_MAX = 5;
/** What one link may cause. */
export interface Budget {
  /** Requests open at a time, and blocks that wait to be sent or put. */
  readonly requests: number;
  readonly blocks: number;
  /** Signatures checked: at once, and a second. */
  readonly verifyBurst: number;
  readonly verifyPerSecond: number;
  /** Follows begun: at once, and a second. Each may look through all that is in a collection. */
  readonly followBurst: number;
  readonly followsPerSecond: number;
}

/** Signatures a link may have checked: at once (a peer joins with 32 neighbours' tokens), and a second. */
export const VERIFY_BURST = 64;
export const VERIFY_PER_SECOND = 20;
/** Follows a link may begin: at once (all that may be open, and all of them anew), and a second, for who changes channels. */
export const FOLLOW_BURST = 2 * REQUESTS_OPEN_MAX;
export const FOLLOWS_PER_SECOND = 4;
export const CLIENT_BUDGET: Budget = {
  requests: REQUESTS_OPEN_MAX,
  blocks: SEND_QUEUE_BLOCKS_MAX,
  verifyBurst: VERIFY_BURST,
  verifyPerSecond: VERIFY_PER_SECOND,
  followBurst: FOLLOW_BURST,
  followsPerSecond: FOLLOWS_PER_SECOND,
};
/** Another server that the operator knows speaks for all of its clients. */
export const KNOWN_SERVER_BUDGET: Budget = {
  requests: SERVER_REQUESTS_OPEN_MAX,
  blocks: SERVER_SEND_QUEUE_BLOCKS_MAX,
  verifyBurst: 512,
  verifyPerSecond: 200,
  followBurst: 2 * SERVER_REQUESTS_OPEN_MAX,
  followsPerSecond: 100,
};
/** Who says to be a server and is not known to the operator: enough for a few hundred viewers, not worth pretending. */
export const UNKNOWN_SERVER_BUDGET: Budget = {
  requests: 4 * REQUESTS_OPEN_MAX,
  blocks: 2 * SEND_QUEUE_BLOCKS_MAX,
  verifyBurst: 2 * VERIFY_BURST,
  verifyPerSecond: 2 * VERIFY_PER_SECOND,
  followBurst: 4 * FOLLOW_BURST,
  followsPerSecond: 4 * FOLLOWS_PER_SECOND,
};
/** Connections of one server, outside M: it may know us under several addresses. Of one that nobody knows. */
export const SERVER_CONNECTIONS_MAX = 8;
export const UNKNOWN_SERVER_CONNECTIONS_MAX = 2;
/** Signatures and forgeries that all links from one address may cost, at once and a second: many viewers share some addresses. */
export const ORIGIN_VERIFY_BURST = 2_048;
export const ORIGIN_VERIFY_PER_SECOND = 200;
export const ORIGIN_FAILURES_BURST = 50;
export const ORIGIN_FAILURES_PER_SECOND = 1;
/** Addresses told apart; those beyond share one allowance. */
export const ORIGINS_MAX = 16_384;
/** Tokens known to be genuine; one is about 1.5 KiB. */
export const KNOWN_TOKENS_MAX = 8_192;

/** Limited tokens whose uses are counted, in all and of one locker's owner; one is about 200 bytes. */
export const METERS_MAX = 65_536;
export const METERS_PER_OWNER_MAX = 4_096;
/** Issuers with revoked tokens, and revoked ids, in all and of one issuer; an id is about 100 bytes. */
export const REVOKERS_MAX = 65_536;
export const REVOKED_IDS_MAX = 262_144;
export const REVOKED_IDS_PER_ISSUER_MAX = 4_096;

/**
 * Share of a pool that can be filled by those whom nobody has invited and who keep nothing here: keys cost nothing, so
 * without it a few thousand of them leave no room to anybody else.
 */
export const STRANGERS_SHARE = 1 / 8;

/** Bytes that a label takes besides its companion and the block, for the ledger. */
export const ENTRY_BYTES = 512;
/** Collections in one locker, and places that blocks kept in one collection may come from. */
export const FOLDERS_MAX = 64;
/** Lockers with something open to everybody: a block that somebody asks for by name alone is looked up in each. */
export const PUBLIC_LOCKERS_MAX = 1_024;
export const SOURCES_PER_FOLDER_MAX = 8;

/** Blocks of one follow in a link's queue; the rest waits where it is. */
export const FOLLOW_QUEUE_MAX = 32;
/** When a follow's block is wanted, for its place among gets with deadlines; and a get's without one. */
export const FOLLOW_WITHIN_MS = 500;
export const GET_WITHIN_MS = 5_000;
/** Ms after which it is worth trying again when a queue was full. */
export const RETRY_MS = 500;

/** Gets that wait for labels, on all links. */
export const WAITS_MAX = 65_536;
/** Bytes that one link may have hashed to prove that it has blocks: at once, and a second. A hash costs no more than a put. */
export const PROOF_BYTES_BURST = 64 * 1024 * 1024;
export const PROOF_BYTES_PER_SECOND = 16 * 1024 * 1024;
/** Blocks looked at for the names of one status: a token may cover few of very many. */
export const STATUS_LOOKS_MAX = 1_024;
/** Accounts told apart among those that read in a locker. */
export const READERS_MAX = 1_024;

/** Ms for another server to answer, and to come back after a connection was lost. */
export const REMOTE_MS = 5_000;
/** A fetch lasts at least so long, also when its first asker is in a hurry: others may join. */
export const REMOTE_MS_MIN = 1_000;
/** Ms after which a connection to another server that nobody uses is closed. */
export const UPSTREAM_IDLE_MS = 30_000;
/** Ms for which a server that failed is not dialled for fetches. */
export const UPSTREAM_PAUSE_MS = 1_000;
/** Wrong blocks from another server after which it is not asked for a minute. */
export const UPSTREAM_FAILURES_MAX = 5;
export const UPSTREAM_BAN_MS = 60_000;
/** Follows of one collection from another server: one, and those from further back. */
export const UPSTREAM_FOLLOWS_MAX = 16;
/** Items for which one account has other servers asked at a time, and bytes that it has put there. */
export const ERRANDS_PER_ACCOUNT_MAX = 512;
export const ACCOUNT_PUT_BYTES_MAX = 8 * 1024 * 1024;
/** Bytes on their way to one other server. */
export const UPSTREAM_PUT_BYTES_MAX = 32 * 1024 * 1024;
/** Ms for another server to take a block. */
export const REMOTE_PUT_MS = 10_000;
/** Blocks asked of other servers at a time. */
export const FETCHES_MAX = 8_192;
