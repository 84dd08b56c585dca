import { fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { canOpenLab } from '../harness/links/lab/can-open.ts';
import { namespaceOf, processesIn } from '../harness/links/lab/namespace.ts';
import { host, openStage, play } from './lab-stage.ts';

const PATIENCE = { timeout: 10_000, interval: 20 };
const OWNER = fileURLToPath(new URL('./lab-owner.ts', import.meta.url));

/** What a process runs; of one that has just ended: nothing. */
function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
  } catch {
    return '';
  }
}

const can = await canOpenLab();

describe('who may have a lab', () => {
  afterEach(() => {
    vi.restoreAllMocks();
    vi.unstubAllEnvs();
  });

  it('whoever is not root is told what to do', async () => {
    vi.spyOn(process, 'getuid').mockReturnValue(1_000);
    expect(await canOpenLab()).toMatchObject({ ok: false, why: expect.stringMatching(/need root: .*sudo/) });
    await expect(openStage()).rejects.toThrow(/need root/);
  });

  it('what is missing is named, and where it comes from', async () => {
    vi.spyOn(process, 'getuid').mockReturnValue(0);
    vi.stubEnv('PATH', '/nowhere');
    const why = expect.stringMatching(/need ip, tc, ss, .*: install iproute2 and util-linux/);
    expect(await canOpenLab()).toMatchObject({ ok: false, why });
  });
});

describe('what is left of a lab', () => {
  if (!can.ok) {
    it('nothing, where there can be none', async () => {
      await expect(openStage()).rejects.toThrow(can.why);
    });
    return;
  }

  it('nothing once it is closed: no process, not even of those that programs have let go, and nobody in its namespaces', async () => {
    const lab = await openStage();
    const program = (name: string, number: number, script: string) =>
      lab.spawn({ name, hosts: [host(`198.18.1.${number}`, 0)], command: ['sh', '-c', script] });
    const programs = await Promise.all([
      program('one', 1, 'exec sleep 100'),
      program('another', 2, 'setsid sleep 100 & setsid sleep 100 & exec sleep 100'),
    ]);
    const pids = [lab.relayPid, ...programs.map(({ pid }) => pid)];
    const namespaces = new Set(pids.map((pid) => namespaceOf(pid)!));
    expect(namespaces.size).toBe(3);
    expect(namespaces).not.toContain(namespaceOf(process.pid));
    // Where the relay runs from its sources, what compiles them runs beside it the first time.
    const isOurs = (command: string) => !command.includes('esbuild');
    const all = () => processesIn(namespaces).map(commandOf).filter(isOurs).sort();
    await expect.poll(all, PATIENCE).toEqual([expect.stringContaining('relay'), ...Array(4).fill('sleep 100')]);
    await lab.close();
    expect(processesIn(namespaces)).toEqual([]);
    await expect(lab.counts()).rejects.toThrow('the relay has ended');
    await expect(play(lab, 'late', [host('198.18.1.3', 0)])).rejects.toThrow('the lab is closed');
  });

  it('nothing once whoever opened it was killed, not even programs that were stopped', async () => {
    const owner = fork(OWNER, [], { execArgv: ['--import', 'tsx'], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    const pids = await new Promise<number[]>((resolve, reject) => {
      owner.once('message', (message) => resolve(message as number[]));
      owner.once('exit', () => reject(new Error('the owner has ended')));
    });
    const namespaces = new Set(pids.map((pid) => namespaceOf(pid)!));
    expect(processesIn(namespaces)).toHaveLength(3);
    owner.kill('SIGKILL');
    await expect.poll(() => processesIn(namespaces), PATIENCE).toEqual([]);
  });
});
