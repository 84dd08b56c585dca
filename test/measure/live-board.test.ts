import { beforeEach, describe, expect, it } from 'vitest';
import { LiveBoard } from '../harness/live/board.ts';
import { LINES_MAX, Picture } from '../harness/live/picture.ts';
import type { Told } from '../harness/live/told.ts';
import { DIES_AT_S, HAPPENINGS, MadeUpRun, SESSION } from './live-sample.ts';

let board: LiveBoard;
let told: Told[];

beforeEach(() => {
  board = new LiveBoard();
  told = [];
  board.listen((one) => told.push(JSON.parse(JSON.stringify(one))));
});

/** What a page makes of what it is told. */
function pictureOf(all: readonly Told[]): Picture {
  let picture = new Picture();
  for (const one of all) {
    if (one.is === 'all') picture = new Picture(one.picture);
    else picture.apply(one);
  }
  return picture;
}

function play(run: MadeUpRun, from: number, until: number): void {
  for (let second = from; second < until; second++) board.second(run.second(second));
}

function late(): Picture {
  return pictureOf([JSON.parse(JSON.stringify(board.all()))]);
}

describe('a page', () => {
  it('that opens late knows what one knows that was there from the beginning', () => {
    board.begin(SESSION);
    const run = new MadeUpRun(60, 'ins');
    board.beginRun(run.hosts, HAPPENINGS);
    play(run, 0, 12);
    expect(late()).toEqual(pictureOf(told));
    play(run, 12, 30);
    board.say('bad', 'INS server 1 died', 3);
    expect(late()).toEqual(pictureOf(told));
    const second = new MadeUpRun(60, 'native');
    board.beginRun(second.hosts, []);
    expect(late()).toEqual(pictureOf(told));
    play(second, 0, 20);
    board.end({ ok: true, text: 'Both runs are done.', files: ['out/report.html'] });
    const both = late();
    expect(both).toEqual(pictureOf(told));
    expect(both.runs.map(({ history }) => history.points.length)).toEqual([30, 20]);
    expect(both.runs[0]!.startupsMs).toHaveLength(60);
    expect(both.end?.files).toEqual(['out/report.html']);
  });

  it('that opens late goes on like one that was there', () => {
    board.begin(SESSION);
    const run = new MadeUpRun(60, 'native');
    board.beginRun(run.hosts, HAPPENINGS);
    play(run, 0, 8);
    const page = late();
    const before = told.length;
    play(run, 8, 16);
    for (const one of told.slice(before)) if (one.is !== 'all') page.apply(one);
    expect(page).toEqual(pictureOf(told));
  });

  it('is told of viewers once, and again when they have changed', () => {
    board.begin(SESSION);
    const run = new MadeUpRun(10, 'ins');
    board.beginRun(run.hosts, []);
    const second = run.second(20);
    board.second(second);
    board.second(second);
    board.second({ ...second, viewers: second.viewers.map((one, at) => (at === 4 ? { ...one, freezes: 9 } : one)) });
    const seconds = told.flatMap((one) => (one.is === 'second' ? [one] : []));
    expect(seconds.map(({ moving }) => moving.length / 8)).toEqual([10, 0, 0]);
    expect(seconds.map(({ lasting }) => lasting.length / 6)).toEqual([10, 0, 1]);
  });

  it('counts the startups of a viewer who comes twice', () => {
    board.begin(SESSION);
    const run = new MadeUpRun(1, 'ins');
    board.beginRun(run.hosts, []);
    const second = run.second(30);
    const viewer = { ...second.viewers[0]!, state: 'playing' as const, startupMs: 500 };
    for (const startupMs of [null, 500, 500, null, 500])
      board.second({ ...second, viewers: [{ ...viewer, startupMs }] });
    expect(late().run!.startupsMs).toEqual([500, 500]);
  });

  it('is told of 300 viewers in at most 30 KB a second, in either mode', () => {
    for (const mode of ['ins', 'native']) {
      board.begin(SESSION);
      const run = new MadeUpRun(300, mode);
      board.beginRun(run.hosts, HAPPENINGS);
      told.length = 0;
      play(run, 0, 40);
      const sizes = told.map((one) => JSON.stringify(one).length);
      expect(Math.max(...sizes)).toBeLessThan(30_000);
    }
  });

  it('is told of a few warnings a second, and how many more there were', () => {
    board.begin(SESSION);
    const run = new MadeUpRun(300, 'ins');
    board.beginRun(run.hosts, []);
    for (let second = 0; second < 2; second++) {
      for (let viewer = 0; viewer < 100; viewer++) board.say('warning', `viewer ${viewer} stands still`);
      board.say('bad', 'INS server 1 died');
      board.second(run.second(second));
    }
    const texts = late().lines.map(({ text }) => text);
    expect(texts).toHaveLength(20);
    expect(texts.slice(7, 10)).toEqual([
      'viewer 7 stands still',
      'INS server 1 died',
      'and 92 more like that within a second',
    ]);
  });

  it('keeps the last lines of a log that grows and grows', () => {
    board.begin(SESSION);
    for (let line = 0; line < LINES_MAX + 50; line++) board.say('news', `line ${line}`);
    expect(late().lines).toHaveLength(LINES_MAX);
    expect(late().lines.at(-1)?.text).toBe(`line ${LINES_MAX + 49}`);
    expect(late()).toEqual(pictureOf(told));
  });
});

