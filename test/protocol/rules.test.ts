import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { findProblems, namesIn, rulesIn } from '../../scripts/rules.ts';

const protocol = readFileSync(new URL('../../PROTOCOL.md', import.meta.url), 'utf8');

describe('PROTOCOL.md', () => {
  test('fits the code: every message, its tag, its fields, every reason; and no test names a rule that is not there', () => {
    expect(findProblems(protocol)).toEqual([]);
  });

  test('its rules are numbered without gaps', () => {
    for (const area of ['GE', 'TR', 'IN', 'SW', 'RE', 'TO', 'AC']) {
      const numbers = rulesIn(protocol)
        .filter((rule) => rule.startsWith(area))
        .map((rule) => Number(rule.slice(2)));
      expect(numbers).toEqual(numbers.map((_, at) => at + 1));
      expect(numbers.length).toBeGreaterThan(5);
    }
  });

  test('the check finds what does not fit', () => {
    const wrong = protocol
      .replace('| 6 | `leave` |', '| 9 | `leave` |')
      .replace('`bufferMs` u32, ', '')
      .replace('| `GONE` | no |', '| `GONE` | yes |')
      .replace('(RE6)', '(RE66)')
      .replace('- **TO7** ', '- **TO6** ');
    expect(findProblems(wrong, [{ file: 'a.test.ts', name: 'IN99: something' }])).toEqual([
      'PROTOCOL.md has two rules TO6',
      'PROTOCOL.md speaks of a rule RE66 that it does not have',
      'a.test.ts: "IN99: something" names a rule IN99 that PROTOCOL.md does not have',
      'PROTOCOL.md lists to-tracker 4 state (availability, token, latencyMs, uploadBps, insFed), the code does not have it',
      'PROTOCOL.md lists to-tracker 9 leave (), the code does not have it',
      'PROTOCOL.md does not list to-tracker 4 state (availability, token, bufferMs, latencyMs, uploadBps, insFed)',
      'PROTOCOL.md does not list to-tracker 6 leave ()',
      'PROTOCOL.md has the reason GONE yes 410 the block was deleted or has expired, the code does not',
      'PROTOCOL.md lacks the reason GONE no 410 the block was deleted or has expired',
    ]);
  });

  test('names of tests are found in every form', () => {
    const text = `
      test('GE1: one', () => {});
      it("GE2: it's two", () => {});
      describe.each(list.map((item) => [item]))(\`GE3: three\`, () => {});
      test.each([['a', 1], ["b", 2]])('GE4: %s', () => {});
      test.each<[string, number]>([
        ['GE98', 1],
      ])(
        'GE5: %s',
        () => {},
      );
      const not = 'GE99';
    `;
    expect(namesIn('x.test.ts', text).map(({ name }) => name.slice(0, 3))).toEqual(['GE1', 'GE2', 'GE3', 'GE4', 'GE5']);
  });
});
