/** Something in a file that is not as it should be. */
export interface Mistake {
  /** From 1. */
  readonly line: number;
  /** Of the field: `happenings[2].server`; empty where it is of no field. */
  readonly path: string;
  /** What is there, what is expected, and what to do. */
  readonly what: string;
}

/** `FILE:LINE: PATH: WHAT`, as compilers write it and editors find it. */
export function mistakeText(file: string, { line, path, what }: Mistake): string {
  return `${file}:${line}: ${path === '' ? '' : `${path}: `}${what}`;
}
