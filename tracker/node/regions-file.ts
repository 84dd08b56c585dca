import { readFileSync } from 'node:fs';
import { parseRegions, type RegionTable } from '../core/regions.ts';

/** Lines of a bad file that are named at once. */
const ERRORS_TOLD = 5;

/**
 * Reads a table of regions: one `CIDR region` a line, `#` for comments.
 * @throws Error for people, with the file and the lines that are wrong.
 */
export function readRegionsFile(path: string): RegionTable {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new Error(`cannot read the regions file ${path}: ${(error as Error).message}`, { cause: error });
  }
  const read = parseRegions(text);
  if (read.ok) return read.table;
  const more = read.errors.length - ERRORS_TOLD;
  const told = read.errors.slice(0, ERRORS_TOLD).join('; ');
  throw new Error(`the regions file ${path}, ${told}${more > 0 ? `; and ${more} more` : ''}`);
}
