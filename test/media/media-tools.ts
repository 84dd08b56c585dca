import { execFile } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'vitest';
import type { Track } from '../../protocol/media.ts';
import { Mp4Reader } from '../../source-server/core/media/mp4-reader.ts';
import type { CutPart, Sample } from '../../source-server/core/media/types.ts';
import { findFfmpeg } from '../../source-server/node/media/ffmpeg.ts';
import { type MediaEvent, type MediaOptions, openMedia } from '../../source-server/node/media/open-media.ts';

const run = promisify(execFile);

/** A folder of its own for a test file's media; `drop` removes it. */
export async function makeFolder(): Promise<{ file(name: string): string; drop(): Promise<void> }> {
  const folder = await mkdtemp(path.join(tmpdir(), 'inswarm-media-'));
  return { file: (name) => path.join(folder, name), drop: () => rm(folder, { recursive: true, force: true }) };
}

/** Runs ffmpeg to its end. Arguments are split at spaces. */
export async function ffmpeg(args: string, ...files: string[]): Promise<string> {
  const { path: program } = await findFfmpeg();
  const { stdout } = await run(program, ['-v', 'error', '-nostdin', '-y', ...args.split(' '), ...files], {
    maxBuffer: 1 << 26,
  });
  return stdout;
}

export const pictures = '-f lavfi -i testsrc2=size=320x180:rate=30';
export const tone = '-f lavfi -i sine=frequency=440:sample_rate=48000';
export const h264 = '-c:v libx264 -preset ultrafast -pix_fmt yuv420p -sc_threshold 0';

/** What came out of an input up to a point. */
export interface Collected {
  readonly events: readonly MediaEvent[];
  readonly parts: readonly CutPart[];
  /** Of the first `tracks` event. */
  readonly tracks: readonly Track[];
  readonly decisions: readonly string[];
  readonly partTargetMs: number;
  readonly segmentTargetMs: number;
}

/** Opens an input and closes it when `enough` says so, or when it has ended or failed. As fast as it will go. */
export function collect(options: MediaOptions, enough: (events: MediaEvent[]) => boolean): Promise<Collected> {
  return new Promise((resolve) => {
    const events: MediaEvent[] = [];
    let over = false;
    const media = openMedia({ paced: false, ...options }, (event) => {
      if (over) return;
      events.push(event);
      over = event.kind === 'ended' || event.kind === 'failed' || enough(events);
      if (over) void media.close().then(() => resolve(summarize(events)));
    });
  });
}

/** For `enough`: this many parts. */
export function partsAtLeast(count: number): (events: MediaEvent[]) => boolean {
  return (events) => events.filter((event) => event.kind === 'part').length >= count;
}

function summarize(events: readonly MediaEvent[]): Collected {
  const parts = events.flatMap((event) => (event.kind === 'part' ? [event.part] : []));
  const first = events.find((event) => event.kind === 'tracks');
  const { tracks = [], decisions = [], partTargetMs = 0, segmentTargetMs = 0 } = first ?? {};
  return { events, parts, tracks, decisions, partTargetMs, segmentTargetMs };
}

export function texts(events: readonly MediaEvent[], kind: 'notice' | 'interrupted' | 'failed'): string[] {
  return events.flatMap((event) => {
    if (event.kind !== kind) return [];
    return [event.kind === 'notice' ? event.text : 'why' in event ? event.why : ''];
  });
}

export function samplesOf(track: Track, parts: readonly CutPart[]): Sample[] {
  const reader = new Mp4Reader();
  reader.push(track.init);
  return parts.flatMap((part) => {
    const cut = part.tracks.find((one) => one.track === track.id);
    if (cut === undefined) return [];
    return reader.push(cut.bytes).flatMap((item) => (item.kind === 'sample' ? [item.sample] : []));
  });
}

/**
 * Decodes a track's header and parts with ffmpeg, which may not complain of anything, and holds that every sample became
 * a frame. Returns the frames' presentation times in the track's ticks.
 */
export async function decode(track: Track, parts: readonly CutPart[], file: string): Promise<number[]> {
  const cuts = parts.flatMap((part) => part.tracks.filter((one) => one.track === track.id));
  await writeFile(file, Buffer.concat([track.init, ...cuts.map((cut) => cut.bytes)]));
  const { path: program } = await findFfmpeg();
  const args = [
    '-v',
    'error',
    '-xerror',
    '-nostdin',
    '-copyts',
    '-vsync',
    '0',
    '-i',
    file,
    '-enc_time_base',
    '-1',
    '-f',
    'framecrc',
    '-',
  ];
  const { stdout, stderr } = await run(program, args, { maxBuffer: 1 << 26 });
  expect(stderr).toBe('');
  const times = stdout.split('\n').flatMap((line) => (/^0,/.test(line) ? [Number(line.split(',')[2])] : []));
  expect(times).toHaveLength(samplesOf(track, parts).length);
  return times;
}

/** Numbers without a hole, segments that begin with key frames, and tracks that join to the tick where nothing broke. */
export function expectWellCut({ parts, tracks }: Pick<Collected, 'parts' | 'tracks'>): void {
  expect(parts.map((part) => part.part)).toEqual(parts.map((_, i) => parts[0]!.part + i));
  for (const [i, part] of parts.entries()) {
    const before = parts[i - 1];
    if (part.indexInSegment === 0) expect(part.independent).toBe(true);
    else expect([part.segment, part.indexInSegment]).toEqual([before!.segment, before!.indexInSegment + 1]);
    if (before !== undefined && part.indexInSegment === 0) expect(part.segment).toBe(before.segment + 1);
  }
  for (const track of tracks) expectJoined(track, parts);
}

function expectJoined(track: Track, parts: readonly CutPart[]): void {
  let end: number | undefined;
  let endUs = 0;
  for (const part of parts) {
    const cut = part.tracks.find((one) => one.track === track.id)!;
    for (const [i, sample] of samplesOf(track, [part]).entries()) {
      if (i === 0 && part.discontinuity) expect(sample.dts).toBeGreaterThanOrEqual(end ?? 0);
      else if (end !== undefined) expect(sample.dts).toBe(end);
      if (i === 0 && part.indexInSegment === 0) expect(sample.key).toBe(true);
      end = sample.dts + sample.duration;
    }
    if (endUs > 0 && !part.discontinuity) expect(cut.timeUs).toBe(endUs);
    endUs = cut.timeUs + cut.durationUs;
  }
}

/** An ffmpeg that notes the id of every process it becomes, so that a test can end one of them. */
export async function makeWatchedFfmpeg(folder: { file(name: string): string }): Promise<{
  readonly program: string;
  pids(): Promise<number[]>;
}> {
  const { path: real } = await findFfmpeg();
  const program = folder.file('watched-ffmpeg');
  const list = folder.file('pids');
  await writeFile(list, '');
  await writeFile(program, `#!/bin/sh\necho $$ >> '${list}'\nexec '${real}' "$@"\n`);
  await chmod(program, 0o755);
  return { program, pids: async () => (await readFile(list, 'utf8')).split('\n').filter(Boolean).map(Number) };
}

/** Makes sources use this ffmpeg, until the function that is returned is called. */
export function useFfmpeg(program: string): () => void {
  const before = process.env.INSWARM_FFMPEG;
  process.env.INSWARM_FFMPEG = program;
  return () => {
    if (before === undefined) delete process.env.INSWARM_FFMPEG;
    else process.env.INSWARM_FFMPEG = before;
  };
}

export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
