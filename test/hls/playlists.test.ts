import { describe, expect, it } from 'vitest';
import { answer, type Query } from '../../hls/answer.ts';
import { LiveWindow } from '../../hls/live-window.ts';
import { masterPlaylist, mediaPlaylist } from '../../hls/playlists.ts';
import { isoTime, quoted, secondsText } from '../../hls/text.ts';
import { AUDIO, audioTrack, BEGAN_AT_MS, makeDescription, makeRecord, VIDEO, videoTrack } from './made-stream.ts';

function filled(parts: number, options = {}): LiveWindow {
  const window = new LiveWindow(options);
  window.setDescription(makeDescription());
  for (let part = 0; part < parts; part++) window.addRecord(makeRecord(part));
  return window;
}

function media(window: LiveWindow, track = VIDEO, skip = false): string[] {
  return (mediaPlaylist(window, track, skip) ?? '').trimEnd().split('\n');
}

function linesOf(window: LiveWindow, tag: string): string[] {
  return media(window).filter((line) => line.startsWith(`#EXT-X-${tag}`));
}

describe('a media playlist', () => {
  it('lists segments, the parts of the newest ones, what comes next and how far the other tracks are', () => {
    const window = filled(6);
    for (let part = 0; part < 4; part++) window.addRecord(makeRecord(part, { track: AUDIO }));
    expect(media(window)).toEqual([
      '#EXTM3U',
      '#EXT-X-VERSION:9',
      '#EXT-X-TARGETDURATION:1',
      '#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL=6,PART-HOLD-BACK=0.75,HOLD-BACK=3',
      '#EXT-X-PART-INF:PART-TARGET=0.25',
      '#EXT-X-MEDIA-SEQUENCE:0',
      '#EXT-X-MAP:URI="init-0.mp4"',
      '#EXT-X-PROGRAM-DATE-TIME:2024-02-29T12:00:00.000Z',
      '#EXT-X-PART:DURATION=0.25,URI="part-0.m4s",INDEPENDENT=YES',
      '#EXT-X-PART:DURATION=0.25,URI="part-1.m4s"',
      '#EXT-X-PART:DURATION=0.25,URI="part-2.m4s"',
      '#EXT-X-PART:DURATION=0.25,URI="part-3.m4s"',
      '#EXTINF:1,',
      'segment-0.m4s',
      '#EXT-X-PROGRAM-DATE-TIME:2024-02-29T12:00:01.000Z',
      '#EXT-X-PART:DURATION=0.25,URI="part-4.m4s",INDEPENDENT=YES',
      '#EXT-X-PART:DURATION=0.25,URI="part-5.m4s"',
      '#EXT-X-PRELOAD-HINT:TYPE=PART,URI="part-6.m4s"',
      '#EXT-X-RENDITION-REPORT:URI="../2/media.m3u8",LAST-MSN=0,LAST-PART=3',
    ]);
  });

  it('lists parts only of segments within three target durations of the edge', () => {
    const window = filled(42);
    const listed = linesOf(window, 'PART:').map((line) => Number(/part-(\d+)/.exec(line)?.[1]));
    // The edge is at part 42; segment 7 ends at part 32, more than three seconds before it are segments up to 6 alone.
    expect(listed[0]).toBe(28);
    expect(listed.length).toBe(14);
  });

  it('leaves out segments beyond CAN-SKIP-UNTIL in a delta update, and says how many', () => {
    const window = filled(42);
    const whole = media(window);
    const delta = media(window, VIDEO, true);
    // Ten segments are complete; the playlist ends half a second into the eleventh, so segments up to 3 end more than 6 s before.
    expect(delta.filter((line) => line.startsWith('#EXT-X-SKIP'))).toEqual(['#EXT-X-SKIP:SKIPPED-SEGMENTS=4']);
    expect(delta.filter((line) => line.startsWith('segment-'))).toEqual(
      whole.filter((line) => line.startsWith('segment-')).slice(4),
    );
    expect(delta.filter((line) => line.startsWith('#EXT-X-MEDIA-SEQUENCE'))).toEqual(['#EXT-X-MEDIA-SEQUENCE:0']);
    expect(delta.filter((line) => line.startsWith('#EXT-X-PART:'))).toEqual(linesOf(window, 'PART:'));
  });

  it('gives the whole playlist for a delta update when there is nothing to leave out', () => {
    const window = filled(20);
    expect(media(window, VIDEO, true)).toEqual(media(window));
  });

  it('keeps DISCONTINUITY-SEQUENCE right as a discontinuity slides out', () => {
    const window = filled(0, { windowMs: 2_000 });
    const seen: string[][] = [];
    for (let part = 0; part < 25; part++) {
      window.addRecord(makeRecord(part, { discontinuity: part === 8 }));
      if (part % 4 === 0 && part >= 8) {
        seen.push(media(window).filter((line) => /MEDIA-SEQUENCE|DISCONTINUITY|segment-/.test(line)));
      }
    }
    expect(seen).toEqual([
      ['#EXT-X-MEDIA-SEQUENCE:0', 'segment-0.m4s', 'segment-1.m4s', '#EXT-X-DISCONTINUITY'],
      ['#EXT-X-MEDIA-SEQUENCE:1', 'segment-1.m4s', '#EXT-X-DISCONTINUITY', 'segment-2.m4s'],
      ['#EXT-X-MEDIA-SEQUENCE:2', '#EXT-X-DISCONTINUITY', 'segment-2.m4s', 'segment-3.m4s'],
      ['#EXT-X-MEDIA-SEQUENCE:3', '#EXT-X-DISCONTINUITY-SEQUENCE:1', 'segment-3.m4s', 'segment-4.m4s'],
      ['#EXT-X-MEDIA-SEQUENCE:4', '#EXT-X-DISCONTINUITY-SEQUENCE:1', 'segment-4.m4s', 'segment-5.m4s'],
    ]);
  });

  it('names the new header where it begins, with a discontinuity', () => {
    const window = filled(4);
    window.setDescription(
      makeDescription({ revision: 3, tracks: [{ ...videoTrack, init: Uint8Array.of(7) }, audioTrack] }),
    );
    for (let part = 4; part < 9; part++) window.addRecord(makeRecord(part, { revision: 3 }));
    const order = media(window).filter((line) => /MAP|DISCONTINUITY|segment-/.test(line));
    expect(order).toEqual([
      '#EXT-X-MAP:URI="init-0.mp4"',
      'segment-0.m4s',
      '#EXT-X-DISCONTINUITY',
      '#EXT-X-MAP:URI="init-3.mp4"',
      'segment-1.m4s',
    ]);
  });

  it('marks holes as GAP parts, and a segment of nothing else as EXT-X-GAP', () => {
    const window = filled(2);
    for (let part = 8; part < 13; part++) window.addRecord(makeRecord(part));
    window.giveUp(8);
    expect(media(window).slice(8, 24)).toEqual([
      '#EXT-X-PART:DURATION=0.25,URI="part-0.m4s",INDEPENDENT=YES',
      '#EXT-X-PART:DURATION=0.25,URI="part-1.m4s"',
      '#EXT-X-PART:DURATION=0.25,URI="part-2.m4s",GAP=YES',
      '#EXT-X-PART:DURATION=0.25,URI="part-3.m4s",GAP=YES',
      '#EXTINF:1,',
      'segment-0.m4s',
      '#EXT-X-PROGRAM-DATE-TIME:2024-02-29T12:00:01.000Z',
      ...[4, 5, 6].map((part) => `#EXT-X-PART:DURATION=0.25,URI="part-${part}.m4s",GAP=YES`),
      '#EXT-X-PART:DURATION=0.248,URI="part-7.m4s",GAP=YES',
      '#EXT-X-GAP',
      '#EXTINF:0.998,',
      'segment-1.m4s',
      '#EXT-X-PROGRAM-DATE-TIME:2024-02-29T12:00:02.000Z',
      '#EXT-X-PART:DURATION=0.25,URI="part-8.m4s",INDEPENDENT=YES',
    ]);
    expect(answer(window, `${VIDEO}/segment-0.m4s`, {})).toEqual({ kind: 'segment', track: VIDEO, parts: [0, 1] });
    expect(answer(window, `${VIDEO}/segment-1.m4s`, {})).toMatchObject({ kind: 'error', status: 404 });
    expect(answer(window, `${VIDEO}/part-5.m4s`, {})).toMatchObject({ kind: 'error', status: 404 });
  });

  it('ends a hole before what a browser has buffered up to there, also where times of day are rounded, so that nobody goes on inside the hole', () => {
    const frameUs = 1_001_000 / 30;
    const partUs = Math.round(frameUs * 8);
    const record = (part: number) =>
      makeRecord(part, {
        timeUs: part * partUs,
        durationUs: partUs,
        capturedAtMs: BEGAN_AT_MS + (part * partUs) / 1_000,
      });
    const window = filled(0);
    for (const part of [0, 1, 2, 3, 16, 17]) window.addRecord(record(part));
    window.giveUp(16);
    // As a player adds them up that has aligned the first segment by its time of day, which may be half a ms late.
    const lines = media(window);
    const sums = lines.flatMap((line) => (line.startsWith('#EXTINF:') ? Number(line.slice(8, -1)) : []));
    const begins = sums.reduce((sum, seconds) => sum + seconds, 0) + 0.000_5;
    expect(sums.length).toBe(4);
    // A browser's buffer ends up to a microsecond early.
    expect(begins).toBeLessThan((16 * partUs - 1) / 1e6);
    expect(begins).toBeGreaterThan((16 * partUs) / 1e6 - 0.01);
  });

  it('ends with ENDLIST and hints at nothing more when the stream is over', () => {
    const window = filled(6);
    window.end();
    expect(media(window).slice(-3)).toEqual(['#EXTINF:0.5,', 'segment-1.m4s', '#EXT-X-ENDLIST']);
    expect(media(window).some((line) => line.startsWith('#EXT-X-PRELOAD-HINT'))).toBe(false);
  });

  it('takes the hold-back it is given, but never less than two parts', () => {
    const window = filled(6);
    expect(mediaPlaylist(window, VIDEO, false, { partHoldBackParts: 5 })).toContain('PART-HOLD-BACK=1.25');
    expect(mediaPlaylist(window, VIDEO, false, { partHoldBackParts: 1 })).toContain('PART-HOLD-BACK=0.5');
  });
});

