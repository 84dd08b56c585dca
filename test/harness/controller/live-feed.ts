import { rigFigures } from '../../../report/saturation.ts';
import { nowMs } from '../../../runtime/node/clock.ts';
import type { RunPlan } from '../../../scenarios/plan/plan.ts';
import type { ViewerFigures } from '../agent/programs.ts';
import type { Host } from '../links/links.ts';
import type { LiveBoard } from '../live/board.ts';
import type {
  LiveCommand,
  LiveFlow,
  LiveHost,
  LiveSecond,
  LiveServer,
  LiveViewer,
  RunPhase,
  ViewerState,
} from '../live/model.ts';
import { happeningText } from './happen.ts';
import type { ProcessRun } from './process-run.ts';
import type { Stay } from './record.ts';

/** Tells the live page of one run, and carries out there what people at the page ask for. */
export class LiveFeed {
  private readonly board: LiveBoard;
  private readonly run: ProcessRun;
  private readonly servers: readonly Host[];
  private readonly ids = new Map<string, number>();
  /** By viewer: the stay that it is in, or was in last. */
  private readonly stays = new Map<number, Stay>();
  private before: { atMs: number; readonly said: Map<string, ViewerFigures>; readonly flows: Map<string, number> } = {
    atMs: 0,
    said: new Map(),
    flows: new Map(),
  };
  /** By stay: freezes that were told of. */
  private readonly told = new Map<string, number>();

  constructor(board: LiveBoard, run: ProcessRun) {
    this.board = board;
    this.run = run;
    const { tracker, source, ins, viewers } = run.placement.layout;
    this.servers = [tracker, source, ...ins];
    for (const [id, { address }] of [...this.servers, ...viewers].entries()) this.ids.set(address, id);
    board.beginRun(this.hosts(), happeningsOf(run.config.plan));
  }

  /** @param phase - At the end of a second, or while nothing runs yet. */
  second(phase: RunPhase): void {
    const { run, before } = this;
    const atMs = Math.max(0, run.clock.elapsedMs);
    const seconds = Math.max(0.2, (atMs - before.atMs) / 1000);
    for (const stay of run.record.stays) this.stays.set(stay.visit.viewer, stay);
    const flows = this.flows(seconds);
    const now: LiveSecond = {
      phase,
      atMs,
      viewers: [...this.stays.values()].map((stay) => this.viewer(stay, seconds)),
      servers: this.servers.map((host) => this.server(host, flows)),
      flows,
      machine: {
        busy: run.collector.seconds.busyNow,
        saturatedBy: rigFigures(run.collector.seconds.samples()).saturatedBy,
      },
    };
    for (const { id, figures } of this.stays.values()) if (figures !== null) before.said.set(id, figures);
    before.atMs = atMs;
    this.board.second(now);
  }

  obey(command: Exclude<LiveCommand, { do: 'end' }>): void {
    const { run, servers } = this;
    for (const id of command.hosts) {
      const server = servers[id];
      const viewer = id - servers.length;
      if (server !== undefined) {
        if (command.do === 'kill') run.faults.killServer(server);
        if (command.do === 'start') run.faults.startServer(server);
      } else if (command.do === 'start') run.visits.enter(viewer);
      else if (command.do === 'throttle') run.faults.throttle(viewer, command.to);
      else run.visits.leave(viewer, command.do === 'kill');
    }
  }

  private hosts(): LiveHost[] {
    const { placement, config, record } = this.run;
    const { layout } = placement;
    const { visits } = config.plan;
    const first = new Map(visits.map(({ viewer, joinAtMs }) => [viewer, joinAtMs]).reverse() as [number, number][]);
    const kind = (host: Host) => (host === layout.tracker ? 'tracker' : host === layout.source ? 'source' : 'ins');
    const servers = this.servers.map((host, id): LiveHost => {
      return { id, name: host.name, kind: kind(host), region: host.region, comesAtMs: null };
    });
    const viewers = layout.viewers.map(({ name, region }, at): LiveHost => {
      const isBrowser = record.browsers.has(at);
      return {
        id: servers.length + at,
        name,
        kind: isBrowser ? 'browser' : 'viewer',
        region,
        comesAtMs: first.get(at) ?? null,
      };
    });
    return [...servers, ...viewers];
  }

  private viewer(stay: Stay, seconds: number): LiveViewer {
    const { id, visit, figures, events } = stay;
    const said = this.before.said.get(id);
    const rate = (pick: (one: ViewerFigures) => number): number => {
      if (figures === null || stay.leftAtMs !== null) return 0;
      return Math.max(0, ((pick(figures) - (said === undefined ? 0 : pick(said))) * 8) / seconds);
    };
    const host = this.run.placement.layout.viewers[visit.viewer]!;
    const number = this.ids.get(host.address)!;
    const freezes = events.filter(({ kind }) => kind === 'freeze').length;
    if (freezes > (this.told.get(id) ?? 0)) this.board.say('warning', `${host.name} stands still`, number);
    this.told.set(id, freezes);
    return {
      id: number,
      state: stateOf(stay, this.run.visits.crashed.has(id)),
      bufferMs: figures?.bufferMs ?? 0,
      latencyMs: figures?.latencyMs ?? null,
      startupMs: figures?.startupDelayMs ?? null,
      freezes,
      frozenMs: frozenMs(stay),
      downBps: {
        ins: rate((one) => one.bytesFrom.ins),
        peers: rate((one) => one.bytesFrom.peers),
        source: rate((one) => one.bytesFrom.source),
      },
      upBps: { data: rate((one) => one.sent.data), control: rate((one) => one.sent.control) },
      throttledTo: this.run.faults.throttledTo.get(visit.viewer) ?? 1,
    };
  }

  private server({ address }: Host, flows: readonly LiveFlow[]): LiveServer {
    const id = this.ids.get(address)!;
    const sentBps = flows.reduce((sum, { from, bps }) => sum + (from === id ? bps : 0), 0);
    return { id, isUp: !this.run.faults.dead.has(address), sentBps };
  }

  /** Bytes of the last second. */
  private flows(seconds: number): LiveFlow[] {
    const { flows } = this.before;
    return [...this.run.collector.seen.flows].flatMap(([key, { from, to, dataBytes }]) => {
      const bytes = dataBytes - (flows.get(key) ?? 0);
      flows.set(key, dataBytes);
      const [a, b] = [this.ids.get(from), this.ids.get(to)];
      return bytes <= 0 || a === undefined || b === undefined ? [] : [{ from: a, to: b, bps: (bytes * 8) / seconds }];
    });
  }
}

function stateOf({ figures, leftAtMs }: Stay, hasCrashed: boolean): ViewerState {
  if (leftAtMs !== null) return hasCrashed ? 'dead' : 'left';
  return figures?.state ?? 'waiting';
}

function happeningsOf({ happenings, scenario }: RunPlan) {
  return happenings.map((happening) => ({
    atMs: happening.atMs,
    forMs: 'forMs' in happening ? happening.forMs : 0,
    text: happeningText(happening, scenario.regions.names),
  }));
}

/** The freeze that lasts is counted, too. */
function frozenMs({ events, leftAtMs }: Stay): number {
  const over = events.reduce((sum, event) => sum + (event.kind === 'resumed' ? event.frozenMs : 0), 0);
  const last = events.at(-1);
  return last?.kind === 'freeze' && leftAtMs === null ? over + Math.max(0, nowMs() - last.atMs) : over;
}
