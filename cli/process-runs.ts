import type { Report } from '../report/report.ts';
import { figureText } from '../report/text.ts';
import type { ViewerFigures } from '../report/viewers.ts';
import { nowMs } from '../runtime/node/clock.ts';
import { planRun } from '../scenarios/plan/plan.ts';
import type { Scenario } from '../scenarios/plan/scenario.ts';
import { outcomeOf, type ProcessOutcome } from '../test/harness/controller/outcome.ts';
import type { ProcessRun } from '../test/harness/controller/process-run.ts';
import { Session } from '../test/harness/controller/session.ts';
import { ownProgram } from '../test/harness/links/lab/own-program.ts';
import { makeMedia } from '../test/harness/media/make-media.ts';
import type { LiveSession } from './live-session.ts';
import { Problem } from './problem.ts';
import { ProcessProgress } from './process-progress.ts';
import { type RunDone, reportOfRuns } from './report-of-runs.ts';
import { supplyWarnings } from './sim-made.ts';
import { type Plan, type PlannedRun, runsOf } from './sim-runs.ts';

/** How real processes are to run a plan. */
export interface ProcessOptions {
  /** What links are made by: the kernel where it can be, by default. */
  readonly links: 'namespaces' | 'buckets' | undefined;
  /** Viewers that share a process, at most; by default as many as two processors carry. */
  readonly viewersPerProcess: number | undefined;
  /** How many viewers are players in headless Chromium, and how many have a plain player beside them. */
  readonly browsers?: number;
  readonly witnesses?: number;
  /** The live page; undefined where nobody wants one. */
  readonly live?: LiveSession | undefined;
  readonly remote: {
    readonly count: number;
    readonly host: string;
    readonly port: number;
    readonly key: string;
  } | null;
}

export interface ProcessesDone {
  readonly report: Report;
  /** By column, those of its first run. */
  readonly viewers: Readonly<Record<string, readonly ViewerFigures[]>>;
}

/**
 * Makes all runs of a plan with real processes, one after the other, and shows how far they are.
 *
 * @param over - Resolves when the user has had enough: all is cleaned up then.
 * @throws Problem where a run came to nothing.
 */
export async function runProcesses(plan: Plan, options: ProcessOptions, over: Promise<void>): Promise<ProcessesDone> {
  const startedAtMs = nowMs();
  const runs = runsOf(plan);
  const display = new ProcessProgress(process.stderr, runs.length, plan.seconds);
  const notes = new Set<string>();
  const { live } = options;
  if (live?.url !== undefined) display.say(`Look on at ${live.url}`);
  const notice = (text: string): void => {
    if (notes.has(text)) return;
    display.say(text);
    live?.say(text);
    notes.add(text);
  };
  let stopped = false;
  const aborting = new AbortController();
  const { signal } = aborting;
  let session: Session | undefined;
  void over.then(() => {
    stopped = true;
    aborting.abort();
  });
  try {
    display.preparing('the film of the stream');
    const media = await makeMedia({
      stream: plan.scenario.stream,
      signal,
      onProgress: ({ step, share }) =>
        display.preparing(`the film of the stream: ${step} ${Math.floor(share * 100)} %`),
    });
    const told = { notice, preparing: (text: string) => display.preparing(text) };
    session = await Session.open({ agentCommand: AGENT, remote: options.remote, links: options.links, told, signal });
    const outcomes: ProcessOutcome[] = [];
    live?.begin(plan, runs);
    for (const [at, run] of runs.entries()) {
      display.begin(at, nameOf(plan, run));
      const second = (now: ProcessRun): void => {
        display.second(now);
        live?.second();
      };
      const outcome = await oneRun(session, plan, run, media.source.input, options, { ...told, second });
      // People at the page ended it before there was anything to measure.
      if (outcome === undefined) break;
      outcomes.push(outcome);
      display.finished(inShort(outcomes.at(-1)!));
      if (live?.ended === true) break;
    }
    if (outcomes.length === 0) throw new Problem('ended before anything was measured; nothing was written');
    const done = planDone(plan, outcomes.length);
    return {
      report: reportOf(done, outcomes, startedAtMs, options.remote !== null),
      viewers: viewersOf(done, outcomes),
    };
  } catch (error) {
    if (stopped) throw new Problem('stopped; nothing was written');
    throw error instanceof Problem ? error : new Problem((error as Error).message);
  } finally {
    display.clear();
    await session?.close();
  }
}

interface Told {
  notice(text: string): void;
  preparing(text: string): void;
  second(run: ProcessRun): void;
}

