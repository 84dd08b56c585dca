import { describe, expect, it } from 'vitest';
import { WORD_CHARS_MAX } from '../../protocol/limits.ts';
import { chooseFrameRate, chooseRungs, whyEncodeAudio, whyEncodeVideo } from '../../source-server/core/media/decide.ts';
import { GopMeter, type GopReport } from '../../source-server/core/media/gop-meter.ts';
import { parseInput, parseLadder } from '../../source-server/core/media/input.ts';
import { readInputInfo } from '../../source-server/core/media/stream-info.ts';
import { checkMediaOptions } from '../../source-server/node/media/open-media.ts';
import { planInput } from '../../source-server/node/media/plan.ts';
import { makeVideo } from './made-samples.ts';

const listing = (...streams: string[]) =>
  readInputInfo(["Input #0, mov, from 'x':", ...streams, 'At least one output file']);

describe("reading ffmpeg's listing", () => {
  it('knows codec, profile, pixels, size and rate, in the words of old and new builds', () => {
    const old =
      '    Stream #0:0(und): Video: h264 (High) (avc1 / 0x31637661), yuv420p(tv, bt709), 1280x720 [SAR 1:1 DAR 16:9], 1205 kb/s, 29.97 fps, 29.97 tbr, 30k tbn, 59.94 tbc (default)';
    const recent =
      '  Stream #0:0[0x1](und): Video: h264 (High) (avc1 / 0x31637661), yuv420p(progressive), 1280x720 [SAR 1:1 DAR 16:9], 1205 kb/s, 29.97 fps, 29.97 tbr, 30k tbn (default)';
    for (const line of [old, recent]) {
      expect(listing(line).video).toEqual({
        index: 0,
        codec: 'h264',
        profile: 'High',
        pixelFormat: 'yuv420p',
        width: 1280,
        height: 720,
        framesPerSecond: 29.97,
        baseRate: 29.97,
        interlaced: false,
        rotated: false,
      });
    }
  });

  it('takes the largest picture of several, and one sound of each language, the default one first', () => {
    const info = listing(
      '  Stream #0:0: Video: h264 (Main), yuv420p, 640x360, 25 fps, 25 tbr, 90k tbn',
      '  Stream #0:1: Video: h264 (Main), yuv420p, 1920x1080, 25 fps, 25 tbr, 90k tbn',
      '  Stream #0:2(deu): Audio: ac3, 48000 Hz, 5.1(side), fltp, 448 kb/s',
      '  Stream #0:3(eng): Audio: aac (LC), 44100 Hz, stereo, fltp (default)',
      '  Stream #0:4(eng): Audio: aac (LC), 44100 Hz, mono, fltp',
      '  Stream #0:5: Audio: aac (LC), 44100 Hz, stereo, fltp',
    );
    expect(info.video?.index).toBe(1);
    expect(info.audios.map(({ index, language }) => [index, language])).toEqual([
      [3, 'eng'],
      [2, 'deu'],
      [5, ''],
    ]);
    expect(info.audios[0]).toMatchObject({ codec: 'aac', profile: 'LC', layout: 'stereo' });
    expect(info.leftOut).toEqual(['sound (eng, aac)']);
  });

  it('takes subtitles that are text, and names what does not become part of the stream', () => {
    const info = listing(
      '    Stream #0:0(und): Video: h264 (High) (avc1 / 0x31637661), yuv420p, 640x360, 25 fps, 25 tbr, 90k tbn',
      '    Stream #0:1(eng): Subtitle: mov_text (tx3g / 0x67337874), 0 kb/s (default)',
      '    Stream #0:2[0x102](deu): Subtitle: dvb_teletext',
      '    Stream #0:3: Subtitle: webvtt',
    );
    expect(info.texts).toEqual([
      { index: 1, language: 'eng' },
      { index: 3, language: '' },
    ]);
    expect(info.leftOut).toEqual(['subtitles (deu, dvb_teletext)']);
  });

  it('takes for a language what is a code of one, and nothing that would not fit on the wire', () => {
    const codes = ['pt-BR', 'zh-Hant-TW', 'und', 'q'.repeat(100), 'English', 'a"b'];
    const lines = codes.map((code, at) => `    Stream #0:${at}(${code}): Subtitle: subrip`);
    const taken = lines.flatMap((line) => listing(line).texts.map(({ language }) => language));
    expect(taken).toEqual(['pt-BR', 'zh-Hant-TW', '', '', '', '']);
  });

  it('gives no two subtitles and no two sounds the same name, and none that is longer than names are on the wire', () => {
    const { video } = listing('  Stream #0:0: Video: h264 (High), yuv420p, 640x360, 25 fps, 25 tbr, 90k tbn');
    const texts = ['eng', '', 'eng', 'iu-Cans-GS', 'iu-Cans-GS'].map((language, at) => ({ index: at + 1, language }));
    const sound = { codec: 'aac', profile: 'LC', layout: 'stereo' };
    const audios = ['ger', 'deu'].map((language, at) => ({ ...sound, index: at + 6, language }));
    const info = { video, audios, texts, leftOut: [] };
    const plan = planInput([], info, undefined, { transcode: false, ladder: [], segmentMs: 1_000, paced: false });
    const names = plan.tracks.flatMap(({ kind, name }) => (kind === 'text' ? [name] : []));
    expect(names.slice(0, 3)).toEqual(['English', 'Subtitles 2', 'English 2']);
    expect(new Set(names).size).toBe(5);
    expect(plan.tracks.flatMap(({ kind, name }) => (kind === 'audio' ? [name] : []))).toEqual(['German', 'German 2']);
    expect(Math.max(...names.map(({ length }) => length))).toBeLessThanOrEqual(WORD_CHARS_MAX);
  });

  it('takes no cover for a video, and no announced but empty track for sound', () => {
    const info = listing(
      '    Stream #0:0: Audio: aac ([15][0][0][0] / 0x000F), 0 channels',
      '    Stream #0:1: Video: mjpeg (Baseline), yuvj420p(pc), 200x200 [SAR 1:1 DAR 1:1], 90k tbr, 90k tbn, 90k tbc',
      '    Stream #0:2: Video: png, rgba(pc), 500x500, 90k tbr, 90k tbn (attached pic)',
    );
    expect(info).toMatchObject({ video: undefined, audios: [] });
  });

  it('gives the size of a turned picture upright', () => {
    const info = listing(
      '    Stream #0:0: Video: h264 (High) (avc1 / 0x31), yuv420p, 1920x1080, 30 fps, 30 tbr',
      '      displaymatrix: rotation of -90.00 degrees',
    );
    expect(info.video).toMatchObject({ width: 1080, height: 1920, rotated: true });
  });
});

