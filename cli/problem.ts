/** Something the user can put right: told in one line, and before it one for each detail; never with a stack trace. */
export class Problem extends Error {
  override readonly name = 'Problem';
  /** 1: it did not work; 2: it was asked for wrongly. */
  readonly exitCode: 1 | 2;
  /** A line each: what is wrong where. */
  readonly details: readonly string[];

  constructor(text: string, exitCode: 1 | 2 = 1, details: readonly string[] = []) {
    super(text);
    this.exitCode = exitCode;
    this.details = details;
  }
}
