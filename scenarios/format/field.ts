import type { Mistake } from './mistake.ts';
import { nearest } from './nearest.ts';
import type { MapTree, Plain, TextTree, Tree } from './tree.ts';

/** How a value stands in a file, both ways. */
export interface Field<T> {
  /** A value as people write it, for who has to write one. */
  readonly example: string;
  /** @returns Undefined where it has told `reading` of a mistake. */
  read(tree: Tree, path: string, reading: Reading): T | undefined;
  write(value: T, regions: readonly string[]): Plain;
}

/** What is found out while a file is read from top to bottom. */
export class Reading {
  readonly mistakes: Mistake[] = [];
  /** Names of the regions so far: those that hold where a file names none; undefined where it does, and they cannot be read. */
  regions: readonly string[] | undefined;
  /** What could be read of the file's own fields, by key. */
  root: Readonly<Record<string, unknown>> = {};
  private readonly lines = new Map<string, number>();

  constructor(regions: readonly string[]) {
    this.regions = regions;
  }

  wrong(line: number, path: string, what: string): undefined {
    this.mistakes.push({ line, path, what });
    return undefined;
  }

  /** Of what was read from a place, if anything. */
  wrongAt(path: string, what: string): void {
    this.wrong(this.lines.get(path) ?? 1, path, what);
  }

  /** Notes where a path stands. */
  at(path: string, line: number): void {
    this.lines.set(path, line);
  }
}

/** A scalar: how it is read from its text, and written. */
export interface Scalar<T> {
  /** `a duration`, after which `is expected` can follow. */
  readonly what: string;
  readonly example: string;
  /** @returns The value, or what is wrong with the text. */
  parse(text: string, reading: Reading): T | Wrong;
  format(value: T, regions: readonly string[]): string;
}

export class Wrong {
  readonly what: string;

  constructor(what: string) {
    this.what = what;
  }
}

export function scalar<T>({ what, example, parse, format }: Scalar<T>): Field<T> {
  return {
    example,
    read(tree, path, reading) {
      if (tree.kind !== 'text')
        return reading.wrong(tree.line, path, `a ${tree.kind} is here; ${what} is expected, such as ${example}`);
      if (tree.text === '')
        return reading.wrong(tree.line, path, `nothing is here; ${what} is expected, such as ${example}`);
      const value = parse(tree.text, reading);
      return value instanceof Wrong ? reading.wrong(tree.line, path, `${shown(tree)} ${value.what}`) : value;
    },
    write: format,
  };
}

const SHOWN_CHARS_MAX = 60;

/** As it stands in the file, on one line, shortened where it is long. */
export function shown({ text }: TextTree): string {
  const line = text.replaceAll(/\s+/g, ' ');
  return line.length <= SHOWN_CHARS_MAX ? `'${line}'` : `'${line.slice(0, SHOWN_CHARS_MAX)}…'`;
}

/** One of a few words. */
export function word<T extends string>(what: string, words: readonly T[]): Field<T> {
  return scalar({
    what: `a ${what} (${words.join(', ')})`,
    example: words[0]!,
    parse: (text) => words.find((one) => one === text) ?? new Wrong(`is no ${what}; ${instead(text, words)}`),
    format: (value) => value,
  });
}

/** What to write instead: the word that is near, or one of all. */
export function instead(text: string, words: readonly string[]): string {
  const near = nearest(text, words);
  if (near !== undefined) return `did you mean ${near}?`;
  return `${words.join(', ')} ${words.length === 1 ? 'is' : 'are'} possible`;
}

/** Several of the same. */
export function list<T>(item: Field<T>, itemsMin: number, itemsMax: number): Field<readonly T[]> {
  return {
    example: `[${Array(Math.max(1, itemsMin)).fill(item.example).join(', ')}]`,
    read(tree, path, reading) {
      if (tree.kind !== 'list') return reading.wrong(tree.line, path, `a list is expected, such as ${this.example}`);
      const count = tree.items.length;
      if (count < itemsMin || count > itemsMax) {
        const bounds = itemsMin === itemsMax ? `${itemsMin}` : `from ${itemsMin} to ${itemsMax}`;
        return reading.wrong(tree.line, path, `${count} are here; ${bounds} are expected`);
      }
      const values = tree.items.map((one, at) => {
        reading.at(`${path}[${at}]`, one.line);
        return item.read(one, `${path}[${at}]`, reading);
      });
      return values.some((value) => value === undefined) ? undefined : (values as T[]);
    },
    write: (values, regions) => values.map((value) => item.write(value, regions)),
  };
}

