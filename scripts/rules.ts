import { readdirSync, readFileSync } from 'node:fs';
import { STATUSES } from '../ins-server/node/http/statuses.ts';
import { REASONS, type Reason } from '../protocol/reasons.ts';
import { type DeclaredMessage, messagesIn } from './messages.ts';

/** Holds PROTOCOL.md against the code and the tests. */

const ROOT = new URL('../', import.meta.url);
const FILES = ['tracker-messages.ts', 'ins-messages.ts', 'peer-messages.ts'];
const RULE = /\b(?:GE|TR|IN|HT|SW|RE|TO|AC)\d+\b/g;

/** @returns One line for everything that does not fit; none when all is well. */
export function findProblems(protocol = readText('PROTOCOL.md'), tests = testNames()): string[] {
  return [...ruleProblems(protocol, tests), ...tableProblems(protocol), ...reasonProblems(protocol)];
}

/** Rules that the text defines: `- **GE1** …` */
export function rulesIn(protocol: string): string[] {
  return [...protocol.matchAll(/^- \*\*([A-Z]{2}\d+)\*\* /gm)].map(([, rule]) => rule!);
}

/** A name of a test or of a group of tests. */
export interface TestName {
  readonly file: string;
  readonly name: string;
}

export function testNames(): TestName[] {
  const files = readdirSync(new URL('test/', ROOT), { recursive: true, encoding: 'utf8' });
  return files
    .filter((file) => file.endsWith('.test.ts'))
    .flatMap((file) => namesIn(`test/${file}`, readText(`test/${file}`)));
}

/** The first text behind each `test(`, `it(` or `describe(`, also behind `.each(…)(`. */
export function namesIn(file: string, text: string): TestName[] {
  const calls = text.matchAll(
    /\b(?:test|it|describe)(?:\.\w+(?:<[^(]*>)?\((?:[^'"`]|'[^'\n]*'|"[^"\n]*"|`[^`]*`)*?\))?\(\s*(['"`])(.*?)\1/gs,
  );
  return [...calls].map(([, , name]) => ({ file, name: name! }));
}

function ruleProblems(protocol: string, tests: readonly TestName[]): string[] {
  const rules = rulesIn(protocol);
  const known = new Set(rules);
  const twice = rules.filter((rule, at) => rules.indexOf(rule) !== at);
  const out = twice.map((rule) => `PROTOCOL.md has two rules ${rule}`);
  for (const [mention] of protocol.matchAll(RULE)) {
    if (!known.has(mention)) out.push(`PROTOCOL.md speaks of a rule ${mention} that it does not have`);
  }
  for (const { file, name } of tests) {
    for (const [mention] of name.matchAll(RULE)) {
      if (!known.has(mention)) out.push(`${file}: "${name}" names a rule ${mention} that PROTOCOL.md does not have`);
    }
  }
  return out;
}

function tableProblems(protocol: string): string[] {
  const declared = FILES.flatMap(messagesIn);
  const listed = [...protocol.matchAll(/^<!-- messages: ([\w-]+) -->\n((?:\|.*\n)+)/gm)].flatMap(
    ([, conversation, table]) => rowsOf(conversation!, table!),
  );
  const text = ({ conversation, type, tag, fields }: DeclaredMessage): string =>
    `${conversation} ${tag} ${type} (${fields.join(', ')})`;
  const [inCode, inText] = [declared.map(text), listed.map(text)];
  return [
    ...inText
      .filter((line) => !inCode.includes(line))
      .map((line) => `PROTOCOL.md lists ${line}, the code does not have it`),
    ...inCode.filter((line) => !inText.includes(line)).map((line) => `PROTOCOL.md does not list ${line}`),
  ];
}

function rowsOf(conversation: string, table: string): DeclaredMessage[] {
  return table
    .split('\n')
    .map((row) => row.split('|').map((cell) => cell.trim()))
    .filter(([, tag]) => /^\d+$/.test(tag ?? ''))
    .map(([, tag, type, fields]) => {
      // Names inside of structures are in parentheses.
      let top = fields!;
      while (/\([^()]*\)/.test(top)) top = top.replace(/\([^()]*\)/g, '');
      const names = [...top.matchAll(/`(\w+)`/g)].map(([, name]) => name!);
      return { conversation, type: type!.replaceAll('`', ''), tag: Number(tag), fields: names };
    });
}

function reasonProblems(protocol: string): string[] {
  const inCode = Object.entries(REASONS).map(
    ([reason, { retry, text }]) => `${reason} ${retry ? 'yes' : 'no'} ${STATUSES[reason as Reason]} ${text}`,
  );
  const inText = [...protocol.matchAll(/^\| `([A-Z_]+)` \| (yes|no) \| (\d{3}) \| (.*) \|$/gm)].map(
    ([, reason, again, status, text]) => `${reason} ${again} ${status} ${text}`,
  );
  return [
    ...inText
      .filter((line) => !inCode.includes(line))
      .map((line) => `PROTOCOL.md has the reason ${line}, the code does not`),
    ...inCode.filter((line) => !inText.includes(line)).map((line) => `PROTOCOL.md lacks the reason ${line}`),
  ];
}

function readText(path: string): string {
  return readFileSync(new URL(path, ROOT), 'utf8');
}
