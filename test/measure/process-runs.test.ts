import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Prng } from '../../machine/prng.ts';
import type { Visit } from '../../scenarios/plan/arrivals.ts';
import { planRun, type RunPlan } from '../../scenarios/plan/plan.ts';
import { SCENARIO_DEFAULTS, type Scenario } from '../../scenarios/plan/scenario.ts';
import { ranHere } from '../cli/here.ts';
import { BIN, ensureBuilt } from '../cli/program.ts';
import { deedsOf } from '../harness/controller/happen.ts';
import { layoutOf } from '../harness/controller/layout.ts';
import type { ProcessRun } from '../harness/controller/process-run.ts';
import { Session } from '../harness/controller/session.ts';
import { makeMedia } from '../harness/media/make-media.ts';
import { freePort, Place } from './measured.ts';

const STREAM = { bps: 300_000, partMs: 250, partsPerSegment: 4 };
const FILE = `version: 1
name: tiny
summary: a few viewers for a few seconds
duration: 6 s
stream: {rate: 300 kbit/s}
arrivals: {kind: crowd, from: 1 s, within: 1 s}
supply: {kind: links, source: 20 Mbit/s, ins: 10 Mbit/s, viewer: 1 Mbit/s}
ins-servers: 1
`;

const place = new Place();
let input: string;

beforeAll(async () => {
  ensureBuilt();
  process.env.INSWARM_CHECKS = place.marker;
  const folder = join(place.temporary, `inswarm-${process.getuid?.() ?? 0}`, 'films');
  mkdirSync(folder, { recursive: true });
  input = (await makeMedia({ stream: STREAM, folder })).source.input;
  place.write('tiny.yaml', FILE);
}, 120_000);
afterAll(() => {
  delete process.env.INSWARM_CHECKS;
  place.remove();
});

/** All that was started for the tests, but for the tests themselves. */
function left(): string[] {
  return place.processes().filter((line) => !line.startsWith(`${process.pid} `));
}

describe('a run by real processes', () => {
  const SECONDS = 8;
  const happenings: Scenario['happenings'] = [
    { atMs: 3_000, what: 'viewers-throttled', share: 0.5, to: 0.5 },
    { atMs: 3_500, what: 'ins-dies', server: 1 },
    { atMs: 3_600, what: 'ins-throttled', server: 1, to: 0.5 },
    { atMs: 3_700, what: 'ins-back', server: 1 },
    { atMs: 5_000, what: 'viewers-crash', share: 0.25 },
  ];
  const supply: Scenario['supply'] = { kind: 'links', sourceBps: 2e7, insBps: 1e7, peerBps: 1e6 };
  const scenario: Scenario = {
    ...{ ...SCENARIO_DEFAULTS, name: 'tiny', summary: '', seconds: SECONDS, stream: STREAM },
    ...{ supply, insServers: 2, happenings },
  };
  const visit = (viewer: number, again: number, joinAtMs: number, leaveAtMs = Number.POSITIVE_INFINITY): Visit => {
    return { viewer, again, joinAtMs, leaveAtMs, crashes: false };
  };
  const plan: RunPlan = {
    ...planRun({ scenario, seed: 'tiny', peers: 4, mode: 'ins' }),
    // The first leaves, and is back before anybody can have noticed.
    visits: [visit(0, 0, 1_000, 3_200), visit(1, 0, 1_200), visit(2, 0, 1_400), visit(3, 0, 1_600), visit(0, 1, 3_400)],
  };
  const notices: string[] = [];
  const told = { notice: (text: string) => notices.push(text), preparing: () => undefined };
  let session: Session;

  beforeAll(async () => {
    const agentCommand = [process.execPath, BIN, 'agent'];
    const signal = new AbortController().signal;
    session = await Session.open({ agentCommand, remote: null, links: undefined, told, signal });
  });
  afterAll(() => session.close());

  function run(second: (now: ProcessRun, number: number) => void): Promise<ProcessRun> {
    let number = 0;
    const asked = { plan, input, viewersPerWorker: 2, browsers: 0, witnesses: 0 };
    return session.run({ ...asked, told: { ...told, second: (now) => second(now, ++number) } }, () => undefined);
  }

  it('has who leaves and returns, crashes and is started again as stays of their own, and a server that dies back', async () => {
    const crashed = deedsOf(
      happenings[4]!,
      layoutOf(plan, '127.18', 2),
      [1, 2, 3, 0],
      new Prng('tiny').fork('happening 4'),
    );
    const [deed] = crashed;
    if (deed?.do !== 'crash') throw new Error('somebody crashes');
    const dead: boolean[] = [];
    const done = await run((now, second) => {
      dead.push(now.faults.dead.size > 0);
      // A person presses start for the one who has crashed.
      if (second === 6) now.visits.enter(deed.viewer);
    });
    expect(done.measuredMs).toBe(SECONDS * 1_000);
    expect(dead).toHaveLength(SECONDS);
    expect([...done.faults.dead]).toEqual([]);
    expect(notices.filter((text) => !text.startsWith('links are made by'))).toEqual([]);

    const stays = (viewer: number) => done.record.stays.filter((stay) => stay.visit.viewer === viewer);
    for (const viewer of [0, 1, 2, 3]) {
      const own = stays(viewer);
      const count = 1 + Number(viewer === 0) + Number(viewer === deed.viewer);
      expect(own.map(({ visit: { again } }) => again)).toEqual([...Array(count).keys()]);
      for (const [at, { joinedAtMs, leftAtMs }] of own.entries()) {
        if (at === own.length - 1) expect(leftAtMs).toBeNull();
        else expect(own[at + 1]!.joinedAtMs).toBeGreaterThanOrEqual(leftAtMs!);
        expect(joinedAtMs).toBeGreaterThan(0);
      }
    }
    // Whoever was there long enough said what it got, and all of it came from INS servers.
    for (const stay of done.record.stays.filter(({ visit: { again } }) => again === 0)) {
      expect(stay.figures!.bytesFrom).toMatchObject({ peers: 0, source: 0 });
      expect(stay.figures!.sent.data).toBe(0);
    }
    expect(done.record.source.mediaBytes).toBeGreaterThan(0);
    expect(done.record.measured(done.measuredMs).measured.figures.viewers.joined).toBe(6);
    // Processes end with their run, those that share them with the session stay.
    expect(left().filter((line) => /worker|relay/.test(line))).toEqual([]);
  });

  it('comes to nothing when one of its processes ends, says which, and leaves none of the others', async () => {
    const killed = run((_, second) => {
      const [worker] = left().filter((line) => line.includes('worker'));
      if (second === 1) process.kill(Number(worker!.split(' ')[0]), 'SIGKILL');
    });
    await expect(killed).rejects.toThrow(/^the process of .* was ended by SIGKILL$/);
    expect(left().filter((line) => /worker|relay/.test(line))).toEqual([]);
  });

  it('leaves nothing once the session is closed', async () => {
    await session.close();
    await expect.poll(left, { timeout: 10_000 }).toEqual([]);
    await expect(run(() => undefined)).rejects.toThrow('stopped');
  });
});

