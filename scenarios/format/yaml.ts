import { Document, isAlias, isMap, isScalar, isSeq, Lexer, LineCounter, type Pair, Parser, parseDocument } from 'yaml';
import type { Mistake } from './mistake.ts';
import type { MapEntry, Plain, Tree } from './tree.ts';

/** A tree, and what is wrong with the text as YAML. Without a tree there is at least one mistake. */
export interface ReadYaml {
  readonly tree: Tree | undefined;
  readonly mistakes: readonly Mistake[];
}

/** Scalars stay the texts that they are. */
const SCHEMA = 'failsafe';
/** Mistakes that leave the rest of the file readable. */
const HARMLESS = new Set(['DUPLICATE_KEY', 'TAG_RESOLVE_FAILED']);

/**
 * Reads YAML 1.2 without anchors, aliases and tags, which nothing here needs.
 *
 * @param text - Of a length that the caller has bounded.
 */
export function readYaml(text: string): ReadYaml {
  if (isDeep(text)) return TOO_DEEP;
  const lines = new LineCounter();
  const document = parseDocument(text, { schema: SCHEMA, lineCounter: lines, prettyErrors: false });
  const found = [...document.errors, ...document.warnings];
  const mistakes = found.map(({ code, message, pos }) => {
    return { line: lines.linePos(pos[0]).line, path: '', what: inOurWords(code, message) };
  });
  const isReadable = found.every(({ code }) => HARMLESS.has(code));
  // What follows the first of the others is mostly its consequence.
  if (!isReadable) return { tree: undefined, mistakes: mistakes.slice(0, 1) };
  const reader = new TreeReader(lines, mistakes);
  return { tree: reader.treeOf(document.contents, 1), mistakes };
}

/** More levels than any scenario has. The parser calls itself for each, and where there is no room for that, ends the process. */
const LEVELS_MAX = 40;

const TOO_DEEP: ReadYaml = {
  tree: undefined,
  mistakes: [
    { line: 1, path: '', what: 'lists and maps are nested too deeply; a scenario has no more than five levels' },
  ],
};

/** Looks at the words of a file alone, one after the other. */
function isDeep(text: string): boolean {
  const parser = new Parser();
  for (const word of new Lexer().lex(text)) {
    // Runs to the end of what the word brings about.
    for (const _ of parser.next(word));
    if (parser.stack.length > LEVELS_MAX) return true;
  }
  return false;
}

/** Writes what {@link readYaml} reads. */
export function writeYaml(plain: Plain): string {
  return new Document(plain, { schema: SCHEMA }).toString({ lineWidth: 0 });
}

function inOurWords(code: string, message: string): string {
  if (code === 'TAG_RESOLVE_FAILED') return 'tags are not taken; leave the ! and its word out';
  if (code === 'DUPLICATE_KEY') return 'the field is there twice; leave one of them out';
  if (code === 'MULTIPLE_DOCS') return 'a second document begins here; a file holds one scenario';
  return `this is not YAML: ${message.split('\n', 1)[0]!}`;
}

class TreeReader {
  private readonly lines: LineCounter;
  private readonly mistakes: Mistake[];

  constructor(lines: LineCounter, mistakes: Mistake[]) {
    this.lines = lines;
    this.mistakes = mistakes;
  }

  /** @param line - Of what is around it, for a node that has no place of its own. */
  treeOf(node: unknown, line: number): Tree {
    const own = this.lineOf(node) ?? line;
    if (isMap(node)) return { kind: 'map', line: own, entries: node.items.flatMap((pair) => this.entryOf(pair, own)) };
    if (isSeq(node)) return { kind: 'list', line: own, items: node.items.map((item) => this.treeOf(item, own)) };
    if (isAlias(node)) this.mistakes.push({ line: own, path: '', what: 'aliases are not taken; write it out' });
    const value = isScalar(node) ? node.value : '';
    return { kind: 'text', line: own, text: typeof value === 'string' ? value.trim() : '' };
  }

  private entryOf({ key, value }: Pair, line: number): MapEntry[] {
    const own = this.lineOf(key) ?? line;
    if (isScalar(key) && typeof key.value === 'string')
      return [{ key: key.value, line: own, value: this.treeOf(value, own) }];
    this.mistakes.push({ line: own, path: '', what: 'the name of a field is expected' });
    return [];
  }

  private lineOf(node: unknown): number | undefined {
    const range = (node as { range?: readonly number[] | null } | null)?.range;
    return range === undefined || range === null ? undefined : this.lines.linePos(range[0]!).line;
  }
}
