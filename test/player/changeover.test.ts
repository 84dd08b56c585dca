import type Hls from 'hls.js';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { BrowserPeer } from '../../peer/browser/browser-peer.ts';
import { Changeover } from '../../web-player/playback/changeover.ts';
import type { Changer } from '../../web-player/playback/changers.ts';

const URL_FOUND = 'https://source.example/live.m3u8';
const LIST = [{ id: 'a', hlsUrl: URL_FOUND }];
const DRY = { bufferMs: 0, started: true, paused: false };

type Answer = () => Promise<Response>;
const lists: Answer = () => Promise.resolve(Response.json(LIST));
const hasNone: Answer = () => Promise.resolve(Response.json([]));
const fails: Answer = () => Promise.reject(new TypeError('Failed to fetch'));

/** One whose tracker answers so, in turn, and whose swarm is silent. */
function make(...answers: Answer[]) {
  const asked = vi.fn(() => (answers.length > 1 ? answers.shift()! : answers[0]!)());
  vi.stubGlobal('fetch', asked);
  const peer = { stats: () => ({ streamState: 'live', usefulBytes: 0 }) } as unknown as BrowserPeer;
  const prepared: string[] = [];
  const changer = {
    prepare: (_: unknown, url: string) => {
      prepared.push(url);
      return Promise.resolve({} as Hls);
    },
    play: () => undefined,
  } as unknown as Changer;
  const options = { tracker: 'wss://tracker.example/', stream: 'a', fallback: 'auto' };
  const events = { play: (_: Hls, change: () => void) => change(), failed: () => undefined };
  return { changeover: new Changeover(options, peer, changer, events), asked, prepared };
}

describe('the address of plain HLS', () => {
  let nowMs = 0;
  const looks = async (changeover: Changeover, ms: number): Promise<void> => {
    for (const untilMs = nowMs + ms; nowMs < untilMs; nowMs += 250) {
      changeover.look(DRY);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };

  // From before the first question: it is dated too, and the process may be older than all looks take.
  beforeEach(() => {
    vi.spyOn(performance, 'now').mockImplementation(() => nowMs);
  });

  afterEach(() => {
    vi.unstubAllGlobals();
    vi.restoreAllMocks();
  });

  it('is asked for again while it is wanted where the tracker did not answer', async () => {
    const { changeover, asked, prepared } = make(fails, fails, lists);
    await changeover.find();
    await looks(changeover, 20_000);
    expect([asked.mock.calls.length, prepared, changeover.playedOut]).toEqual([3, [URL_FOUND], 'hls']);
  });

  it('is not asked for again by itself where there is none', async () => {
    const { changeover, asked } = make(hasNone);
    await changeover.find();
    await looks(changeover, 20_000);
    expect(asked).toHaveBeenCalledTimes(1);
  });

  it('once found stays, whatever comes of a question that was under way', async () => {
    let fail = (): void => undefined;
    const late: Answer = () =>
      new Promise((_, reject) => {
        fail = () => reject(new TypeError('Failed to fetch'));
      });
    const { changeover, prepared } = make(late, lists);
    const first = changeover.find();
    await changeover.find();
    fail();
    await first;
    await looks(changeover, 5_000);
    expect(prepared).toEqual([URL_FOUND]);
  });
});
