import type { FragmentLoaderContext, HlsConfig, Loader, LoaderContext, LoaderStats } from 'hls.js';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Sought } from '../../hls/live-source.ts';
import { playerConfig, startPosition } from '../../web-player/loader/player-config.ts';
import { createSwarmLoader, type MeasuredLiveSource, SWARM_URL } from '../../web-player/loader/swarm-loader.ts';
import { MadeLive } from './made-live.ts';
import { AUDIO, makeDescription, makeRecord, VIDEO } from './made-stream.ts';

interface Outcome {
  readonly kind: 'success' | 'error' | 'timeout' | 'abort';
  readonly data?: unknown;
  readonly code?: number;
  readonly stats: LoaderStats;
}

/** Asks as hls.js does; `outcomes` fills as the callbacks are called. */
function ask(live: MeasuredLiveSource, path: string, options = {}, Made = createSwarmLoader(live, options)) {
  const loader: Loader<LoaderContext> = new Made({} as HlsConfig);
  const outcomes: Outcome[] = [];
  const context = {
    url: new URL(path, SWARM_URL).href,
    responseType: '',
    type: 'level',
  } as unknown as FragmentLoaderContext;
  const loadPolicy = { maxTimeToFirstByteMs: 1, maxLoadTimeMs: 1, timeoutRetry: null, errorRetry: null };
  loader.load(
    context,
    { loadPolicy, timeout: 1, maxRetry: 0, retryDelay: 0, maxRetryDelay: 0 },
    {
      onSuccess: (response, stats) =>
        outcomes.push({ kind: 'success', data: response.data, code: response.code ?? 0, stats }),
      onError: (error, _context, _details, stats) => outcomes.push({ kind: 'error', code: error.code, stats }),
      onTimeout: (stats) => outcomes.push({ kind: 'timeout', stats }),
      onAbort: (stats) => outcomes.push({ kind: 'abort', stats }),
    },
  );
  return { loader, outcomes };
}

const settled = () => Promise.resolve().then(() => {});

function filled(parts: number): MadeLive {
  const live = new MadeLive(makeDescription());
  for (let part = 0; part < parts; part++) live.add(makeRecord(part));
  return live;
}

afterEach(() => {
  vi.useRealTimers();
});

