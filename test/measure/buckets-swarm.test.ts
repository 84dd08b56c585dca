import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { startInsServer } from '../../ins-server/node/ins-server.ts';
import type { PeerEvent } from '../../peer/core/io.ts';
import { type RunningPeer, startPeer } from '../../peer/node/peer.ts';
import { streamIdFromText } from '../../protocol/names.ts';
import type { Mode } from '../../protocol/swarm-fields.ts';
import { silentLog } from '../../runtime/log.ts';
import { startSource } from '../../source-server/node/source.ts';
import { startTracker } from '../../tracker/node/tracker.ts';
import { PacedHost } from '../harness/links/buckets/paced-host.ts';
import type { Host } from '../harness/links/links.ts';

const PORT = 4_800;
const DELAYS = [
  [5, 40],
  [40, 5],
];
const MBIT = 1_000_000;

async function until(what: string, isSo: () => boolean, seen: () => unknown = () => ''): Promise<void> {
  const endAtMs = performance.now() + 30_000;
  while (!isSo()) {
    if (performance.now() > endAtMs) throw new Error(`waited in vain until ${what}: ${JSON.stringify(seen())}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe('a swarm whose links are token buckets', () => {
  const ends: (() => unknown)[] = [];
  afterEach(async () => {
    for (const end of ends.splice(0).reverse()) await end();
  });

  const regions = new Map<string, number>();
  const make = (name: string, address: string, region: number, upBps: number, downBps: number): PacedHost => {
    const host: Host = { name, address, region, upBps, downBps };
    regions.set(address, region);
    const paced = new PacedHost({ host, delays: DELAYS, regionOf: (from) => regions.get(from) });
    ends.push(() => paced.close());
    return paced;
  };

  for (const mode of ['ins', 'native'] as const satisfies Mode[]) {
    it(`plays in ${mode} mode, and the bytes seen on the wire are those that the programs count`, async () => {
      const folder = mkdtempSync(join(tmpdir(), 'inswarm-buckets-'));
      ends.push(() => rmSync(folder, { recursive: true, force: true }));
      const hosts = {
        tracker: make('tracker', '127.77.0.1', 0, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY),
        ins: make('INS server 0', '127.77.0.2', 0, 100 * MBIT, 100 * MBIT),
        source: make('source', '127.77.0.3', 0, 20 * MBIT, 20 * MBIT),
        viewers: [0, 1, 2].map((n) => make(`viewer ${n}`, `127.77.1.${n + 1}`, n % 2, 4 * MBIT, 8 * MBIT)),
      };
      const ins = await startInsServer({ host: '127.77.0.2', port: PORT, transport: hosts.ins.transport });
      ends.push(() => ins.close());
      const tracker = await startTracker({
        host: '127.77.0.1',
        port: PORT,
        log: silentLog,
        transport: hosts.tracker.transport,
      });
      ends.push(() => tracker.close());
      let ready = false;
      const source = await startSource({
        tracker: tracker.wsUrl,
        ins: [{ url: ins.url, region: '' }],
        input: 'testsrc=160x90',
        keyFile: join(folder, 'key'),
        host: '127.77.0.3',
        listenPort: PORT,
        transport: hosts.source.transport,
        onEvent: (event) => {
          if (event.kind === 'ready') ready = true;
        },
      });
      ends.push(() => source.close());
      await until('the source is on the air', () => ready && source.stats().part >= 4);
      const events: PeerEvent[] = [];
      const peers: RunningPeer[] = [];
      for (const [n, { transport }] of hosts.viewers.entries()) {
        const peer = await startPeer({
          tracker: tracker.wsUrl,
          stream: streamIdFromText(source.stream)!,
          mode,
          host: `127.77.1.${n + 1}`,
          listenPort: PORT,
          transport,
          onEvent: (event) => events.push(event),
        });
        peers.push(peer);
        ends.push(() => peer.close());
      }
      const stats = () => peers.map((peer) => peer.stats());
      const first = () => events.filter(({ kind }) => kind === 'started').length;
      await until('all play', () => first() === 3 && stats().every(({ state }) => state === 'playing'));
      await until('two more seconds have been played', () => stats().every(({ dueBlocks }) => dueBlocks >= 16));
      expect(stats().map(({ bad }) => bad)).toEqual([0, 0, 0]);

      // What is on its way has left one count and not come to the other.
      const counts = () =>
        stats().map(({ sentBytes, receivedBytes }, n) => ({ ...hosts.viewers[n]!.counts(), sentBytes, receivedBytes }));
      await until(
        'the counts agree',
        () =>
          counts().every(({ sent, received, sentBytes, receivedBytes }) => {
            const isData = sent.dataBytes === sentBytes.data && received.dataBytes === receivedBytes.data;
            // Links do not count the last frames of those that have closed.
            return isData && sent.controlBytes >= sentBytes.control && received.controlBytes >= receivedBytes.control;
          }),
        counts,
      );
      for (const viewer of hosts.viewers) expect(viewer.counts().received.dataBytes).toBeGreaterThan(50_000);
      const viewers = hosts.viewers.flatMap((viewer) => viewer.flows());
      const servers = [...hosts.ins.flows(), ...hosts.source.flows()];
      const to = (address: string) => (flow: { to: string }) => flow.to === address;
      if (mode === 'ins') {
        expect(viewers).toEqual([]);
        expect(hosts.source.flows().map((flow) => flow.to)).toEqual(['127.77.0.2']);
        expect(hosts.viewers.every((_, n) => hosts.ins.flows().some(to(`127.77.1.${n + 1}`)))).toBe(true);
      } else {
        expect(hosts.ins.flows()).toEqual([]);
        expect(hosts.viewers.every((_, n) => [...viewers, ...servers].some(to(`127.77.1.${n + 1}`)))).toBe(true);
      }
    }, 60_000);
  }
});
