import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { LiveBoard } from '../harness/live/board.ts';
import type { LiveCommand } from '../harness/live/model.ts';
import { type RunningLive, startLive } from '../harness/live/node/server.ts';
import type { Answer, Told } from '../harness/live/told.ts';
import { MadeUpRun, SESSION } from './live-sample.ts';

let folder: string;
let board: LiveBoard;
let live: RunningLive;
let commands: LiveCommand[];
let onCommand: (command: LiveCommand) => void;
const pages: Page[] = [];
const LINES = 200;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'inswarm-live-'));
  await writeFile(join(folder, 'index.html'), '<!doctype html><title>live</title>');
  board = new LiveBoard();
  commands = [];
  onCommand = (command) => commands.push(command);
  const started = await startLive(board, { onCommand: (command) => onCommand(command) }, { folder });
  if (!started.ok) throw new Error(started.why);
  live = started.live;
});

afterEach(async () => {
  for (const page of pages.splice(0)) page.socket.terminate();
  await live.close();
  await rm(folder, { recursive: true, force: true });
});

/** What a page is to its server: a socket that is told things. */
class Page {
  readonly socket: WebSocket;
  readonly told: (Told | Answer)[] = [];

  constructor(url: string, origin?: string) {
    this.socket = new WebSocket(`${url.replace('http', 'ws')}live`, origin === undefined ? {} : { origin });
    this.socket.on('message', (data) => this.told.push(JSON.parse(String(data))));
    this.socket.on('error', () => {});
    pages.push(this);
  }

  async until(is: string, count = 1): Promise<void> {
    while (this.told.filter((one) => one.is === is).length < count) await once(this.socket, 'message');
  }

  ask(message: unknown): void {
    this.socket.send(Buffer.from(typeof message === 'string' ? message : JSON.stringify(message)));
  }
}

function begin(viewerCount = 5): MadeUpRun {
  board.begin(SESSION);
  const run = new MadeUpRun(viewerCount, 'ins');
  board.beginRun(run.hosts, []);
  board.second(run.second(30));
  return run;
}

async function refusalOf(url: string, origin?: string): Promise<number> {
  const [, response] = await once(new Page(url, origin).socket, 'unexpected-response');
  return response.statusCode;
}

describe('the server of the live page', () => {
  it('shows the page below its key alone, and lets no other page read it', async () => {
    const answer = await fetch(live.url);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('access-control-allow-origin')).toBeNull();
    expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(answer.headers.get('referrer-policy')).toBe('no-referrer');
    const { origin } = new URL(live.url);
    expect((await fetch(origin)).status).toBe(404);
    expect((await fetch(`${origin}/${'a'.repeat(22)}/`)).status).toBe(404);
    expect(new URL(live.url).pathname).toMatch(/^\/[\w-]{22}\/$/);
  });

  it('lets nobody listen without the key, and no page from elsewhere with it', async () => {
    const { origin, port } = new URL(live.url);
    expect(await refusalOf(`${origin}/${'a'.repeat(22)}/`)).toBe(404);
    expect(await refusalOf(live.url, 'https://example.com')).toBe(403);
    expect(await refusalOf(live.url, 'null')).toBe(403);
    const page = new Page(live.url, `http://localhost:${port}`);
    await page.until('all');
    expect(live.pageCount).toBe(1);
  });

  it('tells a page all there is, and what comes then', async () => {
    const run = begin();
    const page = new Page(live.url);
    await page.until('all');
    board.second(run.second(31));
    board.end({ ok: true, text: 'Done.', files: [] });
    await page.until('end');
    expect(page.told.map(({ is }) => is)).toEqual(['all', 'second', 'end']);
  });

  it('passes on what can be done, and says why something cannot', async () => {
    begin();
    const page = new Page(live.url);
    page.socket.once('open', () => {
      page.ask({ number: 1, wish: { do: 'stop', hosts: [6, 7] } });
      page.ask({ number: 2, wish: { do: 'start', hosts: [6] } });
    });
    await page.until('answer', 2);
    expect(page.told.filter(({ is }) => is === 'answer')).toEqual([
      { is: 'answer', number: 1, why: null },
      { is: 'answer', number: 2, why: expect.stringContaining('cannot be started') },
    ]);
    expect(commands).toEqual([{ do: 'stop', hosts: [6, 7] }]);
  });

  it('keeps the run from what goes wrong with a wish', async () => {
    begin();
    onCommand = () => {
      throw new Error('no such process');
    };
    const page = new Page(live.url);
    page.socket.once('open', () => page.ask({ number: 1, wish: { do: 'kill', hosts: 'all' } }));
    await page.until('line', 2);
    expect(JSON.stringify(page.told.at(-1))).toContain('That went wrong: no such process');
  });

  it('ends a page that sends what is not to be understood, too much, or too often', async () => {
    begin();
    const wish = { number: 1, wish: { do: 'end' } };
    for (const messages of [['?'], ['x'.repeat(50_000)], Array.from({ length: 200 }, () => wish)]) {
      const page = new Page(live.url);
      page.socket.once('open', () => {
        for (const message of messages) page.ask(message);
      });
      const [code] = await once(page.socket, 'close');
      expect([1008, 1009, 4400]).toContain(code);
    }
    expect(commands.length).toBeLessThan(100);
  });

  it('queues nothing for a page that does not read, and tells it everything anew when it does', async () => {
    begin();
    const page = new Page(live.url);
    await page.until('all');
    page.socket.pause();
    // More than sockets hold.
    for (let line = 0; line < LINES; line++) {
      board.say('news', 'x'.repeat(100_000));
      await new Promise(setImmediate);
    }
    board.say('news', 'the last line');
    page.socket.resume();
    await page.until('all', 2);
    expect(page.told.filter(({ is }) => is === 'line').length).toBeLessThan(LINES);
    const anew = page.told.at(-1);
    expect(anew?.is === 'all' ? anew.picture.lines.at(-1)?.text : anew?.is).toBe('the last line');
  });

  it('has room for a few pages', async () => {
    for (let page = 0; page < 8; page++) await new Page(live.url).until('all');
    expect(await refusalOf(live.url)).toBe(503);
  });

  it('says what to do where the page is not built, or the port is taken, and the run goes on', async () => {
    const missing = await startLive(board, { onCommand }, { folder: join(folder, 'nowhere') });
    expect(missing).toEqual({ ok: false, why: 'the live page is not built; build it with: npm run build' });
    const taken = await startLive(board, { onCommand }, { folder, port: Number(new URL(live.url).port) });
    expect(taken).toMatchObject({ ok: false, why: expect.stringContaining('is taken by another program') });
  });

  it('says goodbye to its pages when it closes', async () => {
    begin();
    const page = new Page(live.url);
    await page.until('all');
    board.end({ ok: true, text: 'Done.', files: ['out/report.html'] });
    const closed = once(page.socket, 'close');
    await live.close();
    expect((await closed)[0]).toBe(1001);
    expect(page.told.at(-1)).toMatchObject({ is: 'end', end: { files: ['out/report.html'] } });
    await expect(fetch(live.url)).rejects.toThrow();
  });
});
