import type { Label, Labelled } from '../../protocol/frames.ts';
import { nameOfHash, nameToText } from '../../protocol/names.ts';
import { sameBytes } from '../../protocol/text.ts';
import type { Refusal } from './errors.ts';
import type { Hash } from './platform.ts';

/** Where a block is filed in its locker. */
export interface ObjectLabel extends Label {
  /** A reader may start at this part. */
  readonly start: boolean;
  /** What its owner put beside it. No server looks into it, and nothing vouches for it but what it says itself. */
  readonly companion: Uint8Array;
}

/** A block whose bytes have the name it is told under. */
export interface GotObject {
  readonly ok: true;
  /** Which one of those wanted: its place there; of a follow a running number. */
  readonly item: number;
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Known where it was asked for by label, or followed. */
  readonly label: ObjectLabel | null;
  /** The server has also filed it in our own locker. */
  readonly kept: boolean;
}

/** What was not done, and why. */
export interface RefusedObject extends Refusal {
  readonly ok: false;
  readonly item: number;
  /** Null for what was asked for by label. */
  readonly name: string | null;
}

export type GetResult = GotObject | RefusedObject;

/** What was done. */
export interface DoneObject {
  readonly ok: true;
  readonly item: number;
  readonly name: string;
}
export type PutResult = DoneObject | RefusedObject;
export type DeleteResult = DoneObject | RefusedObject;

/** What a result that nobody has read takes, about. */
export function costOf(result: GetResult): number {
  return RESULT_BYTES + (result.ok ? result.bytes.length + (result.label?.companion.length ?? 0) : 0);
}

const RESULT_BYTES = 512;

/** What came, if its bytes have the name that they should have: no server is trusted with that. */
export function verified(
  hash: Hash,
  item: number,
  expected: Uint8Array | undefined,
  bytes: Uint8Array,
  labelled: Labelled | null,
  kept: boolean,
): GetResult {
  const name = expected === undefined ? null : nameToText(expected);
  if (name === null || !sameBytes(nameOfHash(hash.hashOf(bytes)), expected!))
    return { ok: false, item, name, reason: 'NAME_MISMATCH', retryAfterMs: 0, otherServer: null };
  if (labelled === null) return { ok: true, item, name, bytes, label: null, kept };
  const { track, part, index, start, companion } = labelled;
  return { ok: true, item, name, bytes, label: { track, part, index, start, companion }, kept };
}

/** Node's buffers answer to some methods otherwise than bytes everywhere else. */
export function plain(bytes: Uint8Array): Uint8Array {
  return bytes.constructor === Uint8Array ? bytes : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
