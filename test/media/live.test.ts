import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import path from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findFfmpeg } from '../../source-server/node/media/ffmpeg.ts';
import { type MediaEvent, openMedia } from '../../source-server/node/media/open-media.ts';
import {
  collect,
  decode,
  expectWellCut,
  ffmpeg,
  h264,
  isAlive,
  makeFolder,
  makeWatchedFfmpeg,
  partsAtLeast,
  pictures,
  texts,
  tone,
  useFfmpeg,
} from './media-tools.ts';

let folder: Awaited<ReturnType<typeof makeFolder>>;
let show: string;

beforeAll(async () => {
  folder = await makeFolder();
  show = folder.file('show.ts');
  await ffmpeg(`${pictures} ${tone} -t 5 ${h264} -bf 2 -g 30 -c:a aac`, show);
});

afterAll(() => folder.drop());

/** What happened, each run of the same kind once; a slow machine says more in notices. */
function kinds(events: readonly MediaEvent[]): string[] {
  const all = events.map((event) => event.kind).filter((kind) => kind !== 'notice');
  return all.filter((kind, i) => kind !== all[i - 1]);
}

describe('standard input', () => {
  it('is played to its end, which is the end', async () => {
    const made = await collect({ input: '-', stdin: Readable.from([await readFile(show)]) }, () => false);
    expect(kinds(made.events)).toEqual(['tracks', 'part', 'ended']);
    expect(made.decisions).toEqual(['video passed through', 'audio passed through']);
    expectWellCut(made);
    const frames = await decode(made.tracks[0]!, made.parts, folder.file('stdin.mp4'));
    expect(frames).toHaveLength(150);
    await decode(made.tracks[1]!, made.parts, folder.file('stdin-sound.mp4'));
  });

  it('may begin in the middle of a picture: it starts at the first key frame', async () => {
    const bytes = await readFile(show);
    const made = await collect({ input: '-', stdin: Readable.from([bytes.subarray(bytes.length / 3)]) }, () => false);
    expect(made.parts[0]!.independent).toBe(true);
    expectWellCut(made);
    await decode(made.tracks[0]!, made.parts, folder.file('middle.mp4'));
  });

  it('goes on transcoded when its key frames stop coming', async () => {
    const file = folder.file('stretch.ts');
    await ffmpeg(`${pictures} -t 20 ${h264} -qp 8 -g 9999 -force_key_frames 0,1,2,3,4,5,6,10,14,18`, file);
    const bytes = await readFile(file);
    const chunks = Array.from({ length: Math.ceil(bytes.length / 65_536) }, (_, i) => {
      return bytes.subarray(i * 65_536, (i + 1) * 65_536);
    });
    const stdin = new PassThrough({ highWaterMark: 1 << 25 });
    const third = Math.floor(chunks.length / 3);
    for (const chunk of chunks.slice(0, third)) stdin.write(chunk);
    const made = await collect({ input: '-', stdin }, (events) => {
      if (events.length > 1 || stdin.writableEnded) return false;
      for (const chunk of chunks.slice(third)) stdin.write(chunk);
      stdin.end();
      return false;
    });
    expect(made.decisions[0]).toBe('video passed through');
    expect(texts(made.events, 'notice')).toEqual([
      'key frames more than 2.5 s apart: video is transcoded from here on',
    ]);
    expect(kinds(made.events).at(-1)).toBe('ended');
    expect(made.events.filter((event) => event.kind === 'tracks').at(-1)).toMatchObject({
      decisions: ['video transcoded: key frames more than 2.5 s apart', 'no audio'],
    });
  });

  it('that holds no media fails with a reason', async () => {
    const made = await collect({ input: '-', stdin: Readable.from([Buffer.alloc(50_000, 'no film ')]) }, () => false);
    expect(kinds(made.events)).toEqual(['failed']);
    const empty = await collect({ input: '-', stdin: Readable.from([]) }, () => false);
    expect(texts(empty.events, 'failed')).toEqual(['--input -: nothing came on standard input']);
  });
});