describe('deciding', () => {
  const h264 = listing('  Stream #0:0: Video: h264 (High), yuv420p(progressive), 1280x720, 30 fps, 30 tbr').video!;
  const good: GopReport = {
    keyGapSeconds: 2,
    keyFrames: 5,
    openGops: false,
    longestFrameSeconds: 1 / 30,
    shortestFrameSeconds: 1 / 30,
    framesPerSecond: 30,
    peakBps: 1e6,
    seconds: 10,
  };

  it('passes through 8-bit H.264 with key frames every 2 s, and AAC-LC', () => {
    expect(whyEncodeVideo(h264, good)).toBeUndefined();
    expect(whyEncodeAudio({ index: 1, codec: 'aac', profile: 'LC', layout: '5.1', language: '' })).toBeUndefined();
  });

  it.each([
    ['HEVC', { codec: 'hevc' }, {}],
    ['H.264 High 10', { profile: 'High 10' }, {}],
    ['H.264 in yuv422p', { pixelFormat: 'yuv422p' }, {}],
    ['the pictures are turned', { rotated: true }, {}],
    ['key frames 8.3 s apart', {}, { keyGapSeconds: 8.33 }],
    ['its key frames are no clean starts (open GOPs)', {}, { openGops: true }],
    ['pictures up to 4.0 s apart', {}, { longestFrameSeconds: 4 }],
  ])('encodes other video and says why: %s', (why, video, gop) => {
    expect(whyEncodeVideo({ ...h264, ...video }, { ...good, ...gop })).toBe(why);
  });

  it.each([
    ['AC3 5.1(side)', { codec: 'ac3', profile: '', layout: '5.1(side)' }],
    ['AAC HE-AAC', { codec: 'aac', profile: 'HE-AAC', layout: 'stereo' }],
  ])('encodes other sound and says why: %s', (why, audio) => {
    expect(whyEncodeAudio({ index: 1, language: '', ...audio })).toBe(why);
  });

  it('measures the distance of key frames up to the end of what it saw', () => {
    const meter = new GopMeter(90_000);
    for (const sample of makeVideo({ frames: 100, keyEvery: 30 }).slice(5, 95)) meter.note(sample);
    expect(meter.report()).toMatchObject({ keyGapSeconds: 1, keyFrames: 3, openGops: false });
    expect(meter.sinceKeySeconds()).toBeCloseTo(5 / 30);
    const long = new GopMeter(90_000);
    for (const sample of makeVideo({ frames: 100, keyEvery: 999 })) long.note(sample);
    expect(long.report().keyGapSeconds).toBeCloseTo(100 / 30);
  });

  it('sees pictures that are shown before the key frame they follow', () => {
    const meter = new GopMeter(90_000);
    const samples = makeVideo({ frames: 12, keyEvery: 6, reorder: 6000 });
    samples.forEach((sample, i) => {
      meter.note(i === 7 ? { ...sample, ctsOffset: 0 } : sample);
    });
    expect(meter.report().openGops).toBe(true);
  });

  it.each([
    [29.97, 29.97, '30000/1001'],
    [23.98, 23.98, '24000/1001'],
    [25, 50, '25'],
    [18.26, 30, '30'],
    [17.1, 90_000, '20'],
    [0, 0, '30'],
    [240, 240, '60'],
  ])('encodes %d fps (base rate %d) at %s', (framesPerSecond, baseRate, text) => {
    expect(chooseFrameRate({ framesPerSecond, baseRate }).text).toBe(text);
  });

  it('leaves out rungs above the source, and keeps one', () => {
    expect(chooseRungs(480, [720, 480, 360])).toEqual({ heights: [480, 360], leftOut: [720] });
    expect(chooseRungs(181, [720])).toEqual({ heights: [180], leftOut: [720] });
    expect(chooseRungs(2160, [])).toEqual({ heights: [1080], leftOut: [] });
  });
});

