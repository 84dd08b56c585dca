import { afterEach, describe, expect, it, vi } from 'vitest';
import { LiveParts } from '../../hls/live-parts.ts';
import { Player } from '../../machine/player.ts';
import { Prng } from '../../machine/prng.ts';
import { Arrivals } from '../../peer/browser/arrivals.ts';
import { Listeners } from '../../peer/browser/listeners.ts';
import { onScreen } from '../../peer/browser/on-screen.ts';
import type { PeerOutput } from '../../peer/core/io.ts';
import { neighbourMesh } from '../../peer/core/neighbour-mesh.ts';
import { PeerCore } from '../../peer/core/peer.ts';
import { Playhead } from '../../peer/core/playhead.ts';
import { Selection } from '../../peer/core/selection.ts';
import type { Description } from '../../protocol/media.ts';
import { AUDIO, makeDescription, makeRecord, VIDEO } from '../hls/made-stream.ts';

describe('the tracks that are taken', () => {
  const track = (id: number, kind: 'video' | 'audio') => ({ ...makeDescription().tracks[0]!, id, kind });
  const ladder = (): Description => ({
    ...makeDescription(),
    tracks: [track(0, 'video'), track(1, 'video'), track(2, 'audio')],
  });

  it('are all where there is one picture and one sound', () => {
    const told: unknown[] = [];
    const selection = new Selection((tracks) => told.push(tracks));
    selection.describe(makeDescription());
    selection.want(VIDEO, 0);
    selection.want(AUDIO, 0);
    expect([selection.tracks, told]).toEqual([null, []]);
  });

  it('are of several renditions the one that the player asks for; while it changes both, until it plays the new one', () => {
    const told: unknown[] = [];
    const selection = new Selection((tracks) => told.push(tracks));
    selection.describe(ladder());
    // Before it plays anything it needs one.
    for (const track of [0, 1, 2]) selection.want(track, 9_000 + track);
    selection.plays(1);
    selection.plays(2);
    selection.want(0, 11_000);
    // A part that it had asked for before.
    selection.plays(1);
    selection.plays(0);
    selection.want(0, 11_500);
    expect(told).toEqual([
      [0, 2],
      [1, 2],
      [0, 1, 2],
      [0, 2],
    ]);
  });

  it('are no more than what the player has asked for of late, though it plays nothing of it', () => {
    const told: unknown[] = [];
    const selection = new Selection((tracks) => told.push(tracks));
    selection.describe(ladder());
    selection.want(1, 10_000);
    selection.want(2, 10_000);
    selection.plays(1);
    selection.want(0, 11_000);
    selection.want(0, 12_900);
    selection.want(0, 13_100);
    expect(told).toEqual([
      [0, 2],
      [1, 2],
      [0, 1, 2],
      [0, 2],
    ]);
  });

  it('are both, the one that plays and the one that the player is going to change to, however long it plays the first', () => {
    const selection = new Selection(() => {});
    selection.describe({ ...makeDescription(), tracks: [track(0, 'video'), track(2, 'audio'), track(3, 'audio')] });
    for (const one of [0, 2]) selection.want(one, 0);
    selection.expect(3);
    for (const atMs of [100, 5_000]) {
      selection.want(2, atMs);
      selection.plays(2);
      expect(selection.tracks).toEqual([0, 2, 3]);
    }
    selection.want(3, 5_100);
    selection.plays(3);
    expect(selection.tracks).toEqual([0, 3]);
  });
});

describe('the time that a part was on its way', () => {
  it('is that between its blocks, the first of which is taken to have come as fast as the others', () => {
    const arrivals = new Arrivals();
    arrivals.add(0, 7, 1_000, 50);
    expect(arrivals.transferMs(0, 7)).toBeUndefined();
    arrivals.add(0, 7, 2_000, 60);
    arrivals.add(1, 7, 9_000, 500);
    expect(arrivals.transferMs(0, 7)).toBe(15);
  });

  it('is forgotten of old parts', () => {
    const arrivals = new Arrivals();
    for (let part = 0; part < 2_000; part++) {
      arrivals.add(0, part, 1_000, part);
      arrivals.add(0, part, 1_000, part + 1);
    }
    expect([arrivals.transferMs(0, 0), arrivals.transferMs(0, 1_999)]).toEqual([undefined, 2]);
  });
});

describe('what a line carries', () => {
  it('of a part of one block, is what others were seen to take while the line was busy; waiting for what is not there yet counts as nothing', () => {
    const arrivals = new Arrivals();
    for (let part = 0; part < 20; part++) {
      // A block each, four times a second; sound comes right behind the picture.
      arrivals.add(0, part, 8_000, part * 250);
      arrivals.add(1, part, 1_000, part * 250 + 1);
      arrivals.whole(100, part * 250);
    }
    expect(arrivals.transferMs(0, 19)).toBeCloseTo(8);
  });

  it('is seen where parts come later and later, each alone: what came while they were late', () => {
    const arrivals = new Arrivals();
    for (let part = 0; part < 20; part++) {
      const atMs = part < 10 ? part * 250 : 2_500 + (part - 10) * 400;
      arrivals.add(0, part, 16_000, atMs);
      arrivals.whole(atMs - part * 250, atMs);
    }
    expect(arrivals.transferMs(0, 19)).toBeCloseTo(400);
  });
});

