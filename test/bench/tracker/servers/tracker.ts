import { silentLog } from '../../../../runtime/log.ts';
import { startTracker, type TrackerServer } from '../../../../tracker/node/tracker.ts';
import { type Calls, serveCalls } from '../../ins/process.ts';
import { busyMeter } from '../../ins/servers/busy.ts';
import { memoryBytes } from '../../ins/servers/memory.ts';

/** The tracker as it ships, in a process of its own. */

let server: TrackerServer | undefined;

const calls = {
  async start(): Promise<{ readonly host: string; readonly port: number }> {
    server = await startTracker({ port: 0, log: silentLog });
    return { host: '127.0.0.1', port: Number(new URL(server.url).port) };
  },
  connections: () => server!.stats().connections,
  busy: busyMeter(),
  memory: memoryBytes,
} satisfies Calls;

export type TrackerCalls = typeof calls;
serveCalls(calls);