async function oneRun(
  session: Session,
  plan: Plan,
  { column, seed }: PlannedRun,
  input: string,
  { viewersPerProcess, browsers = 0, witnesses = 0, live }: ProcessOptions,
  told: Told,
): Promise<ProcessOutcome | undefined> {
  const { scenario, peers, seconds } = plan;
  const runPlan = planRun({ scenario, seed, peers, mode: column.mode, seconds });
  const viewersPerWorker = viewersPerProcess ?? perProcess(peers);
  const run = await session.run({ plan: runPlan, input, viewersPerWorker, browsers, witnesses, told }, (made) =>
    live?.beginRun(made),
  );
  live?.ending();
  return run.measuredMs === 0 ? undefined : outcomeOf(run);
}

/** What was done of a plan: all of it, unless people ended it early. */
function planDone(plan: Plan, count: number): Plan {
  const runs = runsOf(plan).slice(0, count);
  if (runs.length === runsOf(plan).length) return plan;
  const columns = plan.columns.filter((column) => runs.some((run) => run.column === column));
  return { ...plan, columns, seeds: plan.seeds.slice(0, Math.max(1, Math.floor(runs.length / columns.length))) };
}

function nameOf(plan: Plan, { column, seed }: PlannedRun): string {
  const times = plan.seeds.length > 1 ? `, seed ${seed}` : '';
  return `${column.label}${times}`;
}

function inShort({ measured: { figures }, rig }: ProcessOutcome): string {
  const { startupDelayMs, freezes } = figures;
  const busy = rig.saturatedBy.length > 0 ? ', THE MACHINE WAS SATURATED' : '';
  return `startup ${figureText(startupDelayMs.p50, 'ms')} and ${figureText(startupDelayMs.p95, 'ms')}, ${freezes.total} freezes${busy}`;
}

function reportOf(plan: Plan, outcomes: readonly ProcessOutcome[], startedAtMs: number, isRemote: boolean): Report {
  const done = runsOf(plan).map((run, at): RunDone => {
    const { measured, supply, rig } = outcomes[at]!;
    const { figures, series } = measured;
    const command = plan.replay(run);
    return {
      column: run.column,
      measured,
      run: { seed: run.seed, traceHash: '', command, figures, supply, series, rig },
    };
  });
  return reportOfRuns(plan, 'processes', done, warningsOf(plan, outcomes, isRemote), startedAtMs);
}

function warningsOf(plan: Plan, outcomes: readonly ProcessOutcome[], isRemote: boolean): string[] {
  const { scenario, peers } = plan;
  const runs = runsOf(plan);
  const small = runs.flatMap(({ column }, at) => supplyWarnings(column.mode, scenario, peers, outcomes[at]!.supply));
  const wrong = new Set(runs.flatMap(({ column }, at) => (outcomes[at]!.bad > 0 ? [column.label] : [])));
  const dropped = wrong.size === 0 ? [] : [`Viewers dropped wrong records or blocks: ${[...wrong].join(', ')}.`];
  return [...new Set([...small, ...leftOut(scenario, isRemote), ...dropped])];
}

/** What only the simulator can do. */
function leftOut({ clocksOffMs }: Scenario, isRemote: boolean): string[] {
  const clocks = 'The viewers’ clocks are right: real processes share that of their machine.';
  const delays =
    'The viewers are on other machines: delays are those of the network between them, and not those of the regions, which the bounds are reckoned with.';
  return [...(clocksOffMs === 0 ? [] : [clocks]), ...(isRemote ? [delays] : [])];
}

function viewersOf(plan: Plan, outcomes: readonly ProcessOutcome[]): Record<string, readonly ViewerFigures[]> {
  const byColumn: Record<string, readonly ViewerFigures[]> = {};
  for (const [at, { column }] of runsOf(plan).entries()) byColumn[column.key] ??= outcomes[at]!.viewers;
  return byColumn;
}

/**
 * Viewers that share a process, where nobody says otherwise: in processes of their own each costs more than twice as much (every one of them
 * compiles and optimises the same programs), and a hundred are more than two processors carry.
 */
function perProcess(viewers: number): number {
  return Math.ceil(viewers / Math.max(2, Math.ceil(viewers / PER_PROCESS_MAX)));
}

/** All of them get a part in the same moment, so with more of them the last would get it late; with fewer, more processes compile the same. */
const PER_PROCESS_MAX = 34;

/** This program. */
const AGENT: readonly string[] = [...ownProgram('./main', import.meta.url), 'agent'];
