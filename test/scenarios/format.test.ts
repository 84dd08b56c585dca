import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { mistakeText } from '../../scenarios/format/mistake.ts';
import { nearest } from '../../scenarios/format/nearest.ts';
import { readScenarioFile, SCENARIO_FILE_CHARS_MAX, scenarioFileText } from '../../scenarios/format/scenario-file.ts';
import { SCENARIO_DEFAULTS, type Scenario } from '../../scenarios/plan/scenario.ts';
import { SCENARIOS } from '../../scenarios/plan/scenarios.ts';

const FOLDER = new URL('../../scenarios/', import.meta.url);
const HEAD = 'version: 1\nname: mine\nsummary: a try\n';

/** One of each kind. */
const HAPPENINGS: Scenario['happenings'] = [
  { atMs: 1, what: 'ins-dies', server: 0 },
  { atMs: 2, what: 'ins-back', server: 1 },
  { atMs: 3, what: 'ins-drops-links', server: 2 },
  { atMs: 4, what: 'ins-stalls', server: 3, forMs: 20_000 },
  { atMs: 5, what: 'ins-throttled', server: 3, to: 0.001 },
  { atMs: 6, what: 'tracker-dies' },
  { atMs: 7, what: 'tracker-back' },
  { atMs: 8, what: 'source-drops-links' },
  { atMs: 9, what: 'viewers-drop-links', share: 0.07 },
  { atMs: 10, what: 'viewers-lose-links', share: 1 },
  { atMs: 11, what: 'viewers-stall', share: 0, forMs: 1 },
  { atMs: 12, what: 'viewers-throttled', share: 0.5, to: 1 },
  { atMs: 13, what: 'viewers-lie', share: 0.29 },
  { atMs: 14, what: 'viewers-crash', share: 0.57 },
  { atMs: 15, what: 'partition', regions: [3, 3], forMs: 1_500 },
];

/** A file's scenario; its first three lines are there already. */
function scenarioOf(rest: string): Scenario {
  const read = readScenarioFile(HEAD + rest);
  if (!read.ok) throw new Error(read.mistakes.map((one) => mistakeText('f', one)).join('\n'));
  return read.scenario;
}

/** What is wrong with a file, whose line 4 is the first of `rest`. */
function wrong(rest: string, head = HEAD): string[] {
  const read = readScenarioFile(head + rest);
  return read.ok ? [] : read.mistakes.map((one) => mistakeText('f', one));
}

describe('the files that ship', () => {
  const files = readdirSync(FOLDER).filter((name) => name.endsWith('.yaml'));

  it('are the scenarios that ship, one by one and to the last field', () => {
    expect(files.sort()).toEqual(SCENARIOS.map(({ name }) => `${name}.yaml`).sort());
    for (const scenario of SCENARIOS) {
      const text = readFileSync(new URL(`${scenario.name}.yaml`, FOLDER), 'utf8');
      expect(readScenarioFile(text)).toEqual({ ok: true, scenario });
    }
  });

  it.each(SCENARIOS.map((scenario) => [scenario.name, scenario] as const))(
    '%s is read as it is written',
    (_, scenario) => {
      expect(readScenarioFile(scenarioFileText(scenario))).toEqual({ ok: true, scenario });
    },
  );
});

describe('the document', () => {
  const text = readFileSync(new URL('../../docs/scenarios.md', import.meta.url), 'utf8');

  it('has examples that can be read', () => {
    const examples = [...text.matchAll(/^```yaml\n(.*?)^```$/gms)].map(([, example]) => example!);
    expect(examples.map((example) => readScenarioFile(example))).toEqual([expect.objectContaining({ ok: true })]);
  });

  it('names every field and every happening', () => {
    const whole = readFileSync(new URL('flash-crowd.yaml', FOLDER), 'utf8');
    const fields = [...whole.matchAll(/^([a-z-]+):/gm)].map(([, name]) => name!);
    expect(fields).toHaveLength(18);
    const words = [...fields, ...HAPPENINGS.map(({ what }) => what)];
    expect(words.filter((word) => !text.includes(`\`${word}`))).toEqual([]);
  });
});

