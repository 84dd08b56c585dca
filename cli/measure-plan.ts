import { MODES } from '../scenarios/format/format.ts';
import { needsInsServers } from '../scenarios/format/scenario-file.ts';
import type { Scenario, ScenarioMode } from '../scenarios/plan/scenario.ts';
import { mainColumn, type SimColumn } from '../sim/columns.ts';
import { quoted } from '../sim/replay.ts';
import { Problem } from './problem.ts';
import { readList } from './readers.ts';
import type { Plan } from './sim-runs.ts';

/** What a command line says of the runs that are to be made. */
export interface Asked {
  /** As it was given: a path or a name. */
  readonly scenario: string;
  readonly mode: readonly ScenarioMode[] | undefined;
  readonly peers: number;
  readonly seed: string;
  readonly repeat: number;
  readonly engine: Engine;
  /** Further words of the command line that makes the same again, such as `--browsers 2`. */
  readonly more?: readonly string[];
}

export type Engine = 'processes' | 'sim';

/** Every mode that is asked for, or that is usual, with one seed. */
export function planOf(scenario: Scenario, asked: Asked): Plan {
  const { peers, seed, repeat } = asked;
  const modes = modesOf(scenario, asked.mode);
  const ask = (...those: readonly ScenarioMode[]) => commandOf(asked, those);
  return {
    scenario,
    columns: modes.map((mode): SimColumn => mainColumn(mode, true)),
    seeds: Array<string>(repeat).fill(seed),
    peers,
    seconds: scenario.seconds,
    command: `${ask(...modes)}${repeat === 1 ? '' : ` --repeat ${repeat}`}`,
    replay: ({ column }) => ask(column.mode),
    wantsViewers: true,
  };
}

/** Those that were asked for; else the two that are compared, and the scenario's own. */
function modesOf({ mode, insServers }: Scenario, asked: readonly ScenarioMode[] | undefined): ScenarioMode[] {
  const can = (one: ScenarioMode) => insServers > 0 || !needsInsServers(one);
  const wrong = asked?.find((one) => !can(one));
  if (wrong !== undefined)
    throw new Problem(`--mode ${wrong}: the scenario has no INS servers, so these viewers would get nothing`, 2);
  return [...new Set(asked ?? (['ins', 'native', mode] as const).filter(can))];
}

function commandOf({ scenario, peers, seed, engine, more = [] }: Asked, modes: readonly ScenarioMode[]): string {
  const words = [
    'npx inswarm measure --scenario',
    quoted(scenario),
    ...(engine === 'sim' ? ['--engine sim'] : []),
    '--mode',
    modes.join(','),
  ];
  return [...words, '--peers', peers, '--seed', quoted(seed), ...more].join(' ');
}

export function readEngine(text: string): Engine {
  if (text !== 'sim' && text !== 'processes') throw new Error('the engines are processes and sim');
  return text;
}

export function readLinks(text: string): 'namespaces' | 'buckets' {
  if (text !== 'namespaces' && text !== 'buckets') throw new Error('links are namespaces or buckets');
  return text;
}

export function readModes(text: string): readonly ScenarioMode[] {
  return readList(text).map((word) => {
    const mode = MODES.find((one) => one === word);
    if (mode === undefined) throw new Error(`the modes are ${MODES.join(', ')}`);
    return mode;
  });
}
