import type {
  HostId,
  LiveEnd,
  LiveFlow,
  LiveHappening,
  LiveHost,
  LiveLine,
  LiveMachine,
  LiveServer,
  LiveSession,
  LiveViewer,
  RunPhase,
} from './model.ts';
import {
  LASTING,
  MOVING,
  rowsOf,
  type Told,
  type ToldPicture,
  type ToldRun,
  type ToldSecond,
  unpackFlows,
  unpackViewer,
} from './told.ts';
import { History } from './totals.ts';

/** One run, as far as it has come. Of a run that is over, what plots show is all that is left. */
export interface RunPicture {
  readonly hosts: readonly LiveHost[];
  readonly happenings: readonly LiveHappening[];
  readonly history: History;
  /** Ms from first dial to first frame, in the order in which viewers started, all stays. */
  readonly startupsMs: number[];
}

/** Lines and startups that are kept. */
export const LINES_MAX = 300;
export const STARTUPS_MAX = 20_000;

/**
 * What is known of a session, made of what is told. The board keeps one and gives it to pages that open late, each page keeps one: a late page knows
 * what an early one knows.
 */
export class Picture {
  session: LiveSession | null = null;
  readonly runs: RunPicture[] = [];
  readonly lines: LiveLine[] = [];
  end: LiveEnd | null = null;
  phase: RunPhase = 'preparing';
  atMs = 0;
  machine: LiveMachine = { busy: 0, saturatedBy: [] };
  flows: readonly LiveFlow[] = [];
  /** Of the last run. */
  readonly viewers = new Map<HostId, LiveViewer>();
  readonly servers = new Map<HostId, LiveServer>();
  private readonly moving = new Map<HostId, readonly number[]>();
  private readonly lasting = new Map<HostId, readonly number[]>();
  private packedFlows: readonly number[] = [];

  constructor(told?: ToldPicture) {
    if (told === undefined) return;
    this.session = told.session;
    this.end = told.end;
    this.lines.push(...told.lines);
    for (const run of told.runs) this.runs.push(runOf(run));
    if (told.now === null) return;
    // Startups of the past are in the run already.
    this.rows(told.now);
    this.second(told.now);
  }

  get run(): RunPicture | undefined {
    return this.runs.at(-1);
  }

  apply(told: Exclude<Told, { is: 'all' }>): void {
    switch (told.is) {
      case 'run':
        this.beginRun(told.hosts, told.happenings);
        return;
      case 'second':
        this.noteStartups(told.lasting);
        this.rows(told);
        this.second(told);
        if (told.totals !== null) this.run?.history.push(told.totals);
        return;
      case 'line':
        this.lines.push(told.line);
        if (this.lines.length > LINES_MAX) this.lines.shift();
        return;
      case 'end':
        this.end = told.end;
    }
  }

  /** The rows that differ from what is known. */
  changed(rows: readonly (readonly number[])[], of: 'moving' | 'lasting'): number[] {
    return rows.filter((row) => !areEqual(row, this[of].get(row[0]!))).flat();
  }

  whole(): ToldPicture {
    return {
      session: this.session,
      runs: this.runs.map(({ hosts, happenings, history: { points, every, skips }, startupsMs }) => {
        return { hosts, happenings, totals: points, every, skips, startupsMs };
      }),
      lines: this.lines,
      end: this.end,
      now: this.run === undefined ? null : this.now(),
    };
  }

  private now(): ToldSecond {
    return {
      phase: this.phase,
      atMs: this.atMs,
      moving: [...this.moving.values()].flat(),
      lasting: [...this.lasting.values()].flat(),
      servers: [...this.servers.values()].flatMap(({ id, isUp, sentBps }) => [id, isUp ? 1 : 0, sentBps / 1000]),
      flows: this.packedFlows,
      machine: this.machine,
      totals: null,
    };
  }

  private beginRun(hosts: readonly LiveHost[], happenings: readonly LiveHappening[]): void {
    this.runs.push({ hosts, happenings, history: new History(), startupsMs: [] });
    for (const map of [this.viewers, this.servers, this.moving, this.lasting]) map.clear();
    this.flows = [];
    this.packedFlows = [];
    this.phase = 'preparing';
    this.atMs = 0;
  }

  private second({ phase, atMs, servers, flows, machine }: ToldSecond): void {
    this.phase = phase;
    this.atMs = atMs;
    this.machine = machine;
    this.packedFlows = flows;
    this.flows = unpackFlows(flows);
    for (const [id = 0, isUp, kbit = 0] of rowsOf(servers, 3)) {
      this.servers.set(id, { id, isUp: isUp === 1, sentBps: kbit * 1000 });
    }
  }

  private rows({ moving, lasting }: ToldSecond): void {
    const changed = new Set<HostId>();
    for (const [rows, known] of [
      [rowsOf(lasting, LASTING), this.lasting],
      [rowsOf(moving, MOVING), this.moving],
    ] as const) {
      for (const row of rows) {
        known.set(row[0]!, row);
        changed.add(row[0]!);
      }
    }
    for (const id of changed) {
      const lasts = this.lasting.get(id);
      if (lasts !== undefined) this.viewers.set(id, unpackViewer(this.moving.get(id) ?? [], lasts));
    }
  }

  /** A startup is told once, when it is new: a viewer who comes again waits anew, and starts anew. */
  private noteStartups(lasting: readonly number[]): void {
    const { run } = this;
    if (run === undefined) return;
    for (const [id = 0, , startupMs = -1] of rowsOf(lasting, LASTING)) {
      const before = this.viewers.get(id)?.startupMs ?? null;
      if (startupMs >= 0 && startupMs !== before && run.startupsMs.length < STARTUPS_MAX)
        run.startupsMs.push(startupMs);
    }
  }
}

function runOf({ hosts, happenings, totals, every, skips, startupsMs }: ToldRun): RunPicture {
  return { hosts, happenings, history: new History(totals, every, skips), startupsMs: [...startupsMs] };
}

function areEqual(a: readonly number[], b: readonly number[] | undefined): boolean {
  return b !== undefined && a.length === b.length && a.every((value, at) => value === b[at]);
}