describe('a master playlist', () => {
  const tracks = [
    { ...videoTrack, id: 0 },
    { ...videoTrack, id: 1, name: '360p', width: 640, height: 360, bandwidthBps: 800_000, frameRate: 29.97 },
    audioTrack,
  ];

  it('lists every video track with the sound as one group', () => {
    expect(masterPlaylist(makeDescription({ tracks }), () => undefined).split('\n')).toEqual([
      '#EXTM3U',
      '#EXT-X-VERSION:9',
      '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="Audio",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="2",URI="2/media.m3u8"',
      '#EXT-X-STREAM-INF:BANDWIDTH=2128000,CODECS="avc1.64001f,mp4a.40.2",RESOLUTION=1280x720,FRAME-RATE=30.000,AUDIO="audio",NAME="720p"',
      '0/media.m3u8',
      '#EXT-X-STREAM-INF:BANDWIDTH=928000,CODECS="avc1.64001f,mp4a.40.2",RESOLUTION=640x360,FRAME-RATE=29.970,AUDIO="audio",NAME="360p"',
      '1/media.m3u8',
      '',
    ]);
  });

  it('lists text as one group of subtitles, by language, shown to nobody who does not ask', () => {
    const text = { ...audioTrack, id: 3, kind: 'text', name: 'English', language: 'eng', channels: 0 } as const;
    const made = { ...text, codecs: 'stpp.ttml.im1t', bandwidthBps: 30_000 };
    const averages = new Map([
      [0, 1_500_000],
      [2, 120_000],
      [3, 5_000],
    ]);
    const description = makeDescription({ tracks: [...tracks, made] });
    const lines = masterPlaylist(description, (track) => averages.get(track)).split('\n');
    // What a variant takes, its text with it.
    expect(lines.join()).toContain('BANDWIDTH=2158000,AVERAGE-BANDWIDTH=1625000,');
    expect(lines).toContain(
      '#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="text",NAME="English",LANGUAGE="eng",DEFAULT=NO,AUTOSELECT=YES,URI="3/media.m3u8"',
    );
    const variants = lines.filter((line) => line.startsWith('#EXT-X-STREAM-INF'));
    expect(variants).toHaveLength(2);
    for (const line of variants) {
      expect(line).toContain('CODECS="avc1.64001f,mp4a.40.2,stpp.ttml.im1t"');
      expect(line).toContain('SUBTITLES="text"');
    }
  });

  it('says the average bandwidth that the window has measured', () => {
    const text = answer(filled(8), 'master.m3u8', {});
    expect(text).toMatchObject({
      kind: 'text',
      body: expect.stringContaining('BANDWIDTH=2128000,AVERAGE-BANDWIDTH=1000000,'),
    });
  });

  it('works for picture alone and for sound alone', () => {
    const picture = masterPlaylist(makeDescription({ tracks: [videoTrack] }), () => undefined);
    expect(picture).not.toContain('AUDIO');
    expect(picture).toContain('BANDWIDTH=2000000,CODECS="avc1.64001f",RESOLUTION=1280x720');
    const sound = masterPlaylist(makeDescription({ tracks: [audioTrack] }), () => undefined);
    expect(sound).toContain('#EXT-X-STREAM-INF:BANDWIDTH=128000,CODECS="mp4a.40.2",NAME="Audio"\n2/media.m3u8');
  });
});

