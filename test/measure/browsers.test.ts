import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningPeer } from '../../peer/node/peer.ts';
import type { Transport } from '../../runtime/node/transport.ts';
import type { RunningSource } from '../../source-server/node/source.ts';
import { buildPage, pageUrl, Stage } from '../browser/stage.ts';
import { until } from '../e2e/support.ts';
import type { BrowserPlayer, BrowserSample } from '../harness/browser/browser-player.ts';
import { type Browsers, openBrowsers } from '../harness/browser/browsers.ts';
import { PlayersHost } from '../harness/browser/hosted-player.ts';
import type { Witness, WitnessFigures } from '../harness/browser/witness.ts';
import { findChromium } from '../support/browser.ts';

let built: Awaited<ReturnType<typeof buildPage>>;
let stage: Stage;
let source: RunningSource;
let browsers: Browsers;

beforeAll(async () => {
  await findChromium();
  built = await buildPage();
  stage = await Stage.open(built.folder);
  source = await stage.source({ input: 'testsrc=160x90' });
  browsers = await openBrowsers({ hosts: ['127.0.0.1'], secureOrigins: [stage.tracker.url] });
});

afterAll(async () => {
  await browsers?.close();
  await stage?.close();
  await built?.remove();
});

async function newPlayer(): Promise<BrowserPlayer> {
  const player = await browsers.newPlayer();
  await player.open(`${pageUrl(stage, source.stream, 'ins')}&preload=none`);
  return player;
}

