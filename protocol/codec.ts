import { Packr } from 'msgpackr';
import {
  arrayBytes,
  emptyOf,
  type Field,
  numberBytes,
  type ReadShape,
  readFields,
  type Shape,
  sizeOfFields,
} from './fields.ts';
import { CONTROL_BYTES_MAX } from './limits.ts';
import { scanControl } from './scan.ts';

// One instance; records and maps never travel. Integers above 32 bits go as float 64, which holds every safe integer.
const packr = new Packr({ useRecords: false, int64AsType: 'number' });

/** Writes one value of nested arrays, numbers, texts and bytes. The same value always gives the same bytes. */
export function pack(value: unknown): Uint8Array {
  return new Uint8Array(packr.pack(value));
}

/** Reads what {@link pack} wrote; `undefined` for anything {@link scanControl} refuses. Never throws. */
export function unpack(bytes: Uint8Array): unknown {
  return scanControl(bytes) === undefined ? unpackScanned(bytes) : undefined;
}

/** For bytes that {@link scanControl} has passed. */
function unpackScanned(bytes: Uint8Array): unknown {
  try {
    return packr.unpack(bytes);
  } catch {
    return undefined;
  }
}

/** One message of a conversation: its number on the wire and its fields in order. */
export interface MessageShape<Type extends string, S extends Shape> {
  readonly type: Type;
  readonly tag: number;
  readonly shape: S;
}

export function message<const Type extends string, S extends Shape>(
  type: Type,
  tag: number,
  shape: S,
): MessageShape<Type, S> {
  return { type, tag, shape };
}

/** The objects that a list of message shapes carries, told apart by `type`. */
export type MessageOf<L extends readonly MessageShape<string, Shape>[]> = {
  [K in keyof L]: L[K] extends MessageShape<infer Type, infer S> ? { readonly type: Type } & ReadShape<S> : never;
}[number];

/** What a decoder answers: a message, nothing (a tag of a later version, to be ignored), or why the bytes are wrong. */
export type Decoded<M> =
  | { readonly ok: true; readonly message: M | undefined }
  | { readonly ok: false; readonly violation: string };

export interface Codec<M> {
  /** Asserts the bounds that {@link decode} checks: what we send, everybody accepts. */
  encode(message: M): Uint8Array;
  /** How many bytes {@link encode} makes of a message, without making them. */
  size(message: M): number;
  /** Never throws; checks size and opcodes before anything is allocated. */
  decode(bytes: Uint8Array): Decoded<M>;
}

/** Makes the codec of one conversation. On the wire a message is a MessagePack array `[tag, field, field, …]`. */
export function codec<const L extends readonly MessageShape<string, Shape>[]>(shapes: L): Codec<MessageOf<L>> {
  type M = MessageOf<L>;
  const entries = shapes.map((shape) => ({
    type: shape.type,
    tag: shape.tag,
    names: Object.keys(shape.shape),
    fields: Object.values(shape.shape) as Field<unknown>[],
    empty: emptyOf({ type: shape.type }, Object.keys(shape.shape)),
  }));
  const byTag = new Map(entries.map((entry) => [entry.tag, entry]));
  const byType = new Map<string, (typeof entries)[number]>(entries.map((entry) => [entry.type, entry]));
  return {
    encode(value) {
      const entry = byType.get(value.type)!;
      const fields = value as unknown as Record<string, unknown>;
      const bytes = pack([entry.tag, ...entry.names.map((name, at) => entry.fields[at]!.write(fields[name]))]);
      if (bytes.length > CONTROL_BYTES_MAX) throw new RangeError(`a ${value.type} message of ${bytes.length} bytes`);
      return bytes;
    },
    size(value) {
      const { tag, names, fields } = byType.get(value.type)!;
      const values = value as unknown as Record<string, unknown>;
      return arrayBytes(names.length + 1) + numberBytes(tag) + sizeOfFields(names, fields, values);
    },
    decode(bytes) {
      const refused = scanControl(bytes);
      if (refused !== undefined) return { ok: false, violation: refused };
      const value = unpackScanned(bytes);
      if (!Array.isArray(value) || typeof value[0] !== 'number') return { ok: false, violation: 'not a message' };
      const entry = byTag.get(value[0]);
      if (entry === undefined) return { ok: true, message: undefined };
      const read = readFields(entry.empty, entry.names, entry.fields, value, 1);
      if (read === undefined) return { ok: false, violation: `malformed ${entry.type}` };
      return { ok: true, message: read as unknown as M };
    },
  };
}
