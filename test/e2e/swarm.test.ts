import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunningInsServer } from '../../ins-server/node/ins-server.ts';
import { streamIdToText } from '../../protocol/names.ts';
import type { Mode } from '../../protocol/swarm-fields.ts';
import type { RunningSource } from '../../source-server/node/source.ts';
import { firstPart, House, leftOut, partNames, played, type WatchedPeer } from './support.ts';

const MODES: readonly Mode[] = ['ins', 'native', 'hybrid'];
const TRACKS = [0, 1];
const PARTS = 24;

/** Two streams through one tracker and two INS servers, each source feeding the first; peers of all modes in one swarm. */
const house = new House();
let insServers: readonly RunningInsServer[];
let source: RunningSource;
let other: RunningSource;
let peers: WatchedPeer[];
let others: WatchedPeer[];
/** By track: what the source cut, and what each peer hands out of the first parts that it played. */
let cut: ReadonlyMap<number, string>[];
let handedOut: Map<WatchedPeer, ReadonlyMap<number, string>>[];

beforeAll(async () => {
  insServers = [await house.startIns(), await house.startIns()];
  const east = { url: insServers[0]!.url, region: 'east' };
  await house.startTracker([{ url: insServers[1]!.url, region: 'west' }]);
  source = await house.startSource({ ins: [east] });
  // The test pattern is the same every time: another size makes another stream.
  other = await house.startSource({ ins: [east], input: 'testsrc=192x108' });
  peers = [];
  for (const mode of MODES) {
    for (const region of ['east', 'west', 'west']) peers.push(await house.startPeer(source, mode, { region }));
  }
  others = [await house.startPeer(other, 'ins'), await house.startPeer(other, 'native')];
  await Promise.all([...peers, ...others].map((peer) => played(peer, PARTS)));
  // At once: playlists list a minute, and a busy machine takes long to test.
  const firsts = peers.map((peer) => firstPart(peer)!);
  const [first, last] = [Math.min(...firsts), Math.max(...firsts) + PARTS - 1];
  cut = await Promise.all(TRACKS.map((track) => partNames(source.hlsUrl, track, first, last)));
  handedOut = TRACKS.map(() => new Map());
  for (const peer of peers) {
    const from = firstPart(peer)!;
    for (const track of TRACKS) {
      handedOut[track]!.set(peer, await partNames(peer.gatewayUrl!, track, from, from + PARTS - 1));
    }
  }
}, 120_000);
afterAll(() => house.close());

describe.each(MODES)('in %s mode', (mode) => {
  test.each(TRACKS)('what a peer hands out of track %i equals what the source cut, bit for bit', (track) => {
    const those = peers.filter((candidate) => candidate.mode === mode);
    for (const peer of those) {
      const names = handedOut[track]!.get(peer)!;
      for (const [part, name] of names) expect([part, name]).toEqual([part, cut[track]!.get(part)]);
      expect(names.size).toBeGreaterThanOrEqual(PARTS - leftOut(peer));
      expect(names.has(firstPart(peer)!)).toBe(true);
    }
  });
});

test('in INS mode peers send no block byte to anybody, counted at the socket', () => {
  for (const peer of peers.filter(({ mode }) => mode === 'ins')) {
    const { sentBytes, links, bytesFrom, givenBytes } = peer.stats();
    expect(sentBytes.data).toBe(0);
    expect(givenBytes).toBe(0);
    expect(links.peer.dataIn).toBe(0);
    expect(bytesFrom).toMatchObject({ peers: 0, source: 0 });
    expect(bytesFrom.ins).toBeGreaterThan(0);
    expect(sentBytes.control).toBeGreaterThan(0);
  }
});

test('viewers in the west have it through their own server, which fetches each block once', () => {
  const [first, second] = insServers.map((server) => server.stats());
  // On a busy machine one of them may have tried the next server, and stayed there.
  const wasThere = (peer: WatchedPeer) =>
    peer.events.some((event) => event.kind === 'ins-up' && event.url === insServers[1]!.url);
  expect(peers.filter(wasThere).length).toBeGreaterThanOrEqual(2);
  expect(first!.remoteBlocks).toBe(0);
  expect(second!.remoteBlocks).toBeGreaterThan(PARTS);
  expect(second!.sentBlocks).toBeGreaterThan(1.5 * second!.remoteBlocks);
});

test('in native mode peers take nothing from INS servers, and feed each other', () => {
  const native = peers.filter(({ mode }) => mode === 'native').map((peer) => peer.stats());
  for (const { bytesFrom, links } of native) {
    expect(bytesFrom.ins).toBe(0);
    expect(links.ins).toEqual({ controlIn: 0, controlOut: 0, dataIn: 0, dataOut: 0 });
  }
  expect(native.reduce((sum, { bytesFrom }) => sum + bytesFrom.peers, 0)).toBeGreaterThan(0);
});

test('viewers of two streams do not see each other', () => {
  const viewers = house.tracker.stats().streams.map(({ stream, viewers }) => [streamIdToText(stream), viewers]);
  expect(Object.fromEntries(viewers)).toEqual({ [source.stream]: peers.length, [other.stream]: others.length });
  // The source and the one other viewer, at most.
  for (const peer of others) expect(peer.stats().neighbours).toBeLessThanOrEqual(2);
});

test('each stream is its own: parts of one number differ, and each viewer has those of its stream', async () => {
  for (const peer of others) {
    // What it plays now: a viewer that had to jump has left out what came before.
    const { part } = peer.stats();
    const cut = await partNames(other.hlsUrl, 0, part - 7, part);
    const handedOut = await partNames(peer.gatewayUrl!, 0, part - 7, part);
    expect(cut.size).toBe(8);
    expect(handedOut.size).toBeGreaterThanOrEqual(8 - leftOut(peer));
    expect(handedOut.size).toBeGreaterThan(0);
    for (const [at, name] of handedOut) expect([at, name]).toEqual([at, cut.get(at)]);
  }
  const ours = await partNames(source.hlsUrl, 0, 8, 12);
  for (const [part, name] of await partNames(other.hlsUrl, 0, 8, 12)) expect(ours.get(part)).not.toBe(name);
});

test('nobody has anything to complain about', () => {
  for (const peer of [...peers, ...others]) {
    expect(peer.events.filter(({ kind }) => kind === 'bad' || kind === 'refused')).toEqual([]);
  }
});
