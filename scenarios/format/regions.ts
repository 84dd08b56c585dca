import { DELAY_MS_MAX, FOUR_REGIONS, REGION_NAME, REGIONS_MAX, type Regions } from '../plan/regions.ts';
import { type Field, instead, list, needed, record, scalar, Wrong } from './field.ts';
import { duration } from './quantities.ts';

/** The regions of the drafts' experiment, by a word instead of a matrix. */
const FOUR = 'four-regions';

interface Row {
  readonly name: string;
  readonly delaysMs: readonly number[];
}

const row: Field<Row> = record<Row>(
  {
    name: needed(
      'name',
      scalar({
        what: 'the name of a region',
        example: 'eu',
        parse: (text) =>
          REGION_NAME.test(text) ? text : new Wrong('is no name of a region: letters, digits, -, _ and . are possible'),
        format: (value) => value,
      }),
    ),
    delaysMs: needed('delays', list(duration(0, DELAY_MS_MAX, '40 ms'), 1, REGIONS_MAX)),
  },
  '{name: eu, delays: [5 ms, 40 ms]}',
);
const rows = list(row, 1, REGIONS_MAX);

/** A list of regions, each with its one-way delay to each of them in their order; or the word `four-regions`. */
export const regions: Field<Regions> = {
  example: FOUR,
  read(tree, path, reading) {
    reading.regions = undefined;
    if (tree.kind === 'text') {
      reading.regions = FOUR_REGIONS.names;
      if (tree.text === FOUR) return FOUR_REGIONS;
      return reading.wrong(tree.line, path, `${FOUR} or a list is expected, such as [${row.example}]`);
    }
    const read = rows.read(tree, path, reading);
    if (read === undefined) return undefined;
    const names = read.map(({ name }) => name);
    reading.regions = names;
    for (const [at, { name, delaysMs }] of read.entries()) {
      if (names.indexOf(name) !== at)
        reading.wrongAt(`${path}[${at}].name`, `${name} is there twice; choose another name`);
      if (delaysMs.length !== names.length) {
        const what = `${delaysMs.length} delays are here, but there are ${names.length} regions; write one for each`;
        reading.wrongAt(`${path}[${at}].delays`, what);
      }
    }
    return { names, delaysMs: read.map(({ delaysMs }) => delaysMs) };
  },
  write(value, known) {
    if (JSON.stringify(value) === JSON.stringify(FOUR_REGIONS)) return FOUR;
    return rows.write(
      value.names.map((name, at) => ({ name, delaysMs: value.delaysMs[at]! })),
      known,
    );
  },
};

/** The name of a region of the same file; the value is its number. */
export const regionName: Field<number> = scalar({
  what: 'the name of a region',
  example: 'eu',
  parse(text, { regions: known }) {
    // Where they are wrong themselves, that is told already.
    if (known === undefined) return 0;
    const at = known.indexOf(text);
    return at >= 0 ? at : new Wrong(`is none of the regions; ${instead(text, known)}`);
  },
  format: (at, known) => known[at]!,
});
