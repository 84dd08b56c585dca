import { codec, type MessageOf, message } from './codec.ts';
import {
  added,
  between,
  blob,
  bytes,
  flag,
  list,
  optional,
  ordinal,
  type Read,
  struct,
  text,
  u8,
  u16,
  u32,
  u53,
  word,
} from './fields.ts';
import {
  BATCH_ITEMS_MAX,
  BLOCK_BYTES_MAX,
  BLOCK_TTL_SECONDS_MAX,
  COMPANION_BYTES_MAX,
  DELEGATED_TOKEN_BYTES_MAX,
  INVITATION_BYTES_MAX,
  MEDIA_TYPE_CHARS_MAX,
  PART_NUMBER_MAX,
  REVOKE_IDS_MAX,
  TOKEN_BYTES_MAX,
  TOKEN_ID_BYTES,
  TRACKS_MAX,
  URL_CHARS_MAX,
  WORD_CHARS_MAX,
} from './limits.ts';
import { HASH_BYTES, KEY_BYTES, nameField, SIGNATURE_BYTES } from './names.ts';
import { reasonField } from './reasons.ts';
import { asciiBytes, concatBytes } from './text.ts';

/** The conversation of an INS client with an INS server (PROTOCOL.md, rules IN…). */

/** As `from` of a follow: begin at the newest part that a reader may start at. */
export const FROM_NEWEST_START = PART_NUMBER_MAX + 1;
/** As a token alias: no token, the asker's own locker. */
export const OWN_LOCKER = 0;
/**
 * The application id of INS servers among themselves. On such a connection blocks travel labelled and with the time left
 * to live, and tokens of third servers are refused: nothing is fetched on behalf of a server that fetches for another.
 */
export const SERVER_APPLICATION = 'inswarm.ins-server';

/**
 * Who may read a collection without a token (RFC 6392: private, public-restricted, public-unrestricted): the owner alone, accounts
 * of the owner's application, or everybody.
 */
export const ACCESS_KINDS = ['private', 'members', 'public'] as const;
export type AccessKind = (typeof ACCESS_KINDS)[number];

/** How urgent something is among what its application reads, the most urgent first (RFC 7069 A.3). */
export const PRIORITIES = ['urgent', 'high', 'normal', 'low'] as const;
export type Priority = (typeof PRIORITIES)[number];

const priority = added<Priority>(ordinal(PRIORITIES), 'normal');
const request = u32;
const alias = u16;
const track = between(0, TRACKS_MAX - 1);

/** One block asked for: by name, or by label in the collection that the batch names. */
const getItem = struct({
  token: alias,
  /** Ms from the request's arrival after which the block is worth nothing; 0 is no deadline. */
  deadlineMs: u32,
  name: optional(nameField),
  label: optional(struct({ track, part: u32, index: u16 })),
  /** By label: answered when the block is put, or at the deadline, if it is not there yet. */
  wait: flag,
  priority,
});
export type GetItem = Read<typeof getItem>;

/** Why a block need not be sent: the client proves that it has its bytes, or a token covers one that is there. */
const reference = struct({
  /** Of the locker to read it in, where there is no proof. */
  token: alias,
  /** {@link proofPrefix} and the bytes, hashed. */
  proof: optional(bytes(HASH_BYTES)),
});
export type Reference = Read<typeof reference>;

/** One block to be stored; its bytes follow in a block frame with the same request and this item's number. */
const putItem = struct({
  token: alias,
  track,
  part: between(0, PART_NUMBER_MAX),
  index: u16,
  start: flag,
  name: nameField,
  sizeBytes: between(1, BLOCK_BYTES_MAX),
  companion: blob(COMPANION_BYTES_MAX),
  /** The server holds it already: no bytes follow. */
  reference: optional(reference),
  /** RFC 6838; empty for none. */
  mediaType: text(MEDIA_TYPE_CHARS_MAX),
});
export type PutItem = Read<typeof putItem>;
/** What is put, whatever the locker. */
export type PutBlock = Pick<PutItem, 'track' | 'part' | 'index' | 'start' | 'name' | 'sizeBytes' | 'companion'> &
  Partial<Pick<PutItem, 'mediaType' | 'reference'>>;

