import { bitmapField } from './bitmap.ts';
import { blob, bytes, flag, list, optional, type Read, struct, text, word } from './fields.ts';
import { TOKEN_BYTES_MAX, TRACKS_MAX, URL_CHARS_MAX, WORD_CHARS_MAX } from './limits.ts';
import { KEY_BYTES } from './names.ts';

/** Words and shapes that the tracker's and the peers' conversations share. */

/** Where a peer takes blocks from. */
export const modeField = word(['ins', 'native', 'hybrid']);
export type Mode = Read<typeof modeField>;

/** Whether the stream is running: `interrupted` means that the source waits for its input and will go on. */
export const streamStateField = word(['live', 'interrupted', 'ended']);
export type StreamState = Read<typeof streamStateField>;

export const availabilityField = list(bitmapField, TRACKS_MAX);

/** An INS server as the tracker recommends it. */
export const insServerField = struct({ url: text(URL_CHARS_MAX), region: text(WORD_CHARS_MAX) });
export type InsServerEntry = Read<typeof insServerField>;

/** A peer as the tracker introduces it. */
export const neighbourField = struct({
  peer: bytes(KEY_BYTES),
  /** Where it can be dialled; null for browsers. */
  url: optional(text(URL_CHARS_MAX)),
  mode: modeField,
  source: flag,
  availability: availabilityField,
  /** Its newest range token; null when it keeps nothing on an INS server. */
  token: optional(blob(TOKEN_BYTES_MAX)),
});
export type NeighbourEntry = Read<typeof neighbourField>;
