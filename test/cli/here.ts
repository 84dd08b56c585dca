import { vi } from 'vitest';
import { runCommandLine } from '../../cli/command.ts';
import { COMMANDS } from '../../cli/commands.ts';
import { Problem } from '../../cli/problem.ts';

/** What a command line came to that was run in this process. */
export interface Ran {
  readonly out: string;
  /** What the program would end with. */
  readonly code: number;
  readonly problem: string;
  /** A line for each thing that is wrong. */
  readonly details: readonly string[];
}

/** Runs a command that starts nothing and leaves nothing running: much quicker than as a process. */
export async function ranHere(...args: string[]): Promise<Ran> {
  let out = '';
  const spy = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    out += text;
    return true;
  });
  try {
    await runCommandLine(COMMANDS, args, { env: {}, version: '1', write: () => undefined });
    return { out, code: 0, problem: '', details: [] };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return { out, code: error.exitCode, problem: error.message, details: error.details };
  } finally {
    spy.mockRestore();
  }
}
