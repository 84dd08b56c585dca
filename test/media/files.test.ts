import { writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  collect,
  decode,
  expectWellCut,
  ffmpeg,
  h264,
  makeFolder,
  partsAtLeast,
  pictures,
  samplesOf,
  texts,
  tone,
} from './media-tools.ts';

let folder: Awaited<ReturnType<typeof makeFolder>>;

beforeAll(async () => {
  folder = await makeFolder();
});

afterAll(() => folder.drop());

/** Differences between neighbours, each once. */
function steps(times: readonly number[]): number[] {
  return [...new Set(times.slice(1).map((time, i) => time - times[i]!))];
}

describe('the test pattern', () => {
  it('has a key frame at every full second and tracks that decode without a complaint', async () => {
    const made = await collect({ input: 'testsrc=320x180' }, partsAtLeast(17));
    expectWellCut(made);
    const starts = made.parts.filter((part) => part.indexInSegment === 0).map((part) => part.tracks[0]!.timeUs);
    expect(starts).toEqual([0, 1_000_000, 2_000_000, 3_000_000, 4_000_000]);
    expect(made).toMatchObject({ partTargetMs: 278, segmentTargetMs: 1000 });
    expect(made.tracks).toMatchObject([
      { id: 0, kind: 'video', name: '180p', width: 320, height: 180, frameRate: 30 },
      { id: 1, kind: 'audio', codecs: 'mp4a.40.2', name: 'Audio', channels: 2 },
    ]);
    expect(steps(await decode(made.tracks[0]!, made.parts, folder.file('pattern.mp4')))).toEqual([3000]);
    expect(steps(await decode(made.tracks[1]!, made.parts, folder.file('pattern-sound.mp4')))).toEqual([1024]);
  });

  it('continues the numbers of a source that was started again', async () => {
    const numbers = { startPart: 40, startSegment: 10, startTimeUs: 10_000_000 };
    const { parts } = await collect({ input: 'testsrc', testSize: '128x96', ...numbers }, partsAtLeast(2));
    expect(parts[0]).toMatchObject({ part: 40, segment: 10, indexInSegment: 0, discontinuity: true });
    expect(parts[0]!.tracks[0]!.timeUs).toBe(10_000_000);
    expect(parts[1]).toMatchObject({ part: 41, discontinuity: false });
  });

  it('keeps parts and segments to the lengths that are asked for', async () => {
    const made = await collect({ input: 'testsrc=128x96', partMs: 500, segmentMs: 2000 }, partsAtLeast(9));
    expectWellCut(made);
    expect(made.parts.map((part) => part.tracks[0]!.durationUs)).toEqual(made.parts.map(() => 500_000));
    expect(made.parts.map((part) => part.segment)).toEqual([0, 0, 0, 0, 1, 1, 1, 1, 2]);
  });
});