/** A field of a record. */
export interface Member<T> {
  /** Its name in the file. */
  readonly name: string;
  readonly field: Field<T>;
  /** What holds where it is left out; without one it has to be there, unless it is optional. */
  readonly fallback?: { readonly value: T };
  readonly isOptional?: true;
}

export type Members<T> = { readonly [K in keyof T]-?: Member<Exclude<T[K], undefined>> };

/** Has to be there. */
export function needed<T>(name: string, field: Field<T>): Member<T> {
  return { name, field };
}

/** May be left out. */
export function usually<T>(name: string, field: Field<T>, value: NoInfer<T>): Member<T> {
  return { name, field, fallback: { value } };
}

/** May be left out, and is then not in the value either. */
export function optionally<T>(name: string, field: Field<T>): Member<T> {
  return { name, field, isOptional: true };
}

/** Named fields, read in the order of the members whatever that of the file. */
export function record<T extends object>(members: Members<T>, example: string): Field<T> {
  return recordBeside(members, [], example);
}

/** @param others - Names of fields that somebody else reads. */
function recordBeside<T extends object>(members: Members<T>, others: readonly string[], example: string): Field<T> {
  const all = Object.entries<Member<unknown>>(members);
  const names = [...others, ...all.map(([, { name }]) => name)];
  return {
    example,
    read(tree, path, reading) {
      if (tree.kind !== 'map') return reading.wrong(tree.line, path, `fields are expected, such as ${example}`);
      const meant = strangers(tree, path, names, reading);
      const value: Record<string, unknown> = {};
      if (path === '') reading.root = value;
      for (const [key, member] of all) if (!meant.has(member.name)) readMember(tree, path, key, member, value, reading);
      return all.every(([key, { isOptional }]) => isOptional || value[key] !== undefined) ? (value as T) : undefined;
    },
    write: (value, regions) =>
      Object.fromEntries(
        all.flatMap(([key, { name, field }]) => {
          const own = (value as Record<string, unknown>)[key];
          return own === undefined ? [] : [[name, field.write(own, regions)]];
        }),
      ),
  };
}

function readMember(
  tree: MapTree,
  path: string,
  key: string,
  { name, field, fallback, isOptional }: Member<unknown>,
  into: Record<string, unknown>,
  reading: Reading,
): void {
  const entry = tree.entries.find((one) => one.key === name);
  const own = inside(path, name);
  reading.at(own, entry?.line ?? tree.line);
  if (entry !== undefined) into[key] = field.read(entry.value, own, reading);
  else if (fallback !== undefined) into[key] = fallback.value;
  else if (!isOptional) reading.wrong(tree.line, own, `this is missing; write, for example, ${name}: ${field.example}`);
}

/** Tells of fields that there are not. @returns What was meant instead of them, and is therefore not missing. */
function strangers({ entries }: MapTree, path: string, names: readonly string[], reading: Reading): Set<string> {
  const meant = new Set<string>();
  for (const { key, line } of entries) {
    if (names.includes(key)) continue;
    const near = nearest(key, names);
    const advice = near === undefined ? `the fields here are ${names.join(', ')}` : `did you mean ${near}?`;
    reading.wrong(line, inside(path, key.slice(0, SHOWN_CHARS_MAX)), `there is no such field; ${advice}`);
    if (near !== undefined && !entries.some((other) => other.key === near)) meant.add(near);
  }
  return meant;
}

function inside(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}

/** The members of each kind of a union, without what tells the kinds apart. */
type Variants<T, Tag extends keyof T> = {
  readonly [K in T[Tag] & string]: Members<Omit<Extract<T, Readonly<Record<Tag, K>>>, Tag>>;
};

/** One of several kinds of records, told apart by one of their fields. */
export function variants<Tag extends string, T extends Readonly<Record<Tag, string>>>(
  tag: Tag,
  kinds: Variants<T, Tag>,
  example: string,
): Field<T> {
  const names = Object.keys(kinds);
  const kind = word(tag === 'what' ? 'happening' : tag, names);
  const fields = new Map(
    Object.entries<Members<object>>(kinds).map(([name, members]) => [name, recordBeside(members, [tag], example)]),
  );
  return {
    example,
    read(tree, path, reading) {
      if (tree.kind !== 'map') return reading.wrong(tree.line, path, `fields are expected, such as ${example}`);
      const told: Record<string, unknown> = {};
      readMember(tree, path, tag, { name: tag, field: kind }, told, reading);
      const own = fields.get(String(told[tag]));
      const value = own?.read(tree, path, reading);
      return value === undefined ? undefined : ({ [tag]: told[tag], ...value } as unknown as T);
    },
    write: (value, regions) => {
      const rest = fields.get(value[tag])!.write(value, regions) as Readonly<Record<string, Plain>>;
      return { [tag]: value[tag], ...rest };
    },
  };
}
