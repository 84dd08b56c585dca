import { codec, type MessageOf, message } from './codec.ts';
import { added, between, blob, bytes, flag, list, optional, struct, text, u8, u32, u53, word } from './fields.ts';
import {
  DESCRIPTION_BYTES_MAX,
  INS_SERVERS_MAX,
  NEIGHBOURS_ANSWER_MAX,
  RECORD_BYTES_MAX,
  RECORDS_MESSAGE_MAX,
  TITLE_CHARS_MAX,
  TOKEN_BYTES_MAX,
  URL_CHARS_MAX,
  WORD_CHARS_MAX,
} from './limits.ts';
import { HASH_BYTES, KEY_BYTES, SIGNATURE_BYTES } from './names.ts';
import { reasonField } from './reasons.ts';
import { availabilityField, insServerField, modeField, neighbourField, streamStateField } from './swarm-fields.ts';
import { asciiBytes, concatBytes } from './text.ts';

/** Bytes of the tracker's challenge. */
export const NONCE_BYTES = 32;
const JOIN_CONTEXT = asciiBytes('inswarm/join/1\0');

/** The conversation of sources and peers with the tracker (PROTOCOL.md, rules TR…). */

const records = list(blob(RECORD_BYTES_MAX), RECORDS_MESSAGE_MAX);
const token = optional(blob(TOKEN_BYTES_MAX));

const toTracker = [
  /** First message. One connection is one member of one swarm. */
  message('join', 1, {
    version: u8,
    role: word(['source', 'viewer']),
    stream: bytes(HASH_BYTES),
    key: bytes(KEY_BYTES),
    mode: modeField,
    /** Where neighbours can dial the sender; null for browsers. A port alone (`:7000`) is completed by the tracker. */
    url: optional(text(URL_CHARS_MAX)),
    /** Where the sender says it is; the tracker's table of address prefixes goes before it. */
    region: optional(text(WORD_CHARS_MAX)),
    /** Signature of {@link joinSigned} by `key`: nobody takes the place of another. */
    proof: bytes(SIGNATURE_BYTES),
  }),
  /** The source's sealed description and the INS servers it feeds, first choice first. */
  message('publish', 2, {
    description: blob(DESCRIPTION_BYTES_MAX),
    insServers: list(insServerField, INS_SERVERS_MAX),
    /** Where the source serves the stream as plain HLS; null for nowhere. `:PORT/path` is completed by the tracker. */
    hlsUrl: optional(text(URL_CHARS_MAX)),
  }),
  /** New sealed records, from the source. */
  message('records', 3, { records }),
  /** Heartbeat: what the sender can give, its range token when new, and how it is doing. */
  message('state', 4, {
    availability: availabilityField,
    token,
    bufferMs: u32,
    latencyMs: u32,
    uploadBps: u32,
    /** An INS server feeds the sender: it needs nothing of the source. */
    insFed: added(flag, false),
  }),
  /** Asks for other neighbours; those listed are known already. */
  message('more', 5, { count: between(1, NEIGHBOURS_ANSWER_MAX), known: list(bytes(KEY_BYTES), 64) }),
  message('leave', 6, {}),
  message('stream-state', 7, { state: streamStateField, why: text(TITLE_CHARS_MAX) }),
] as const;

const fromTracker = [
  /** The answer to `join`: everything it takes to fetch at once. */
  message('joined', 64, {
    clockMs: u53,
    /** How often the tracker wants a `state`, at least. */
    heartbeatMs: u32,
    state: streamStateField,
    description: optional(blob(DESCRIPTION_BYTES_MAX)),
    /** Sealed records since the newest independent part, oldest first. */
    records,
    neighbours: list(neighbourField, NEIGHBOURS_ANSWER_MAX),
    insServers: list(insServerField, INS_SERVERS_MAX),
  }),
  message('neighbours', 65, { neighbours: list(neighbourField, NEIGHBOURS_ANSWER_MAX) }),
  /** The hub's news, at most one a second: neighbours' states that changed, and for browsers the records since. */
  message('digest', 66, {
    neighbours: list(
      struct({ peer: bytes(KEY_BYTES), availability: availabilityField, token, gone: flag }),
      NEIGHBOURS_ANSWER_MAX,
    ),
    records,
  }),
  message('description', 67, { description: blob(DESCRIPTION_BYTES_MAX) }),
  message('stream-state', 68, { state: streamStateField, why: text(TITLE_CHARS_MAX) }),
  message('refused', 69, { reason: reasonField, text: text(TITLE_CHARS_MAX), retryAfterMs: u32 }),
  message('ins-servers', 70, { insServers: list(insServerField, INS_SERVERS_MAX) }),
  /** First message, sent unasked when the connection opens: what a `proof` in `join` has to sign. */
  message('welcome', 71, { version: u8, nonce: bytes(NONCE_BYTES) }),
] as const;

export type ToTracker = MessageOf<typeof toTracker>;
export type FromTracker = MessageOf<typeof fromTracker>;
export const toTrackerCodec = codec(toTracker);
export const fromTrackerCodec = codec(fromTracker);

/** What a member signs to prove its key to the tracker on this connection, for this stream, and nowhere else. */
export function joinSigned(nonce: Uint8Array, stream: Uint8Array, key: Uint8Array): Uint8Array {
  return concatBytes(JOIN_CONTEXT, nonce, stream, key);
}
