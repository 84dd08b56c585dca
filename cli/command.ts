import { Command as Commander, CommanderError, Option } from 'commander';
import { createLog, type Log } from '../runtime/log.ts';
import { nowMs } from '../runtime/node/clock.ts';
import { writeLogLine } from './log-lines.ts';
import {
  fromEnvironment,
  fromFile,
  type OptionSpec,
  type OptionSpecs,
  option,
  optional,
  optionName,
  resolveOptions,
  type Saying,
  type Values,
  variableName,
} from './options.ts';
import { Problem } from './problem.ts';
import { readLogLevel, readPath } from './readers.ts';

/** One command of `inswarm`. */
export interface Command<S extends OptionSpecs = OptionSpecs> {
  /** One word; or two, where the first names the command under which it stands: `sim compare`. */
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** What it does, for its own help. */
  readonly description: string;
  readonly options: S;
  /** What stands on its command line without a name, in this order; all of it has to be given. */
  readonly operands?: readonly Operand[];
  /** Words that an option takes, and what they stand for. */
  readonly glossary?: { readonly title: string; readonly words: readonly (readonly [string, string])[] };
  /** What to do, and the command line that does it. */
  readonly examples: readonly (readonly [string, string])[];
  run(values: Values<S>, log: Log, operands: readonly string[]): Promise<void>;
}

export interface Operand {
  /** As in the help: `A`. */
  readonly name: string;
  readonly help: string;
}

/** Lets the compiler find the types of the values in the options. */
export function command<S extends OptionSpecs>(made: Command<S>): Command {
  return made as unknown as Command;
}

const COMMON = {
  config: optional('FILE', 'read options from a JSON file', readPath),
  logLevel: option('LEVEL', 'least important log lines to print: debug, info, warn or error', readLogLevel, 'info'),
};

const ALSO = `Every option can also be given as an environment variable (--log-level as ${variableName('logLevel')}; lists
with spaces between their items) or as a key of a JSON file (--config FILE with {"log-level": "debug"};
options for one command under its name: {"peer": {"mode": "ins"}}). The command line goes before the
environment, the environment before the file.`;

export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly version: string;
  /** Takes the help and the version, as text for standard output. */
  readonly write: (text: string) => void;
  /** Columns of the terminal. */
  readonly columns?: number | undefined;
}

/**
 * Reads a command line and runs the command it names.
 *
 * @param args - Without the program's own name.
 * @throws Problem with one line when the command line, the environment or the file are wrong, or the command fails.
 */
