/**
 * What a file holds before anybody has asked what it means: texts, lists and maps, each with its line. Every scalar is a text; what
 * it stands for is for the field to say, so that no 1e3, yes or 010 is taken for what nobody meant.
 */
export type Tree = TextTree | ListTree | MapTree;

export interface TextTree {
  readonly kind: 'text';
  /** From 1. */
  readonly line: number;
  readonly text: string;
}

export interface ListTree {
  readonly kind: 'list';
  readonly line: number;
  readonly items: readonly Tree[];
}

export interface MapTree {
  readonly kind: 'map';
  readonly line: number;
  /** In the order of the file; keys are there once. */
  readonly entries: readonly MapEntry[];
}

export interface MapEntry {
  readonly key: string;
  readonly line: number;
  readonly value: Tree;
}

/** The same without lines, to be written. */
export type Plain = string | readonly Plain[] | { readonly [key: string]: Plain };
