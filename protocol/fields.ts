/**
 * Field checkers: each says how one value of a message is written and how a stranger's value is read.
 * `read` answers `undefined` for anything that is not exactly right; it never throws and never coerces.
 */

export interface Field<T> {
  read(value: unknown): T | undefined;
  write(value: T): unknown;
  /** Bytes that the value takes on the wire, found without writing it. */
  size(value: T): number;
}

/** The type a field carries. */
export type Read<F> = F extends Field<infer T> ? T : never;

const same = <T>(value: T): unknown => value;
const one = (): number => 1;

/** Bytes of a number (MessagePack's shortest form; what has more than 32 bits goes as float 64). */
export function numberBytes(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x100) return 2;
  if (value < 0x1_0000) return 3;
  return value < 0x1_0000_0000 ? 5 : 9;
}

/** Bytes of an array's head, without its items. */
export function arrayBytes(length: number): number {
  return length < 16 ? 1 : 3;
}

function binaryBytes({ length }: Uint8Array): number {
  return length + (length < 0x100 ? 2 : 3);
}

function textBytes(value: string): number {
  let length = 0;
  for (let at = 0; at < value.length; at++) {
    const unit = value.charCodeAt(at);
    if (unit < 0x80) length += 1;
    else if (unit < 0x800) length += 2;
    else {
      // A pair of surrogates is one character of four bytes; half a pair is written as U+FFFD, in three.
      const pair = unit < 0xdc00 && unit >= 0xd800 && (value.charCodeAt(at + 1) & 0xfc00) === 0xdc00;
      length += pair ? 4 : 3;
      if (pair) at++;
    }
  }
  return length + (length < 0x20 ? 1 : length < 0x100 ? 2 : 3);
}

function integer(max: number, min = 0): Field<number> {
  return {
    read: (value) =>
      typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max ? value : undefined,
    write: same,
    size: numberBytes,
  };
}

export const u8 = integer(0xff);
export const u16 = integer(0xffff);
export const u32 = integer(0xffff_ffff);
/** Unix ms, microseconds or bytes: any safe integer that is not negative. */
export const u53 = integer(Number.MAX_SAFE_INTEGER);
/** An integer from `min` to `max`. */
export const between = (min: number, max: number): Field<number> => integer(max, min);

export const flag: Field<boolean> = {
  read: (value) => (typeof value === 'boolean' ? value : undefined),
  write: same,
  size: one,
};

/** Exactly `length` bytes, copied out of the frame (a view would keep the whole frame alive). */
export function bytes(length: number): Field<Uint8Array> {
  return {
    read: (value) => (value instanceof Uint8Array && value.length === length ? new Uint8Array(value) : undefined),
    write: same,
    size: binaryBytes,
  };
}

/** Exactly `length` bytes, not copied: of what is kept whole itself. */
export function view(length: number): Field<Uint8Array> {
  return {
    read: (value) => (value instanceof Uint8Array && value.length === length ? value : undefined),
    write: same,
    size: binaryBytes,
  };
}

/** `min` … `max` bytes, copied. */
export function blob(max: number, min = 0): Field<Uint8Array> {
  return {
    read: (value) =>
      value instanceof Uint8Array && value.length >= min && value.length <= max ? new Uint8Array(value) : undefined,
    write: same,
    size: binaryBytes,
  };
}

/** Text of at most `max` UTF-16 units. */
export function text(max: number): Field<string> {
  return {
    read: (value) => (typeof value === 'string' && value.length <= max ? value : undefined),
    write: same,
    size: textBytes,
  };
}

/** One of a few words. */
export function word<const W extends readonly string[]>(words: W): Field<W[number]> {
  return {
    read: (value) => (typeof value === 'string' && words.includes(value) ? value : undefined),
    write: same,
    size: textBytes,
  };
}

/** One of a few words, as its place among them: for what travels often. */
export function ordinal<const W extends readonly string[]>(words: W): Field<W[number]> {
  return {
    read: (value) => (typeof value === 'number' ? words[value] : undefined),
    write: (value) => words.indexOf(value),
    size: (value) => numberBytes(words.indexOf(value)),
  };
}

/** Absent values travel as nil, so that fields after them keep their place. */
export function optional<T>(field: Field<T>): Field<T | null> {
  return {
    read: (value) => (value === null || value === undefined ? null : field.read(value)),
    write: (value) => (value === null ? null : field.write(value)),
    size: (value) => (value === null ? 1 : field.size(value)),
  };
}

/** A field that was added later: where an older sender leaves it out, it has this value. */
export function added<T>(field: Field<T>, absent: T): Field<T> {
  return { read: (value) => (value === undefined ? absent : field.read(value)), write: field.write, size: field.size };
}

const NONE: readonly never[] = Object.freeze([]);

/** At most `max` values of one kind. */
export function list<T>(field: Field<T>, max: number): Field<readonly T[]> {
  return {
    read(value) {
      if (!Array.isArray(value) || value.length > max) return undefined;
      if (value.length === 0) return NONE;
      const out: T[] = [];
      for (const item of value) {
        const read = field.read(item);
        if (read === undefined) return undefined;
        out.push(read);
      }
      return out;
    },
    write: (values) => values.map((value) => field.write(value)),
    size(values) {
      let bytes = arrayBytes(values.length);
      for (const value of values) bytes += field.size(value);
      return bytes;
    },
  };
}

export type Shape = Readonly<Record<string, Field<unknown>>>;
/** The object that a shape of fields carries. */
export type ReadShape<S extends Shape> = { readonly [K in keyof S]: Read<S[K]> };

/** Named fields, as an array in the order of the shape. Fields beyond the shape are ignored: room for later versions. */
export function struct<S extends Shape>(shape: S): Field<ReadShape<S>> {
  const names = Object.keys(shape);
  const fields = Object.values(shape);
  const empty = emptyOf({}, names);
  return {
    read: (value) =>
      Array.isArray(value) ? (readFields(empty, names, fields, value, 0) as ReadShape<S> | undefined) : undefined,
    write: (value) => names.map((name, at) => fields[at]!.write((value as Record<string, unknown>)[name])),
    size: (value) => sizeOfFields(names, fields, value as Record<string, unknown>) + arrayBytes(names.length),
  };
}

/** What {@link readFields} fills in a copy of: an object that has its shape from the start is made and read faster. */
export function emptyOf(common: Record<string, unknown>, names: readonly string[]): Record<string, unknown> {
  return { ...common, ...Object.fromEntries(names.map((name) => [name, null])) };
}

/** Reads `fields` from `values[from…]` into a copy of `empty`; `undefined` when one of them is wrong. */
export function readFields(
  empty: Readonly<Record<string, unknown>>,
  names: readonly string[],
  fields: readonly Field<unknown>[],
  values: readonly unknown[],
  from: number,
): Record<string, unknown> | undefined {
  const out: Record<string, unknown> = { ...empty };
  for (let at = 0; at < fields.length; at++) {
    const read = fields[at]!.read(values[from + at]);
    if (read === undefined) return undefined;
    out[names[at]!] = read;
  }
  return out;
}

/** Bytes that named fields take on the wire, one after the other. */
export function sizeOfFields(
  names: readonly string[],
  fields: readonly Field<unknown>[],
  values: Readonly<Record<string, unknown>>,
): number {
  let bytes = 0;
  for (let at = 0; at < fields.length; at++) bytes += fields[at]!.size(values[names[at]!]);
  return bytes;
}