describe('a file', () => {
  it('with B-frames and key frames 1.7 s apart passes through, and plays over its end without a jump', async () => {
    const file = folder.file('reordered.mp4');
    await ffmpeg(`${pictures} ${tone} -t 3.8 ${h264} -bf 2 -g 51 -keyint_min 51 -c:a aac`, file);
    const made = await collect({ input: file }, partsAtLeast(60));
    expect(made.decisions).toEqual(['video passed through', 'audio passed through']);
    expectWellCut(made);
    expect(made.parts.some((part) => part.discontinuity)).toBe(false);
    expect(samplesOf(made.tracks[0]!, made.parts).some((sample) => sample.ctsOffset > 3000)).toBe(true);
    const segments = made.parts.filter((part) => part.indexInSegment === 0).map((part) => part.tracks[0]!.timeUs);
    expect(segments.slice(1, 5).map((us) => Math.round((us - segments[0]!) / 1000))).toEqual([1700, 3400, 3800, 5500]);
    // Over three ends of the file: pictures exactly 1/30 s apart, an unbroken chain of sound, and both start together.
    const shown = await decode(made.tracks[0]!, made.parts, folder.file('looped.mp4'));
    const heard = await decode(made.tracks[1]!, made.parts, folder.file('looped-sound.mp4'));
    const complete = shown.slice(0, -4);
    expect(complete.length).toBeGreaterThan(3 * 114);
    expect(steps(complete)).toEqual([3000]);
    expect(steps(heard)).toEqual([1024]);
    expect(Math.abs(shown[0]! / 90_000 - heard[0]! / 48_000)).toBeLessThan(1024 / 48_000);
  });

  it('of 3 s stays in step with its sound however often it starts again', async () => {
    const file = folder.file('beeps.mp4');
    // A click of noise at the very start: where it is heard shows where each round's sound begins.
    const click = '-f lavfi -i aevalsrc=if(lt(t\\,0.05)\\,random(0)-0.5\\,0):s=44100:d=3.3';
    await ffmpeg(`${pictures} ${click} -t 3 ${h264} -g 30 -c:a aac -b:a 96k`, file);
    const made = await collect({ input: file }, partsAtLeast(12 * 6));
    expectWellCut(made);
    const sound = samplesOf(made.tracks[1]!, made.parts);
    const loud = sound.filter((sample, i) => sample.bytes.length > 100 && (sound[i - 1]?.bytes.length ?? 0) <= 100);
    const rounds = loud.map((sample) => sample.dts / 44_100).map((time, i) => Math.abs(time - i * 3));
    expect(rounds.length).toBeGreaterThanOrEqual(5);
    expect(Math.max(...rounds)).toBeLessThan((1.5 * 1024) / 44_100);
  });

  it('with frames of different length keeps their times', async () => {
    const file = folder.file('variable.mp4');
    const select = 'select=not(mod(n\\,3))+gt(mod(n\\,7)\\,3)';
    await ffmpeg(`${pictures} ${tone} -t 3 -vf ${select} -vsync vfr ${h264} -g 20 -c:a aac`, file);
    const made = await collect({ input: file }, partsAtLeast(11));
    expect(made.decisions).toContain('video passed through');
    expectWellCut(made);
    const shown = await decode(made.tracks[0]!, made.parts, folder.file('variable-out.mp4'));
    const kept = Array.from({ length: 90 }, (_, n) => n).filter((n) => n % 3 === 0 || n % 7 > 3);
    expect(shown).toEqual(kept.slice(0, shown.length).map((n) => n * 3000));
    const longestUs = Math.max(...made.parts.flatMap((part) => part.tracks.map((track) => track.durationUs)));
    expect(longestUs).toBeLessThanOrEqual(made.partTargetMs * 1000);
  });

  it('with subtitles has them as text, each cue in every part that it lasts in, at its time', async () => {
    const [words, file] = [folder.file('words.srt'), folder.file('words.mp4')];
    const cue = (at: number) => `${at}\n00:00:0${at},250 --> 00:00:0${at},750\n<b>Word</b> ${at}\n`;
    await writeFile(words, [0, 1, 2].map(cue).join('\n'));
    const maps = '-map 0:v -map 1:a -map 2:s -metadata:s:s:0 language=fra';
    await ffmpeg(`${pictures} ${tone} -i ${words} ${maps} -t 4 ${h264} -g 30 -c:a aac -c:s mov_text`, file);
    const made = await collect({ input: file }, partsAtLeast(15));
    expect(made.decisions).toEqual(['video passed through', 'audio passed through', 'subtitles: French']);
    expect(made.tracks[2]).toMatchObject({ kind: 'text', codecs: 'stpp.ttml.im1t', name: 'French', language: 'fr' });
    const documents = made.parts.map(({ tracks }) => new TextDecoder().decode(tracks[2]!.bytes));
    const said = documents.map((text) => [...text.matchAll(/Word \d/g)].join());
    const ofSecond = (at: number) => said.slice(4 * at, 4 * at + 4);
    for (const at of [0, 1, 2]) {
      expect(new Set(ofSecond(at))).toEqual(new Set(['', `Word ${at}`]));
      const begins = [...documents.join().matchAll(new RegExp(`begin="00:00:0${at}.(\\d{3})"`, 'g'))];
      expect(begins.length).toBeGreaterThanOrEqual(2);
      for (const [, ms] of begins) expect(Math.abs(Number(ms) - 250)).toBeLessThanOrEqual(30);
    }
    expect(said.slice(12).join('')).toBe('');
  });

  it('with subtitles that cannot be decoded plays over its end without a jump, and without words', async () => {
    const [words, file] = [folder.file('latin.srt'), folder.file('latin.mkv')];
    // No UTF-8: nothing in the file says in what code it is.
    await writeFile(words, Buffer.from('1\n00:00:00,250 --> 00:00:00,750\ngr\u00fcn\n', 'latin1'));
    const maps = '-map 0:v -map 1:a -map 2:s';
    await ffmpeg(`${pictures} ${tone} -i ${words} ${maps} -t 2 ${h264} -g 30 -c:a aac -c:s copy`, file);
    const made = await collect({ input: file }, partsAtLeast(20));
    expect(made.decisions).toContain('subtitles: Subtitles 1');
    expect(texts(made.events, 'interrupted')).toEqual([]);
    expect(made.parts.some(({ discontinuity }) => discontinuity)).toBe(false);
  });

  it('plays however many words come before its first picture', async () => {
    const [words, file] = [folder.file('many.srt'), folder.file('many.mkv')];
    await writeFile(
      words,
      Array.from({ length: 6_000 }, (_, at) => `${at}\n00:00:00,000 --> 00:00:00,500\n${at}\n`).join('\n'),
    );
    const maps = '-map 0:v -map 1:a -map 2:s';
    await ffmpeg(`${pictures} ${tone} -i ${words} ${maps} -t 2 ${h264} -g 30 -c:a aac -c:s copy`, file);
    const made = await collect({ input: file }, partsAtLeast(8));
    expect(texts(made.events, 'failed')).toEqual([]);
    expectWellCut({ ...made, tracks: made.tracks.filter(({ kind }) => kind !== 'text') });
  });

  it('in several languages has a sound of each, all in step, each passed through or not', async () => {
    const file = folder.file('languages.mkv');
    const other = '-f lavfi -i sine=frequency=880:sample_rate=48000';
    const tags = '-metadata:s:a:0 language=eng -metadata:s:a:1 language=deu -metadata:s:a:2 language=deu';
    const maps = `-map 0:v -map 1:a -map 2:a -map 2:a ${tags}`;
    await ffmpeg(`${pictures} ${tone} ${other} ${maps} -t 3 ${h264} -g 30 -c:a:0 aac -c:a:1 ac3 -c:a:2 aac`, file);
    const made = await collect({ input: file }, partsAtLeast(25));
    expect(made.decisions).toEqual([
      'video passed through',
      'audio (English) passed through',
      'audio (German) transcoded: AC3 mono',
      'left out: sound (deu, aac)',
    ]);
    expect(made.tracks.map(({ id, kind, name, language }) => [id, kind, name, language])).toEqual([
      [0, 'video', '180p', ''],
      [1, 'audio', 'English', 'en'],
      [2, 'audio', 'German', 'de'],
    ]);
    expectWellCut(made);
    expect(made.parts.every(({ tracks }) => tracks.length === 3)).toBe(true);
    for (const track of [1, 2])
      expect(steps(await decode(made.tracks[track]!, made.parts, folder.file(`sound-${track}.mp4`)))).toEqual([1024]);
  });

  it('with 5.1 AAC passes through, with other 5.1 sound becomes stereo', async () => {
    const surround = '-f lavfi -i aevalsrc=0.1*sin(2764*t)|0|0|0|0|0:c=5.1:s=48000';
    await ffmpeg(`${pictures} ${surround} -t 2 ${h264} -g 30 -c:a aac`, folder.file('surround.mp4'));
    await ffmpeg(`${pictures} ${surround} -t 2 -c:v mpeg4 -c:a ac3`, folder.file('surround.mkv'));
    const aac = await collect({ input: folder.file('surround.mp4') }, partsAtLeast(12));
    expect(aac.decisions).toEqual(['video passed through', 'audio passed through']);
    expect(aac.tracks[1]).toMatchObject({ channels: 6, codecs: 'mp4a.40.2' });
    expectWellCut(aac);
    await decode(aac.tracks[1]!, aac.parts, folder.file('surround-out.mp4'));
    const ac3 = await collect({ input: folder.file('surround.mkv') }, partsAtLeast(12));
    expect(ac3.decisions).toEqual(['video transcoded: MPEG-4 part 2', 'audio transcoded: AC3 5.1(side)']);
    expect(ac3.tracks[1]).toMatchObject({ channels: 2, codecs: 'mp4a.40.2' });
    expectWellCut(ac3);
    expect(steps(await decode(ac3.tracks[0]!, ac3.parts, folder.file('ac3-out.mp4')))).toEqual([3000]);
    await decode(ac3.tracks[1]!, ac3.parts, folder.file('ac3-sound.mp4'));
  });

  it('with sound shorter than its pictures is silent, not broken, to its end', async () => {
    const file = folder.file('short-sound.mp4');
    await ffmpeg(`${pictures} ${tone}:duration=1 -t 2.5 ${h264} -g 30 -c:a aac`, file);
    const made = await collect({ input: file }, partsAtLeast(25));
    expectWellCut(made);
    expect(made.parts.every((part) => part.tracks.length === 2)).toBe(true);
    expect(steps(await decode(made.tracks[1]!, made.parts, folder.file('short-sound-out.mp4')))).toEqual([1024]);
  });

  it('with key frames too far apart is transcoded, and the source says how far', async () => {
    const file = folder.file('rare-keys.mp4');
    await ffmpeg(`${pictures} -t 5 ${h264} -g 120`, file);
    const made = await collect({ input: file }, partsAtLeast(12));
    expect(made.decisions).toEqual(['video transcoded: key frames 4.0 s apart', 'no audio']);
    expectWellCut(made);
    expect(made.parts.map((part) => part.segment)).toEqual([0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2]);
  });

  it('whose key frames stop coming after half a minute goes on transcoded from there', async () => {
    const file = folder.file('stretching.mp4');
    const small = '-f lavfi -i testsrc2=size=64x64:rate=10';
    await ffmpeg(`${small} -t 44 ${h264} -g 9999 -force_key_frames expr:lt(t,33)*gte(t,n_forced)`, file);
    const made = await collect({ input: file }, (events) => {
      return (
        events.some((event) => event.kind === 'tracks' && event.decisions[0]!.includes('transcoded')) &&
        partsAtLeast(160)(events)
      );
    });
    expect(made.decisions[0]).toBe('video passed through');
    expect(texts(made.events, 'notice')).toEqual([
      'key frames more than 2.5 s apart: video is transcoded from here on',
    ]);
    const broken = made.parts.filter((part) => part.discontinuity);
    expect(broken).toHaveLength(1);
    expectWellCut({ parts: made.parts.filter((part) => part.part < broken[0]!.part), tracks: made.tracks });
    expect(texts(made.events, 'interrupted')).toEqual([]);
    const targets = made.events.flatMap((event) => (event.kind === 'tracks' ? [event.segmentTargetMs] : []));
    expect(Math.max(...targets)).toBeLessThanOrEqual(4000);
  });

  it('is transcoded when that is asked for', async () => {
    const file = folder.file('plain.mp4');
    await ffmpeg(`${pictures} ${tone} -t 2 ${h264} -g 30 -c:a aac`, file);
    const made = await collect({ input: file, transcode: true }, partsAtLeast(9));
    expect(made.decisions).toEqual(['video transcoded: asked for', 'audio transcoded: asked for']);
    expectWellCut(made);
  });

  it('without pictures plays as sound alone', async () => {
    const file = folder.file('sound.mp3');
    await ffmpeg(`${tone} -t 2 -c:a libmp3lame`, file);
    const made = await collect({ input: file }, partsAtLeast(16));
    expect(made.decisions).toEqual(['no video', 'audio transcoded: MP3 mono']);
    expectWellCut(made);
    expect(made.parts.every((part) => part.independent)).toBe(true);
    expect(steps(await decode(made.tracks[0]!, made.parts, folder.file('sound-out.mp4')))).toEqual([1024]);
  });

  it('with sounds alone takes the first, for players take several for renditions of one', async () => {
    const file = folder.file('sounds.mkv');
    const tags = '-metadata:s:a:0 language=eng -metadata:s:a:1 language=deu';
    await ffmpeg(`${tone} -map 0:a -map 0:a ${tags} -t 2 -c:a aac`, file);
    const made = await collect({ input: file }, partsAtLeast(6));
    expect(made.decisions).toEqual(['no video', 'audio passed through', 'left out: sound (deu, aac)']);
    expect(made.tracks.map(({ name, language }) => [name, language])).toEqual([['Audio', 'en']]);
  });

  it('becomes a ladder of renditions that share their borders and never enlarge the pictures', async () => {
    const file = folder.file('wide.mp4');
    await ffmpeg(`-f lavfi -i testsrc2=size=642x360:rate=25 ${tone} -t 2 ${h264} -bf 2 -g 250 -c:a aac`, file);
    const made = await collect({ input: file, ladder: ['144p', '720p', '360p', '240p'] }, partsAtLeast(9));
    expect(made.tracks.map((track) => track.name)).toEqual(['360p', '240p', '144p', 'Audio']);
    expect(made.tracks.slice(0, 3).map((track) => [track.width, track.height])).toEqual([
      [642, 360],
      [428, 240],
      [256, 144],
    ]);
    expect(made.decisions).toContain('720p left out of the ladder: the input has only 360 lines');
    expectWellCut(made);
    for (const part of made.parts) {
      const borders = part.tracks.slice(0, 3).map((track) => [track.timeUs, track.durationUs]);
      expect(borders).toEqual([borders[0], borders[0], borders[0]]);
    }
    for (const track of made.tracks.slice(0, 3)) {
      expect(steps(await decode(track, made.parts, folder.file(`${track.name}.mp4`)))).toEqual([3600]);
      for (const part of made.parts) expect(samplesOf(track, [part])[0]!.key).toBe(part.independent);
    }
  });

  it('that is not there, or no media, fails at once and says so', async () => {
    const text = folder.file('text.mp4');
    await writeFile(text, 'this is no film\n'.repeat(100));
    const missing = await collect({ input: folder.file('missing.mp4') }, () => false);
    const wrong = await collect({ input: text }, () => false);
    expect(missing.events.map((event) => event.kind)).toEqual(['failed']);
    expect(texts(missing.events, 'failed')[0]).toMatch(/missing\.mp4: there is no such file/);
    expect(texts(wrong.events, 'failed')[0]).toMatch(/text\.mp4: moov atom not found/);
  });
});
