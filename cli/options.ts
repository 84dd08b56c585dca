import { readFileSync } from 'node:fs';
import { Problem } from './problem.ts';

/** One option of a command: how it is read and told of. Its name is the key it stands under, in kebab case. */
export interface OptionSpec<T> {
  readonly help: string;
  /** What stands for the value in the help; a switch has none. */
  readonly placeholder: string | undefined;
  /** May be given more than once; T is an array then, and `read` reads one of its items. */
  readonly many: boolean;
  /** A switch that is on unless turned off: `--no-NAME`. */
  readonly negated: boolean;
  /** @throws Error that says what would be right. */
  readonly read: (text: string) => unknown;
  /** What holds when nobody says anything; `undefined` makes the option one that has to be given. */
  readonly fallback: { readonly value: T; readonly text: string } | undefined;
  /** For an option that has to be given: how to come by it. */
  readonly hint: string;
}

export type OptionSpecs = Readonly<Record<string, OptionSpec<unknown>>>;
export type Values<S extends OptionSpecs> = { readonly [K in keyof S]: S[K] extends OptionSpec<infer T> ? T : never };

const PLAIN = { many: false, negated: false, hint: '' } as const;

/** An option with a value and a default. `text` is how the help names the default; empty says nothing. */
export function option<T>(
  placeholder: string,
  help: string,
  read: (text: string) => T,
  value: T,
  text = String(value),
): OptionSpec<T> {
  return { ...PLAIN, placeholder, help, read, fallback: { value, text } };
}

/** An option that may be left out. */
export function optional<T>(placeholder: string, help: string, read: (text: string) => T): OptionSpec<T | undefined> {
  return { ...PLAIN, placeholder, help, read, fallback: { value: undefined, text: '' } };
}

/** An option that has to be given. `hint` says how to come by a value. */
export function required<T>(placeholder: string, help: string, read: (text: string) => T, hint: string): OptionSpec<T> {
  return { ...PLAIN, placeholder, help, read, fallback: undefined, hint };
}

/** An option that may be given several times. */
export function many<T>(placeholder: string, help: string, read: (text: string) => T): OptionSpec<readonly T[]> {
  return { ...PLAIN, many: true, placeholder, help, read, fallback: { value: [], text: '' } };
}

/** A switch that is off unless given; `negated`: on, and turned off by `--no-NAME`. */
export function toggle(help: string, negated = false): OptionSpec<boolean> {
  const fallback = { value: negated, text: '' };
  return { ...PLAIN, negated, placeholder: undefined, help, read: readSwitch, fallback };
}

function readSwitch(text: string): boolean {
  if (/^(1|true|yes|on)$/i.test(text)) return true;
  if (/^(0|false|no|off)$/i.test(text)) return false;
  throw new Error('true or false is expected');
}

