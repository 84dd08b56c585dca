import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import ffmpegInstaller from '@ffmpeg-installer/ffmpeg';
import type { Browser, Page } from 'playwright-core';
import { build } from 'vite';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { serveHls } from '../../runtime/node/hls-http.ts';
import { createHttpServer, type HttpServer } from '../../runtime/node/http.ts';
import { launchChromium } from '../support/browser.ts';
import { type MediaLive, type MediaPart, startMediaLive } from './media-live.ts';
import type { PlayerReport, SentDescription, SentPart, SwarmPage } from './swarm-page.ts';

let media: MediaLive;
let server: HttpServer;
let masterUrl: string;
let browser: Browser;
let script: string;
/** Runs beside the other tests: it takes as long as what it plays. */
let ffmpegRun: Promise<{ stdout: string; stderr: string }>;
const FFMPEG_SECONDS = 8;
const listeners = new Set<(part: MediaPart) => void>();
const pages: Page[] = [];

beforeAll(async () => {
  [media, browser, script] = await Promise.all([
    startMediaLive({
      onPart: (part) => {
        for (const listener of listeners) listener(part);
      },
    }),
    launchChromium(),
    bundle(),
  ]);
  server = createHttpServer({ port: 0 });
  serveHls(server, () => new Map([['stream', media.live]]));
  masterUrl = `${(await server.listen()).url}/stream/master.m3u8`;
  ffmpegRun = runFfmpeg(masterUrl);
});

afterEach(async () => {
  listeners.clear();
  for (const page of pages.splice(0)) await page.close();
});

afterAll(async () => {
  await Promise.all([media?.close(), browser?.close(), server?.close()]);
});

async function runFfmpeg(url: string): Promise<{ stdout: string; stderr: string }> {
  const time = ['-t', String(FFMPEG_SECONDS)];
  const settings = ['-v', 'error', '-i', url, ...time, '-map', '0:v', '-map', '0:a', '-f', 'framecrc', '-'];
  const options = { maxBuffer: 1e7, timeout: 40_000 };
  return promisify(execFile)(ffmpegInstaller.path, settings, options).catch((error: Error) => {
    return { stdout: '', stderr: error.message };
  });
}

async function bundle(): Promise<string> {
  const entry = fileURLToPath(new URL('swarm-page.ts', import.meta.url));
  const lib = { entry, formats: ['iife' as const], name: 'swarmPage' };
  const made = await build({ configFile: false, logLevel: 'error', build: { write: false, minify: false, lib } });
  const output = (Array.isArray(made) ? made[0] : made) as { output: { code: string }[] };
  return output.output[0]?.code ?? '';
}

interface OpenPage {
  /** Paths and queries of everything the page asked the network for. */
  readonly requests: readonly string[];
  call<K extends keyof SwarmPage>(name: K, ...values: Parameters<SwarmPage[K]>): Promise<ReturnType<SwarmPage[K]>>;
}

async function openPage(): Promise<OpenPage> {
  const page = await browser.newPage();
  pages.push(page);
  await page.setContent('<video muted></video>');
  await page.addScriptTag({ content: script });
  const requests: string[] = [];
  page.on('request', (request) => {
    const { protocol, pathname, search } = new URL(request.url());
    if (protocol !== 'blob:' && protocol !== 'data:') requests.push(pathname + search);
  });
  return {
    requests,
    call: (name, ...values) =>
      page.evaluate(
        ([called, given]) =>
          (window as unknown as { page: Record<string, (...v: unknown[]) => never> }).page[called]!(...given),
        [name, values] as const,
      ),
  };
}

/** Waits until the report satisfies; fails with the last one if it never does. */
async function reported(page: OpenPage, satisfies: (report: PlayerReport) => boolean): Promise<PlayerReport> {
  let report: PlayerReport | undefined;
  await expect
    .poll(
      async () => {
        report = await page.call('report');
        return satisfies(report) || report;
      },
      { timeout: 20_000, interval: 100 },
    )
    .toBe(true);
  return report!;
}

/** Sends what is there from the newest independent part on, then each part as it comes, but none that `leavesOut`. */
async function feed(page: OpenPage, leavesOut: (part: number) => boolean = () => false): Promise<number> {
  const { description } = media.live.window;
  const tracks = description!.tracks.map((track) => ({ ...track, init: base64(track.init) }));
  const first = media.added.findLast(({ record }) => record.independent)!.record.part;
  await page.call('describe', { ...description!, tracks } as SentDescription);
  let sending = Promise.resolve();
  const send = (parts: readonly MediaPart[]) => {
    const sent = parts.filter(({ record }) => record.part >= first && !leavesOut(record.part - first)).map(sentPart);
    sending = sending.then(() => page.call('add', sent)).catch(() => {});
  };
  send(media.added);
  listeners.add((part) => send([part]));
  await sending;
  return first;
}

/** The number under which the picture is in the stream a second time. */
const AGAIN = 7;

