import { SCENARIO_DEFAULTS, type Scenario, type ScenarioMode } from '../plan/scenario.ts';
import { scenarioNamed } from '../plan/scenarios.ts';
import { Reading } from './field.ts';
import { type InFile, SCENARIO_FILE } from './format.ts';
import type { Mistake } from './mistake.ts';
import type { Plain } from './tree.ts';
import { readYaml, writeYaml } from './yaml.ts';

/** Longer files are nobody's scenario. */
export const SCENARIO_FILE_CHARS_MAX = 200_000;

export type ReadScenario =
  | { readonly ok: true; readonly scenario: Scenario }
  /** All that are found, in the order of their lines; at least one. */
  | { readonly ok: false; readonly mistakes: readonly Mistake[] };

/** Reads a scenario file: docs/scenarios.md describes what may be in it. */
export function readScenarioFile(text: string): ReadScenario {
  if (text.length > SCENARIO_FILE_CHARS_MAX) {
    const what = `the file is too long; at most ${SCENARIO_FILE_CHARS_MAX} characters are read`;
    return { ok: false, mistakes: [{ line: 1, path: '', what }] };
  }
  const { tree, mistakes } = readYaml(text);
  if (tree === undefined) return { ok: false, mistakes };
  const reading = new Reading(SCENARIO_DEFAULTS.regions.names);
  const file = SCENARIO_FILE.read(tree, '', reading);
  check(reading.root as Partial<InFile>, reading);
  const scenario = file === undefined ? undefined : scenarioOf(file);
  if (scenario !== undefined && isAnother(scenario)) {
    const what = `${scenario.name} is a scenario that ships, and this is another one; choose another name`;
    reading.wrongAt('name', what);
  }
  const all = [...mistakes, ...reading.mistakes].sort((a, b) => a.line - b.line);
  return scenario !== undefined && all.length === 0 ? { ok: true, scenario } : { ok: false, mistakes: all };
}

function scenarioOf({ version: _, faults, ...rest }: InFile): Scenario {
  return { ...rest, faults: faults.plan };
}

/** Whether it goes by the name of one that ships, and is not that: targets and readers would take it for it. */
function isAnother(scenario: Scenario): boolean {
  const shipped = scenarioNamed(scenario.name);
  return shipped !== undefined && scenarioFileText(shipped) !== scenarioFileText(scenario);
}

/** A scenario as a file that {@link readScenarioFile} reads, with all its fields. */
export function scenarioFileText(scenario: Scenario): string {
  const file: InFile = { ...scenario, version: 1, faults: { plan: scenario.faults } };
  return writeYaml(SCENARIO_FILE.write(file, scenario.regions.names) as Plain);
}

/** What no field can know alone, as far as the fields could be read. */
function check(file: Partial<InFile>, reading: Reading): void {
  const { mode, seconds = Number.POSITIVE_INFINITY, arrivals, insServers, insFed = 0, happenings = [], faults } = file;
  const endMs = seconds * 1000;
  const end = `the run ends after ${seconds} s; say less, or more in duration`;
  if (mode !== undefined && needsInsServers(mode) && insServers === 0)
    reading.wrongAt('ins-servers', 'viewers in INS mode get nothing without one; say at least 1, or mode: native');
  if (insServers !== undefined && insFed > Math.max(1, insServers))
    reading.wrongAt('ins-fed', `${insFed} are to be fed, but there are ${insServers}; say at most so many`);
  if (arrivals !== undefined && arrivals.fromMs >= endMs) reading.wrongAt('arrivals.from', `nobody would come: ${end}`);
  for (const [at, happening] of happenings.entries()) {
    if (happening.atMs >= endMs) reading.wrongAt(`happenings[${at}].at`, `this would never happen: ${end}`);
    if (insServers === undefined || !('server' in happening) || happening.server < insServers) continue;
    const which = insServers === 0 ? 'there is none' : `they are 0 to ${insServers - 1}`;
    reading.wrongAt(`happenings[${at}].server`, `there is no INS server ${happening.server}; ${which}`);
  }
  const plan = faults?.plan;
  if (plan && plan.untilMs <= plan.fromMs) reading.wrongAt('faults.until', 'this is not after faults.from; say more');
  if (plan && plan.fromMs >= endMs) reading.wrongAt('faults.from', `there would be none: ${end}`);
}

/** Whether there are viewers who get blocks from INS servers alone. */
export function needsInsServers(mode: ScenarioMode): boolean {
  return mode === 'ins' || mode === 'mixed';
}