describe('a wish', () => {
  const ids = (from: number, count: number): number[] => Array.from({ length: count }, (_, at) => from + at);
  let run: MadeUpRun;

  beforeEach(() => {
    board.begin(SESSION);
    run = new MadeUpRun(10, 'ins');
    board.beginRun(run.hosts, []);
    run.leave(6, 'left');
    run.leave(7, 'dead');
    board.second(run.second(DIES_AT_S + 5));
  });

  it('for all goes to those viewers for whom it makes sense', () => {
    expect(board.ask({ do: 'stop', hosts: 'all' })).toEqual({ ok: true, command: { do: 'stop', hosts: ids(8, 8) } });
    expect(board.ask({ do: 'kill', hosts: 'all' })).toEqual({ ok: true, command: { do: 'kill', hosts: ids(8, 8) } });
    expect(board.ask({ do: 'start', hosts: 'all' })).toEqual({ ok: true, command: { do: 'start', hosts: [6, 7] } });
    const slower = board.ask({ do: 'throttle', hosts: 'all', to: 0.5 });
    expect(slower).toEqual({ ok: true, command: { do: 'throttle', hosts: ids(6, 10), to: 0.5 } });
  });

  it('for servers is to kill what is up and to start what is down', () => {
    expect(board.ask({ do: 'kill', hosts: [2, 3] })).toEqual({ ok: true, command: { do: 'kill', hosts: [2] } });
    expect(board.ask({ do: 'start', hosts: [2, 3] })).toEqual({ ok: true, command: { do: 'start', hosts: [3] } });
    expect(board.ask({ do: 'stop', hosts: [2] }).ok).toBe(false);
    expect(board.ask({ do: 'throttle', hosts: [2], to: 0.5 }).ok).toBe(false);
  });

  it('that makes no sense is refused with a reason', () => {
    expect(board.ask({ do: 'start', hosts: [9] })).toMatchObject({ ok: false, why: expect.stringMatching(/has left/) });
    expect(board.ask({ do: 'kill', hosts: [99] })).toMatchObject({ ok: false, why: 'there are no such hosts' });
  });

  it('is refused while no run is under way, and once all is over', () => {
    board.beginRun(run.hosts, []);
    expect(board.ask({ do: 'throttle', hosts: 'all', to: 1 })).toEqual({ ok: false, why: 'no run is under way' });
    expect(board.ask({ do: 'end' })).toEqual({ ok: true, command: { do: 'end' } });
    board.end({ ok: true, text: 'Done.', files: [] });
    expect(board.ask({ do: 'end' })).toEqual({ ok: false, why: 'the session is over' });
  });

  it('that is met is told to all pages', () => {
    board.ask({ do: 'throttle', hosts: [8], to: 0.25 });
    board.ask({ do: 'stop', hosts: 'all' });
    expect(late().lines.map(({ tone, text }) => `${tone}: ${text}`)).toEqual([
      'asked: Asked for here: throttle to 25 %: viewer 2',
      'asked: Asked for here: stop 8 hosts',
    ]);
  });
});