describe('the part on screen', () => {
  it('is found by the time of the stream', () => {
    const live = new LiveParts();
    live.setDescription(makeDescription());
    for (let part = 0; part < 6; part++) live.add(makeRecord(part), [Uint8Array.of(part)]);
    const [first] = live.window.segments(VIDEO);
    const startMs = first!.startsAtMs;
    expect(onScreen(live.window, startMs - 1)).toBeUndefined();
    expect(onScreen(live.window, startMs)).toEqual({ part: 0, offsetMs: 0 });
    expect(onScreen(live.window, startMs + 1_100)).toEqual({ part: 4, offsetMs: 100 });
    expect(onScreen(live.window, startMs + 1_500)).toEqual({ part: 6, offsetMs: 0 });
    expect(onScreen(new LiveParts().window, startMs)).toBeUndefined();
  });
});

describe('the play-head that fetching follows', () => {
  const model = (): Player => {
    const player = new Player();
    for (let part = 0; part < 4; part++) {
      player.add(
        { part, durationMs: 250, independent: part === 0, discontinuity: false, capturedAtMs: part * 250 },
        1_000,
      );
    }
    return player;
  };

  it("is the model's until a real player tells, and the real one's from then on", () => {
    const player = model();
    const playhead = new Playhead(player);
    player.advance(1_300);
    expect([playhead.started, playhead.part]).toEqual([true, 1]);
    playhead.tell({ part: 0, offsetMs: 50, rate: 1 }, 1_300);
    player.advance(1_600);
    expect([player.playhead, playhead.part]).toEqual([2, 0]);
  });

  it('knows when a part is due: sooner the faster it plays, and what stands may go on at any moment', () => {
    const playhead = new Playhead(new Player());
    expect(playhead.started).toBe(false);
    playhead.tell({ part: 10, offsetMs: 50, rate: 1 }, 1_000);
    expect(playhead.dueAtMs(11, 250, 1_000)).toBe(1_200);
    expect(playhead.dueAtMs(11, 250, 1_100)).toBe(1_200);
    expect(playhead.dueAtMs(10, 250, 1_100)).toBe(1_100);
    playhead.tell({ part: 10, offsetMs: 0, rate: 2 }, 1_000);
    expect(playhead.dueAtMs(12, 250, 1_000)).toBe(1_250);
    playhead.tell({ part: 10, offsetMs: 0, rate: 0 }, 1_000);
    expect(playhead.dueAtMs(11, 250, 9_000)).toBe(9_250);
  });
});

describe('a peer that dials no neighbours', () => {
  /** Whom it dials once the tracker has named a neighbour that can be dialled. */
  function dialled(dialsNeighbours: boolean): readonly string[] {
    const stream = new Uint8Array(32).fill(1);
    const key = new Uint8Array(32).fill(2);
    const core = new PeerCore({
      ...{ stream, key, trackerUrl: 'ws://tracker/', mode: 'ins', url: null, dialsNeighbours, mesh: neighbourMesh },
      prng: new Prng('dials'),
    });
    const outputs: PeerOutput[] = [];
    const drain = (): void => {
      for (let output = core.pollOutput(); output !== undefined; output = core.pollOutput()) outputs.push(output);
    };
    const feed = (input: Parameters<PeerCore['handleInput']>[0]): void => {
      core.handleInput(input, 1_000);
      drain();
    };
    feed({ kind: 'start' });
    feed({ kind: 'link-opened', link: 1 });
    feed({
      ...{ kind: 'tracker-message', link: 1 },
      message: { type: 'welcome', version: 1, nonce: new Uint8Array(32) },
    });
    const sign = outputs.find((output) => output.kind === 'sign')!;
    feed({ kind: 'signed', ref: sign.ref, signature: new Uint8Array(64) });
    const peer = { peer: new Uint8Array(32).fill(3), url: 'ws://neighbour/', mode: 'ins', source: false } as const;
    feed({
      ...{ kind: 'tracker-message', link: 1 },
      message: {
        ...{ type: 'joined', clockMs: 1_000, heartbeatMs: 2_000, state: 'live', description: null, records: [] },
        ...{ neighbours: [{ ...peer, availability: [], token: null }], insServers: [{ url: 'ws://ins/', region: '' }] },
      },
    });
    core.handleTimeout(1_100);
    drain();
    return outputs.flatMap((output) => (output.kind === 'dial' ? [output.url] : []));
  }

  it('dials the tracker and INS servers only, whatever the tracker names', () => {
    expect(dialled(true)).toEqual(['ws://tracker/', 'ws://ins/', 'ws://neighbour/']);
    expect(dialled(false)).toEqual(['ws://tracker/', 'ws://ins/']);
  });
});

describe('what listens to a page’s events', () => {
  afterEach(() => vi.unstubAllGlobals());

  it('may throw: who asked for the event goes on, the others hear it, and the browser is told', () => {
    const [heard, reported]: [string[], unknown[]] = [[], []];
    vi.stubGlobal('reportError', (error: unknown) => reported.push(error));
    const listeners = new Listeners<string>();
    const broken = new Error('broken');
    listeners.add(() => {
      throw broken;
    });
    const leave = listeners.add((event) => heard.push(event));
    listeners.tell('joined');
    leave();
    listeners.tell('left');
    expect([heard, reported]).toEqual([['joined'], [broken, broken]]);
  });
});
