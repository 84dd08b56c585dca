import { codec, type MessageOf, message } from './codec.ts';
import { between, blob, bytes, flag, list, optional, type Read, struct, text, u8, u16, u32 } from './fields.ts';
import {
  BATCH_ITEMS_MAX,
  DESCRIPTION_BYTES_MAX,
  LANES,
  RECORD_BYTES_MAX,
  RECORDS_MESSAGE_MAX,
  TITLE_CHARS_MAX,
  TOKEN_BYTES_MAX,
  TRACKS_MAX,
  URL_CHARS_MAX,
} from './limits.ts';
import { HASH_BYTES, KEY_BYTES } from './names.ts';
import { reasonField } from './reasons.ts';
import { availabilityField, modeField, streamStateField } from './swarm-fields.ts';

/** The conversation between two peers, or a peer and the source; the same messages go both ways (PROTOCOL.md, rules SW…). */

const token = blob(TOKEN_BYTES_MAX);
const label = { track: between(0, TRACKS_MAX - 1), part: u32, index: u16 };

const requestItem = struct({ ...label, deadlineMs: u32 });
export type RequestItem = Read<typeof requestItem>;

const messages = [
  /** First message of each side. */
  message('hello', 1, {
    version: u8,
    stream: bytes(HASH_BYTES),
    key: bytes(KEY_BYTES),
    mode: modeField,
    source: flag,
    /** Whether the sender gives blocks to neighbours. */
    gives: flag,
    url: optional(text(URL_CHARS_MAX)),
  }),
  /** All that the sender can give, and its range token when new. In INS mode a bit is a part in the sender's locker. */
  message('bitmap', 2, { availability: availabilityField, token: optional(token) }),
  /** Parts that the sender can give since its last bitmap (native delivery). */
  message('have', 3, { parts: list(struct({ track: u8, part: u32 }), 256) }),
  message('records', 4, { records: list(blob(RECORD_BYTES_MAX), RECORDS_MESSAGE_MAX) }),
  /** Asks for blocks: each is answered by a block frame with the same request and item, or `refused`. */
  message('request', 5, { request: u32, items: list(requestItem, BATCH_ITEMS_MAX) }),
  message('refused', 6, { request: u32, item: optional(u16), reason: reasonField, retryAfterMs: u32 }),
  message('cancel', 7, { request: u32 }),
  /** Asks for a token for single blocks, where no range token is known (the drafts' first version). */
  message('want', 8, { items: list(struct(label), BATCH_ITEMS_MAX) }),
  message('token', 9, { token }),
  message('description', 10, { description: blob(DESCRIPTION_BYTES_MAX) }),
  message('stream-state', 11, { state: streamStateField, why: text(TITLE_CHARS_MAX) }),
  /** Single blocks that the sender can give of parts that are not whole yet (native delivery). */
  message('have-blocks', 12, { blocks: list(struct(label), 256) }),
  /** By lane: how many hops from the source the sender is fed by push (255: it is not); and how many lanes more it can push. */
  message('lanes', 13, { depths: bytes(LANES), free: u8 }),
  /** The lanes (bit i: lane i) that the sender wants pushed from now on, all of them and no others; of these tracks (null: all). */
  message('subscribe', 14, { lanes: u8, tracks: optional(list(between(0, TRACKS_MAX - 1), TRACKS_MAX)) }),
  /** The lanes that the sender pushes to the receiver from now on, all of them and no others. */
  message('subscribed', 15, { lanes: u8 }),
] as const;

export type PeerMessage = MessageOf<typeof messages>;
export const peerCodec = codec(messages);
