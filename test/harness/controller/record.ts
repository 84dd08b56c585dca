import type { ViewerFigures as ViewerLine } from '../../../report/viewers.ts';
import type { StayAccount } from '../../../scenarios/measures/account.ts';
import { PLAYER_SHAPE } from '../../../scenarios/measures/bounds.ts';
import { type Counted, type Measured, measuresOf } from '../../../scenarios/measures/figures.ts';
import { freezesOf } from '../../../scenarios/measures/freezes.ts';
import { type Sample, Sampling } from '../../../scenarios/measures/sampling.ts';
import { viewersOf } from '../../../scenarios/measures/viewers.ts';
import type { Visit } from '../../../scenarios/plan/arrivals.ts';
import type { RunPlan } from '../../../scenarios/plan/plan.ts';
import type { FreezeEvent, SourceFigures, ViewerFigures } from '../agent/programs.ts';

/** A viewer's stay, as it was seen. Times in ms after the run's start. */
export interface Stay {
  readonly id: string;
  readonly visit: Visit;
  /** When it dialled; null until it has. */
  joinedAtMs: number | null;
  /** When it left; null while it is here. */
  leftAtMs: number | null;
  /** What it said last. */
  figures: ViewerFigures | null;
  readonly events: FreezeEvent[];
}

/** The share of a latency that clocks make, and what else is known of the worker that a viewer is in. */
export interface Skew {
  /** How far the clock of its machine is ahead of the controller's, in ms. */
  readonly clockMs: number;
}

/** All that was seen of a run, second by second. Pure: it is told the time. */
export class Record {
  readonly plan: RunPlan;
  readonly stays: Stay[] = [];
  private readonly sampling = new Sampling();
  private readonly byId = new Map<string, Stay>();
  /** What the source had done when the run began. */
  before: SourceFigures | undefined;
  /** As it said last. */
  source: SourceFigures = { kind: 'source', part: -1, mediaBytes: 0, dataSentBytes: 0 };
  readonly browsers: ReadonlySet<number>;
  /** The run's start, Unix ms by the controller's clock; known before anybody joins. */
  startMs = 0;

  constructor(plan: RunPlan, browsers: ReadonlySet<number>) {
    this.plan = plan;
    this.browsers = browsers;
  }

  /** A viewer is told to come. */
  coming(id: string, visit: Visit): Stay {
    const stay: Stay = { id, visit, joinedAtMs: null, leftAtMs: null, figures: null, events: [] };
    this.byId.set(id, stay);
    return stay;
  }

  /** The viewers who are to be there at a time by the plan, and have not gone otherwise, in the order of their coming. */
  there(atMs: number): number[] {
    const stays = [...this.byId.values()].filter(({ visit, leftAtMs }) => {
      return leftAtMs === null && visit.joinAtMs <= atMs && visit.leaveAtMs > atMs;
    });
    return stays
      .map(({ visit }) => visit)
      .sort(inOrder)
      .map(({ viewer }) => viewer);
  }

  stay(id: string): Stay | undefined {
    return this.byId.get(id);
  }

  /** @param atMs - Unix ms by the controller's clock, as all times here. */
  joined(id: string, atMs: number): void {
    const stay = this.byId.get(id);
    if (stay === undefined || stay.joinedAtMs !== null) return;
    stay.joinedAtMs = atMs - this.startMs;
    this.stays.push(stay);
  }

  left(id: string, atMs: number, figures: ViewerFigures | null, skew: Skew): void {
    const stay = this.byId.get(id);
    if (stay === undefined || stay.leftAtMs !== null) return;
    if (figures !== null) this.heard(id, figures, skew);
    stay.leftAtMs = atMs - this.startMs;
  }

  /** A viewer says how it is. */
  heard(id: string, figures: ViewerFigures, { clockMs }: Skew): void {
    const stay = this.byId.get(id);
    if (stay === undefined || stay.leftAtMs !== null) return;
    const latencyMs = figures.latencyMs === null ? null : figures.latencyMs - clockMs;
    stay.figures = { ...figures, latencyMs };
    for (const event of figures.events) stay.events.push({ ...event, atMs: event.atMs - clockMs });
  }

  /** At the end of each second, when all have said how they are. */
  second(): void {
    this.sampling.sample(this.stays.map(sampleOf));
  }

  /** @param elapsedMs - Since the run's start. */
  measured(elapsedMs: number): { readonly measured: Measured; readonly viewers: readonly ViewerLine[] } {
    const stays = this.stays.map((stay) => this.accountOf(stay, elapsedMs));
    const { plan, sampling, before } = this;
    const source = {
      mediaBytes: this.source.mediaBytes - (before?.mediaBytes ?? 0),
      dataSentBytes: this.source.dataSentBytes - (before?.dataSentBytes ?? 0),
    };
    const counted: Counted = { plan, player: PLAYER_SHAPE, elapsedMs, stays, sampling, source };
    return { measured: measuresOf(counted), viewers: viewersOf(stays, sampling) };
  }

  private accountOf({ visit, figures, events, ...stay }: Stay, elapsedMs: number): StayAccount {
    const joinedAtMs = stay.joinedAtMs!;
    const endMs = Math.min(elapsedMs, stay.leftAtMs ?? Number.POSITIVE_INFINITY);
    const hereMs = Math.max(0, endMs - joinedAtMs);
    const { viewer, again } = visit;
    const startupDelayMs = figures?.startupDelayMs ?? null;
    const said = figures ?? NOTHING_SAID;
    return {
      viewer,
      again,
      region: this.plan.scenario.regions.names[this.plan.regions[viewer] ?? 0]!,
      mode: this.plan.modeOf(viewer),
      isBrowser: this.browsers.has(viewer),
      stays: stay.leftAtMs === null,
      startupDelayMs,
      hereMs,
      watchedMs: startupDelayMs === null ? 0 : Math.max(0, hereMs - startupDelayMs),
      joinedAtMs,
      endMs,
      freezes: freezesOf(events, this.startMs, endMs),
      dueBlocks: said.dueBlocks,
      missedBlocks: said.missedBlocks,
      dataSentBytes: said.sent.data,
      controlSentBytes: said.sent.control,
      controlReceivedBytes: said.received.control,
      receivedBytes: said.received.data + said.received.control,
      usefulBytes: said.usefulBytes,
      from: said.bytesFrom,
      bad: said.bad,
    };
  }
}

function inOrder(a: Visit, b: Visit): number {
  return a.joinAtMs - b.joinAtMs || a.viewer - b.viewer;
}

function sampleOf({ figures, leftAtMs }: Stay): Sample {
  const { state, bufferMs, latencyMs, bytesFrom, usefulBytes } = figures ?? NOTHING_SAID;
  return { state, bufferMs, latencyMs, bytesFrom, usefulBytes, here: leftAtMs === null };
}

const NOTHING_SAID: ViewerFigures = {
  kind: 'viewer',
  state: 'waiting',
  part: -1,
  bufferMs: 0,
  latencyMs: null,
  startupDelayMs: null,
  dueBlocks: 0,
  missedBlocks: 0,
  bytesFrom: { ins: 0, peers: 0, source: 0 },
  usefulBytes: 0,
  bad: 0,
  sent: { data: 0, control: 0 },
  received: { data: 0, control: 0 },
  neighbours: 0,
  events: [],
};