describe('a file', () => {
  it('needs its version, a name and a sentence; all else is as in the flash crowd', () => {
    expect(scenarioOf('')).toEqual({ ...SCENARIO_DEFAULTS, name: 'mine', summary: 'a try' });
    expect(wrong('', 'mode: ins\n')).toEqual([
      'f:1: version: this is missing; write, for example, version: 1',
      'f:1: name: this is missing; write, for example, name: my-event',
      'f:1: summary: this is missing; write, for example, summary: all join within 10 s',
    ]);
  });

  it('leaves out fields inside of others, too', () => {
    expect(scenarioOf('stream: {part: 500 ms}').stream).toEqual({ bps: 1_000_000, partMs: 500, partsPerSegment: 4 });
    expect(scenarioOf('stream: {renditions: [300 kbit/s]}').stream.renditions).toEqual([300_000]);
    expect(scenarioOf('arrivals: {kind: crowd, within: 0 s}').arrivals).toEqual({
      kind: 'crowd',
      fromMs: 3_000,
      withinMs: 0,
      shape: 'even',
    });
  });

  it('names regions, and what happens says which by their names', () => {
    const { regions, happenings } = scenarioOf(`
happenings:
  - {at: 9 s, what: partition, regions: [b, a], for: 1 s}
regions:
  - {name: a, delays: [1 ms, 2.5 ms]}
  - {name: b, delays: [3 ms, 4 ms]}
`);
    const delaysMs = [
      [1, 2.5],
      [3, 4],
    ];
    expect(regions).toEqual({ names: ['a', 'b'], delaysMs });
    expect(happenings).toEqual([{ atMs: 9_000, what: 'partition', regions: [1, 0], forMs: 1_000 }]);
  });

  it('knows every happening that there is', () => {
    const scenario: Scenario = {
      ...SCENARIO_DEFAULTS,
      name: 'mine',
      summary: 'colons: "quotes", # and - dashes',
      happenings: HAPPENINGS,
    };
    expect(readScenarioFile(scenarioFileText(scenario))).toEqual({ ok: true, scenario });
  });

  it('comes back as it was written, whatever its figures', () => {
    const numbers = fc.record({
      bps: fc.integer({ min: 8_000, max: 1_000_000_000 }),
      downBps: fc.integer({ min: 8_000, max: 1_000_000_000_000 }),
      fromMs: fc.integer({ min: 0, max: 59_999 }),
      withinMs: fc.integer({ min: 0, max: 86_400_000 }),
      percent: fc.integer({ min: 0, max: 10_000 }),
      delayUs: fc.integer({ min: 0, max: 10_000_000 }),
    });
    fc.assert(
      fc.property(numbers, ({ bps, downBps, fromMs, withinMs, percent, delayUs }) => {
        const scenario: Scenario = {
          ...SCENARIO_DEFAULTS,
          name: 'mine',
          summary: 'a try',
          stream: { ...SCENARIO_DEFAULTS.stream, bps },
          arrivals: { kind: 'poisson', fromMs, withinMs },
          downBps,
          browsers: Number(`${percent}e-4`),
          regions: { names: ['one'], delaysMs: [[delayUs / 1000]] },
        };
        expect(readScenarioFile(scenarioFileText(scenario))).toEqual({ ok: true, scenario });
      }),
    );
  });

  it.each([
    ['90 s', 90],
    ['90s', 90],
    ['1500000 ms', 1_500],
    ['1.5 min', 90],
    ['2 h', 7_200],
  ])('takes a duration of %s', (text, seconds) => {
    expect(scenarioOf(`duration: ${text}`).seconds).toBe(seconds);
  });
});