/** `blockSize` → `block-size`, as on the command line and in files. */
export function optionName(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** `blockSize` → `INSWARM_BLOCK_SIZE`. */
export function variableName(key: string): string {
  return `INSWARM_${optionName(key).replaceAll('-', '_').toUpperCase()}`;
}

/** What was said of an option, and where. */
interface Said {
  /** One text, or one for each time a repeatable option was given. */
  readonly texts: readonly string[];
  /** As the user knows the place: `--port`, `INSWARM_PORT`, `"port" in FILE`. */
  readonly where: string;
}

/** Texts by option key, and where they stand. */
export type Saying = (key: string, spec: OptionSpec<unknown>) => Said | undefined;

/**
 * Makes values out of what was said: the first place that says something of an option holds.
 *
 * @throws Problem that names the place, the value and what would be right.
 */
export function resolveOptions<S extends OptionSpecs>(specs: S, sayings: readonly Saying[]): Values<S> {
  const values: Record<string, unknown> = {};
  for (const [key, spec] of Object.entries(specs)) values[key] = resolve(key, spec, sayings);
  return values as Values<S>;
}

function resolve(key: string, spec: OptionSpec<unknown>, sayings: readonly Saying[]): unknown {
  for (const saying of sayings) {
    const said = saying(key, spec);
    if (said === undefined) continue;
    const values = said.texts.map((text) => readValue(spec, text, said.where));
    return spec.many ? values : values[0];
  }
  if (spec.fallback === undefined) throw new Problem(`--${optionName(key)} is missing: ${spec.hint}`, 2);
  return spec.fallback.value;
}

function readValue(spec: OptionSpec<unknown>, text: string, where: string): unknown {
  try {
    return spec.read(text);
  } catch (error) {
    throw new Problem(`${where} ${text === '' ? "''" : text}: ${(error as Error).message}`, 2);
  }
}

/** What the environment says. Lists have spaces between their items. An empty variable says nothing. */
export function fromEnvironment(env: Readonly<Record<string, string | undefined>>): Saying {
  return (key, spec) => {
    const where = variableName(key);
    const text = env[where]?.trim();
    if (text === undefined || text === '') return undefined;
    return { where, texts: spec.many ? text.split(/\s+/) : [text] };
  };
}

/**
 * What a configuration file says: JSON, `{ "port": 4800, "ins": ["ws://…"] }`, with options for one command in an object
 * under its name, which go before the others.
 *
 * @param commands - All commands and their options: a file may serve several, but a key that none knows is an error.
 * @throws Problem when the file cannot be read, is no such JSON, or has keys that nobody knows.
 */
export function fromFile(path: string, command: string, commands: ReadonlyMap<string, OptionSpecs>): readonly Saying[] {
  const root = readJson(path);
  const known = new Set([...commands.values()].flatMap((specs) => Object.keys(specs).map(optionName)));
  const sections: Saying[] = [];
  for (const [name, value] of Object.entries(root)) {
    if (commands.has(name) && isObject(value)) {
      const inSection = new Set(Object.keys(commands.get(name)!).map(optionName));
      checkKeys(path, Object.keys(value), inSection, `inswarm ${name} has`);
      if (name === command) sections.push(fromObject(path, value));
    }
  }
  const shared = Object.fromEntries(
    Object.entries(root).filter(([name, value]) => !commands.has(name) || !isObject(value)),
  );
  checkKeys(path, Object.keys(shared), known, 'there is');
  return [...sections, fromObject(path, shared)];
}

function readJson(path: string): Readonly<Record<string, unknown>> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new Problem(`--config ${path}: the file cannot be read (${(error as NodeJS.ErrnoException).code})`, 2);
  }
  try {
    const root: unknown = JSON.parse(text);
    if (isObject(root)) return root;
  } catch (error) {
    throw new Problem(`--config ${path}: this is not JSON: ${(error as Error).message.split('\n')[0]}`, 2);
  }
  throw new Problem(`--config ${path}: an object is expected, such as {"port": 4800}`, 2);
}

function checkKeys(path: string, keys: readonly string[], known: ReadonlySet<string>, there: string): void {
  const stranger = keys.find((key) => !known.has(key) || key === 'config');
  if (stranger === undefined) return;
  const names = [...known].filter((name) => name !== 'config').sort();
  throw new Problem(`--config ${path}: no option is called "${stranger}"; ${there} ${names.join(', ')}`, 2);
}

function fromObject(path: string, object: Readonly<Record<string, unknown>>): Saying {
  return (key, spec) => {
    const name = optionName(key);
    const value = object[name];
    if (value === undefined || value === null) return undefined;
    const items = Array.isArray(value) ? value : [value];
    const plain = items.every((item) => ['string', 'number', 'boolean'].includes(typeof item));
    if (!plain || (items.length !== 1 && !spec.many)) {
      throw new Problem(`--config ${path}: "${name}" takes ${spec.many ? 'a list of values' : 'one value'}`, 2);
    }
    return { where: `"${name}" in ${path}:`, texts: items.map(String) };
  };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