/** As {@link feed}; the picture is described twice and sent once, as a peer takes it. */
async function feedTwice(page: OpenPage): Promise<{ begin(): Promise<void>; onlyThat(): void }> {
  const { description } = media.live.window;
  const picture = description!.tracks.find(({ kind }) => kind === 'video')!;
  const twin = { ...picture, id: AGAIN, name: 'again', bandwidthBps: picture.bandwidthBps / 2 };
  const tracks = [...description!.tracks, twin].map((track) => ({ ...track, init: base64(track.init) }));
  await page.call('describe', { ...description!, tracks } as SentDescription);
  let [first, last] = [media.added.findLast(({ record }) => record.independent)!.record.part, Number.POSITIVE_INFINITY];
  let firstAgain = Number.POSITIVE_INFINITY;
  let sending = Promise.resolve();
  const send = (parts: readonly MediaPart[]) => {
    const sent = parts.flatMap(({ record, bytes }) => {
      if (record.part < first) return [];
      if (record.track !== picture.id) return sentPart({ record, bytes });
      const asItIs = record.part < last ? [sentPart({ record, bytes })] : [];
      const asAgain = { record: { ...record, track: AGAIN }, bytes };
      return record.part < firstAgain ? asItIs : [...asItIs, sentPart(asAgain)];
    });
    sending = sending.then(() => page.call('add', sent)).catch(() => {});
  };
  send(media.added);
  listeners.add((part) => send([part]));
  await sending;
  return {
    begin: async () => {
      const start = media.added.findLast(({ record }) => record.independent)!.record.part;
      await page.call('begin', start, AGAIN);
      firstAgain = start;
      // Whichever comes first.
      send(media.added.filter(({ record }) => record.part >= firstAgain).toReversed());
      await sending;
    },
    onlyThat: () => {
      last = media.added.at(-1)!.record.part + 1;
    },
  };
}

function sentPart({ record, bytes }: MediaPart): SentPart {
  return { record, bytes: base64(bytes) };
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}

/** A busy machine can make any player stall for a moment. */
function isNoStall(error: string): boolean {
  return !/^buffer(Stalled|NudgeOnStall|SeekOverHole)/.test(error);
}

describe('real players', () => {
  it('hls.js plays the stream over HTTP by parts, with blocking reloads and delta updates', async () => {
    const page = await openPage();
    await page.call('playUrl', masterUrl);
    const begun = await reported(page, (report) => report.decodedFrames > 0);
    const later = await reported(page, (report) => report.currentTime > begun.currentTime + 3);
    expect([later.fatal, later.errors.filter(isNoStall)]).toEqual([false, []]);
    expect(later.partsLoaded).toBeGreaterThan(16);
    expect(page.requests.some((path) => /_HLS_msn=\d+&_HLS_part=\d+&_HLS_skip=YES/.test(path))).toBe(true);
    expect(page.requests.some((path) => /\/part-\d+\.m4s$/.test(path))).toBe(true);
  });

  it('hls.js plays what the page holds, by parts from the first one on, and asks the network for nothing', async () => {
    const page = await openPage();
    const first = await feed(page);
    await page.call('playSwarm');
    const later = await reported(page, (report) => report.currentTime > 4);
    expect([later.fatal, later.errors.filter(isNoStall)]).toEqual([false, []]);
    expect([later.segmentsLoaded, page.requests]).toEqual([0, []]);
    expect(later.partsLoaded).toBeGreaterThan(16);
    expect(first).toBeGreaterThan(0);
  });

  it('hls.js goes on behind a hole in the stream', async () => {
    const page = await openPage();
    // Parts 6 to 13 from its beginning do not come; a part is 250 ms.
    const first = await feed(page, (part) => part >= 6 && part < 14);
    await page.call('playSwarm');
    await reported(page, (report) => report.currentTime > 1);
    await expect.poll(() => media.added.at(-1)!.record.part - first, { timeout: 10_000 }).toBeGreaterThanOrEqual(14);
    await page.call('giveUp', first + 14);
    const later = await reported(page, (report) => report.currentTime > 14 * 0.25 + 3);
    expect(later.fatal).toBe(false);
  });

  it.each([true, false])('hls.js changes to a rendition that is there from then on (chosen: %s)', async (chosen) => {
    const page = await openPage();
    const again = await feedTwice(page);
    await page.call('playSwarm', 1);
    await reported(page, (report) => report.currentTime > 2);
    await page.call('changeLevel', 0, chosen);
    await reported(page, (report) => report.wanted.includes(AGAIN));
    await again.begin();
    const changed = await reported(page, (report) => report.played.includes(AGAIN));
    again.onlyThat();
    // It may go to the live edge at once where it is late, so time that passes is not enough: pictures must come.
    const later = await reported(
      page,
      ({ currentTime, decodedFrames }) =>
        currentTime > changed.currentTime + 3 && decodedFrames > changed.decodedFrames + 45,
    );
    expect([later.fatal, later.errors.filter(isNoStall)]).toEqual([false, []]);
  });

  it('ffmpeg plays the stream over HTTP without an error or a jump in time', async () => {
    const { stdout, stderr } = await ffmpegRun;
    expect(stderr).toBe('');
    const rows = stdout.split('\n').filter((line) => /^\d/.test(line));
    const rate = media.live.window.description!.tracks[0]!.frameRate;
    const timesOf = (stream: number) =>
      rows.filter((row) => row.startsWith(`${stream},`)).map((row) => Number(row.split(',')[2]));
    const pictures = timesOf(0);
    expect(pictures.length).toBe(FFMPEG_SECONDS * rate);
    expect(new Set(pictures.slice(1).map((time, i) => time - pictures[i]!))).toEqual(new Set([1]));
    const sounds = timesOf(1);
    expect(sounds.length).toBeGreaterThan(40 * FFMPEG_SECONDS);
    expect(new Set(sounds.slice(1, -1).map((time, i) => time - sounds[i]!))).toEqual(new Set([1_024]));
  });
});
