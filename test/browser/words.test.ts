import { describe, expect, it } from 'vitest';
import { bitRate, bytes, host, percent, seconds } from '../../web-player/element/format.ts';
import { messageFor } from '../../web-player/element/message.ts';
import { withoutAddresses } from '../../web-player/element/report.ts';
import { shareLink } from '../../web-player/element/share-link.ts';
import { readAddress } from '../../web-player/page/address.ts';
import { History, SAMPLES_MAX } from '../../web-player/playback/history.ts';
import type { SessionStats } from '../../web-player/playback/session.ts';

const ID = 'A'.repeat(43);

describe("the page's address", () => {
  it('names a stream, a mode and switches; what is left out is hybrid, giving, following, without autoplay', () => {
    expect(readAddress(`?stream=${ID}`)).toEqual({
      stream: ID,
      mode: 'hybrid',
      autoplay: false,
      joinsLate: false,
      gives: true,
      follow: true,
      startAt: null,
      panel: null,
      fallback: null,
    });
    expect(
      readAddress('?mode=native&upload=off&follow=0&autoplay&preload=none&t=1700000000&panel=open&fallback=auto'),
    ).toEqual({
      stream: null,
      mode: 'native',
      autoplay: true,
      joinsLate: true,
      gives: false,
      follow: false,
      startAt: 1_700_000_000,
      panel: 'open',
      fallback: 'auto',
    });
    expect(readAddress('?t=yesterday&panel=wide')).toMatchObject({ startAt: null, panel: null });
  });

  it('is told in words when it is wrong', () => {
    expect(readAddress('?stream=short')).toContain('no stream id');
    expect(readAddress('?mode=fast')).toContain('mode is ins, hybrid or native');
  });
});

describe('numbers', () => {
  it('are written with their units', () => {
    expect([seconds(367.4), seconds(12_340)]).toEqual(['0.37 s', '12.3 s']);
    expect([bytes(12), bytes(45_678), bytes(1_234_567), bytes(2_500_000_000)]).toEqual([
      '12 B',
      '46 kB',
      '1.2 MB',
      '2.50 GB',
    ]);
    expect([bitRate(0), bitRate(512_000), bitRate(3_400_000)]).toEqual(['0', '512 kbit/s', '3.4 Mbit/s']);
    expect([percent(0.666), host('ws://10.0.0.1:7000/x'), host('wss://[::1]:7/')]).toEqual([
      '67 %',
      '10.0.0.1:7000',
      '[::1]:7',
    ]);
  });
});

describe('the last minute', () => {
  it('has rates over the last looks, and no more looks than it can show', () => {
    const history = new History();
    for (let look = 0; look < SAMPLES_MAX + 50; look++) {
      history.add(look * 500, 1_000, 900, { ins: look * 1_000, peers: 0, source: 5_000 });
    }
    expect(history.samples).toHaveLength(SAMPLES_MAX);
    // 1,000 bytes each half second.
    expect(history.samples.at(-1)?.bps).toEqual({ ins: 16_000, peers: 0, source: 0 });
  });
});

