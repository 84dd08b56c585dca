import { describe, expect, it } from 'vitest';
import { startInsServer } from '../../ins-server/node/ins-server.ts';
import { Room } from '../../source-server/core/room.ts';
import { startSource } from '../../source-server/node/source.ts';
import { Stage } from '../browser/stage.ts';

const MB = 1_000_000;
const track = (bandwidthBps: number) => ({ bandwidthBps });

describe('an INS server that is to keep more than it has room for', () => {
  it('keeps what there is room for at the stream’s peak, less a tenth and a second; so much is promised of all', () => {
    const room = new Room(3_600);
    expect([room.keepSeconds('ws://small'), room.leastSeconds]).toEqual([3_600, 3_600]);
    room.describe([track(3_000_000), track(1_000_000)]);
    room.accepted('ws://small', 100 * MB);
    room.accepted('ws://large', 3_000 * MB);
    expect([room.keepSeconds('ws://small'), room.keepSeconds('ws://large')]).toEqual([179, 3_600]);
    expect(room.leastSeconds).toBe(179);
  });

  it('is named once to whoever runs the source, with what it keeps; one with enough is not', () => {
    const room = new Room(3_600);
    room.accepted('ws://small', 100 * MB);
    room.accepted('ws://large', 3_000 * MB);
    expect(room.notices()).toEqual([]);
    room.describe([track(3_000_000), track(1_000_000)]);
    expect(room.notices()).toEqual([
      expect.stringMatching(/^ws:\/\/small has room for 100 MB, .* it keeps 179 s instead of 3600\b/),
    ]);
    expect(room.notices()).toEqual([]);
  });

  it('is given no more than that by a source that runs, and refuses nothing', async () => {
    const small = await startInsServer({ port: 0, limits: { quotaBytes: 0.25 * MB } });
    const stage = await Stage.open();
    const told: string[] = [];
    const refused: string[] = [];
    const source = await startSource({
      tracker: stage.tracker.wsUrl,
      ins: [{ url: small.url, region: '' }],
      input: 'testsrc=320x180',
      title: 'Test pattern',
      keyFile: stage.newKeyFile(),
      onEvent: (event) => {
        if (event.kind === 'notice') told.push(event.text);
        if (event.kind === 'refused') refused.push(event.why);
      },
    });
    try {
      await expect
        .poll(() => told, { timeout: 15_000 })
        .toEqual([expect.stringContaining(`${small.url} has room for 0.25 MB`)]);
      // What it has been given runs out in time, so that it takes what is new for as long as the stream goes on.
      const putBytes = () => source.stats().putBytes;
      await expect.poll(putBytes, { timeout: 60_000 }).toBeGreaterThan(0.5 * MB);
      expect(refused).toEqual([]);
    } finally {
      await source.close();
      await stage.close();
      await small.close();
    }
  });
});