/** A block to be taken out of a locker. */
const deleteItem = struct({ token: alias, name: nameField });
export type DeleteItem = Read<typeof deleteItem>;

/** A locker whose use is asked for. */
const statusItem = struct({ token: alias });
export type StatusItem = Read<typeof statusItem>;

/** A block whose attributes are asked for, or set. */
const describeItem = struct({
  token: alias,
  name: nameField,
  set: optional(
    struct({
      /** From now on; 0 leaves it as it is. */
      ttlSeconds: between(0, BLOCK_TTL_SECONDS_MAX),
      mediaType: optional(text(MEDIA_TYPE_CHARS_MAX)),
    }),
  ),
});
export type DescribeItem = Read<typeof describeItem>;

const fromClient = [
  /** First message, the answer to `welcome`: proves the account's key by signing {@link helloSigned}. */
  message('hello', 1, {
    version: u8,
    key: bytes(KEY_BYTES),
    application: text(WORD_CHARS_MAX),
    signature: bytes(SIGNATURE_BYTES),
    /** A provider's sealed word that the account may keep blocks here (`invitation.ts`). */
    invitation: optional(blob(INVITATION_BYTES_MAX)),
  }),
  /** Registers a token under an alias, or replaces it: what runs under the alias goes on under the new token. */
  message('token', 2, { alias: between(1, 0xffff), token: blob(DELEGATED_TOKEN_BYTES_MAX) }),
  message('forget-token', 3, { alias: between(1, 0xffff) }),
  /**
   * Gets, puts, deletes, statuses and describes in one request, at most {@link BATCH_ITEMS_MAX} together, numbered through the
   * lists in this order. Each is answered by itself as soon as it can be: by a block frame, `stored`, `deleted`, `usage`,
   * `attributes` or `refused`; then comes `done`.
   */
  message('batch', 4, {
    request,
    /** What is got is also filed in the asker's locker. */
    keep: flag,
    /** False: what is got is only filed, not sent. */
    deliver: flag,
    /** Of the labels in it; not needed where everything goes by name. */
    collection: optional(bytes(HASH_BYTES)),
    /** For which the blocks put are kept; 0 leaves it to the server. */
    ttlSeconds: between(0, BLOCK_TTL_SECONDS_MAX),
    gets: list(getItem, BATCH_ITEMS_MAX),
    puts: list(putItem, BATCH_ITEMS_MAX),
    deletes: list(deleteItem, BATCH_ITEMS_MAX),
    statuses: list(statusItem, BATCH_ITEMS_MAX),
    describes: list(describeItem, BATCH_ITEMS_MAX),
  }),
  /** All blocks of a range, as they are put, as labelled frames; until `cancel` or `refused`. */
  message('follow', 5, {
    request,
    keep: flag,
    token: alias,
    collection: bytes(HASH_BYTES),
    /** Empty is all tracks that the token covers. */
    tracks: list(track, TRACKS_MAX),
    /** A part, or {@link FROM_NEWEST_START}. */
    from: u32,
    priority,
  }),
  message('cancel', 9, { request }),
  /** The newest range token of the sender's own locker: the server hands it to those who follow that locker. */
  message('range-token', 10, { token: blob(TOKEN_BYTES_MAX) }),
  /** Tokens of the sender's making are void from now on: those of these ids, and those below the epoch. Then `done`. */
  message('revoke', 11, {
    request,
    ids: list(bytes(TOKEN_ID_BYTES), REVOKE_IDS_MAX),
    /** Null leaves it as it is. It never falls. */
    epoch: optional(u32),
  }),
  /** Who may read a collection in the sender's locker without a token. Then `done`. */
  message('access', 12, { request, collection: bytes(HASH_BYTES), access: word(ACCESS_KINDS) }),
  /** Names somebody's locker on this server by an alias, as far as it is open to the sender. */
  message('open', 13, { alias: between(1, 0xffff), owner: bytes(KEY_BYTES) }),
] as const;

