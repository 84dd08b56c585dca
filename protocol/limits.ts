/**
 * Every bound of the wire and of the state that strangers can make us keep, each with its reason.
 * Decoders check these before they allocate; encoders assert the same.
 */

/** Version of the wire described in PROTOCOL.md. A peer with another major number is refused. */
export const PROTOCOL_VERSION = 1;

/** Bytes of a control message. 64 KiB of empty containers costs a decoder about 13 ms, no more. */
export const CONTROL_BYTES_MAX = 65_536;
/** Nesting of a control message; the deepest message of ours has four levels. */
export const CONTROL_DEPTH_MAX = 8;
/** Items (values of any kind) in one control message. */
export const CONTROL_ITEMS_MAX = 20_000;

/** Bytes of one block (RFC 7069 4.2 leaves the size to the application). */
export const BLOCK_BYTES_MAX = 1_048_576;
/**
 * Default size at which a part is cut into blocks. Up to 64 KiB adds nothing to the time a part takes through two servers
 * (`npm run bench:block-size`: 128 KiB 1.1x, 256 KiB 2x as late). From viewer to viewer a block is passed on when it is
 * whole: over an uplink of 1.2 Mbit/s 64 KiB take half a second a hop, and a native crowd of 60 froze ten times as often.
 */
export const BLOCK_BYTES_DEFAULT = 24_576;
/** A block frame: header, companion and block. */
export const BLOCK_FRAME_BYTES_MAX = BLOCK_BYTES_MAX + 16_384;
/** Blocks in one part of one track: 16 MiB in 250 ms is 512 Mbit/s, beyond any live video. */
export const BLOCKS_PER_PART_MAX = 256;
/** Bytes of the companion that travels with a labelled block (for us: an index record). */
export const COMPANION_BYTES_MAX = 12_288;
/** Bytes of one signed index record: 256 blocks of 33 + 5 bytes, and its header. */
export const RECORD_BYTES_MAX = 12_288;

/** Tracks of one stream. */
export const TRACKS_MAX = 16;
/** Bytes of one CMAF header (init segment). */
export const INIT_BYTES_MAX = 8_192;
/** Bytes of one signed stream description; it holds the CMAF headers of all tracks. */
export const DESCRIPTION_BYTES_MAX = 40_960;
/** Parts are numbered 0 … 2^32-2: 34 years of parts of 250 ms. */
export const PART_NUMBER_MAX = 0xffff_fffe;
/** Bits of one bitmap: 17 minutes of parts of 250 ms. */
export const BITMAP_BITS_MAX = 4_096;

/** Bytes of one token with its signature. */
export const TOKEN_BYTES_MAX = 1_024;
/** The same of a delegated token, which has the token that it was made from in it. */
export const DELEGATED_TOKEN_BYTES_MAX = 2_048;
/** Bytes of a token's id. */
export const TOKEN_ID_BYTES = 16;
/** Token ids that one message revokes. */
export const REVOKE_IDS_MAX = 64;
/** Bytes of one invitation with its signature. */
export const INVITATION_BYTES_MAX = 512;
/** INS servers one token may name: a source feeds a few, a viewer keeps a locker on one. */
export const TOKEN_SERVERS_MAX = 4;
/** Aliases for tokens that one connection may hold at once. */
export const TOKEN_ALIASES_MAX = 256;
/** Seconds a token may live: servers refuse what expires later, so that a leak is short. */
export const TOKEN_LIFE_SECONDS_MAX = 600;
/** Seconds by which a token may be early: clocks differ. */
export const TOKEN_LEEWAY_SECONDS = 5;
/** Seconds a range token lives, and seconds after which its issuer makes the next. */
export const RANGE_TOKEN_LIFE_SECONDS = 90;
export const RANGE_TOKEN_RENEW_SECONDS = 30;

/** Items in one batch (get, put, delete). */
export const BATCH_ITEMS_MAX = 64;
/** Requests (batches and follows) that one INS connection may have open. */
export const REQUESTS_OPEN_MAX = 64;
/** Blocks waiting to be sent on one INS connection. */
export const SEND_QUEUE_BLOCKS_MAX = 1_024;
/** The same two between INS servers, where one connection serves all clients of one of them. */
export const SERVER_REQUESTS_OPEN_MAX = 1_024;
export const SERVER_SEND_QUEUE_BLOCKS_MAX = 16_384;
/** Seconds the server keeps a block when the put names no time, and the longest it accepts. */
export const BLOCK_TTL_SECONDS_DEFAULT = 120;
export const BLOCK_TTL_SECONDS_MAX = 86_400;

/** Seconds for which a get may wait for a block that is not there yet: clients ask again then. */
export const WAIT_SECONDS_MAX = 30;
/** Characters of a media type: two names of 127 at most (RFC 6838 section 4.2) in theory, half of that in practice. */
export const MEDIA_TYPE_CHARS_MAX = 128;

/** Characters of a URL, of a region, an application id, a title or a track name. */
export const URL_CHARS_MAX = 256;
export const WORD_CHARS_MAX = 64;
export const TITLE_CHARS_MAX = 200;

/** Neighbours in one answer of the tracker. */
export const NEIGHBOURS_ANSWER_MAX = 32;
/** Records in one message: 16 tracks of one segment of 4 parts, and as many again. */
export const RECORDS_MESSAGE_MAX = 128;
/** INS servers in a list. */
export const INS_SERVERS_MAX = 16;
/** As the index of a peer's request: all blocks of that part. */
export const WHOLE_PART = 0xffff;
/** Shares into which a stream's blocks are dealt for pushing (PROTOCOL.md SW11). A message holds one bit for each. */
export const LANES = 8;
/** As the request of a block frame between peers: nobody asked, it is pushed. */
export const PUSHED = 0;
/** Block requests one peer may have open at another. */
export const PEER_REQUESTS_MAX = 128;
