import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { NumbersFile } from '../../source-server/node/stream-state.ts';
import { firstPart, House, leftOut, partNames, played, until } from './support.ts';

const house = new House();
beforeAll(async () => {
  await house.startTracker();
});
afterAll(() => house.close());

describe('a source that is started again', () => {
  test('continues its stream under later numbers, and viewers play on', async () => {
    const keyFile = join(house.folder, 'again');
    const ins = [{ url: (await house.startIns()).url, region: '' }];
    const first = await house.startSource({ keyFile, ins });
    const peers = [await house.startPeer(first, 'ins'), await house.startPeer(first, 'native')];
    await Promise.all(peers.map((peer) => played(peer, 8)));
    await first.close();
    const last = first.stats().part;

    const second = await house.startSource({ keyFile, ins });
    expect(second.stream).toBe(first.stream);
    for (const peer of peers) {
      await until(`a viewer in ${peer.mode} mode plays the new run`, () => peer.stats().part > last + 8);
      expect(firstPart(peer)).toBeLessThanOrEqual(last);
      // What was being stored when the first run ended has numbers that are not used again.
      const cut = await partNames(second.hlsUrl, 0, last + 1, last + 8);
      const begins = Math.min(...cut.keys());
      expect(begins).toBeLessThanOrEqual(last + 4);
      expect([...cut.keys()]).toEqual(Array.from({ length: last + 9 - begins }, (_, at) => begins + at));
      const handedOut = await partNames(peer.gatewayUrl!, 0, begins, last + 8);
      for (const [part, name] of handedOut) expect([part, name]).toEqual([part, cut.get(part)]);
      expect(handedOut.size).toBeGreaterThanOrEqual(cut.size - leftOut(peer));
    }
  });

  test('cannot be started twice with one key', async () => {
    const keyFile = join(house.folder, 'twice');
    const source = await house.startSource({ keyFile });
    await expect(house.startSource({ keyFile })).rejects.toThrow(/another source runs with the key .*twice.* --key/);
    await source.close();
    await house.startSource({ keyFile });
  });
});

describe('the numbers of a stream', () => {
  const part = (number: number) => ({ part: number, segment: number >> 2, timeUs: number * 250_000 });
  const path = (name: string) => join(house.folder, name);
  const unexpected = (text: string) => {
    throw new Error(text);
  };

  test('begin at 0, and continue without a gap after a clean end', () => {
    const file = new NumbersFile(path('clean'), unexpected);
    expect(file.start).toEqual({ part: 0, segment: 0, timeUs: 0 });
    for (let number = 0; number < 100; number++) file.use(part(number), 250_000);
    file.close();
    expect(new NumbersFile(path('clean'), unexpected).start).toEqual({ part: 100, segment: 25, timeUs: 25_000_000 });
  });

  test('are never used twice, whenever the source is killed', () => {
    for (let killedAt = 1; killedAt < 80; killedAt++) {
      const file = new NumbersFile(path(`killed-${killedAt}`), unexpected);
      for (let number = 0; number < killedAt; number++) file.use(part(number), 250_000);
      const { start } = new NumbersFile(path(`killed-${killedAt}`), unexpected);
      expect(start.part).toBeGreaterThanOrEqual(killedAt);
      expect(start.segment).toBeGreaterThan((killedAt - 1) >> 2);
      expect(start.timeUs).toBeGreaterThanOrEqual(killedAt * 250_000);
    }
  });

  test('that cannot be read are an error, not a new beginning', () => {
    writeFileSync(path('broken'), '{"part":-1}');
    expect(() => new NumbersFile(path('broken'), unexpected)).toThrow(
      /broken does not hold a stream's numbers; delete/,
    );
    expect(readFileSync(path('broken'), 'utf8')).toBe('{"part":-1}');
    mkdirSync(path('folder'));
    expect(() => new NumbersFile(path('folder'), unexpected)).toThrow(/cannot read .*folder/);
  });

  test('that cannot be written are told, and the stream goes on', () => {
    const told: string[] = [];
    const file = new NumbersFile(path('gone/numbers'), (text) => told.push(text));
    file.use(part(0), 250_000);
    expect(told).toEqual([expect.stringMatching(/the stream's numbers cannot be kept in .*gone\/numbers/)]);
  });
});
