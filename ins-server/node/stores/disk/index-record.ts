import { crc32 } from 'node:zlib';
import { COMPANION_BYTES_MAX } from '../../../../protocol/limits.ts';
import { NAME_BYTES } from '../../../../protocol/names.ts';
import type { Filed, FiledAt } from '../../../core/io.ts';

/**
 * One record of the index, in a frame that a torn or rotten file cannot imitate. Numbers are little-endian.
 *
 * ```
 * 0   u32  magic
 * 4   u32  length of the payload
 * 8   u32  CRC-32 of the payload
 * 12  payload: u8 kind, then
 *     filed, unfiled   32 bytes owner, 32 bytes collection, u8 track, u32 part, u16 index
 *     filed            u8 flags (1: a reader may start here), f64 expires (Unix ms), 33 bytes name, u32 size,
 *                      u32 segment, u48 offset, u16 companion length, companion, u16 media type length, media type (UTF-8)
 *     moved            33 bytes name, u32 segment, u48 offset
 *     reset            nothing: all records before this one are void
 * ```
 * What a later version adds to a payload stands at its end; a kind that is not known is passed over.
 */
export const KIND = { filed: 1, unfiled: 2, moved: 3, reset: 4 } as const;

const MAGIC = 0x31_58_44_49;
const MAGIC_BYTES = Buffer.from('IDX1', 'latin1');
const HEAD_BYTES = 12;
const KEY_BYTES = 32;
const PLACE_AT = 1;
const PLACE_BYTES = KEY_BYTES + KEY_BYTES + 1 + 4 + 2;
const FLAGS_AT = PLACE_AT + PLACE_BYTES;
const EXPIRES_AT = FLAGS_AT + 1;
const NAME_AT = EXPIRES_AT + 8;
const SIZE_AT = NAME_AT + NAME_BYTES;
const SEGMENT_AT = SIZE_AT + 4;
const OFFSET_AT = SEGMENT_AT + 4;
const COMPANION_AT = OFFSET_AT + 6 + 2;
const MOVED_BYTES = 1 + NAME_BYTES + 4 + 6;
const START = 1;
/** With room for what later versions add. */
const PAYLOAD_BYTES_MAX = COMPANION_AT + COMPANION_BYTES_MAX + 4_096;

/** Where a block is: the number of a file, and the place in it. */
export interface Spot {
  readonly segment: number;
  readonly offset: number;
}

/** A record with its frame, ready to be appended. */
export function encodeFiled(entry: Filed, spot: Spot): Uint8Array {
  const { label, block, expiresAtMs, mediaType = '' } = entry;
  const { companion } = label;
  const type = Buffer.from(mediaType);
  const typeAt = COMPANION_AT + companion.length + 2;
  const out = framed(typeAt + type.length);
  const payload = out.subarray(HEAD_BYTES);
  payload[0] = KIND.filed;
  writePlace(payload, entry);
  payload[FLAGS_AT] = label.start ? START : 0;
  payload.writeDoubleLE(expiresAtMs, EXPIRES_AT);
  payload.set(block.name, NAME_AT);
  payload.writeUInt32LE(block.sizeBytes, SIZE_AT);
  writeSpot(payload, spot, SEGMENT_AT);
  payload.writeUInt16LE(companion.length, COMPANION_AT - 2);
  payload.set(companion, COMPANION_AT);
  payload.writeUInt16LE(type.length, typeAt - 2);
  payload.set(type, typeAt);
  return sealed(out);
}

export function encodeUnfiled(place: FiledAt): Uint8Array {
  const out = framed(PLACE_AT + PLACE_BYTES);
  out[HEAD_BYTES] = KIND.unfiled;
  writePlace(out.subarray(HEAD_BYTES), place);
  return sealed(out);
}

export function encodeMoved(name: Uint8Array, spot: Spot): Uint8Array {
  const out = framed(MOVED_BYTES);
  out[HEAD_BYTES] = KIND.moved;
  out.set(name, HEAD_BYTES + 1);
  writeSpot(out.subarray(HEAD_BYTES), spot, 1 + NAME_BYTES);
  return sealed(out);
}

export function encodeReset(): Uint8Array {
  const out = framed(1);
  out[HEAD_BYTES] = KIND.reset;
  return sealed(out);
}

/** A payload of `filed` in a frame of its own, its block being somewhere else by now. */
export function encodeRefiled(payload: Buffer, spot: Spot): Uint8Array {
  const out = framed(payload.length);
  out.set(payload, HEAD_BYTES);
  writeSpot(out.subarray(HEAD_BYTES), spot, SEGMENT_AT);
  return sealed(out);
}

/** Owner, collection and label as one key. Of payloads of `filed` and `unfiled`. */
export function placeKeyOf(payload: Buffer): string {
  return payload.toString('latin1', PLACE_AT, PLACE_AT + PLACE_BYTES);
}

/** Of payloads of `filed`. */
export function expiryOf(payload: Buffer): number {
  return payload.readDoubleLE(EXPIRES_AT);
}

/** The name of a block as the key that the core uses. Of payloads of `filed` and `moved`. */
export function nameKeyOf(payload: Buffer): string {
  const at = payload[0] === KIND.moved ? 1 : NAME_AT;
  return payload.toString('latin1', at, at + NAME_BYTES);
}

