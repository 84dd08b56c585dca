import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { bytesText, countText, durationText, rateText } from '../../cli/figures.ts';
import { InsScreen } from '../../cli/ins-screen.ts';
import type { InsServerFigures } from '../../ins-server/node/metrics.ts';
import { blockOf, collectionOf, keysOf, TestClient } from '../ins/helpers.ts';
import { BIN, ensureBuilt } from './program.ts';
import { inTerminal, lastFrame, type Terminal } from './pty.ts';

const ENTER = '\x1b[?1049h';
const LEAVE = '\x1b[?7h\x1b[?25h\x1b[?1049l';

const open: Terminal[] = [];
const clients: TestClient[] = [];
beforeAll(ensureBuilt, 60_000);
afterEach(async () => {
  await Promise.all(clients.splice(0).map(({ client }) => client.close()));
  for (const terminal of open.splice(0)) terminal.kill();
});

async function insServer(...args: string[]): Promise<Terminal> {
  const terminal = await inTerminal([process.execPath, BIN, 'ins', '--port', '0', ...args]);
  open.push(terminal);
  return terminal;
}

/** Puts a block of 100,000 bytes and asks for two that there are not. */
async function use(url: string): Promise<void> {
  const client = new TestClient(url, keysOf(1));
  clients.push(client);
  const collection = collectionOf(1);
  const { item, body } = blockOf(1, 100_000);
  client.input({ kind: 'put', handle: 1, collection, ttlSeconds: 60, items: [item], bodies: [body] });
  await client.until('done');
  const items = [2, 3].map((part) => ({ token: null, name: blockOf(part).item.name, label: null, deadlineAtMs: null }));
  client.input({ kind: 'get', handle: 2, keep: false, collection, items });
  await client.until('done', 2);
}

function urlIn(output: string): string {
  return /ws:\/\/127\.0\.0\.1:\d+/.exec(output)![0];
}

describe('inswarm ins in a terminal', () => {
  test('shows what happens, fits, and gives the terminal back when it ends', async () => {
    const terminal = await insServer();
    await terminal.until((output) => output.includes('ws://'));
    expect(terminal.output).toContain(ENTER);
    await use(urlIn(terminal.output));
    await terminal.until((output) => lastFrame(output).join('\n').includes('NO_OBJECT 2'));
    const frame = lastFrame(terminal.output);
    expect(frame.length).toBeLessThanOrEqual(24);
    for (const line of frame) expect([...line].length).toBeLessThanOrEqual(80);
    const text = frame.join('\n');
    expect(text).toMatch(/^INS server ws:.* serving for 0:00:\d\d$/m);
    expect(text).toMatch(/^clients +1 +HTTP +0 +follows +0$/m);
    expect(text).toMatch(/^lockers +1 +accounts +1 +blocks +1$/m);
    expect(text).toMatch(/^in +\d[\d.]* k?bit\/s +10\d kB +1 +put$/m);
    expect(text).toMatch(/^memory +\[·+\] 10\d kB of 1\.07 GB$/m);
    expect(text).toMatch(/^refused +2 +NO_OBJECT 2$/m);
    expect(text).toMatch(/info +listening/);
    await Promise.all(clients.splice(0).map(({ client }) => client.close()));
    process.kill(terminal.pid, 'SIGINT');
    await terminal.ended;
    const [, after, ...more] = terminal.output.split(LEAVE);
    expect(more).toEqual([]);
    expect(after).toMatch(/^0:00:\d\d: .* out, 10\d kB in\r\n$/);
  }, 60_000);

  test('follows the size of the terminal', async () => {
    const terminal = await insServer();
    await terminal.until((output) => output.includes('ws://'));
    terminal.resize(40, 8);
    await terminal.until((output) => lastFrame(output).length === 8);
    expect(Math.max(...lastFrame(terminal.output).map((line) => [...line].length))).toBeLessThanOrEqual(40);
    terminal.resize(100, 30);
    await terminal.until((output) => lastFrame(output).some((line) => [...line].length === 100));
    process.kill(terminal.pid, 'SIGTERM');
    await terminal.ended;
    expect(terminal.output).toContain(LEAVE);
  }, 60_000);

  test('prints log lines instead with --log', async () => {
    const terminal = await insServer('--log');
    await terminal.until((output) => /INS server: ws:/.test(output) && /info +listening/.test(output));
    expect(terminal.output).not.toContain(ENTER);
    process.kill(terminal.pid, 'SIGINT');
    await terminal.ended;
    expect(terminal.output).not.toContain('\x1b[');
  }, 60_000);
});

