import { performance } from 'node:perf_hooks';
import { type Calls, serveCalls } from '../process.ts';
import { busyMeter } from '../servers/busy.ts';
import { type Asker, type Counts, frameAsker, httpAsker } from './asker.ts';
import { openIns, openWebSocket, RawClient, type Where } from './client.ts';
import { LATENCY_STEPS, type ViewerCounts, watch } from './viewer.ts';

/** The load generator: a process with many clients on raw sockets. */

/** How a group of clients asks. */
export type Asking =
  | {
      readonly kind: 'ins' | 'ws';
      /** By request slot: messages, framed and masked. */
      readonly batches: readonly (readonly Uint8Array[])[];
      readonly blocksPerBatch?: number;
    }
  | { readonly kind: 'http'; readonly requests: readonly Uint8Array[]; readonly blockBytes: number };

export interface Opening {
  readonly group: string;
  readonly where: Where;
  readonly count: number;
  readonly token: Uint8Array | null;
}

/** What a group has counted since it was asked last. */
export interface Measured {
  readonly bytes: number;
  readonly blocks: number;
  readonly seconds: number;
  /** Share of the time in which this process had work to do: near 1 it was itself the limit. */
  readonly busy: number;
}

interface Group {
  readonly clients: RawClient[];
  readonly askers: Asker[];
  readonly counts: Counts & ViewerCounts;
}

/** Handshakes under way at once. */
const OPENING_MAX = 64;

const groups = new Map<string, Group>();
let sinceMs = performance.now();
const busy = busyMeter();

function groupOf(name: string): Group {
  let group = groups.get(name);
  if (group === undefined) {
    const counts = { bytes: 0, blocks: 0, failure: undefined, latencies: new Uint32Array(LATENCY_STEPS) };
    group = { clients: [], askers: [], counts };
    groups.set(name, group);
  }
  return group;
}

/** Opens clients, some at a time. */
async function open(
  { group, where, count }: Opening,
  dial: (where: Where, number: number) => Promise<RawClient>,
): Promise<RawClient[]> {
  const opened: RawClient[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) opened.push(await dial(where, next++));
  };
  await Promise.all(Array.from({ length: Math.min(OPENING_MAX, count) }, worker));
  groupOf(group).clients.push(...opened);
  return opened;
}

const calls = {
  /** Clients that ask, over and over, once `start` is called. */
  async askers(opening: Opening & { readonly asking: Asking }): Promise<void> {
    const { asking, token } = opening;
    const dial = {
      ins: (at: Where) => openIns(at, token),
      ws: openWebSocket,
      http: async (at: Where) => new RawClient(at),
    };
    const clients = await open(opening, dial[asking.kind]);
    const { askers, counts } = groupOf(opening.group);
    for (const client of clients) {
      if (asking.kind === 'http')
        askers.push(httpAsker(client, asking.requests.map(buffer), asking.blockBytes, counts));
      else
        askers.push(
          frameAsker(
            client,
            asking.batches.map((slot) => slot.map(buffer)),
            asking.blocksPerBatch,
            counts,
          ),
        );
    }
  },
  /** Clients that say one thing (a message, framed) and watch what comes. Without one they are idle. */
  async viewers(
    opening: Opening & { readonly kind: 'ins' | 'ws'; readonly says: readonly Uint8Array[] },
  ): Promise<void> {
    const { kind, token, says, group } = opening;
    const { counts } = groupOf(group);
    await open(opening, async (where, number) => {
      const client = await (kind === 'ins' ? openIns(where, token) : openWebSocket(where));
      watch(client, counts);
      if (says.length > 0) client.socket.write(says[number % says.length]!);
      return client;
    });
  },
  /** Clients that count whatever comes, without asking. */
  async drain(opening: Opening): Promise<void> {
    const { counts } = groupOf(opening.group);
    for (const client of await open(opening, async (where) => new RawClient(where))) {
      client.stream((_bytes, length) => {
        counts.bytes += length;
      });
    }
  },
  start(group: string): void {
    for (const asker of groupOf(group).askers) asker.start();
  },
  stop(group: string): void {
    for (const asker of groupOf(group).askers) asker.stop();
  },
  /** Counts since the last call, which also begins the next. @throws when a client was refused or lost. */
  measure(group: string): Measured & { readonly latencies: Uint32Array } {
    const { counts, clients } = groupOf(group);
    const lost = clients.find(({ ended }) => ended !== undefined);
    const failure = counts.failure ?? lost?.ended;
    if (failure !== undefined) throw new Error(`load on ${group}: ${failure}`);
    const nowMs = performance.now();
    const { bytes, blocks } = counts;
    const measured = { bytes, blocks, seconds: (nowMs - sinceMs) / 1000, busy: busy() };
    const latencies = counts.latencies.slice();
    counts.bytes = 0;
    counts.blocks = 0;
    counts.latencies.fill(0);
    sinceMs = nowMs;
    return { ...measured, latencies };
  },
  /** Ends all clients of a group. */
  close(group: string): void {
    for (const { socket } of groupOf(group).clients) socket.destroy();
    groups.delete(group);
  },
} satisfies Calls;

function buffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

export type LoadCalls = typeof calls;
serveCalls(calls);
