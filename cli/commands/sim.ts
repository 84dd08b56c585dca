import { readFileSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { BLOCK_BYTES_MAX } from '../../protocol/limits.ts';
import { nowMs } from '../../runtime/node/clock.ts';
import { UPLINK_MIXES, type UplinkMix } from '../../scenarios/plan/bandwidth.ts';
import { parseRegionDelays, type Regions } from '../../scenarios/plan/regions.ts';
import type { Scenario, ScenarioMode } from '../../scenarios/plan/scenario.ts';
import { SCENARIOS, scenarioNamed } from '../../scenarios/plan/scenarios.ts';
import { scenarioOf } from '../../sim/columns.ts';
import type { Violation } from '../../sim/invariants.ts';
import { replayCommand } from '../../sim/replay.ts';
import { reportOfRun } from '../../sim/report-of-run.ts';
import { Simulation } from '../../sim/simulation.ts';
import { command } from '../command.ts';
import { lifetime } from '../lifetime.ts';
import { option, optional, toggle } from '../options.ts';
import { print, printJson } from '../output.ts';
import { Problem } from '../problem.ts';
import { readFilePath, size, textOf, wholeNumber } from '../readers.ts';
import { madeBy, supplyWarnings } from '../sim-made.ts';
import { type Progress, ProgressLine } from '../sim-progress.ts';
import { simTable } from '../sim-table.ts';

/** A slice of virtual time takes about so much real time: long enough to cost nothing, short enough for Ctrl-C. */
const SLICE_MS = 50;
const REGIONS_FILE_BYTES_MAX = 1_000_000;

export const sim = command({
  name: 'sim',
  summary: 'simulate a crowd of viewers, with the code that ships, and measure what they feel',
  description: `Runs source, tracker, INS servers and thousands of viewers under virtual time in this process: the code that ships, with only
network and clock simulated. The same options give the same run, to the last message. Figures come with the bound that no system can beat.`,
  options: {
    peers: option('NUMBER', 'how many viewers', wholeNumber(1, 100_000, ''), 1_000, '1000'),
    mode: optional(
      'MODE',
      "how they get their blocks: ins, native, hybrid or mixed; the scenario's by default",
      readMode,
    ),
    scenario: option('NAME', 'what happens', readScenario, scenarioNamed('flash-crowd')!, 'flash-crowd'),
    seed: option('TEXT', 'what chance hangs on', textOf(256), '1'),
    seconds: optional('SECONDS', "length of the run; the scenario's by default", wholeNumber(1, 86_400, 'seconds')),
    follow: toggle('INS servers send nothing unasked: bitmaps, range tokens and batches, as the drafts have it', true),
    supply: optional(
      'FACTOR',
      'all that may be sent, over what all viewers need: 1.5 is half as much again',
      readFactor,
    ),
    insServers: optional('NUMBER', 'how many INS servers, spread over the regions', wholeNumber(0, 1_000, '')),
    insFed: optional('NUMBER', 'how many of them the source feeds', wholeNumber(0, 1_000, '')),
    uplinks: optional('MIX', `how viewers' uplinks differ: ${Object.keys(UPLINK_MIXES).join(', ')}`, readMix),
    blockSize: optional('SIZE', 'largest block, such as 16K', size(1_024, BLOCK_BYTES_MAX, 'from 1K to 1M')),
    part: optional('MS', "length of a part; the scenario's by default", wholeNumber(100, 60_000, 'ms')),
    rangeTokens: toggle('viewers ask a neighbour for a token for every block', true),
    batches: toggle('viewers ask an INS server for one block at a time', true),
    insConnections: optional(
      'NUMBER',
      "a viewer's connections to its INS server; 1 by default",
      wholeNumber(1, 16, ''),
    ),
    cutThrough: toggle('INS servers pass blocks on from their first packet, unverified, as nothing that ships does'),
    regions: optional(
      'FILE',
      'one-way delays in ms: a line for each region, with its name and the delay to each, in the order of the lines',
      readFilePath,
    ),
    json: toggle('print one line of JSON'),
  },
  glossary: { title: 'Scenarios', words: SCENARIOS.map(({ name, summary }) => [name, summary]) },
  examples: [
    ['A thousand viewers within ten seconds, fed by four INS servers', 'inswarm sim'],
    ['The same crowd without servers, for scripts', 'inswarm sim --mode native --json'],
    ['Ten thousand, with a fifth more supply than they need', 'inswarm sim --peers 10000 --scenario flash-crowd-tight'],
  ],
  async run(values) {
    const { peers, seed, follow, blockSize, json } = values;
    const life = lifetime();
    const scenario = changed(values.scenario, values);
    const { mode = scenario.mode, seconds = scenario.seconds } = values;
    const blocks = blockSize === undefined ? {} : { blockBytes: blockSize };
    const simulation = new Simulation({
      scenario,
      seed,
      peers,
      mode,
      seconds,
      follow,
      ...blocks,
      ...ablationsOf(values),
    });
    const line = new ProgressLine(process.stderr, nowMs());
    const startedAtMs = nowMs();
    const cpu = process.cpuUsage();
    const asked = { scenario: scenario.name, mode, peers, seed, seconds, more: furtherOptions(values) };
    const ran = await runInSlices(simulation, json ? undefined : line, life.over).catch((error: unknown) => {
      line.clear();
      throw crashProblem(error, simulation.elapsedMs, replayCommand(asked));
    });
    if (!ran) {
      line.clear();
      throw new Problem(`stopped at ${(simulation.elapsedMs / 1000).toFixed(1)} s of ${seconds} s`);
    }
    line.clear();
    const { user, system } = process.cpuUsage(cpu);
    const result = simulation.result();
    const report = reportOfRun({
      scenario: scenario.name,
      seed,
      peers,
      seconds,
      mode,
      follow,
      supply: simulation.plan.sharedOut,
      result,
      made: madeBy(replayCommand(asked), nowMs() - startedAtMs),
      warnings: supplyWarnings(mode, scenario, peers, simulation.plan.sharedOut),
    });
    const cpuMs = Math.round((user + system) / 1000);
    const { duplicateShare, startupStagesMs, events, bad, violations, violationCount } = result;
    if (json) printJson({ ...report, cpuMs, events, duplicateShare, startupStagesMs, bad, violations, violationCount });
    else print(simTable(report, result, cpuMs));
    if (violationCount > 0) throw new Problem(violationText(violations, violationCount, report.made.command));
  },
});

/** One line: what did not hold first, and how to see it again. */
function violationText([first]: readonly Violation[], count: number, command: string): string {
  const { rule, what, atMs } = first!;
  return `${count} times a rule did not hold, first ${rule} at ${atMs} ms: ${what}; again: ${command}`;
}

/** A core that threw: with `INSWARM_LOG_LEVEL=debug` where it was, and how to see it again. */
export function crashProblem(error: unknown, atMs: number, command: string): Error {
  const what = error instanceof Error ? error.message : String(error);
  return new Error(`a program crashed at ${Math.round(atMs)} ms: ${what}; again: ${command}`, { cause: error });
}

/** @returns Whether it ran to its end. */
async function runInSlices(
  simulation: Simulation,
  line: ProgressLine | undefined,
  over: Promise<void>,
): Promise<boolean> {
  let stopped = false;
  void over.then(() => {
    stopped = true;
  });
  let sliceMs = 100;
  while (!simulation.over && !stopped) {
    const fromMs = nowMs();
    simulation.runUntil(simulation.elapsedMs + sliceMs);
    const tookMs = Math.max(1, nowMs() - fromMs);
    sliceMs = Math.min(10_000, Math.max(1, (sliceMs * SLICE_MS) / tookMs));
    line?.show(() => progressOf(simulation), nowMs());
    await setImmediate();
  }
  return simulation.over;
}

function progressOf(simulation: Simulation): Progress {
  let [started, freezes] = [0, 0];
  for (const { core } of simulation.peers) {
    const stats = core.stats(simulation.nowMs);
    if (stats.startupDelayMs !== null) started++;
    freezes += stats.freezes;
  }
  const { elapsedMs, stays } = simulation;
  const { seconds } = simulation.plan;
  return { atMs: elapsedMs, endMs: seconds * 1000, joined: stays.length, started, freezes };
}

interface Changes {
  readonly supply: number | undefined;
  readonly insServers: number | undefined;
  readonly insFed: number | undefined;
  readonly uplinks: UplinkMix | undefined;
  readonly regions: string | undefined;
  readonly part: number | undefined;
}

/** The scenario with what the command line says otherwise. */
function changed(named: Scenario, { supply, insServers, insFed, uplinks, regions, part }: Changes): Scenario {
  const scenario = scenarioOf({ changes: part === undefined ? {} : { partMs: part } }, named);
  const sourceStreams = scenario.supply.kind === 'fair' ? scenario.supply.sourceStreams : 20;
  return {
    ...scenario,
    ...(supply === undefined ? {} : { supply: { kind: 'fair', times: supply, sourceStreams } }),
    insServers: insServers ?? scenario.insServers,
    insFed: insFed ?? scenario.insFed,
    uplinks: uplinks ?? scenario.uplinks,
    regions: regions === undefined ? scenario.regions : readRegions(regions),
  };
}

interface AblationValues {
  readonly rangeTokens: boolean;
  readonly batches: boolean;
  readonly insConnections: number | undefined;
  readonly cutThrough: boolean;
}

/** What is otherwise than it ships, and nothing else. */
function ablationsOf({ rangeTokens, batches, insConnections, cutThrough }: AblationValues) {
  return {
    ...(rangeTokens ? {} : { rangeTokens }),
    ...(batches ? {} : { batches }),
    ...(insConnections === undefined ? {} : { insConnections }),
    ...(cutThrough ? { cutThrough } : {}),
  };
}

function furtherOptions(
  values: Changes & { readonly follow: boolean; readonly blockSize: number | undefined } & AblationValues,
) {
  const { follow, supply, insServers, insFed, uplinks, blockSize, part, regions } = values;
  const named = {
    supply,
    'ins-servers': insServers,
    'ins-fed': insFed,
    uplinks,
    'block-size': blockSize,
    part,
    regions,
  };
  const more: Record<string, string | number | true> = follow ? {} : { 'no-follow': true };
  if (!values.rangeTokens) more['no-range-tokens'] = true;
  if (!values.batches) more['no-batches'] = true;
  if (values.insConnections !== undefined) more['ins-connections'] = values.insConnections;
  if (values.cutThrough) more['cut-through'] = true;
  for (const [name, value] of Object.entries(named)) if (value !== undefined) more[name] = value;
  return more;
}

function readRegions(path: string): Regions {
  const text = readFileSync(path, 'utf8');
  if (text.length > REGIONS_FILE_BYTES_MAX) throw new Problem(`--regions ${path}: the file is larger than 1 MB`, 2);
  const read = parseRegionDelays(text);
  if (!read.ok) throw new Problem(`--regions ${path}: ${read.error}`, 2);
  return read.regions;
}

function readScenario(text: string): Scenario {
  const scenario = scenarioNamed(text);
  if (scenario === undefined) throw new Error(`the scenarios are ${SCENARIOS.map(({ name }) => name).join(', ')}`);
  return scenario;
}

function readMode(text: string): ScenarioMode {
  if (text === 'ins' || text === 'native' || text === 'hybrid' || text === 'mixed') return text;
  throw new Error('the modes are ins, native, hybrid and mixed');
}

function readMix(text: string): UplinkMix {
  if (Object.hasOwn(UPLINK_MIXES, text)) return text as UplinkMix;
  throw new Error(`the mixes are ${Object.keys(UPLINK_MIXES).join(', ')}`);
}

function readFactor(text: string): number {
  const value = /^\d{1,4}(\.\d{1,6})?$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= 0.01 && value <= 1_000)) throw new Error('a factor from 0.01 to 1000 is expected, such as 1.5');
  return value;
}
