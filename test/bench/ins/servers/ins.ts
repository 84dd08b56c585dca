import { type RunningInsServer, startInsServer } from '../../../../ins-server/node/ins-server.ts';
import { type Calls, serveCalls } from '../process.ts';
import { busyMeter } from './busy.ts';
import { memoryBytes } from './memory.ts';

/** The INS server as it is, in a process of its own. */

let server: RunningInsServer | undefined;

const calls = {
  async start(host: string): Promise<{ readonly host: string; readonly port: number; readonly key: Uint8Array }> {
    const limits = { quotaBytes: 4 * 1024 ** 3, memoryBytes: 4 * 1024 ** 3 };
    server = await startInsServer({ host, port: 0, limits });
    return { host, port: server.port, key: server.serverKey };
  },
  busy: busyMeter(),
  memory: memoryBytes,
  stats: () => server!.stats(),
} satisfies Calls;

export type InsCalls = typeof calls;
serveCalls(calls);
