import { describe, expect, it } from 'vitest';
import { type Command, command, commandNamed, runCommandLine } from '../../cli/command.ts';
import { option } from '../../cli/options.ts';
import { wholeNumber } from '../../cli/readers.ts';

function commandsThatNote(notes: string[]): readonly Command[] {
  const made = (name: string, fallback: number) =>
    command({
      name,
      summary: `what ${name} does`,
      description: 'Notes what it is given.',
      options: { peers: option('N', 'how many', wholeNumber(1, 100, 'peers'), fallback) },
      examples: [['So', `inswarm ${name}`]],
      run: async ({ peers }) => void notes.push(`${name} ${peers}`),
    });
  return [made('sim', 1), made('sim compare', 2)];
}

async function noted(...args: string[]): Promise<string> {
  const notes: string[] = [];
  await runCommandLine(commandsThatNote(notes), args, { env: {}, version: '1', write: (text) => notes.push(text) });
  return notes.join();
}

describe('a command under another', () => {
  it('runs by two words, the one above by one', async () => {
    expect(await noted('sim')).toBe('sim 1');
    expect(await noted('sim', 'compare')).toBe('sim compare 2');
  });

  it('has the options that follow it, though the one above has some of the same name', async () => {
    expect(await noted('sim', 'compare', '--peers', '7')).toBe('sim compare 7');
    expect(await noted('sim', '--peers', '8')).toBe('sim 8');
  });

  it('is told of in the help of the one above, and has a help of its own', async () => {
    expect(await noted('sim', '--help')).toContain('what sim compare does');
    expect(await noted('sim', 'compare', '--help')).toContain('inswarm sim compare\n');
  });

  it('is named where its command line is wrong', async () => {
    await expect(noted('sim', 'compare', '--pears', '7')).rejects.toThrow(/see inswarm sim compare --help/);
    expect(commandNamed(commandsThatNote([]), ['sim', '--peers'])?.name).toBe('sim');
  });
});
