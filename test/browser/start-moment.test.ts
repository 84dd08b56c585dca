import { expect, test } from 'vitest';
import type { Actions } from '../../web-player/element/actions.ts';
import { StartMoment } from '../../web-player/element/start-moment.ts';

test('the moment to begin with is sought once it is known what is kept, once a session, and what is not kept is told', () => {
  let found: ReturnType<Actions['seekToMoment']>;
  const sought: number[] = [];
  const said: string[] = [];
  const seekToMoment = (unixMs: number) => {
    sought.push(unixMs);
    return found;
  };
  const start = new StartMoment({ seekToMoment } as unknown as Actions, (text) => said.push(text));
  start.seek(1_700);
  found = 'there';
  start.seek(1_700);
  start.seek(1_700);
  expect(sought).toEqual([1_700_000, 1_700_000]);
  for (const answer of ['too old', 'not yet'] as const) {
    found = answer;
    start.reset();
    start.seek(1_800);
  }
  expect(said).toEqual(['That moment is no longer kept', 'Live']);
  // Live is where it begins anyway, and stays so for the session.
  start.reset();
  start.seek(null);
  start.seek(1_900);
  expect(sought).toHaveLength(4);
});
