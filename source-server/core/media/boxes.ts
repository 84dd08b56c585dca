import { MediaFormatError } from './types.ts';

/**
 * Bounded access to ISO BMFF boxes (ISO/IEC 14496-12, 4.2) that are wholly in memory. Nothing here allocates by a size
 * that the bytes claim; every read is checked against the end of the box around it.
 */

/** A box inside `bytes`: `start` is its first byte, `body` the first after its header, `end` the first after it. */
export interface Box {
  readonly type: string;
  readonly start: number;
  readonly body: number;
  readonly end: number;
}

/** More children than any box of ours has; a forged header cannot make a longer list. */
const childrenMax = 256;

export function fourCc(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(bytes[at] ?? 0, bytes[at + 1] ?? 0, bytes[at + 2] ?? 0, bytes[at + 3] ?? 0);
}

export function readU16(bytes: Uint8Array, at: number, end: number): number {
  need(at, 2, end);
  return (bytes[at]! << 8) | bytes[at + 1]!;
}

export function readU32(bytes: Uint8Array, at: number, end: number): number {
  need(at, 4, end);
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
}

export function readI32(bytes: Uint8Array, at: number, end: number): number {
  return readU32(bytes, at, end) | 0;
}

/** @throws MediaFormatError above 2^53, where a number is no longer exact. */
export function readU64(bytes: Uint8Array, at: number, end: number): number {
  const high = readU32(bytes, at, end);
  const low = readU32(bytes, at + 4, end);
  if (high >= 0x200000) throw new MediaFormatError('a 64-bit value is too large');
  return high * 0x100000000 + low;
}

function need(at: number, sizeBytes: number, end: number): void {
  if (at + sizeBytes > end) throw new MediaFormatError('a box ends too early');
}

/** The boxes between `start` and `end`. @throws MediaFormatError when they do not fit. */
export function readBoxes(bytes: Uint8Array, start: number, end: number): Box[] {
  const boxes: Box[] = [];
  let at = start;
  while (at < end) {
    let sizeBytes = readU32(bytes, at, end);
    need(at, 8, end);
    let body = at + 8;
    if (sizeBytes === 1) {
      sizeBytes = readU64(bytes, body, end);
      body += 8;
    } else if (sizeBytes === 0) sizeBytes = end - at;
    if (at + sizeBytes > end || at + sizeBytes < body) throw new MediaFormatError('a box is larger than its parent');
    if (boxes.length === childrenMax) throw new MediaFormatError('too many boxes in one box');
    boxes.push({ type: fourCc(bytes, at + 4), start: at, body, end: at + sizeBytes });
    at += sizeBytes;
  }
  return boxes;
}

/** The first box of this type among the children of `parent`, if there is one. */
export function findBox(bytes: Uint8Array, parent: Pick<Box, 'body' | 'end'>, type: string): Box | undefined {
  return readBoxes(bytes, parent.body, parent.end).find((box) => box.type === type);
}

/** Walks down a path of types. @throws MediaFormatError when one is missing. */
export function requireBox(bytes: Uint8Array, parent: Pick<Box, 'body' | 'end'>, ...path: string[]): Box {
  let found: Pick<Box, 'body' | 'end'> = parent;
  for (const type of path) {
    const child = findBox(bytes, found, type);
    if (child === undefined) throw new MediaFormatError(`no ${type} box`);
    found = child;
  }
  return found as Box;
}