describe('what is wrong is told with its line, its field, what is expected and what to do:', () => {
  test.each([
    ['a unit that is missing', 'duration: 60', "f:4: duration: '60' has no unit; write it like 60 s, in ms, s, min, h"],
    [
      'a unit in other letters',
      'downlink: 1 mbit/s',
      "f:4: downlink: '1 mbit/s' has no unit that is known here ('mbit/s'); write it like 20 Mbit/s, in bit/s, kbit/s, Mbit/s, Gbit/s",
    ],
    ['a unit of something else', 'duration: 60 %', "f:4: duration: '60 %' has no unit that is known here ('%')"],
    ['a number in a form that few can read', 'duration: 6e1 s', "('e1 s')"],
    ['a negative one', 'clocks-off: -1 s', "f:4: clocks-off: '-1 s' is no duration; write it like 2 s"],
    ['a share without its sign', 'browsers: 0.7', "f:4: browsers: '0.7' has no unit; write it like 70 %, in %"],
    [
      'a figure above its bound',
      'browsers: 101 %',
      "f:4: browsers: '101 %' is out of bounds; from 0 % to 100 % is possible",
    ],
    ['a figure below its bound', 'stream: {part: 99 ms}', 'from 100 ms to 60 s is possible'],
    ['a part of a second too much', 'duration: 61500 ms', 'f:4: duration: whole seconds are expected, such as 60 s'],
    ['no number', 'ins-servers: four', "f:4: ins-servers: 'four' is no whole number from 0 to 1000, such as 4"],
    ['a word that is near another', 'mode: natve', "f:4: mode: 'natve' is no mode; did you mean native?"],
    ['a word that is near none', 'mode: p2p', "f:4: mode: 'p2p' is no mode; ins, native, hybrid, mixed are possible"],
    ['a field that is near another', 'strem: 1', 'f:4: strem: there is no such field; did you mean stream?'],
    [
      'a field that is near none',
      'supply: {kind: fair, times: 1, what: 1}',
      'f:4: supply.what: there is no such field; the fields here are kind, times, source-streams',
    ],
    [
      'a field of another kind',
      'supply: {kind: fair, times: 1, viewer: 4 Mbit/s}',
      'f:4: supply.viewer: there is no such field',
    ],
    [
      'a field that is missing',
      'arrivals: {kind: crowd}',
      'f:4: arrivals.within: this is missing; write, for example, within: 10 s',
    ],
    [
      'a kind that is missing',
      'arrivals: {within: 10 s}',
      'f:4: arrivals.kind: this is missing; write, for example, kind: crowd',
    ],
    ['nothing', 'mode:', 'f:4: mode: nothing is here; a mode (ins, native, hybrid, mixed) is expected, such as ins'],
    ['a list in place of a text', 'mode: [ins]', 'f:4: mode: a list is here; a mode'],
    ['a text in place of fields', 'stream: fast', 'f:4: stream: fields are expected, such as {rate: 1 Mbit/s}'],
    ['a text in place of a list', 'happenings: none', 'f:4: happenings: a list is expected, such as [{at: 25 s'],
    ['a name that is none', '', "f:2: name: 'Big Event' is no name", 'version: 1\nname: Big Event\nsummary: s\n'],
    [
      'a version of the future',
      '',
      "f:1: version: '2' is no version that this program knows; it knows 1",
      'version: 2\nname: a\nsummary: s\n',
    ],
    ['a field that is there twice', 'mode: ins\nmode: native', 'f:5: the field is there twice; leave one of them out'],
    ['an alias', 'stream: &a {part: 500 ms}\nmode: *a', 'f:5: aliases are not taken; write it out'],
    ['a tag', 'mode: !x ins', 'f:4: tags are not taken'],
    ['a second scenario', '---\nversion: 1', 'f:4: a second document begins here; a file holds one scenario'],
    ['what is not YAML', 'mode: [ins', 'f:4: this is not YAML: '],
    ['lists that never end', `a: ${'['.repeat(50_000)}`, 'f:1: lists and maps are nested too deeply'],
    ['lists in lists', `a: ${'['.repeat(50_000)}${']'.repeat(50_000)}`, 'f:1: lists and maps are nested too deeply'],
    ['items in items', '- '.repeat(50_000), 'f:1: lists and maps are nested too deeply', ''],
    ['keys in keys', '? '.repeat(50_000), 'f:1: lists and maps are nested too deeply', ''],
    ['a file that is too long', `# ${'x'.repeat(SCENARIO_FILE_CHARS_MAX)}`, 'f:1: the file is too long'],
    [
      'a server that there is not',
      'happenings: [{at: 1 s, what: ins-dies, server: 4}]',
      'f:4: happenings[0].server: there is no INS server 4; they are 0 to 3',
    ],
    [
      'a region that there is not',
      'happenings: [{at: 1 s, what: partition, for: 1 s, regions: [eu, asa]}]',
      "f:4: happenings[0].regions[1]: 'asa' is none of the regions; did you mean asia?",
    ],
    [
      'one region too few',
      'happenings: [{at: 1 s, what: partition, for: 1 s, regions: [eu]}]',
      'f:4: happenings[0].regions: 1 are here; 2 are expected',
    ],
    [
      'what happens after the end',
      'duration: 20 s\nhappenings:\n  - what: tracker-dies\n    at: 20 s',
      'f:7: happenings[0].at: this would never happen: the run ends after 20 s',
    ],
    ['viewers who come after the end', 'duration: 3 s', 'nobody would come'],
    ['more servers fed than there are', 'ins-servers: 2\nins-fed: 3', 'f:5: ins-fed: 3 are to be fed, but there are 2'],
    ['INS mode without servers', 'ins-servers: 0', 'f:4: ins-servers: viewers in INS mode get nothing without one'],
    [
      'faults that end before they begin',
      'faults: {from: 9 s, until: 8 s, every: 1 s, recovered-within: 9 s}',
      'f:4: faults.until: this is not after faults.from',
    ],
    [
      'a matrix that is not square',
      'regions:\n  - {name: a, delays: [1 ms]}\n  - {name: b, delays: [1 ms, 1 ms]}',
      'f:5: regions[0].delays: 1 delays are here, but there are 2 regions',
    ],
    [
      'a region that is there twice',
      'regions:\n  - {name: a, delays: [1 ms, 1 ms]}\n  - {name: a, delays: [1 ms, 1 ms]}',
      'f:6: regions[1].name: a is there twice',
    ],
    [
      'the name of another scenario',
      '',
      'f:2: name: churn is a scenario that ships, and this is another one',
      'version: 1\nname: churn\nsummary: s\n',
    ],
  ])('%s', (_, rest, what, head = HEAD) => {
    const told = wrong(rest, head);
    expect(told.join('\n')).toContain(what);
  });

  it('a field that was meant by a name that is near is not told to be missing, too', () => {
    expect(wrong('arrivals: {kind: crowd, witihn: 10 s}')).toEqual([
      'f:4: arrivals.witihn: there is no such field; did you mean within?',
    ]);
  });

  it('all of it at once, in the order of the lines', () => {
    const told = wrong(
      'mode: fast\nstream:\n  rate: 1\n  parts: 4\narrivals: {kind: crowd, within: 1}\nins-servers: 1\nins-fed: 2\n',
    );
    expect(told.map((line) => line.split(': ', 2).join(': '))).toEqual([
      'f:4: mode',
      'f:6: stream.rate',
      'f:7: stream.parts',
      'f:8: arrivals.within',
      'f:10: ins-fed',
    ]);
  });
});

test('the nearest word is one that little separates from what was written', () => {
  const words = ['within', 'from', 'shape'];
  expect(['witihn', 'form', 'shapes', 'FROM', 'x', 'w'.repeat(10_000)].map((word) => nearest(word, words))).toEqual([
    'within',
    'from',
    'shape',
    'from',
    undefined,
    undefined,
  ]);
});