describe('the loader for hls.js', () => {
  it('answers playlists as text, after the call has returned', async () => {
    const { outcomes } = ask(filled(6), 'master.m3u8');
    expect(outcomes).toEqual([]);
    await settled();
    expect(outcomes).toMatchObject([
      { kind: 'success', code: 200, data: expect.stringContaining('#EXT-X-STREAM-INF') },
    ]);
  });

  it('joins the blocks of a part, and those of all parts of a segment, into a buffer of its own', async () => {
    const live = filled(6);
    const kept = Uint8Array.of(7, 8);
    live.add(makeRecord(6), [kept, Uint8Array.of(9)]);
    const part = ask(live, '1/part-6.m4s');
    const segment = ask(live, '1/segment-0.m4s');
    const init = ask(live, '1/init-0.mp4');
    await settled();
    const bytesOf = (outcomes: Outcome[]) => [...new Uint8Array(outcomes[0]?.data as ArrayBuffer)];
    expect(bytesOf(part.outcomes)).toEqual([7, 8, 9]);
    expect(bytesOf(segment.outcomes)).toEqual([1, 0, 1, 1, 1, 2, 1, 3]);
    expect(bytesOf(init.outcomes)).toEqual([1, 1, 1]);
    expect(part.outcomes[0]?.data).not.toBe(kept.buffer);
  });

  it('waits for what is not there yet, longer than hls.js would, and asks the source to fetch the track', async () => {
    const live = filled(6);
    const { outcomes } = ask(live, '1/media.m3u8?_HLS_msn=1&_HLS_part=2');
    await settled();
    expect([outcomes, live.listenerCount, live.wanted]).toEqual([[], 1, [VIDEO]]);
    live.add(makeRecord(6));
    expect(outcomes).toMatchObject([{ kind: 'success', data: expect.stringContaining('part-6.m4s"') }]);
    // Only media tells that the player has come to the track.
    ask(live, '1/init-0.mp4');
    await settled();
    expect(live.played).toEqual([]);
    ask(live, '1/part-6.m4s');
    await settled();
    expect(live.played).toEqual([VIDEO]);
    expect(live.listenerCount).toBe(0);
  });

  it('gives a playlist that stands on a gap where a player begins, and none to one that changes to another rendition', async () => {
    const twin = 7;
    const { tracks } = makeDescription();
    const live = new MadeLive(makeDescription({ tracks: [...tracks, { ...tracks[0]!, id: twin }] }));
    const Loader = createSwarmLoader(live, { startEarlyMs: 500 });
    const get = (path: string) => ask(live, path, {}, Loader).outcomes;
    for (const part of [4, 5]) live.add(makeRecord(part));
    const begun = get('1/media.m3u8');
    const media = get('1/part-4.m4s');
    await settled();
    expect([begun[0]?.data, media[0]?.kind]).toEqual([expect.stringContaining('EXT-X-GAP'), 'success']);
    for (const part of [4, 5]) live.add(makeRecord(part, { track: twin }));
    const [again, other] = [get('1/media.m3u8'), get('7/media.m3u8')];
    await settled();
    expect([again[0]?.data, other]).toEqual([expect.stringContaining('EXT-X-GAP'), []]);
    for (const part of [6, 7, 8]) live.add(makeRecord(part, { track: twin }));
    expect(other[0]?.data).toEqual(expect.stringContaining('segment-1.m4s'));
    expect(other[0]?.data).not.toContain('GAP');
  });

  it('gives the first part of a rendition to a player that is led to it, behind a gap that ends before the one left does', async () => {
    const twin = 7;
    const { tracks } = makeDescription();
    const live = new MadeLive(makeDescription({ tracks: [...tracks, { ...tracks[0]!, id: twin }] }));
    const Loader = createSwarmLoader(Object.assign(live, { leadsTo: (track: number) => track === twin }), {
      startEarlyMs: 500,
    });
    for (const part of [4, 5, 6, 7]) live.add(makeRecord(part));
    ask(live, '1/part-7.m4s', {}, Loader);
    const { outcomes } = ask(live, '7/media.m3u8', {}, Loader);
    await settled();
    expect(outcomes).toEqual([]);
    live.add(makeRecord(8, { track: twin }));
    expect(String(outcomes[0]?.data).split('\n').slice(6, -1)).toEqual([
      '#EXT-X-PROGRAM-DATE-TIME:2024-02-29T12:00:01.900Z',
      '#EXT-X-PART:DURATION=0.098,URI="part-7.m4s",GAP=YES',
      '#EXT-X-GAP',
      '#EXTINF:0.098,',
      'segment-1.m4s',
      '#EXT-X-MAP:URI="init-0.mp4"',
      '#EXT-X-PROGRAM-DATE-TIME:2024-02-29T12:00:02.000Z',
      '#EXT-X-PART:DURATION=0.25,URI="part-8.m4s",INDEPENDENT=YES',
      '#EXT-X-PRELOAD-HINT:TYPE=PART,URI="part-9.m4s"',
      '#EXT-X-RENDITION-REPORT:URI="../1/media.m3u8",LAST-MSN=1,LAST-PART=3',
    ]);
  });

  it('gives up waiting in the end, so that hls.js can ask again', async () => {
    vi.useFakeTimers();
    const live = filled(6);
    const { outcomes } = ask(live, '1/media.m3u8?_HLS_msn=2');
    await vi.advanceTimersByTimeAsync(19_000);
    expect(outcomes).toEqual([]);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(outcomes).toMatchObject([{ kind: 'timeout' }]);
    expect(live.listenerCount).toBe(0);
    live.add(makeRecord(6));
    expect(outcomes.length).toBe(1);
  });

  it('calls nothing after abort but onAbort, and nothing at all after destroy', async () => {
    const live = filled(6);
    const aborted = ask(live, '1/media.m3u8?_HLS_msn=2');
    const early = ask(live, 'master.m3u8');
    const destroyed = ask(live, '1/media.m3u8?_HLS_msn=2');
    early.loader.destroy();
    await settled();
    aborted.loader.abort();
    destroyed.loader.destroy();
    for (let part = 6; part < 16; part++) live.add(makeRecord(part));
    expect(aborted.outcomes).toMatchObject([{ kind: 'abort', stats: { aborted: true } }]);
    expect([early.outcomes, destroyed.outcomes]).toEqual([[], []]);
    expect(live.listenerCount).toBe(0);
  });

  it('does not count a finished request as aborted when hls.js cleans up after it', async () => {
    const { loader, outcomes } = ask(filled(6), 'master.m3u8');
    await settled();
    loader.destroy();
    expect(outcomes[0]?.stats.aborted).toBe(false);
  });

  it('reports what cannot be had as an error with its code', async () => {
    const live = filled(6);
    live.forget(VIDEO, 2);
    const statuses = [];
    for (const path of ['1/part-2.m4s', '1/segment-0.m4s', '1/part-99.m4s', '1/media.m3u8?_HLS_msn=99', 'x']) {
      const { outcomes } = ask(live, path);
      await settled();
      statuses.push([path, outcomes[0]?.kind, outcomes[0]?.code]);
    }
    expect(statuses).toEqual([
      ['1/part-2.m4s', 'error', 404],
      ['1/segment-0.m4s', 'error', 404],
      ['1/part-99.m4s', 'error', 404],
      ['1/media.m3u8?_HLS_msn=99', 'error', 400],
      ['x', 'error', 404],
    ]);
  });

  it('waits for what is over while that is fetched, and says which errors hls.js is to try again', async () => {
    const live = filled(6);
    live.forget(VIDEO, 1);
    live.forget(VIDEO, 2);
    let sought: Sought = 'coming';
    const seeks = Object.assign(live, { seek: (): Sought => sought });
    const asked = [1, 1, 2].map((part) => ask(seeks, `1/part-${part}.m4s`).outcomes);
    await settled();
    expect(asked).toEqual([[], [], []]);
    live.add(makeRecord(1));
    expect(asked.slice(0, 2)).toMatchObject([[{ kind: 'success' }], [{ kind: 'success' }]]);
    sought = 'failed';
    live.changed();
    expect(asked[2]).toMatchObject([{ kind: 'error', code: 503 }]);
    sought = 'gone';
    const { outcomes } = ask(seeks, '1/part-2.m4s');
    await settled();
    expect(outcomes).toMatchObject([{ kind: 'error', code: 404 }]);
  });

  it('tells hls.js the time that the bytes were on their way, not the time they were waited for', async () => {
    const live: MeasuredLiveSource = Object.assign(filled(6), {
      transferMs: (_track: number, part: number) => part * 10,
    });
    const { outcomes } = ask(live, '1/part-5.m4s');
    await settled();
    const { loading, loaded, total } = outcomes[0]!.stats;
    expect(loading.end - loading.start).toBeCloseTo(50);
    expect(loading.first - loading.start).toBe(0);
    expect([loaded, total]).toEqual([2, 2]);
  });

  it('gives a playlist before a segment is complete, with a gap and a part before it for players that insist', async () => {
    const live = new MadeLive(makeDescription());
    live.add(makeRecord(40));
    const { outcomes } = ask(live, '1/media.m3u8', { startEarlyMs: 500 });
    await settled();
    expect(outcomes).toEqual([]);
    live.add(makeRecord(41));
    expect(String(outcomes[0]?.data).split('\n').slice(4, 16)).toEqual([
      '#EXT-X-PART-INF:PART-TARGET=0.25',
      '#EXT-X-MEDIA-SEQUENCE:9',
      '#EXT-X-START:TIME-OFFSET=0.150,PRECISE=YES',
      '#EXT-X-PROGRAM-DATE-TIME:2024-02-29T12:00:09.900Z',
      '#EXT-X-PART:DURATION=0.1,URI="part-39.m4s",GAP=YES',
      '#EXT-X-GAP',
      '#EXTINF:0.1,',
      'segment-9.m4s',
      '#EXT-X-MAP:URI="init-0.mp4"',
      '#EXT-X-PROGRAM-DATE-TIME:2024-02-29T12:00:10.000Z',
      '#EXT-X-PART:DURATION=0.25,URI="part-40.m4s",INDEPENDENT=YES',
      '#EXT-X-PART:DURATION=0.25,URI="part-41.m4s"',
    ]);
  });

  it('never does so for the very first segment, which has none before it', async () => {
    const { outcomes } = ask(filled(3), '1/media.m3u8', { startEarlyMs: 500 });
    await settled();
    expect(outcomes).toEqual([]);
  });
});