const fromServer = [
  /** First message, sent unasked: whom the client has reached, and the clock by which tokens are judged. */
  message('welcome', 64, { version: u8, server: bytes(KEY_BYTES), nonce: bytes(32), clockMs: u53, blockBytesMax: u32 }),
  /** The hello was good: the account may store so many bytes. */
  message('accepted', 65, { quotaBytes: u53 }),
  /** These blocks can be had: those put, and those that were only to be filed in the asker's locker. */
  message('stored', 66, { request, items: list(u16, BATCH_ITEMS_MAX) }),
  /** One item, or (null) the whole request. `retryAfterMs` 0: asking again does not help. */
  message('refused', 67, {
    request,
    item: optional(u16),
    reason: reasonField,
    retryAfterMs: u32,
    otherServer: optional(text(URL_CHARS_MAX)),
  }),
  message('done', 68, { request }),
  message('token-refused', 69, { alias, reason: reasonField }),
  /** The owner of the followed locker has a new range token: the follow and its alias stand for it from here on. */
  message('renewed', 70, { request, token: blob(TOKEN_BYTES_MAX) }),
  message('usage', 71, {
    request,
    item: u16,
    objects: u32,
    usedBytes: u53,
    quotaBytes: u53,
    /** The newest names, at most one batch of them. */
    names: list(nameField, BATCH_ITEMS_MAX),
    /** How often blocks were read there since `sinceMs`, their bytes, and by how many accounts. */
    reads: u53,
    readBytes: u53,
    readers: u32,
    sinceMs: u53,
  }),
  /** The server is about to close this connection. `retryAfterMs`: not to be dialled before; 0 says nothing. */
  message('notice', 72, {
    kind: word(['draining', 'replaced', 'busy']),
    otherServer: optional(text(URL_CHARS_MAX)),
    retryAfterMs: u32,
  }),
  /** These blocks are gone from the locker. */
  message('deleted', 77, { request, items: list(u16, BATCH_ITEMS_MAX) }),
  message('attributes', 78, {
    request,
    item: u16,
    sizeBytes: between(1, BLOCK_BYTES_MAX),
    mediaType: text(MEDIA_TYPE_CHARS_MAX),
    /** Seconds until it ends. */
    lifeSeconds: u32,
    /** How often it was read in this locker since it was put; null for whom a token lets read only. */
    reads: optional(u53),
  }),
] as const;

export type FromInsClient = MessageOf<typeof fromClient>;
export type FromInsServer = MessageOf<typeof fromServer>;
export type BatchMessage = Extract<FromInsClient, { readonly type: 'batch' }>;

/** What items are made of: a get of nothing, and a put into one's own locker. */
export const EMPTY_GET = {
  token: OWN_LOCKER,
  deadlineMs: 0,
  name: null,
  label: null,
  wait: false,
  priority: 'normal',
} as const;
export const EMPTY_PUT = { token: OWN_LOCKER, reference: null, mediaType: '' } as const;
/** A batch of which nothing is asked yet. */
export const EMPTY_BATCH = {
  type: 'batch',
  keep: false,
  deliver: true,
  collection: null,
  ttlSeconds: 0,
  gets: [],
  puts: [],
  deletes: [],
  statuses: [],
  describes: [],
} as const;
export const insClientCodec = codec(fromClient);
export const insServerCodec = codec(fromServer);

/** What a client signs to prove its key to this server on this connection, and nowhere else. */
export function helloSigned(nonce: Uint8Array, server: Uint8Array, key: Uint8Array): Uint8Array {
  return concatBytes(asciiBytes('inswarm/hello/1\0'), nonce, server, key);
}
