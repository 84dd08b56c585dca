import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { BIN, ensureBuilt } from './program.ts';

/** The command lines and lines of JSON that scripts rely on, each command a process. */

type Line = Readonly<Record<string, unknown>>;

let folder: string;
const children: ChildProcess[] = [];

beforeAll(() => {
  ensureBuilt();
  folder = mkdtempSync(join(tmpdir(), 'inswarm-interfaces-'));
});
afterAll(async () => {
  for (const child of children.reverse()) if (child.exitCode === null) child.kill('SIGTERM');
  await Promise.all(children.map((child) => (child.exitCode === null ? exitOf(child) : undefined)));
  rmSync(folder, { recursive: true });
});

function start(...args: readonly string[]): ChildProcess {
  const child = spawn(process.execPath, [BIN, ...args, '--log-level', 'warn'], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  return child;
}

function exitOf(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => child.once('exit', resolve));
}

async function lineOf(child: ChildProcess, event: string): Promise<Line> {
  return new Promise((resolve, reject) => {
    createInterface({ input: child.stdout! })
      .on('line', (text) => {
        const line = JSON.parse(text) as Line;
        if (line.event === event) resolve(line);
      })
      .on('close', () => reject(new Error(`ended without "${event}"`)));
  });
}

async function allText(child: ChildProcess): Promise<string> {
  let text = '';
  for await (const chunk of child.stdout!) text += chunk;
  return text;
}

test('tracker, ins, source and peer, as scripts start them and read them', async () => {
  const ins = (await lineOf(start('ins', '--port', '0', '--json'), 'ready')).url as string;
  const tracker = (await lineOf(start('tracker', '--port', '0', '--ins', `${ins},east`, '--json'), 'ready'))
    .url as string;
  expect([ins, tracker]).toEqual([expect.stringMatching(/^ws:\/\/127/), expect.stringMatching(/^ws:\/\/127/)]);

  const feed = [
    '--tracker',
    tracker,
    '--ins',
    `${ins},east`,
    '--input',
    'testsrc=160x90',
    '--listen',
    '0',
    '--http',
    '0',
  ];
  const { stream } = await lineOf(start('source', ...feed, '--json'), 'ready');
  expect(stream).toMatch(/^[\w-]{43}$/);

  const peer = ['peer', '--tracker', tracker, '--listen', '0', '--http', '0', '--duration', '6'];
  const asJson = start(...peer, '--stream', stream as string, '--mode', 'ins', '--json');
  // The id may be left out where there is one stream.
  const asText = start(...peer);
  const [json, text, ...exits] = await Promise.all([allText(asJson), allText(asText), exitOf(asJson), exitOf(asText)]);
  expect(exits).toEqual([0, 0]);

  const lines = json
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
  const started = lines.find(({ event }) => event === 'started');
  expect(started).toMatchObject({ startupDelayMs: expect.any(Number), part: expect.any(Number) });
  expect(lines.find(({ event }) => event === 'joined')).toMatchObject({ insServers: 1 });
  expect(lines.find(({ event }) => event === 'ins-up')).toMatchObject({ url: ins });

  const rates = { data: expect.any(Number), control: expect.any(Number) };
  const measures = {
    startupDelayMs: started!.startupDelayMs,
    ...{ freezes: expect.any(Number), frozenMs: expect.any(Number), missedRate: expect.any(Number) },
    ...{ dueBlocks: expect.any(Number), missedBlocks: expect.any(Number), uploadBps: rates, downloadBps: rates },
    bytesFrom: { ins: expect.any(Number), peers: 0, source: 0 },
    sentBytes: { data: 0, control: expect.any(Number) },
  };
  const stats = lines.filter(({ event }) => event === 'stats');
  expect(stats.length).toBeGreaterThanOrEqual(2);
  expect(stats.at(-1)).toMatchObject({ state: 'playing', liveLatencyMs: expect.any(Number), mode: 'ins', ...measures });
  expect(lines.filter(({ event }) => event === 'summary')).toHaveLength(1);
  expect(lines.at(-1)).toMatchObject({ event: 'summary', durationMs: expect.any(Number), ...measures });
  expect(lines.at(-1)!.liveLatencyMs).toEqual({ p50: expect.any(Number), p95: expect.any(Number) });

  expect(text).toMatch(/^Players open http:\S+\/master\.m3u8$/m);
  expect(text).toMatch(/^playing after \d+ ms, from part \d+$/m);
  expect(text).toMatch(/^from INS .* MB \(\d+ %\)|^from INS .* kB \(\d+ %\)/m);
  expect(text).toMatch(/^started after \d+ ms$/m);
});