describe('inswarm measure', () => {
  const SECRET = 'three words of ours';
  const measure = (...more: string[]) =>
    place.start('measure', '--scenario', 'tiny.yaml', '--peers', '3', '--mode', 'ins', ...more);
  const lent = async () => {
    const listen = `127.0.0.1:${await freePort()}`;
    const run = measure('--agents', '1', '--listen', listen, '--secret', SECRET, '--out', 'lent');
    await run.says(/waiting for 1 agent/);
    const agent = place.start('agent', '--controller', `ws://${listen}`, '--secret', SECRET, '--host', '127.0.0.1');
    return { run, agent };
  };

  it('that is killed leaves no process, neither here nor where an agent served it', async () => {
    const { run, agent } = await lent();
    await run.says(/goes on the air/);
    expect(left().length).toBeGreaterThan(3);
    run.child.kill('SIGKILL');
    expect(await agent.ended).toBe(0);
    await expect.poll(left, { timeout: 10_000 }).toEqual([]);
  });

  it('that is stopped by Ctrl-C says so, and leaves no process, and nothing but the film', async () => {
    const run = measure();
    await run.says(/goes on the air/);
    expect(left().length).toBeGreaterThan(3);
    run.child.kill('SIGINT');
    expect(await run.ended, run.text).toBe(1);
    expect(run.text).toContain('inswarm measure: stopped; nothing was written');
    await expect.poll(left, { timeout: 10_000 }).toEqual([]);
    // Also of the one that was killed before.
    expect(readdirSync(place.temporary)).toEqual([`inswarm-${process.getuid?.() ?? 0}`]);
  });

  it('runs viewers on a machine that is lent, which ends with it', async () => {
    const { run, agent } = await lent();
    expect(await run.ended, run.text).toBe(0);
    expect(await agent.ended, agent.text).toBe(0);
    const { modes, warnings } = place.report('lent/report.json');
    const { viewers, bytesFrom, runs } = modes.ins!;
    expect(viewers.joined).toBe(3);
    expect(bytesFrom).toMatchObject({ ins: expect.any(Number), peers: 0, source: 0 });
    const { links, linksAre, machines, processes } = runs[0]!.rig!;
    expect([links, linksAre]).toEqual(['buckets', expect.stringMatching(/the network between the machines/)]);
    expect(machines).toHaveLength(2);
    const viewersAt = processes.filter(({ name }) => name.startsWith('viewers')).map(({ machine }) => machine);
    expect(new Set(viewersAt)).toEqual(new Set([machines[1]!.name]));
    expect(warnings.join(' ')).toContain('on other machines');
    // Workers that were told to end are about to.
    await expect.poll(left, { timeout: 10_000 }).toEqual([]);
  });

  it('says what is missing before it asks for machines', async () => {
    const asked = [
      [['--agents', '1'], /--secret/],
      [['--agents', '1', '--secret', 'short'], /12 to 256 characters/],
      [['--agents', '1', '--secret', SECRET, '--listen', '0.0.0.0:4890'], /not 0\.0\.0\.0/],
      [['--agents', '1', '--secret', SECRET, '--browsers', '1'], /--browsers/],
    ] as const;
    const options = ['--scenario', join(place.folder, 'tiny.yaml'), '--peers', '3', '--mode', 'ins'];
    for (const [more, why] of asked) {
      const { code, problem, details } = await ranHere('measure', ...options, ...more);
      expect([code, [problem, ...details].join('\n')]).toEqual([2, expect.stringMatching(why)]);
    }
    const agent = place.start('agent', '--controller', 'ws://127.0.0.1:9', '--secret', SECRET);
    expect(await agent.ended).toBe(2);
    expect(agent.text).toContain('--host');
  });
});