/** Looks again and again until something is so, and gives what was seen then. */
async function look<T>(what: string, ask: () => Promise<T>, isSo: (seen: T) => boolean): Promise<T> {
  const endAtMs = performance.now() + 30_000;
  for (;;) {
    const seen = await ask();
    if (isSo(seen)) return seen;
    if (performance.now() > endAtMs) throw new Error(`waited in vain until ${what}: ${JSON.stringify(seen)}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

describe('a viewer in a browser', () => {
  it('says of itself, in the words of headless viewers, what others count', async () => {
    const player = await newPlayer();
    const idle = await player.sample();
    expect(idle).toMatchObject({ kind: 'viewer', state: 'waiting', part: -1, startupDelayMs: null, isFresh: true });
    expect(idle.received).toEqual({ data: 0, control: 0 });
    const before = stage.ins.stats().clients.dataOut;
    await player.play();
    const first = await look(
      'it plays',
      () => player.sample(),
      ({ state }) => state === 'playing',
    );
    const later = await look(
      'it has played two seconds more',
      () => player.sample(),
      // On a full machine it may have jumped over some of them, which are not due then.
      ({ part, dueBlocks }) => part > first.part + 8 && dueBlocks > 8,
    );
    expect(later.startupDelayMs).toBe(first.startupDelayMs);
    expect(later.model.startupDelayMs).toBeLessThanOrEqual(later.startupDelayMs!);
    expect(later.latencyMs).toBeGreaterThan(later.bufferMs);
    expect(later).toMatchObject({ failure: null, bad: 0, missedBlocks: 0, neighbours: 0, isFresh: true });
    expect(later.sent.data).toBe(0);
    expect(later.bytesFrom).toMatchObject({ peers: 0, source: 0 });
    expect(later.received.data).toBe(later.links.ins.dataIn);
    expect(later.usefulBytes).toBeLessThanOrEqual(later.bytesFrom.ins);
    // What the server had sent by now comes; and no more comes than it sends: to the byte, frame headers included.
    const sent = () => stage.ins.stats().clients.dataOut - before;
    const sentBefore = sent();
    const { received } = await look(
      'all has come',
      () => player.sample(),
      (sample) => sample.received.data >= sentBefore,
    );
    expect(received.data).toBeLessThanOrEqual(sent());
    await player.close();
    expect(player.complaints).toEqual([]);
  });

  it('takes its leave when it is closed, and is gone without a word when it is killed', async () => {
    const [closed, killed] = [await newPlayer(), await newPlayer()];
    for (const player of [closed, killed]) await player.play();
    await until('both have joined', () => stage.viewersOf(source.stream) === 2);
    await closed.close();
    await until('one has left', () => stage.viewersOf(source.stream) === 1);
    await killed.kill();
    expect(killed.complaints).toEqual(['the page has crashed']);
    expect((await killed.sample()).isFresh).toBe(false);
    await until('both are gone', () => stage.viewersOf(source.stream) === 0);
  });

  it('speaks to no other host than those it is given', async () => {
    const player = await browsers.newPlayer();
    await expect(player.open('http://127.0.0.2:4800/')).rejects.toThrow('ERR_NAME_NOT_RESOLVED');
    await player.close();
  });
});

describe('the players of a process', () => {
  it('have each its own way out, wake and sleep with one Chromium, and wait loaded for the press', async () => {
    const host = new PlayersHost();
    const ways: string[][] = [[], []];
    // An address that nobody listens at: what does not come through the gate comes nowhere.
    const trackerUrl = stage.tracker.url.replace('127.0.0.1', '127.0.0.2');
    const transport = (way: string[]): Transport => ({
      connect(options) {
        way.push(`${options.host}:${options.port}`);
        return connect({ ...options, host: '127.0.0.1' });
      },
      accepted: (socket) => socket,
    });
    const spec = { trackerUrl, stream: source.stream, mode: 'ins' } as const;
    const players = await Promise.all(ways.map((way) => host.load(spec, transport(way))));
    expect(players.map((player) => player.figures())).toEqual([undefined, undefined]);
    for (const player of players) expect(await player.play()).toBeGreaterThan(0);
    const played = async () => {
      await Promise.all(players.map((player) => player.refresh()));
      return players.map((player) => player.figures()?.state);
    };
    await look('both play', played, (states) => states.every((state) => state === 'playing'));
    await until('Chromium tells what it takes', () => host.usage.cpuMs > 0 && host.usage.memoryBytes > 50_000_000);
    const ins = new URL(stage.ins.url).host;
    for (const way of ways) expect(new Set(way)).toEqual(new Set([new URL(trackerUrl).host, ins]));
    await players[0]!.crash();
    expect(players[1]!.player.complaints).toEqual([]);
    await players[1]!.close();
    await expect(players[1]!.player.open(trackerUrl)).rejects.toThrow('closed');
    await until('both are gone', () => stage.viewersOf(source.stream) === 0);
  });
});

describe('a witness on the gateway of a headless peer', () => {
  interface Seen {
    readonly peer: ReturnType<RunningPeer['stats']>;
    readonly witness: WitnessFigures;
    readonly player: BrowserSample;
  }

  let witness: Witness;
  let player: BrowserPlayer;
  let peer: RunningPeer;

  const see = async (): Promise<Seen> => {
    return { witness: await witness.sample(), player: await player.sample(), peer: peer.stats() };
  };

  it('sees no freeze while the peer says none', async () => {
    peer = await stage.peer(source.stream, { mode: 'ins', httpPort: 0 });
    player = await newPlayer();
    await player.play();
    witness = await browsers.openWitness({ gatewayUrl: peer.gatewayUrl! });
    await look('all play', see, (seen) => {
      const states = [seen.peer.state, seen.player.state];
      return seen.witness.startupDelayMs !== null && states.every((state) => state === 'playing');
    });
    // On a machine that others load it may stand at first; a while without any is to come.
    let from = await see();
    const to = await look('nothing freezes for three seconds', see, (seen) => {
      const froze = (one: Seen) => [one.witness.freezes, one.player.freezes, one.peer.freezes].join();
      if (froze(seen) !== froze(from)) from = seen;
      return seen.witness.playedMs > from.witness.playedMs + 3_000;
    });
    expect(to.witness).toMatchObject({ isFrozen: false, errors: [], freezes: from.witness.freezes });
    expect(to.peer.freezes).toBe(from.peer.freezes);
    expect(to.peer.part).toBeGreaterThan(from.peer.part + 8);
    expect(to.witness.frames).toBeGreaterThan(from.witness.frames + 50);
  });

  it('sees the freeze of a peer that gets nothing any more, as does a viewer in a browser', async () => {
    const before = await see();
    await stage.ins.close();
    const after = await look('all stand', see, (seen) => {
      return seen.witness.isFrozen && seen.player.state === 'stalled' && seen.peer.state === 'stalled';
    });
    expect(after.peer.freezes).toBeGreaterThan(before.peer.freezes);
    expect(after.witness.freezes).toBeGreaterThan(before.witness.freezes);
    expect(after.player.freezes).toBeGreaterThan(before.player.freezes);
    expect(after.witness.lastFreezes.at(-1)).toMatchObject({ frozenMs: null });
    const longer = await look('it lasts', see, (seen) => seen.witness.frozenMs > after.witness.frozenMs + 200);
    expect(longer.player.frozenMs).toBeGreaterThan(after.player.frozenMs);
    expect(longer.witness.playedMs).toBe(after.witness.playedMs);
    await witness.close();
    await player.close();
  });
});