export async function runCommandLine(
  commands: readonly Command[],
  args: readonly string[],
  surroundings: Surroundings,
): Promise<void> {
  const program = new Commander('inswarm')
    .description('Live video to a crowd: peer to peer, with storage in the network.')
    .version(surroundings.version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .addHelpText('after', '\nTry it:\n  inswarm demo\n\nEach command has a help of its own: inswarm source --help');
  prepare(program, surroundings);
  let chosen: Promise<void> | undefined;
  for (const made of commands) {
    const count = made.operands?.length ?? 0;
    // Operands come first, then the options.
    addCommand(above(program, made), made, surroundings).action((...given: readonly unknown[]) => {
      const operands = given.slice(0, count).map(String);
      chosen = run(made, given[count] as Readonly<Record<string, unknown>>, operands, commands, surroundings.env);
    });
  }
  parse(program, args, commands);
  await chosen;
}

/** What a command stands under: the program, or another command that comes before it in the list. */
function above(program: Commander, made: Command): Commander {
  const words = made.name.split(' ');
  return words.length === 1 ? program : program.commands.find((candidate) => candidate.name() === words[0])!;
}

/** The command that is meant by the first words of a command line. */
export function commandNamed(commands: readonly Command[], args: readonly string[]): Command | undefined {
  const [first = '', second = ''] = args;
  return commands.find(({ name }) => name === `${first} ${second}`) ?? commands.find(({ name }) => name === first);
}

function addCommand(program: Commander, made: Command, surroundings: Surroundings): Commander {
  const sub = program
    .command(made.name.split(' ').at(-1)!)
    .summary(made.summary)
    .description(made.description.replaceAll('\n', ' '));
  prepare(sub, surroundings);
  sub.helpOption('-h, --help', 'print this help');
  for (const { name, help } of made.operands ?? []) sub.argument(`<${name}>`, help);
  for (const [key, spec] of Object.entries({ ...made.options, ...COMMON })) sub.addOption(toCommander(key, spec));
  const examples = made.examples.map(([what, line]) => `  # ${what}\n  ${line}`).join('\n\n');
  if (made.glossary !== undefined) sub.addHelpText('after', glossaryText(made.glossary, helpWidth(surroundings)));
  return sub.addHelpText('after', `\nExamples:\n${examples}\n\n${ALSO}`);
}

function helpWidth({ columns }: Pick<Surroundings, 'columns'>): number {
  return Math.min(columns ?? 100, 110);
}

/** Words to the left, what they stand for beside them, broken between words. */
function glossaryText({ title, words }: NonNullable<Command['glossary']>, width: number): string {
  const left = Math.max(...words.map(([word]) => word.length)) + 4;
  const lines = words.map(([word, what]) => {
    const rows = [''];
    for (const part of what.split(' ')) {
      if (rows.at(-1)!.length + part.length + 1 > Math.max(20, width - left)) rows.push('');
      rows.push(`${rows.pop()} ${part}`.trim());
    }
    return `  ${word}`.padEnd(left) + rows.join(`\n${' '.repeat(left)}`);
  });
  return `\n${title}:\n${lines.join('\n')}`;
}

function prepare(program: Commander, { write, columns }: Surroundings): void {
  // An option belongs to the command that it follows: `sim compare --peers 5` has nothing of `sim --peers`.
  program.enablePositionalOptions().helpCommand(false);
  program.exitOverride().configureOutput({
    writeOut: write,
    // Errors are thrown, and told once, in one line.
    writeErr: () => undefined,
    getOutHelpWidth: () => helpWidth({ columns }),
  });
}

function toCommander(key: string, spec: OptionSpec<unknown>): Option {
  const name = `--${spec.negated ? 'no-' : ''}${optionName(key)}`;
  const flags = spec.placeholder === undefined ? name : `${name} <${spec.placeholder}>`;
  const notes = [
    spec.fallback === undefined ? 'required' : spec.fallback.text === '' ? '' : `default: ${spec.fallback.text}`,
    spec.many ? 'may be repeated' : '',
  ].filter((note) => note !== '');
  const made = new Option(flags, notes.length === 0 ? spec.help : `${spec.help} (${notes.join('; ')})`);
  if (spec.many) made.argParser((text: string, before: string[] = []) => [...before, text]);
  return made;
}

function parse(program: Commander, args: readonly string[], commands: readonly Command[]): void {
  try {
    program.parse([...args], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return;
    if (error.code === 'commander.help') {
      program.outputHelp();
      throw new Problem('name a command, such as inswarm demo', 2);
    }
    const named = commandNamed(commands, args)?.name;
    const text = error.message
      .replace(/^error: /, '')
      .replaceAll(/\s*\n\s*/g, ' ')
      .replace(/\.$/, '');
    throw new Problem(`${text}; see inswarm ${named === undefined ? '' : `${named} `}--help`, 2);
  }
}

async function run(
  made: Command,
  given: Readonly<Record<string, unknown>>,
  operands: readonly string[],
  commands: readonly Command[],
  env: Surroundings['env'],
): Promise<void> {
  const said = [fromCommandLine(given), fromEnvironment(env)];
  const all = new Map(commands.map(({ name, options }) => [name, { ...options, ...COMMON }]));
  const { config } = resolveOptions({ config: COMMON.config }, said);
  if (config !== undefined) said.push(...fromFile(config, made.name, all));
  const { logLevel } = resolveOptions({ logLevel: COMMON.logLevel }, said);
  await made.run(
    resolveOptions(made.options, said),
    createLog({ level: logLevel, nowMs, write: writeLogLine }),
    operands,
  );
}

function fromCommandLine(given: Readonly<Record<string, unknown>>): Saying {
  return (key, spec) => {
    const value = given[key];
    // Commander gives a negated switch the value true when nothing is said.
    if (value === undefined || (spec.negated && value === true)) return undefined;
    const texts = Array.isArray(value) ? value.map(String) : [String(value)];
    return { where: `--${optionName(key)}`, texts };
  };
}
