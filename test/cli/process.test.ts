import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BIN, ensureBuilt } from './program.ts';

let folder: string;

beforeAll(() => {
  ensureBuilt();
  folder = mkdtempSync(join(tmpdir(), 'inswarm-process-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function start(args: readonly string[], stdio: 'ipc' | 'none' = 'none'): ChildProcess {
  const channels = stdio === 'ipc' ? ['ignore', 'pipe', 'pipe', 'ipc'] : ['ignore', 'pipe', 'pipe'];
  return spawn(process.execPath, [BIN, ...args], { cwd: folder, stdio: channels as 'pipe'[] });
}

async function lineOf(child: ChildProcess, pattern: RegExp): Promise<string> {
  let text = '';
  for await (const chunk of child.stdout!) {
    text += chunk;
    const line = text.split('\n').find((candidate) => pattern.test(candidate));
    if (line !== undefined) return line;
  }
  throw new Error(`no line like ${pattern} in: ${text}`);
}

function exitOf(child: ChildProcess): Promise<number | NodeJS.Signals | null> {
  return new Promise((resolve) => child.once('exit', (code, signal) => resolve(code ?? signal)));
}

describe('the program', () => {
  test('fails with one line on standard error, without a trace', () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [BIN, 'peer', '--mode', 'x'], { encoding: 'utf8' });
    expect({ status, stdout, stderr }).toEqual({
      status: 2,
      stdout: '',
      stderr: 'inswarm peer: --mode x: the modes are ins, native and hybrid\n',
    });
  });

  test('makes a key once, and gives the same stream ever after', () => {
    const keygen = () =>
      spawnSync(process.execPath, [BIN, 'keygen', '--json'], { cwd: folder, encoding: 'utf8' }).stdout;
    const first = JSON.parse(keygen());
    expect(first).toMatchObject({ event: 'key', made: true, stream: expect.stringMatching(/^[\w-]{43}$/) });
    expect(JSON.parse(keygen())).toEqual({ ...first, made: false });
  });

  test.each(['SIGINT', 'SIGTERM'] as const)('ends cleanly on %s', async (signal) => {
    const child = start(['ins', '--port', '0', '--json']);
    expect(JSON.parse(await lineOf(child, /ready/))).toMatchObject({
      event: 'ready',
      url: expect.stringMatching(/^ws:/),
    });
    child.kill(signal);
    expect(await exitOf(child)).toBe(0);
  });

  test('ends when the program that supervises it is gone', async () => {
    const child = start(['tracker', '--port', '0', '--json'], 'ipc');
    await lineOf(child, /ready/);
    child.disconnect();
    expect(await exitOf(child)).toBe(0);
  });

  test('ends when nobody reads what it prints', async () => {
    const child = start(['peer', '--stream', 'A'.repeat(43), '--tracker', 'ws://127.0.0.1:9', '--json']);
    await lineOf(child, /ready/);
    child.stdout!.destroy();
    expect(await exitOf(child)).toBe(0);
  });

  test('ends cleanly when nobody reads it, also where the end takes a while and more was to be printed', async () => {
    const nowhere = ['--stream', 'A'.repeat(43), '--tracker', 'ws://127.0.0.1:9'];
    const child = start(['peer', ...nowhere, '--http', '0', '--json']);
    const { gateway } = JSON.parse(await lineOf(child, /ready/));
    // Half a request: its answer is waited for, and the summary finds nobody meanwhile.
    const player = connect(Number(new URL(gateway).port), '127.0.0.1');
    player.on('error', () => {});
    await new Promise<void>((sent) => player.write('GET / HTTP/1.1\r\nHost: player\r\n', () => sent()));
    child.stdout!.destroy();
    expect(await exitOf(child)).toBe(0);
    player.destroy();
  });
});
