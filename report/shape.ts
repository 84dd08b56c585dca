/**
 * What a value out of a file has to look like: one description that checks it, that is a JSON Schema, and that the compiler holds to the type it
 * is the shape of.
 */
export interface Shape<T> {
  /** A JSON Schema (2020-12) that says the same. */
  readonly schema: JsonSchema;
  /** Notes what is wrong; nothing where all is well. Looks no further once there is too much. */
  readonly check: (value: unknown, path: string, faults: Faults) => void;
  /** The key may be missing in an object. */
  readonly mayMiss?: boolean;
  /** Never there: it makes a shape that is too wide or too narrow for T not compile. */
  readonly like?: (value: T) => T;
}

export type JsonSchema = Readonly<Record<string, unknown>>;

/** What is wrong, as `path: what`; so many are enough to see by. */
export class Faults {
  readonly texts: string[] = [];
  private readonly max: number;

  constructor(max: number) {
    this.max = max;
  }

  get isFull(): boolean {
    return this.texts.length >= this.max;
  }

  note(path: string, what: string): void {
    if (!this.isFull) this.texts.push(`${path === '' ? 'the whole' : path}: ${what}`);
  }
}

export function numberFrom(min: number, max = Number.MAX_VALUE): Shape<number> {
  const isOpen = max === Number.MAX_VALUE;
  const range =
    min === -Number.MAX_VALUE ? 'a number' : isOpen ? `a number of at least ${min}` : `a number from ${min} to ${max}`;
  return {
    schema: {
      type: 'number',
      ...(min === -Number.MAX_VALUE ? {} : { minimum: min }),
      ...(isOpen ? {} : { maximum: max }),
    },
    check(value, path, faults) {
      // What is too large for a number is read from JSON as infinite.
      if (typeof value !== 'number' || !Number.isFinite(value) || value < min || value > max)
        faults.note(path, `${range} is expected, not ${shown(value)}`);
    },
  };
}

/** Any finite number. */
export const anyNumber: Shape<number> = numberFrom(-Number.MAX_VALUE);
export const atLeastZero: Shape<number> = numberFrom(0);
export const share: Shape<number> = numberFrom(0, 1);

export function text(charsMax: number): Shape<string> {
  return {
    schema: { type: 'string', maxLength: charsMax },
    check(value, path, faults) {
      if (typeof value !== 'string') faults.note(path, `a text is expected, not ${shown(value)}`);
      else if (value.length > charsMax) faults.note(path, `at most ${charsMax} characters are possible`);
    },
  };
}

export const flag: Shape<boolean> = {
  schema: { type: 'boolean' },
  check(value, path, faults) {
    if (typeof value !== 'boolean') faults.note(path, `true or false is expected, not ${shown(value)}`);
  },
};

export function oneOf<const T extends string>(words: readonly T[]): Shape<T> {
  return {
    schema: { enum: words },
    check(value, path, faults) {
      if (!words.includes(value as T)) faults.note(path, `one of ${words.join(', ')} is expected, not ${shown(value)}`);
    },
  };
}

export function textOrNumber(charsMax: number): Shape<string | number> {
  const [string, number] = [text(charsMax), anyNumber];
  return {
    schema: { anyOf: [string.schema, number.schema] },
    check: (value, path, faults) => (typeof value === 'number' ? number : string).check(value, path, faults),
  };
}

export function nullable<T>(shape: Shape<T>): Shape<T | null> {
  return {
    schema: { anyOf: [shape.schema, { type: 'null' }] },
    check(value, path, faults) {
      if (value !== null) shape.check(value, path, faults);
    },
  };
}

export function list<T>(shape: Shape<T>, max: number, min = 0): Shape<readonly T[]> {
  return {
    schema: { type: 'array', items: shape.schema, ...(min === 0 ? {} : { minItems: min }), maxItems: max },
    check(value, path, faults) {
      if (!Array.isArray(value)) faults.note(path, `a list is expected, not ${shown(value)}`);
      else if (value.length > max) faults.note(path, `at most ${max} items are possible, not ${value.length}`);
      else if (value.length < min) faults.note(path, `at least ${min} are expected`);
      else for (const [at, item] of value.entries()) if (!faults.isFull) shape.check(item, `${path}[${at}]`, faults);
    },
  };
}

/** Whatever keys, each with the same shape. */
export function byKey<T>(shape: Shape<T>, max: number, min = 0): Shape<Readonly<Record<string, T>>> {
  return {
    schema: {
      type: 'object',
      additionalProperties: shape.schema,
      ...(min === 0 ? {} : { minProperties: min }),
      maxProperties: max,
    },
    check(value, path, faults) {
      if (!isObject(value)) return faults.note(path, `an object is expected, not ${shown(value)}`);
      const entries = Object.entries(value);
      if (entries.length > max) return faults.note(path, `at most ${max} keys are possible, not ${entries.length}`);
      if (entries.length < min) return faults.note(path, 'it is empty');
      for (const [key, item] of entries) if (!faults.isFull) shape.check(item, inside(path, key), faults);
    },
  };
}

export type Fields<T> = { readonly [K in keyof T]-?: Shape<T[K]> };

/** These keys, and any others: later versions may have more. */
export function object<T extends object>(fields: Fields<T>): Shape<T> {
  const entries = Object.entries(fields) as [string, Shape<unknown>][];
  return {
    schema: {
      type: 'object',
      properties: Object.fromEntries(entries.map(([key, { schema }]) => [key, schema])),
      required: entries.flatMap(([key, { mayMiss }]) => (mayMiss === true ? [] : [key])),
    },
    check(value, path, faults) {
      if (!isObject(value)) return faults.note(path, `an object is expected, not ${shown(value)}`);
      for (const [key, shape] of entries) {
        if (Object.hasOwn(value, key)) shape.check(value[key], inside(path, key), faults);
        else if (shape.mayMiss !== true) faults.note(inside(path, key), 'it is missing');
      }
    },
  };
}

/** Of a key that files written earlier do not have: null stands for it. */
export function missingAsNull<T>(shape: Shape<T | null>): Shape<T | null> {
  return { ...shape, mayMiss: true };
}

function inside(path: string, key: string): string {
  const name = /^[\w-]{1,80}$/.test(key) ? key : JSON.stringify(key.slice(0, 80));
  return path === '' ? name : `${path}.${name}`;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const SHOWN_MAX = 40;

/** A value short enough for a line. */
function shown(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'an object';
  const text = typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? 'nothing');
  return text.length <= SHOWN_MAX ? text : `${text.slice(0, SHOWN_MAX)}…`;
}