describe('options', () => {
  it.each([
    ['testsrc', { kind: 'testsrc', width: 1280, height: 720 }],
    ['testsrc=640x360', { kind: 'testsrc', width: 640, height: 360 }],
    ['-', { kind: 'stdin' }],
    ['rtmp://127.0.0.1/live/show', { kind: 'rtmp', host: '127.0.0.1', port: 1935, app: 'live', key: 'show' }],
    ['rtmp://[::1]:9000/a/b', { kind: 'rtmp', host: '[::1]', port: 9000, app: 'a', key: 'b' }],
    ['https://x.example/a/b.m3u8?token=1', { kind: 'hls', url: 'https://x.example/a/b.m3u8?token=1' }],
    ['my film.mp4', { kind: 'file', path: 'my film.mp4' }],
    ['C:\\films\\a.mp4', { kind: 'file', path: 'C:\\films\\a.mp4' }],
  ])('reads %s', (text, value) => {
    expect(parseInput(text)).toEqual({ ok: true, value });
  });

  it.each([
    ['', /empty/],
    ['testsrc=641x360', /both even/],
    ['testsrc=big', /WIDTHxHEIGHT/],
    ['rtmp://127.0.0.1:99999/live/show', /rtmp:\/\/HOST:PORT\/APP\/KEY/],
    ['rtmp://127.0.0.1/live', /APP\/KEY/],
    ['http://x.example/film.mp4', /\.m3u8/],
    ['srt://x.example:9000', /srt:\/\/ is not supported/],
  ])('refuses %s and says what would be right', (text, why) => {
    const answer = parseInput(text);
    expect(answer.ok).toBe(false);
    if (!answer.ok) expect(answer.error).toMatch(why);
  });

  it('sorts a ladder and names what is no rung', () => {
    expect(parseLadder(['360p', '720p', '360p'])).toEqual({ ok: true, value: [720, 360] });
    expect(checkMediaOptions({ input: 'testsrc', ladder: ['721p'] })).toMatch(/'721p' is no rung; there are 144p/);
  });

  it('refuses lengths that make no stream', () => {
    expect(checkMediaOptions({ input: 'testsrc', partMs: 20 })).toMatch(/parts of 20 ms/);
    expect(checkMediaOptions({ input: 'testsrc', partMs: 500, segmentMs: 400 })).toMatch(/segments of 400 ms/);
    expect(checkMediaOptions({ input: 'a.mp4', testSize: '640x360' })).toMatch(/test pattern/);
    expect(checkMediaOptions({ input: 'testsrc', partMs: 300, segmentMs: 2000 })).toBeUndefined();
  });
});
