import { performance } from 'node:perf_hooks';
import { BenchProcess, cpuSeconds, sleep, stopAll, waitSeconds } from '../../ins/process.ts';
import type { Context, Scenario } from '../../ins/scenario.ts';
import { comparison, figure } from '../../report.ts';
import type { TrackerLoadCalls } from '../load.ts';
import type { BareCalls } from '../servers/bare.ts';
import type { TrackerCalls } from '../servers/tracker.ts';
import { BROWSER, type Kind, NATIVE } from '../words.ts';

type Load = BenchProcess<TrackerLoadCalls>;
type Place = { readonly host: string; readonly port: number };

/** Each load process may open 20,000 files; two of them use the processors that the server leaves. */
const LOADS = 2;
/** Those who join together: few enough that all have their turn before the tracker ends who has not joined after 5 s. */
const WAVE = 200;
const SLOW_WAVE_MS = 1_000;

/** For so long it is looked at what those who have joined take. */
const UPKEEP_MS = 2_000;

interface Waves {
  readonly connectUs: number;
  readonly joinUs: number;
  readonly joinsPerSecond: number;
  readonly answerBytes: number;
  /** Cores that those who have joined take, all of them. */
  readonly upkeep: number;
  /** CPU of a join without the upkeep of those who joined before. */
  readonly joinAloneUs: number;
  /** Share of the time of joining in which the server's main thread had a processor, or wanted one and had none. */
  readonly note: string;
}

export const joins: Scenario = {
  name: 'joins',
  about:
    'members that join over 10,000 sockets, which all stay; beside a bare ws server that verifies and answers as much',
  async run(context) {
    const count = context.quick ? 2_000 : 10_000;
    const rows = { tracker: [] as Waves[], bare: [] as Waves[] };
    for (let round = 0; round < context.rounds; round++) {
      const tracker = new BenchProcess<TrackerCalls>('../tracker/servers/tracker');
      const one = await waves(context, tracker.pid, await tracker.call('start'), count, true);
      await stopAll();
      const bare = new BenchProcess<BareCalls>('../tracker/servers/bare');
      const place = await bare.call('start');
      await bare.call('answer', Math.round(one.answerBytes));
      rows.bare.push(await waves(context, bare.pid, place, count, false));
      rows.tracker.push(one);
      await stopAll();
    }
    const of = (pick: (waves: Waves) => number): [number[], number[]] => [rows.tracker.map(pick), rows.bare.map(pick)];
    const [joinUs, bareUs] = of(({ joinUs: us }) => us);
    const [connectUs, bareConnectUs] = of(({ connectUs: us }) => us);
    const [rate] = of(({ joinsPerSecond }) => joinsPerSecond);
    const bareWs = 'bare ws';
    context.result(comparison('join, CPU of all threads', joinUs, 'µs', bareWs, bareUs, { atMost: 2 }));
    const [aloneUs] = of(({ joinAloneUs: us }) => us);
    const [upkeep] = of(({ upkeep: cores }) => cores);
    context.result(comparison('join alone, CPU', aloneUs, 'µs', bareWs, bareUs, { atMost: 2 }, 'without the upkeep'));
    context.result(figure('upkeep of those who joined', upkeep, 'cores', {}, `${count} heartbeats in 2 s, and news`));
    const perCore = aloneUs.map((us) => 1e6 / us);
    context.result(figure('joins, one core', perCore, 'a second', { atLeast: 5_000 }, 'by the CPU of a join alone'));
    context.result(figure('joins, seen', rate, 'a second', { atLeast: 5_000 }, rows.tracker[0]!.note));
    context.result(comparison('connecting, CPU', connectUs, 'µs', bareWs, bareConnectUs, {}, 'TCP, upgrade, welcome'));
    context.result(figure('answer to a join', [rows.tracker[0]!.answerBytes], 'bytes', { atMost: 16_384 }));
  },
};

export const browsers: Scenario = {
  name: 'browsers',
  about: '10,000 browsers on sockets, each of which says something new every second and gets one digest',
  async run(context) {
    const count = context.quick ? 2_000 : 10_000;
    const tracker = new BenchProcess<TrackerCalls>('../tracker/servers/tracker');
    const loads = await crowd(tracker.pid, await tracker.call('start'), count, BROWSER, () => {});
    await Promise.all(loads.map((load) => load.call('speak')));
    await sleep(3_000);
    await measure(loads);
    const seconds = context.quick ? 3 : 10;
    const from = { atMs: performance.now(), cpu: cpuSeconds(tracker.pid), wait: waitSeconds(tracker.pid) };
    await sleep(seconds * 1_000);
    const { digests, digestBytes, late, busy } = await measure(loads);
    const wall = (performance.now() - from.atMs) / 1_000;
    const share = (cpuSeconds(tracker.pid) - from.cpu) / wall;
    const waited = (waitSeconds(tracker.pid) - from.wait) / wall;
    const note = `${percent(waited)} of the time it could have run and others had the processor; load ${percent(busy)} busy`;
    context.result(figure(`hub, ${count} browsers on sockets`, [share], 'cores', { atMost: 1 }, note));
    context.result(figure('hub, digests', [digests / wall], 'a second', { atLeast: count * 0.99 }));
    context.result(figure('hub, digest on sockets', [digestBytes / Math.max(1, digests)], 'bytes'));
    late.sort((a, b) => a - b);
    const p99 = late[Math.floor(late.length * 0.99)] ?? Number.POSITIVE_INFINITY;
    context.result(
      figure('hub, lateness of digests, p99', [p99], 'ms', { atMost: 250 }, 'beyond a second after the one before'),
    );
    await stopAll();
  },
};

