import { readFileSync, statSync } from 'node:fs';
import { mistakeText } from '../scenarios/format/mistake.ts';
import { nearest } from '../scenarios/format/nearest.ts';
import { readScenarioFile, SCENARIO_FILE_CHARS_MAX } from '../scenarios/format/scenario-file.ts';
import type { Scenario } from '../scenarios/plan/scenario.ts';
import { SCENARIOS, scenarioNamed } from '../scenarios/plan/scenarios.ts';
import { Problem } from './problem.ts';

/** So many are told at once. */
const DETAILS_MAX = 40;

/**
 * The scenario of a command line: one that ships, by its name, or a file.
 *
 * @param asked - What has a slash, or ends in `.yaml` or `.yml`, is a path.
 * @throws Problem with a line for each mistake in the file.
 */
export function scenarioAsked(asked: string): Scenario {
  if (!/[\\/]|\.ya?ml$/.test(asked)) return named(asked);
  const read = readScenarioFile(textOf(asked));
  if (read.ok) return read.scenario;
  const mistakes = read.mistakes.map((mistake) => mistakeText(asked, mistake));
  const count = `${mistakes.length} ${mistakes.length === 1 ? 'mistake' : 'mistakes'}`;
  const shown = mistakes.length <= DETAILS_MAX ? '' : `, of which the first ${DETAILS_MAX} are shown`;
  const advice = 'docs/scenarios.md describes the format';
  throw new Problem(`--scenario ${asked}: ${count} in the file${shown}; ${advice}`, 2, mistakes.slice(0, DETAILS_MAX));
}

function named(name: string): Scenario {
  const scenario = scenarioNamed(name);
  if (scenario !== undefined) return scenario;
  const names = SCENARIOS.map((one) => one.name);
  const near = nearest(name, names);
  const meant = near === undefined ? '' : `did you mean ${near}? `;
  throw new Problem(
    `--scenario ${name}: ${meant}the scenarios are ${names.join(', ')}; a file's name ends in .yaml, or has a slash in it`,
    2,
  );
}

function textOf(path: string): string {
  try {
    // Before it is in memory. A character has up to four bytes.
    if (statSync(path).size > 4 * SCENARIO_FILE_CHARS_MAX) throw new Problem(`--scenario ${path}: it is too large`, 2);
    return readFileSync(path, 'utf8').replace(/^\uFEFF/, '');
  } catch (error) {
    if (error instanceof Problem) throw error;
    const { code } = error as NodeJS.ErrnoException;
    const what = code === 'ENOENT' ? 'there is no such file' : `the file cannot be read (${code})`;
    throw new Problem(`--scenario ${path}: ${what}`, 2);
  }
}
