import { expect, test } from 'vitest';
import { Prng } from '../../machine/prng.ts';
import { Candidates } from '../../peer/core/candidates.ts';
import { bytesKey } from '../../protocol/text.ts';

const nobody = (): boolean => false;
const keyOf = (at: number): Uint8Array => new Uint8Array(32).fill(at);

function named(at: number, url: string | null, source = false) {
  return { peer: keyOf(at), url, mode: 'native', source, availability: [], token: null } as const;
}

function take(candidates: Candidates, count: number, nowMs = 0): string[] {
  return candidates.take(count, nobody, new Prng(1), nowMs).map(({ url }) => url);
}

test('TR15: whom the source may be dialled by dials it, however many neighbours it has', () => {
  const candidates = new Candidates();
  candidates.add(named(1, 'ws://a:1'));
  candidates.add(named(9, null, true));
  expect(candidates.offersSource(0)).toBe(false);
  expect(take(candidates, 0)).toEqual([]);
  candidates.add(named(9, 'ws://source:1', true));
  expect(candidates.offersSource(0)).toBe(true);
  expect(take(candidates, 0)).toEqual(['ws://source:1']);
  expect(candidates.offersSource(0)).toBe(false);
  expect(take(candidates, 1)).toEqual(['ws://a:1']);
});

test('a source that was lost is dialled again after a while, and one whose place was taken is not', () => {
  const candidates = new Candidates();
  candidates.add(named(9, 'ws://source:1', true));
  take(candidates, 0);
  candidates.closed(bytesKey(keyOf(9)), 0);
  expect(candidates.offersSource(5_000)).toBe(false);
  expect(candidates.offersSource(10_000)).toBe(true);
  candidates.add(named(9, null, true));
  expect(candidates.offersSource(10_000)).toBe(false);
  candidates.remove(bytesKey(keyOf(9)));
  expect(candidates.offersSource(10_000)).toBe(false);
});
