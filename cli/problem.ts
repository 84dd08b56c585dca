/** Something the user can put right: told in one line, never with a stack trace. */
export class Problem extends Error {
  override readonly name = 'Problem';
  /** 1: it did not work; 2: it was asked for wrongly. */
  readonly exitCode: 1 | 2;

  constructor(text: string, exitCode: 1 | 2 = 1) {
    super(text);
    this.exitCode = exitCode;
  }
}
