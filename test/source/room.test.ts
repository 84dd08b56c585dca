import { describe, expect, it } from 'vitest';
import { startInsServer } from '../../ins-server/node/ins-server.ts';
import { Room } from '../../source-server/core/room.ts';
import { startSource } from '../../source-server/node/source.ts';
import { Stage } from '../browser/stage.ts';

const MB = 1_000_000;
const track = (bandwidthBps: number) => ({ bandwidthBps });

describe('an INS server that is to keep more than it has room for', () => {
  it('is named once to whoever runs the source, with what it has room for; one with enough is not', () => {
    const room = new Room(3_600);
    room.accepted('ws://small', 100 * MB);
    room.accepted('ws://large', 2_000 * MB);
    expect(room.notices()).toEqual([]);
    room.describe([track(3_000_000), track(1_000_000)]);
    expect(room.notices()).toEqual([
      expect.stringMatching(/^ws:\/\/small has room for 100 MB, which is 200 s .*--keep 200\b/),
    ]);
    expect(room.notices()).toEqual([]);
  });

  it('is told by a source that runs', async () => {
    const small = await startInsServer({ port: 0, limits: { quotaBytes: 2 * MB } });
    const stage = await Stage.open();
    const told: string[] = [];
    const source = await startSource({
      tracker: stage.tracker.wsUrl,
      ins: [{ url: small.url, region: '' }],
      input: 'testsrc=320x180',
      title: 'Test pattern',
      keyFile: stage.newKeyFile(),
      onEvent: (event) => {
        if (event.kind === 'notice') told.push(event.text);
      },
    });
    try {
      await expect
        .poll(() => told, { timeout: 15_000 })
        .toEqual([expect.stringContaining(`${small.url} has room for 2 MB`)]);
    } finally {
      await source.close();
      await stage.close();
      await small.close();
    }
  });
});
