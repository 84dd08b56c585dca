import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, expect, test } from 'vitest';
import { findFfmpeg } from '../../source-server/node/media/ffmpeg.ts';
import { House, played } from './support.ts';

const FRAMES_PER_SECOND = 25;
/** More than two loops of the file. */
const WATCHED_SECONDS = 8;

const house = new House();
afterAll(() => house.close());

async function ffmpeg(args: string): Promise<{ stdout: string; stderr: string }> {
  const { path } = await findFfmpeg();
  return promisify(execFile)(path, ['-v', 'error', '-nostdin', '-y', ...args.split(' ')], { maxBuffer: 1 << 26 });
}

interface Frame {
  readonly stream: number;
  readonly pts: number;
  readonly crc: string;
}

/** Decodes a stream as a player would, and gives what came on screen and out of the speakers. */
async function watch(url: string): Promise<{ frames: readonly Frame[]; complaints: string }> {
  const { stdout, stderr } = await ffmpeg(`-i ${url} -t ${WATCHED_SECONDS} -map 0:v -map 0:a -vsync 0 -f framecrc -`);
  const frames = stdout.split('\n').flatMap((line) => {
    const [stream, , pts, , , crc] = line.split(',').map((word) => word.trim());
    return line.startsWith('#') || crc === undefined ? [] : [{ stream: Number(stream), pts: Number(pts), crc }];
  });
  return { frames, complaints: stderr };
}

test('ffmpeg plays a looped file through a peer as from the source: no decode error, no jump in time', async () => {
  const film = join(house.folder, 'film.mp4');
  const pictures = `-f lavfi -i testsrc2=size=160x90:rate=${FRAMES_PER_SECOND}`;
  const codecs = '-c:v libx264 -preset ultrafast -pix_fmt yuv420p -bf 2 -g 25 -sc_threshold 0 -c:a aac -ac 2';
  await ffmpeg(`${pictures} -f lavfi -i sine=frequency=440:sample_rate=48000 -t 3 ${codecs} ${film}`);
  await house.startTracker();
  const ins = await house.startIns();
  const source = await house.startSource({ input: film, ins: [{ url: ins.url, region: '' }] });
  const peer = await house.startPeer(source, 'hybrid');
  await played(peer, 4);

  const [direct, throughPeer] = await Promise.all([watch(source.hlsUrl), watch(peer.gatewayUrl!)]);
  for (const { frames, complaints } of [direct, throughPeer]) {
    expect(complaints).toBe('');
    const times = frames.filter(({ stream }) => stream === 0).map(({ pts }) => pts);
    const steps = new Set(times.slice(1).map((pts, at) => pts - times[at]!));
    expect(times.length).toBeGreaterThan((WATCHED_SECONDS - 1) * FRAMES_PER_SECOND);
    expect(steps.size).toBe(1);
    expect(new Set(frames.map(({ stream }) => stream))).toEqual(new Set([0, 1]));
  }
  // The same pictures: of the film's 75, each shows up in both.
  const pictures0 = (frames: readonly Frame[]) =>
    new Set(frames.filter(({ stream }) => stream === 0).map(({ crc }) => crc));
  expect(pictures0(throughPeer.frames)).toEqual(pictures0(direct.frames));
});