async function waves({ say }: Context, pid: number, place: Place, count: number, tracker: boolean): Promise<Waves> {
  const spent = { connect: 0, join: 0, joinMs: 0, wait: 0, answers: 0, memberMs: 0 };
  let here = 0;
  const loads = await crowd(
    pid,
    place,
    count,
    NATIVE,
    (wave) => {
      say(`${wave.count} opened in ${wave.connectUs.toFixed(0)} µs each, joined in ${wave.joinMs.toFixed(0)} ms`);
      spent.connect += wave.connectUs * wave.count;
      spent.join += wave.joinUs * wave.count;
      spent.joinMs += wave.joinMs;
      spent.wait += wave.waitMs;
      spent.memberMs += here * wave.joinMs;
      here += wave.count;
      spent.answers += wave.answerBytes * wave.count;
    },
    tracker,
  );
  await sleep(500);
  const from = { atMs: performance.now(), cpu: cpuSeconds(pid) };
  await sleep(UPKEEP_MS);
  const upkeep = ((cpuSeconds(pid) - from.cpu) * 1_000) / (performance.now() - from.atMs);
  await measure(loads);
  const busyShare = spent.join / 1_000 / spent.joinMs;
  const note = `the server took ${percent(busyShare)} of a core and waited ${percent(spent.wait / spent.joinMs)} of the time for one`;
  return {
    connectUs: spent.connect / count,
    joinUs: spent.join / count,
    joinAloneUs: (spent.join - (upkeep / count) * spent.memberMs * 1_000) / count,
    upkeep,
    joinsPerSecond: (count * 1_000) / spent.joinMs,
    answerBytes: spent.answers / count,
    note,
  };
}

interface Wave {
  readonly count: number;
  readonly connectUs: number;
  readonly joinUs: number;
  readonly joinMs: number;
  readonly waitMs: number;
  readonly answerBytes: number;
}

/** Members come in waves: each connects, then joins at once; those of the waves before keep their places. */
async function crowd(
  pid: number,
  where: Place,
  count: number,
  kind: Kind,
  tell: (wave: Wave) => void,
  published = true,
): Promise<Load[]> {
  const loads = Array.from({ length: LOADS }, () => new BenchProcess<TrackerLoadCalls>('../tracker/load'));
  const all = <T>(run: (load: Load) => Promise<T>): Promise<T[]> => Promise.all(loads.map(run));
  const stream = published ? await loads[0]!.call('source', where) : new Uint8Array(32);
  let most = WAVE;
  for (let done = 0, wave = 0; done < count; done += wave) {
    wave = Math.min(most, count - done);
    const fromMs = performance.now();
    await all((load) => load.call('prepare', { count: wave / LOADS, of: stream }));
    const before = cpuSeconds(pid);
    await all((load) => load.call('open', { where, count: wave / LOADS }));
    const opened = cpuSeconds(pid);
    await all((load) => load.call('sign', kind));
    const [joining, waited] = [cpuSeconds(pid), waitSeconds(pid)];
    const answers = await all((load) => load.call('join'));
    // Where processors are scarce, few enough come together that the first does not wait too long for the last.
    if (performance.now() - fromMs > SLOW_WAVE_MS) most = Math.max(20, (most >> 2) << 1);
    const joinUs = ((cpuSeconds(pid) - joining) * 1e6) / wave;
    tell({
      count: wave,
      connectUs: ((opened - before) * 1e6) / wave,
      joinUs,
      joinMs: Math.max(...answers.map(({ ms }) => ms)),
      waitMs: (waitSeconds(pid) - waited) * 1_000,
      answerBytes: answers.reduce((sum, { answerBytes }) => sum + answerBytes, 0) / LOADS,
    });
    if (published) await all((load) => load.call('keep', kind.url === null ? 1_000 : 2_000));
  }
  return loads;
}

interface Heard {
  digests: number;
  digestBytes: number;
  late: number[];
  busy: number;
}

async function measure(loads: readonly Load[]): Promise<Heard> {
  const sum: Heard = { digests: 0, digestBytes: 0, late: [], busy: 0 };
  for (const heard of await Promise.all(loads.map((load) => load.call('measure')))) {
    sum.digests += heard.digests;
    sum.digestBytes += heard.digestBytes;
    sum.late = sum.late.concat(heard.late);
    sum.busy = Math.max(sum.busy, heard.busy);
  }
  return sum;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(0)} %`;
}
