import { BLOCK_BYTES_MAX, COMPANION_BYTES_MAX } from './limits.ts';
import { NAME_BYTES, NAME_TYPE_BLAKE3 } from './names.ts';

/**
 * The frame that carries a block: a header, then the block's bytes to the end of the WebSocket message. Its first byte
 * is never that of a MessagePack array, so one look tells frames from control messages. Numbers are big-endian.
 *
 * ```
 * 0   u8   0x01
 * 1   u8   flags: 1 labelled, 2 kept (filed in the asker's locker), 4 a reader may start at this label's part,
 *          8 (labelled only) with the time left to live
 * 2   u32  request
 * 6   u16  item: index in the batch; for a follow a running number
 * 8   only when labelled: u8 track, u32 part, u16 index, 33 bytes name, u16 companion length, companion
 *     then, when flagged: u32 seconds the block has left to live
 * ```
 */
export const FRAME_BLOCK = 0x01;
const LABELLED = 1;
const KEPT = 2;
const START = 4;
const LIFE = 8;
const PLAIN_BYTES = 8;
const LABEL_BYTES = 1 + 4 + 2 + NAME_BYTES + 2;
const LIFE_BYTES = 4;

/** What a locker may file a block under besides its name. */
export interface Label {
  readonly track: number;
  readonly part: number;
  readonly index: number;
}

/** A label, its block's name, and what was put beside it. */
export interface Labelled extends Label {
  readonly name: Uint8Array;
  /** A reader may start at this part. */
  readonly start: boolean;
  /** Opaque to the server; for a live stream the sealed index record, with the first block of a part only. */
  readonly companion: Uint8Array;
  /** Seconds until the original expires; from one INS server to another, which keeps a copy no longer than that. */
  readonly lifeSeconds?: number;
}

export interface BlockHeader {
  readonly request: number;
  readonly item: number;
  /** The server has filed the block in the asker's locker. */
  readonly kept: boolean;
  readonly labelled: Labelled | null;
}

/**
 * The header as bytes; the block follows it in the same WebSocket message, uncopied.
 *
 * @param allocate - Where a platform has cheaper small arrays.
 */
export function encodeBlockHeader(header: BlockHeader, allocate: (bytes: number) => Uint8Array = newBytes): Uint8Array {
  const { labelled } = header;
  const life = labelled?.lifeSeconds;
  const lifeBytes = life === undefined ? 0 : LIFE_BYTES;
  const labelBytes = labelled === null ? 0 : LABEL_BYTES + labelled.companion.length + lifeBytes;
  const out = allocate(PLAIN_BYTES + labelBytes);
  out[0] = FRAME_BLOCK;
  out[1] =
    (labelled === null ? 0 : LABELLED) |
    (header.kept ? KEPT : 0) |
    (labelled?.start ? START : 0) |
    (life === undefined ? 0 : LIFE);
  writeU32(out, 2, header.request);
  writeU16(out, 6, header.item);
  if (labelled !== null) {
    out[8] = labelled.track;
    writeU32(out, 9, labelled.part);
    writeU16(out, 13, labelled.index);
    out.set(labelled.name, 15);
    writeU16(out, 15 + NAME_BYTES, labelled.companion.length);
    out.set(labelled.companion, PLAIN_BYTES + LABEL_BYTES);
    if (life !== undefined) writeU32(out, out.length - LIFE_BYTES, life);
  }
  return out;
}

/** Bytes of the header, without making it. */
export function blockHeaderBytes({ labelled }: BlockHeader): number {
  if (labelled === null) return PLAIN_BYTES;
  const lifeBytes = labelled.lifeSeconds === undefined ? 0 : LIFE_BYTES;
  return PLAIN_BYTES + LABEL_BYTES + labelled.companion.length + lifeBytes;
}

/** Bytes of the header at the beginning of a frame, which has not been looked into: at most all of the frame. */
export function headerBytesOf(frame: Uint8Array): number {
  const flags = frame[1] ?? 0;
  if ((flags & LABELLED) === 0) return Math.min(PLAIN_BYTES, frame.length);
  const at = 15 + NAME_BYTES;
  const companionBytes = ((frame[at] ?? 0) << 8) | (frame[at + 1] ?? 0);
  const lifeBytes = (flags & LIFE) === 0 ? 0 : LIFE_BYTES;
  return Math.min(PLAIN_BYTES + LABEL_BYTES + companionBytes + lifeBytes, frame.length);
}

function newBytes(bytes: number): Uint8Array {
  return new Uint8Array(bytes);
}

// A DataView would make the engine move a small array out of its heap.
function writeU32(out: Uint8Array, at: number, value: number): void {
  out[at] = value >>> 24;
  out[at + 1] = (value >>> 16) & 0xff;
  out[at + 2] = (value >>> 8) & 0xff;
  out[at + 3] = value & 0xff;
}

function writeU16(out: Uint8Array, at: number, value: number): void {
  out[at] = value >>> 8;
  out[at + 1] = value & 0xff;
}

/**
 * Takes a frame apart; the block is a view into it, all else is copied (`slice` of a Buffer would not copy).
 *
 * @returns `undefined` when the frame is malformed or a bound is broken.
 */
export function decodeBlockFrame(
  frame: Uint8Array,
): { readonly header: BlockHeader; readonly block: Uint8Array } | undefined {
  if (frame.length <= PLAIN_BYTES || frame[0] !== FRAME_BLOCK) return undefined;
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  const flags = frame[1]!;
  let end = PLAIN_BYTES;
  let labelled: Labelled | null = null;
  if ((flags & LABELLED) !== 0) {
    end += LABEL_BYTES;
    if (frame.length <= end || frame[15] !== NAME_TYPE_BLAKE3) return undefined;
    const companionBytes = view.getUint16(15 + NAME_BYTES);
    const lifeBytes = (flags & LIFE) === 0 ? 0 : LIFE_BYTES;
    if (companionBytes > COMPANION_BYTES_MAX || frame.length <= end + companionBytes + lifeBytes) return undefined;
    labelled = {
      track: frame[8]!,
      part: view.getUint32(9),
      index: view.getUint16(13),
      name: new Uint8Array(frame.subarray(15, 15 + NAME_BYTES)),
      start: (flags & START) !== 0,
      companion: new Uint8Array(frame.subarray(end, end + companionBytes)),
      ...(lifeBytes === 0 ? {} : { lifeSeconds: view.getUint32(end + companionBytes) }),
    };
    end += companionBytes + lifeBytes;
  }
  if (frame.length - end > BLOCK_BYTES_MAX) return undefined;
  const header = { request: view.getUint32(2), item: view.getUint16(6), kept: (flags & KEPT) !== 0, labelled };
  return { header, block: frame.subarray(end) };
}
