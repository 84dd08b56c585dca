import { Prng } from '../../machine/prng.ts';
import type {
  LiveFlow,
  LiveHappening,
  LiveHost,
  LiveSecond,
  LiveServer,
  LiveSession,
  LiveViewer,
} from '../harness/live/model.ts';

const STREAM_BPS = 1_000_000;
const JOIN_FROM_MS = 3_000;
const JOIN_WITHIN_MS = 10_000;
export const DIES_AT_S = 25;
const BACK_AT_S = 40;

export const SESSION: LiveSession = {
  scenario: 'flash-crowd',
  summary: 'Within ten seconds a crowd comes, with half as much supply again as it needs',
  runs: [
    { mode: 'ins', label: 'INS', seed: 1 },
    { mode: 'native', label: 'native', seed: 1 },
  ],
  durationMs: 60_000,
  streamBps: STREAM_BPS,
  regions: {
    names: ['us-east', 'us-west', 'eu', 'asia'],
    delaysMs: [
      [5, 35, 40, 90],
      [35, 5, 70, 60],
      [40, 70, 5, 110],
      [90, 60, 110, 5],
    ],
  },
};

export const HAPPENINGS: readonly LiveHappening[] = [
  { atMs: DIES_AT_S * 1000, forMs: 0, text: 'INS server 1 dies' },
  { atMs: BACK_AT_S * 1000, forMs: 0, text: 'INS server 1 is back' },
  { atMs: 48_000, forMs: 6_000, text: 'Nothing gets through between us-east and asia' },
];

/** A crowd that nobody has measured: what a page could be told of so many viewers, the same for the same seed. */
export class MadeUpRun {
  readonly hosts: readonly LiveHost[];
  private readonly random: Prng;
  private readonly isNative: boolean;
  private readonly viewers: LiveHost[];
  private readonly insServers: readonly LiveHost[];
  private readonly startups: ReadonlyMap<number, number>;
  private readonly neighbours: ReadonlyMap<number, readonly number[]>;
  private readonly freezes = new Map<number, { count: number; ms: number }>();
  private readonly gone = new Map<number, 'left' | 'dead'>();
  private readonly throttled = new Map<number, number>();

  constructor(viewerCount: number, mode: string, seed = 1) {
    this.random = new Prng(`${mode} ${seed}`);
    this.isNative = mode === 'native';
    const named = (id: number, name: string, kind: LiveHost['kind'], region: number): LiveHost => {
      return { id, name, kind, region, comesAtMs: null };
    };
    this.insServers = this.isNative ? [] : [0, 1, 2, 3].map((at) => named(2 + at, `INS server ${at}`, 'ins', at));
    this.viewers = Array.from({ length: viewerCount }, (_, at) => {
      const kind = at % 50 === 7 ? 'browser' : 'viewer';
      const comesAtMs = JOIN_FROM_MS + Math.floor(((at + this.random.unit()) / viewerCount) * JOIN_WITHIN_MS);
      return { ...named(6 + at, `${kind} ${at}`, kind, at % 4), comesAtMs };
    });
    const servers = [named(0, 'source', 'source', 0), named(1, 'tracker', 'tracker', 0), ...this.insServers];
    this.hosts = [...servers, ...this.viewers];
    const slow = this.isNative ? 3_000 : 400;
    this.startups = new Map(
      this.viewers.map(({ id }) => [id, 250 + Math.round(-Math.log(1 - this.random.unit()) * slow)]),
    );
    const ids = this.viewers.map(({ id }) => id);
    this.neighbours = new Map(ids.map((id) => [id, this.random.sample(ids, this.isNative ? 8 : 0)]));
  }

  leave(id: number, how: 'left' | 'dead'): void {
    this.gone.set(id, how);
  }

  comeBack(id: number): void {
    this.gone.delete(id);
  }

  throttle(id: number, to: number): void {
    this.throttled.set(id, to);
  }

