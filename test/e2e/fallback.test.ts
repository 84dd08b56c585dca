import { afterAll, expect, test } from 'vitest';
import { House, played, until, type WatchedPeer } from './support.ts';

const house = new House();
afterAll(() => house.close());

function switches(peer: WatchedPeer): readonly string[] {
  return peer.events.flatMap((event) => (event.kind === 'switched' ? event.to : []));
}

test('hybrid peers go on natively while there is no INS server, and come back to it', async () => {
  await house.startTracker();
  const ins = await house.startIns();
  const source = await house.startSource({ ins: [{ url: ins.url, region: '' }] });
  const peers = [await house.startPeer(source, 'hybrid'), await house.startPeer(source, 'hybrid')];
  await Promise.all(peers.map((peer) => played(peer, 8)));
  for (const peer of peers) expect(peer.stats()).toMatchObject({ ins: ins.url, bytesFrom: { peers: 0, source: 0 } });

  await ins.close();
  for (const peer of peers) {
    await until('it turns to its neighbours', () => switches(peer).at(-1) === 'native');
    const part = peer.stats().part;
    await until('it plays on', () => peer.stats().part > part + 12);
  }
  const away = peers.map((peer) => peer.stats());
  for (const { bytesFrom, ins: url } of away) {
    expect(url).toBeNull();
    expect(bytesFrom.peers + bytesFrom.source).toBeGreaterThan(0);
  }

  await house.startIns(ins.port);
  for (const [at, peer] of peers.entries()) {
    await until('it comes back', () => switches(peer).at(-1) === 'ins');
    await until('it takes blocks from there', () => peer.stats().bytesFrom.ins > away[at]!.bytesFrom.ins);
    const part = peer.stats().part;
    await until('it plays on', () => peer.stats().part > part + 8);
    expect(peer.events.some(({ kind }) => kind === 'bad')).toBe(false);
  }
});