describe('what the page says', () => {
  const well = {
    phase: 'playing',
    failure: null,
    sincePressMs: 10_000,
    startupDelayMs: 400,
    frozenForMs: 0,
    stoodForMs: 0,
    playedFrom: 'ins',
    peer: {
      mode: 'hybrid',
      trackerUp: true,
      streamState: 'live',
      streamStateWhy: '',
      refused: null,
      ins: 'ws://ins',
      insServers: 1,
    },
  };
  type Well = typeof well;
  function said(
    change: Partial<Omit<Well, 'peer' | 'startupDelayMs'>> & { startupDelayMs?: number | null },
    peer = {},
  ) {
    const stats = { ...well, ...change, peer: { ...well.peer, ...peer } } as unknown as SessionStats;
    const message = messageFor(stats, true);
    return message && [message.place, message.title, message.text];
  }
  const starting = { phase: 'starting', startupDelayMs: null };
  const frozen = { phase: 'frozen', frozenForMs: 1_000 };

  it('is nothing while all is well, and in the first moments', () => {
    expect(said({})).toBeNull();
    expect(said({ ...starting, sincePressMs: 500 }, { trackerUp: false })).toBeNull();
    expect(said({ phase: 'frozen', frozenForMs: 300 })).toBeNull();
  });

  it('before the first frame, stands in place of the picture', () => {
    const why = { streamState: 'interrupted', streamStateWhy: 'the stream has not begun' };
    expect(said({ ...starting, sincePressMs: 100 }, why)).toEqual([
      'centre',
      'Not on air yet',
      'The stream has not begun. It begins here by itself as soon as the source is there.',
    ]);
    expect(said(starting, { trackerUp: false })?.[1]).toBe('The tracker does not answer');
    expect(said(starting, { trackerUp: false, refused: 'too many members' })?.[2]).toBe(
      'Too many members. Trying again.',
    );
    expect(said(starting, { mode: 'ins', ins: null })?.[1]).toBe('No INS server answers');
    expect(said(starting, { mode: 'ins', ins: null, insServers: 0 })?.[1]).toBe('There is no INS server');
    expect(said(starting, { streamState: 'ended' })?.[1]).toBe('The stream has ended');
    expect(said(starting, { streamState: 'unknown' })?.[1]).toBe('Not on air yet');
    expect(said(starting, { mode: 'native', model: { neighbours: 0 } })?.[1]).toBe('Nobody gives this stream yet');
    expect(said(starting, { mode: 'native', model: { neighbours: 1 } })?.[1]).toBe('One moment');
  });

  it('while the picture goes on, stands beside it; when it stands still, in its place', () => {
    const gone = { ins: null };
    expect(said({}, gone)?.slice(0, 2)).toEqual(['banner', 'The INS server is gone']);
    expect(said({}, { trackerUp: false })?.slice(0, 2)).toEqual(['banner', 'The tracker is out of reach']);
    expect(said(frozen, { streamState: 'interrupted' })?.slice(0, 2)).toEqual(['centre', 'The source is interrupted']);
    expect(said(frozen)?.slice(0, 2)).toEqual(['centre', 'One moment']);
    expect(said(frozen, { streamState: 'ended' })?.slice(0, 2)).toEqual(['centre', 'The stream has ended']);
  });

  it('says why it cannot be played, and lets the viewer try again', () => {
    const failed = { ...well, phase: 'failed', failure: 'the video cannot be played (bufferAppendError)' };
    expect(messageFor(failed as unknown as SessionStats, true)).toMatchObject({
      place: 'centre',
      text: 'The video cannot be played (bufferAppendError).',
      canRetry: true,
    });
  });

  it('says when the picture comes straight from the source, whatever else is gone', () => {
    const straight = ['banner', 'Straight from the source'];
    expect(said({ playedFrom: 'hls' }, { ins: null, trackerUp: false })?.slice(0, 2)).toEqual(straight);
  });

  it('in native mode, says nothing of INS servers', () => {
    expect(said({}, { mode: 'native', ins: null })).toBeNull();
  });

  it('tells a browser without a network that it has none, before anything that follows from it', () => {
    const stats = { ...well, peer: { ...well.peer, trackerUp: false, ins: null } } as unknown as SessionStats;
    expect(messageFor(stats, false)?.title).toBe('You are offline');
  });
});

describe('a report for support', () => {
  it('names nobody: addresses are taken out of whatever words hold them, and times of day are not', () => {
    const words = 'wss://[2001:db8::1]:7000/x refused 10.0.0.1:80 and 2001:db8:0:1:1:1:1:1 at 2026-01-02T03:04:05.678Z';
    expect(withoutAddresses(words)).toBe('(address) refused (address) and (address) at 2026-01-02T03:04:05.678Z');
  });
});

describe('a link that is shared', () => {
  it('names the moment, or none; how the page was come to is not in it', () => {
    const url = 'https://example.org/?stream=x&autoplay=on&t=5';
    expect(shareLink(url, null)).toBe('https://example.org/?stream=x');
    expect(shareLink(url, 1_700_000_000_900)).toBe('https://example.org/?stream=x&t=1700000000');
  });
});