  second(second: number): LiveSecond {
    const atMs = second * 1000;
    const viewers = this.viewers.map((host) => this.viewer(host, atMs));
    const servers = this.hosts.filter(({ comesAtMs }) => comesAtMs === null);
    const flows = this.flows(viewers, second);
    return {
      phase: 'running',
      atMs,
      viewers,
      servers: servers.map(({ id }) => this.server(id, second, flows)),
      flows,
      machine: {
        busy: 0.4 + this.random.unit() * 0.25,
        saturatedBy: second === 14 ? ['Viewers 3 used all of one processor in 3 of 14 seconds.'] : [],
      },
    };
  }

  private server(id: number, second: number, flows: readonly LiveFlow[]): LiveServer {
    const sentBps = flows.reduce((sum, { from, bps }) => sum + (from === id ? bps : 0), 0);
    return { id, isUp: !this.isDown(id, second), sentBps };
  }

  private isDown(id: number, second: number): boolean {
    return id === 3 && second >= DIES_AT_S && second < BACK_AT_S;
  }

  private viewer({ id, region, comesAtMs }: LiveHost, atMs: number): LiveViewer {
    const state = this.stateOf(id, region, comesAtMs!, atMs);
    const freezes = this.freezes.get(id) ?? { count: 0, ms: 0 };
    if (state === 'stalled') this.freezes.set(id, { count: freezes.count + 1, ms: freezes.ms + 640 });
    const plays = state === 'playing' || state === 'stalled';
    const rate = plays ? STREAM_BPS * (0.85 + this.random.unit() * 0.3) : state === 'waiting' ? 2 * STREAM_BPS : 0;
    const fromSource = this.isNative && id % 20 === 0 ? 1 : 0;
    const { count, ms } = this.freezes.get(id) ?? freezes;
    return {
      id,
      state,
      bufferMs: state === 'playing' ? (this.isNative ? 1_900 : 1_000) + this.random.unit() * 500 : 0,
      latencyMs: plays ? (this.isNative ? 4_200 : 1_500) + (id % 17) * 40 + this.random.unit() * 300 : null,
      startupMs: plays ? this.startups.get(id)! : null,
      freezes: count,
      frozenMs: ms,
      downBps: {
        ins: this.isNative ? 0 : rate,
        peers: this.isNative ? rate * (1 - fromSource) : 0,
        source: this.isNative ? rate * fromSource : 0,
      },
      upBps: {
        data: this.isNative && plays ? rate * this.random.unit() * 1.6 : 0,
        control: plays ? (this.isNative ? 9_000 : 2_300) : 0,
      },
      throttledTo: this.throttled.get(id) ?? 1,
    };
  }

  private stateOf(id: number, region: number, comesAtMs: number, atMs: number): LiveViewer['state'] {
    const gone = this.gone.get(id);
    if (gone !== undefined) return gone;
    if (atMs < comesAtMs) return 'coming';
    if (atMs < comesAtMs + this.startups.get(id)!) return 'waiting';
    const justDied = region === 1 && atMs >= DIES_AT_S * 1000 && atMs < (DIES_AT_S + 2) * 1000;
    const chance = justDied ? 0.3 : this.isNative ? 0.006 : 0.0002;
    return this.random.unit() < chance ? 'stalled' : 'playing';
  }

  private flows(viewers: readonly LiveViewer[], second: number): LiveFlow[] {
    const flows: LiveFlow[] = [];
    for (const { id, downBps } of viewers) {
      const near = 2 + ((id - 6) % 4);
      if (downBps.ins > 0) flows.push({ from: this.isDown(near, second) ? 2 : near, to: id, bps: downBps.ins });
      if (downBps.source > 0) flows.push({ from: 0, to: id, bps: downBps.source });
      const neighbours = this.neighbours.get(id)!;
      for (const from of neighbours)
        if (downBps.peers > 0) flows.push({ from, to: id, bps: downBps.peers / neighbours.length });
    }
    for (const { id } of this.insServers) {
      if (!this.isDown(id, second)) flows.push({ from: id === 2 ? 0 : 2, to: id, bps: STREAM_BPS });
    }
    return flows;
  }
}
