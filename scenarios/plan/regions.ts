/** Where hosts can be, and how far it is from one to the other. */
export interface Regions {
  readonly names: readonly string[];
  /** One-way delays in ms: row from, column to. The diagonal is the delay inside a region. */
  readonly delaysMs: readonly (readonly number[])[];
}

/**
 * The four regions of the drafts' experiment (PlanetLab and EC2), with one-way delays as they are usual between such places. The
 * drafts give no matrix: these are half of round trips that cloud operators publish, rounded.
 */
export const FOUR_REGIONS: Regions = {
  names: ['us-east', 'us-west', 'eu', 'asia'],
  delaysMs: [
    [5, 35, 40, 90],
    [35, 5, 70, 60],
    [40, 70, 5, 110],
    [90, 60, 110, 5],
  ],
};

export const REGIONS_MAX = 64;
/** One way, in ms. */
export const DELAY_MS_MAX = 10_000;
export const REGION_NAME = /^[\w.-]{1,32}$/;

/**
 * Reads a matrix of delays: one line a region, its name and then the one-way delay in ms to each region, in the order of the lines;
 * `#` begins a comment.
 *
 * ```
 * us-east   5  35  40
 * us-west  35   5  70
 * eu       40  70   5
 * ```
 *
 * At most 64 regions, delays from 0 to 10,000 ms with fractions. The matrix need not be symmetric.
 * @returns The regions, or what is wrong, with the line.
 */
export function parseRegionDelays(
  text: string,
): { readonly ok: true; readonly regions: Regions } | { readonly ok: false; readonly error: string } {
  const rows: { readonly line: number; readonly words: readonly string[] }[] = [];
  for (const [at, raw] of text.split(/\r?\n/).entries()) {
    const words = raw
      .replace(/#.*$/, '')
      .split(/[\s,]+/)
      .filter((word) => word !== '');
    if (words.length > 0) rows.push({ line: at + 1, words });
    if (rows.length > REGIONS_MAX) return wrong(at + 1, `at most ${REGIONS_MAX} regions are possible`);
  }
  if (rows.length === 0) return { ok: false, error: 'no region is there: lines such as "eu 40 70 5" are expected' };
  const names = rows.map(({ words }) => words[0]!);
  const delaysMs: number[][] = [];
  for (const { line, words } of rows) {
    const [name, ...delays] = words;
    if (!REGION_NAME.test(name!)) return wrong(line, `${name} is no name of a region: letters, digits, '-', '_', '.'`);
    if (names.indexOf(name!) !== names.lastIndexOf(name!)) return wrong(line, `${name} is there twice`);
    if (delays.length !== names.length)
      return wrong(line, `${delays.length} delays, but there are ${names.length} regions`);
    const bad = delays.find((delay) => !isDelay(delay));
    if (bad !== undefined) return wrong(line, `${bad} is no delay: ms from 0 to ${DELAY_MS_MAX} are expected`);
    delaysMs.push(delays.map(Number));
  }
  return { ok: true, regions: { names, delaysMs } };
}

function isDelay(text: string): boolean {
  return /^\d{1,6}(\.\d{1,6})?$/.test(text) && Number(text) <= DELAY_MS_MAX;
}

function wrong(line: number, what: string): { readonly ok: false; readonly error: string } {
  return { ok: false, error: `line ${line}: ${what}` };
}
