import { readFileSync } from 'node:fs';

/** A message as the code declares it. */
export interface DeclaredMessage {
  readonly conversation: string;
  readonly type: string;
  readonly tag: number;
  readonly fields: readonly string[];
}

/** The lists of messages in protocol/, and what PROTOCOL.md and the vectors call their conversations. */
const LISTS: Readonly<Record<string, string>> = {
  toTracker: 'to-tracker',
  fromTracker: 'from-tracker',
  fromClient: 'from-ins-client',
  fromServer: 'from-ins-server',
  messages: 'peer',
};

/** One line, or several of which the last has the indentation of the first. */
const MESSAGE = /^ {2}message\('([\w-]+)', (\d+), (\{.*\}|\{\n[\s\S]*?^ {2}\})\),$/gm;

/** Reads the declarations of a file of protocol/: `message('type', tag, { field: …, … })` in lists. */
export function messagesIn(file: string): DeclaredMessage[] {
  const text = readFileSync(new URL(`../protocol/${file}`, import.meta.url), 'utf8').replace(/\/\*[\s\S]*?\*\//g, '');
  const out: DeclaredMessage[] = [];
  for (const [, list, body] of text.matchAll(/^const (\w+) = \[$([\s\S]*?)^\] as const;$/gm)) {
    for (const [, type, tag, rest] of body!.matchAll(MESSAGE)) {
      out.push({ conversation: LISTS[list!]!, type: type!, tag: Number(tag), fields: topNames(rest!) });
    }
  }
  return out;
}

/** The names at the first level of an object literal. */
function topNames(literal: string): string[] {
  let depth = 0;
  let first = '';
  for (const char of literal) {
    if ('([{'.includes(char)) depth++;
    if (depth === 1) first += char;
    if (')]}'.includes(char)) depth--;
  }
  return first
    .slice(1, -1)
    .split(',')
    .map((field) => field.split(':')[0]!.trim())
    .filter((field) => field !== '');
}