describe('ffmpeg that dies', () => {
  it('is started again; the stream goes on with a discontinuity and the next numbers', async () => {
    const watched = await makeWatchedFfmpeg(folder);
    const restore = useFfmpeg(watched.program);
    let killed = false;
    const made = await collect({ input: 'testsrc=128x96' }, (events) => {
      if (!killed && partsAtLeast(10)(events)) {
        killed = true;
        void watched.pids().then((pids) => process.kill(pids.at(-1)!, 'SIGKILL'));
      }
      return (
        events.some((event) => event.kind === 'resumed') && events.slice(-3).every((event) => event.kind === 'part')
      );
    }).finally(restore);
    expect(kinds(made.events)).toEqual(['tracks', 'part', 'interrupted', 'resumed', 'part']);
    expect(texts(made.events, 'interrupted')).toEqual(['ffmpeg was ended by SIGKILL']);
    expectWellCut(made);
    const broken = made.parts.filter((part) => part.discontinuity);
    expect(broken).toHaveLength(1);
    const resumedAt = made.events.findIndex((event) => event.kind === 'resumed');
    expect(made.events[resumedAt + 1]).toMatchObject({ kind: 'part', part: { part: broken[0]!.part } });
    expect((await watched.pids()).filter(isAlive)).toEqual([]);
  });

  it('leaves no process behind when it is closed in the middle of things', async () => {
    const watched = await makeWatchedFfmpeg(folder);
    const restore = useFfmpeg(watched.program);
    try {
      for (const input of ['testsrc=128x96', show, '-', 'http://127.0.0.1:9/none.m3u8']) {
        // The n-th process of each input: asked for its version, listing streams, measuring, running.
        for (const count of [1, 2, 3, 4]) {
          const before = (await watched.pids()).length;
          const stdin = Readable.from([await readFile(show)]);
          let failed = false;
          const media = openMedia({ input, stdin }, (event) => {
            failed = event.kind !== 'part' && event.kind !== 'tracks';
          });
          while ((await watched.pids()).length < before + count && !failed) await sleep(10);
          await media.close();
          expect((await watched.pids()).filter(isAlive)).toEqual([]);
          if (failed || input.startsWith('testsrc')) break;
        }
      }
    } finally {
      restore();
    }
  });
});

async function freePort(): Promise<number> {
  const server = createTcpServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe('RTMP', () => {
  async function publish(address: string): Promise<void> {
    const { path: program } = await findFfmpeg();
    const args = ['-v', 'error', '-nostdin', '-i', show, '-c', 'copy', '-bsf:a', 'aac_adtstoasc', '-f', 'flv', address];
    await new Promise((resolve) => spawn(program, args, { stdio: 'ignore' }).once('close', resolve));
  }

  it('says where to publish, waits for a publisher again after it left, and turns away wrong names', async () => {
    const address = `rtmp://127.0.0.1:${await freePort()}/live/show`;
    let publishing = false;
    const made = await collect({ input: address }, (events) => {
      const last = events.at(-1)!;
      if (last.kind === 'notice' && last.text.startsWith('waiting') && !publishing) {
        publishing = true;
        void publish(`${address}-other`).then(() => publish(address));
      }
      if (last.kind === 'interrupted') void publish(address);
      return (
        events.some((event) => event.kind === 'resumed') && events.slice(-5).every((event) => event.kind === 'part')
      );
    });
    const notices = texts(made.events, 'notice');
    expect(notices[0]).toBe(`waiting for a publisher: publish to ${address}`);
    expect(notices).toContain('a publisher was turned away: it does not publish to /live/show');
    expect(texts(made.events, 'interrupted')).toEqual(['the publisher left']);
    expect(made.decisions).toEqual(['video passed through', 'audio passed through']);
    expectWellCut(made);
    const broken = made.parts.findIndex((part) => part.discontinuity);
    expect(made.parts[broken]).toMatchObject({ indexInSegment: 0, independent: true });
    const before = made.parts.slice(0, broken);
    expect(await decode(made.tracks[0]!, before, folder.file('rtmp.mp4'))).toHaveLength(150);
    await decode(made.tracks[1]!, before, folder.file('rtmp-sound.mp4'));
  });

  it('names a port that is taken', async () => {
    const server = createTcpServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const made = await collect({ input: `rtmp://127.0.0.1:${port}/live/show` }, () => false);
    expect(texts(made.events, 'failed')[0]).toContain(`port ${port} is taken`);
    await new Promise((resolve) => server.close(resolve));
  });
});

describe('HLS', () => {
  let server: Server;
  let address: string;

  beforeAll(async () => {
    await ffmpeg(`-i ${show} -c copy -hls_time 2 -hls_list_size 0 -f hls`, folder.file('show.m3u8'));
    server = createServer((request, response) => {
      readFile(folder.file(path.basename(request.url ?? ''))).then(
        (bytes) => response.end(bytes),
        () => response.writeHead(404).end(),
      );
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });

  afterAll(() => new Promise((resolve) => server.close(resolve)));

  it('is pulled, and pulled again when it ends', async () => {
    const made = await collect({ input: `${address}/show.m3u8` }, (events) => {
      return (
        events.some((event) => event.kind === 'resumed') && events.slice(-5).every((event) => event.kind === 'part')
      );
    });
    expect(kinds(made.events)).toEqual(['tracks', 'part', 'interrupted', 'resumed', 'part']);
    expect(texts(made.events, 'interrupted')).toEqual(['the stream ended']);
    expectWellCut(made);
    const broken = made.parts.findIndex((part) => part.discontinuity);
    expect(await decode(made.tracks[0]!, made.parts.slice(0, broken), folder.file('hls.mp4'))).toHaveLength(150);
  });

  it('that is not there is tried again and again, and says why', async () => {
    const made = await collect({ input: `${address}/nothing.m3u8` }, (events) => events.length > 0);
    expect(kinds(made.events)).toEqual(['interrupted']);
    expect(texts(made.events, 'interrupted')[0]).toMatch(/404/);
  });
});