describe('an answer', () => {
  const ask = (window: LiveWindow, query: Query) => {
    const given = answer(window, `${VIDEO}/media.m3u8`, query);
    return given.kind === 'error' ? given.status : given.kind;
  };

  it('blocks a reload until the part asked for is listed', () => {
    const window = filled(6);
    expect(ask(window, { _HLS_msn: '1', _HLS_part: '1' })).toBe('text');
    expect(ask(window, { _HLS_msn: '1', _HLS_part: '2' })).toBe('wait');
    window.addRecord(makeRecord(6));
    expect(ask(window, { _HLS_msn: '1', _HLS_part: '2' })).toBe('text');
  });

  it('takes a part beyond the end of its segment for the first of the next', () => {
    const window = filled(8);
    expect(ask(window, { _HLS_msn: '1', _HLS_part: '4' })).toBe('wait');
    window.addRecord(makeRecord(8));
    expect(ask(window, { _HLS_msn: '1', _HLS_part: '4' })).toBe('text');
  });

  it('blocks a reload without a part until the whole segment is there', () => {
    const window = filled(8);
    expect(ask(window, { _HLS_msn: '1' })).toBe('wait');
    window.addRecord(makeRecord(8));
    expect(ask(window, { _HLS_msn: '1' })).toBe('text');
  });

  it('gives no playlist of a track that is about to be taken again: a player would go back to what it ends with', () => {
    const window = filled(6);
    window.begin(24, VIDEO);
    expect(ask(window, {})).toBe('wait');
    expect(ask(window, { _HLS_msn: '6', _HLS_part: '0' })).toBe('wait');
    window.addRecord(makeRecord(24));
    expect(ask(window, {})).toBe('text');
    expect(ask(window, { _HLS_msn: '6', _HLS_part: '0' })).toBe('text');
  });

  it('refuses a part without a segment, numbers that are none, and what is too far ahead', () => {
    const window = filled(6);
    expect(ask(window, { _HLS_part: '0' })).toBe(400);
    expect(ask(window, { _HLS_msn: 'x' })).toBe(400);
    expect(ask(window, { _HLS_msn: '-1' })).toBe(400);
    expect(ask(window, { _HLS_msn: '3' })).toBe('wait');
    expect(ask(window, { _HLS_msn: '4' })).toBe(400);
  });

  it('waits for the first complete segment, for three target durations, then says 503', () => {
    const given = answer(filled(3), `${VIDEO}/media.m3u8`, {});
    expect(given).toMatchObject({ kind: 'wait', track: VIDEO, waitMs: 3_000, otherwise: { status: 503 } });
    expect(answer(new LiveWindow(), 'master.m3u8', {})).toMatchObject({ kind: 'wait', track: undefined });
  });

  it('gives no one a wait when the stream is over', () => {
    const window = filled(6);
    window.end();
    expect(ask(window, { _HLS_msn: '9', _HLS_part: '0' })).toBe('text');
    expect(answer(window, `${VIDEO}/part-6.m4s`, {})).toMatchObject({ status: 404 });
  });

  it('blocks the hinted part, and no other that is not there', () => {
    const window = filled(6);
    expect(answer(window, `${VIDEO}/part-5.m4s`, {})).toEqual({ kind: 'part', track: VIDEO, part: 5 });
    expect(answer(window, `${VIDEO}/part-6.m4s`, {})).toMatchObject({ kind: 'wait', track: VIDEO });
    expect(answer(window, `${VIDEO}/part-7.m4s`, {})).toMatchObject({ status: 404 });
    window.addRecord(makeRecord(7));
    expect(answer(window, `${VIDEO}/part-7.m4s`, {})).toMatchObject({ kind: 'wait' });
  });

  it('gives headers and complete segments by their numbers', () => {
    const window = filled(6);
    expect(answer(window, `${VIDEO}/init-0.mp4`, {})).toEqual({
      kind: 'init',
      track: VIDEO,
      revision: 0,
      bytes: videoTrack.init,
    });
    expect(answer(window, `${VIDEO}/segment-0.m4s`, {})).toEqual({
      kind: 'segment',
      track: VIDEO,
      parts: [0, 1, 2, 3],
    });
    expect(answer(window, `${VIDEO}/segment-1.m4s`, {})).toMatchObject({ status: 404 });
  });

  it('knows no other paths', () => {
    const window = filled(6);
    const paths = [
      '',
      'x',
      '1',
      '1/',
      '1/media.m3u8/',
      '01/media.m3u8',
      '1/part-1.m4s2',
      '1/part-01.m4s',
      '1/part-.m4s',
      'NaN/media.m3u8',
      '1/init-NaN.mp4',
      '9/media.m3u8',
      '../1/media.m3u8',
      '1/part-99999999999.m4s',
    ];
    for (const path of paths)
      expect([path, answer(window, path, {})]).toMatchObject([path, { kind: 'error', status: 404 }]);
  });
});

describe('texts in playlists', () => {
  it('writes times of any day as ISO 8601', () => {
    const days = [0, 951_782_400_000, 1_709_208_000_000, 4_107_542_399_999, 1_763_774_000_123];
    for (const ms of days) expect(isoTime(ms)).toBe(new Date(ms).toISOString());
  });

  it('writes seconds without rounding loss, and quotes what cannot break out', () => {
    expect([250_000, 1_001_000, 1, 3_000_000].map(secondsText)).toEqual(['0.25', '1.001', '0.000001', '3']);
    expect(quoted('a"b\nc')).toBe('"a\'b c"');
  });
});