describe('the view of an INS server', () => {
  const figures = {
    links: 12_345,
    guests: 1_024,
    accounts: 65_536,
    lockers: 65_536,
    blocks: 12_345_678,
    memoryBytes: 987_654_321_000,
    memoryBytesMax: 2 ** 40,
    diskBytes: 987_654_321_000_000,
    diskBytesMax: 10 ** 15,
    follows: 1_234_567,
    upstreams: 16,
    sentBlocks: 123_456_789_012,
    sentBytes: 9e15,
    putBlocks: 123_456_789,
    keptBlocks: 123_456_789,
    remoteBlocks: 123_456_789,
    remoteBytes: 9e13,
    remoteHits: 12_345_678,
    refused: 12_345_678,
    refusedFor: new Map([
      ['POLICY_DENIED', 1_234_567],
      ['QUOTA_CONNECTIONS', 3_234_567],
      ['NAME_MISMATCH', 2_234_567],
      ['OVERLOAD', 1],
    ]),
    tokensVerified: 1,
    clients: { controlIn: 1e9, controlOut: 1e9, dataIn: 9e14, dataOut: 9e15 },
    http: { requests: 5, dataIn: 5, dataOut: 5 },
    draining: false,
  } as unknown as InsServerFigures;

  test('fits 80 x 24 whatever the figures', () => {
    const screen = new InsScreen(0);
    screen.title = 'INS server wss://a-rather-long-name.example.org:65535';
    screen.update(figures, 3_600_000);
    for (let line = 0; line < 500; line++) screen.logLine(`line ${line}`);
    const lines = screen.lines(80, 24);
    expect(lines).toHaveLength(24);
    expect(lines.slice(0, -10).filter((line) => line.length > 80)).toEqual([]);
    expect(lines.at(-1)).toBe('line 499');
    expect(lines.find((line) => line.startsWith('refused'))).toBe(
      'refused   12,345,678  QUOTA_CONNECTIONS 3,234,567  others 9,111,111',
    );
    expect(screen.lines(80, 16)).toEqual([...lines.slice(0, 15), 'line 499']);
    expect(screen.lines(80, 10)).toEqual(lines.slice(0, 14));
    expect(lines.find((line) => line.startsWith('disk'))).toBe(`disk      [${'#'.repeat(30)}] 988 TB of 1.00 PB`);
  });

  test('says per second what has come since the last look', () => {
    const screen = new InsScreen(0);
    const traffic = (dataOut: number): InsServerFigures => ({ ...figures, clients: { ...figures.clients, dataOut } });
    screen.update(traffic(0), 0);
    for (let second = 1; second < 20; second++) screen.update(traffic(second * 125_000), second * 1_000);
    expect(screen.lines(80, 24).find((line) => line.startsWith('out'))).toMatch(/^out +1\.00 Mbit\/s/);
  });

  test('figures are short', () => {
    const bytes = [0, 999, 1_000, 9_994, 99_940, 123_456, 999_499, 999_500, 1.5e9, 9e15].map(bytesText);
    expect(bytes).toEqual([
      '0 B',
      '999 B',
      '1.00 kB',
      '9.99 kB',
      '99.9 kB',
      '123 kB',
      '999 kB',
      '1.00 MB',
      '1.50 GB',
      '9.00 PB',
    ]);
    expect([rateText(0), rateText(2_500_000)]).toEqual(['0 bit/s', '2.50 Mbit/s']);
    expect([countText(0), countText(999), countText(1_234_567)]).toEqual(['0', '999', '1,234,567']);
    expect([durationText(0), durationText(93_781_000)]).toEqual(['0:00:00', '26:03:01']);
  });
});