describe('where hls.js starts', () => {
  it('is the newest independent part with enough behind it, seen from the start of the playlist', () => {
    const live = filled(22);
    // Five segments are complete, part 20 is independent and has 500 ms: 5 s, and 50 ms into it.
    expect(startPosition(live.window)).toBeCloseTo(5.05);
    expect(startPosition(live.window, 1_000)).toBeCloseTo(4.05);
    expect(playerConfig(live.window).startPosition).toBeCloseTo(5.05);
  });

  it('is where the first playlist says, whatever of the past that lists before what has come', async () => {
    const live = new MadeLive(makeDescription());
    expect(playerConfig(live.window).startPosition).toBe(-1);
    live.window.setReach(0);
    const { outcomes } = ask(live, '1/media.m3u8', { startEarlyMs: 500 });
    live.add(makeRecord(40));
    await settled();
    // The past is no reason to begin before there is enough of what is live.
    expect(outcomes).toEqual([]);
    live.add(makeRecord(41));
    const playlist = String(outcomes[0]?.data);
    expect(playlist).toContain('#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-START:TIME-OFFSET=10.050,PRECISE=YES\n');
    expect(playlist).not.toContain('GAP');
  });

  it('is behind the gap that stands before a segment not yet complete, also when nothing has come', () => {
    const live = new MadeLive(makeDescription());
    expect(startPosition(live.window)).toBeCloseTo(0.15);
    live.add(makeRecord(40, { track: AUDIO }));
    live.add(makeRecord(40));
    expect(startPosition(live.window)).toBeCloseTo(0.15);
  });
});