/** Of payloads of `filed` and `moved`. */
export function spotOf(payload: Buffer): Spot {
  const at = payload[0] === KIND.moved ? 1 + NAME_BYTES : SEGMENT_AT;
  return { segment: payload.readUInt32LE(at), offset: payload.readUIntLE(at + 4, 6) };
}

/** What a payload of `filed` says; all bytes are copied. */
export function decodeFiled(payload: Buffer): Filed {
  const name = copy(payload, NAME_AT, NAME_BYTES);
  const typeAt = COMPANION_AT + payload.readUInt16LE(COMPANION_AT - 2) + 2;
  const label = {
    track: payload[PLACE_AT + 2 * KEY_BYTES]!,
    part: payload.readUInt32LE(PLACE_AT + 2 * KEY_BYTES + 1),
    index: payload.readUInt16LE(PLACE_AT + 2 * KEY_BYTES + 5),
    name,
    start: (payload[FLAGS_AT]! & START) !== 0,
    companion: copy(payload, COMPANION_AT, payload.readUInt16LE(COMPANION_AT - 2)),
  };
  return {
    owner: payload.toString('latin1', PLACE_AT, PLACE_AT + KEY_BYTES),
    collection: copy(payload, PLACE_AT + KEY_BYTES, KEY_BYTES),
    label,
    block: { key: nameKeyOf(payload), name, sizeBytes: payload.readUInt32LE(SIZE_AT) },
    expiresAtMs: expiryOf(payload),
    mediaType: payload.toString('utf8', typeAt, typeAt + payload.readUInt16LE(typeAt - 2)),
  };
}

/** What {@link nextRecord} found. */
export interface Found {
  /** `undefined` when there is no whole record from here to the end of what was read. */
  readonly payload?: Buffer;
  /** Where to look on; before it, nothing is left to be found. */
  readonly nextAt: number;
  /** Bytes that were passed over because they are no record. */
  readonly skippedBytes: number;
}

/** The next whole record in `bytes` from `at` on. What is torn or rotten is passed over, up to the next record. */
export function nextRecord(bytes: Buffer, at: number, atEnd: boolean): Found {
  for (let start = at; ; ) {
    const head = bytes.indexOf(MAGIC_BYTES, start);
    if (head < 0) {
      // The magic may begin in the last bytes.
      const nextAt = atEnd ? bytes.length : Math.max(at, bytes.length - MAGIC_BYTES.length + 1);
      return { nextAt, skippedBytes: nextAt - at };
    }
    const payloadAt = head + HEAD_BYTES;
    const end = payloadAt <= bytes.length ? payloadAt + bytes.readUInt32LE(head + 4) : Number.POSITIVE_INFINITY;
    const fits = end <= bytes.length;
    // Longer than any record can be, it is none.
    const isCut = !fits && (end === Number.POSITIVE_INFINITY || end - payloadAt <= PAYLOAD_BYTES_MAX);
    if (isCut && !atEnd) return { nextAt: head, skippedBytes: head - at };
    if (fits) {
      const payload = bytes.subarray(payloadAt, end);
      if (isWhole(payload, bytes.readUInt32LE(head + 8))) return { payload, nextAt: end, skippedBytes: head - at };
    }
    start = head + 1;
  }
}

/** Intact, and long enough for its kind. */
function isWhole(payload: Buffer, checksum: number): boolean {
  if (payload.length === 0 || payload.length > PAYLOAD_BYTES_MAX || crc32(payload) !== checksum) return false;
  switch (payload[0]) {
    case KIND.filed:
      return payload.length >= COMPANION_AT + 2 && isFiledWhole(payload);
    case KIND.unfiled:
      return payload.length >= PLACE_AT + PLACE_BYTES;
    case KIND.moved:
      return payload.length >= MOVED_BYTES;
    default:
      return true;
  }
}

function isFiledWhole(payload: Buffer): boolean {
  const typeAt = COMPANION_AT + payload.readUInt16LE(COMPANION_AT - 2) + 2;
  return payload.length >= typeAt && payload.length >= typeAt + payload.readUInt16LE(typeAt - 2);
}

function framed(payloadBytes: number): Buffer {
  const out = Buffer.allocUnsafeSlow(HEAD_BYTES + payloadBytes);
  out.writeUInt32LE(MAGIC, 0);
  out.writeUInt32LE(payloadBytes, 4);
  return out;
}

function sealed(out: Buffer): Uint8Array {
  out.writeUInt32LE(crc32(out.subarray(HEAD_BYTES)), 8);
  return out;
}

function writePlace(payload: Buffer, { owner, collection, label }: FiledAt): void {
  payload.write(owner, PLACE_AT, KEY_BYTES, 'latin1');
  payload.set(collection, PLACE_AT + KEY_BYTES);
  payload[PLACE_AT + 2 * KEY_BYTES] = label.track;
  payload.writeUInt32LE(label.part, PLACE_AT + 2 * KEY_BYTES + 1);
  payload.writeUInt16LE(label.index, PLACE_AT + 2 * KEY_BYTES + 5);
}

function writeSpot(payload: Buffer, { segment, offset }: Spot, at: number): void {
  payload.writeUInt32LE(segment, at);
  payload.writeUIntLE(offset, at + 4, 6);
}

function copy(bytes: Buffer, at: number, length: number): Uint8Array {
  return new Uint8Array(bytes.subarray(at, at + length));
}
