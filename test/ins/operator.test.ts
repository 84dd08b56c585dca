import { afterEach, describe, expect, it } from 'vitest';
import { type InsServerConfig, type RunningInsServer, startInsServer } from '../../ins-server/node/ins-server.ts';
import { hitRatio, serveHealth, startMetrics } from '../../ins-server/node/metrics.ts';
import { createHttpServer, type HttpServer } from '../../runtime/node/http.ts';
import { blockOf, collectionOf, keysOf, sealToken, TestClient } from './helpers.ts';

const servers: (RunningInsServer | HttpServer)[] = [];
const clients: TestClient[] = [];
afterEach(async () => {
  await Promise.all(clients.splice(0).map(({ client }) => client.close()));
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function start(config: Partial<InsServerConfig> = {}): Promise<RunningInsServer> {
  const server = await startInsServer({ port: 0, ...config });
  servers.push(server);
  return server;
}

/** Series and their values. */
async function scrape(url: string): Promise<Map<string, number>> {
  const answer = await fetch(url);
  expect(answer.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
  const lines = (await answer.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]),
  );
}

describe('what operators see of an INS server', () => {
  it('/metrics has what has happened, each figure where it belongs', async () => {
    const server = await start({ limits: { memoryBytes: 50_000_000 } });
    expect(server.metricsUrl).toBe(`http://127.0.0.1:${server.port}/metrics`);
    const before = await scrape(server.metricsUrl!);
    expect(before.get('inswarm_ins_sent_blocks_total')).toBe(0);
    expect(before.get('inswarm_ins_hit_ratio')).toBe(1);
    const client = new TestClient(server.url, keysOf(1));
    clients.push(client);
    const collection = collectionOf(1);
    const { item, body } = blockOf(1, 100_000);
    client.input({ kind: 'put', handle: 1, collection, ttlSeconds: 60, items: [item], bodies: [body] });
    await client.until('done');
    const items = [1, 2].map((part) => {
      return { token: null, name: blockOf(part, 100_000).item.name, label: null, deadlineAtMs: null };
    });
    client.input({ kind: 'get', handle: 2, keep: false, collection, items });
    await client.until('done', 2);
    const after = await scrape(server.metricsUrl!);
    expect(Object.fromEntries(after)).toMatchObject({
      inswarm_ins_serving: 1,
      inswarm_ins_links: 1,
      inswarm_ins_accounts: 1,
      inswarm_ins_lockers: 1,
      inswarm_ins_blocks: 1,
      inswarm_ins_memory_limit_bytes: 50_000_000,
      inswarm_ins_put_blocks_total: 1,
      inswarm_ins_sent_blocks_total: 1,
      inswarm_ins_sent_bytes_total: 100_000,
      'inswarm_ins_refusals_total{reason="NO_OBJECT"}': 1,
      'inswarm_ins_refusals_total{reason="OVERLOAD"}': 0,
    });
    expect(after.get('inswarm_ins_memory_bytes')).toBeGreaterThan(100_000);
    for (const direction of ['in', 'out']) {
      expect(after.get(`inswarm_ins_bytes_total{direction="${direction}"}`)).toBeGreaterThan(100_000);
      expect(after.get(`inswarm_ins_bytes_total{direction="${direction}"}`)).toBeLessThan(110_000);
    }
    const ofProcess = [
      'process_cpu_seconds_total',
      'process_resident_memory_bytes',
      'nodejs_eventloop_lag_p99_seconds',
    ];
    for (const name of ofProcess) expect(after.has(name)).toBe(true);
    expect([...after.keys()].every((name) => /^(inswarm_ins|process|nodejs)_/.test(name))).toBe(true);
  });

  it('/metrics names nobody and nothing that came from outside', async () => {
    const server = await start();
    const client = new TestClient(server.url, keysOf(1), 'an-application-of-mine');
    clients.push(client);
    const token = sealToken(keysOf(1), [{ key: server.serverKey, url: server.url }]);
    client.input({ kind: 'follow', handle: 1, keep: false, token, collection: collectionOf(1), tracks: [], from: 0 });
    await client.until('ready');
    const text = await (await fetch(server.metricsUrl!)).text();
    expect(text).not.toContain('an-application-of-mine');
    expect(text).not.toMatch(/[\w-]{43}/);
  });

  it('/metrics can have a port of its own, or be off; on public addresses it is off unless asked for', async () => {
    const apart = await start({ metrics: { host: '127.0.0.1', port: 0 } });
    expect(new URL(apart.metricsUrl!).port).not.toBe(String(apart.port));
    expect((await scrape(apart.metricsUrl!)).get('inswarm_ins_serving')).toBe(1);
    expect((await fetch(apart.metricsUrl!.replace('metrics', 'healthz'))).status).toBe(200);
    expect((await fetch(`http://127.0.0.1:${apart.port}/metrics`)).status).toBe(404);
    await servers.pop()!.close();
    await expect(fetch(apart.metricsUrl!)).rejects.toThrow();
    const off = await start({ metrics: 'off' });
    expect(off.metricsUrl).toBeUndefined();
    expect((await fetch(`http://127.0.0.1:${off.port}/metrics`)).status).toBe(404);
    const bare = createHttpServer({ port: 0 });
    servers.push(bare);
    expect((await startMetrics(undefined, bare, '0.0.0.0', off.stats)).url).toBeUndefined();
    expect((await startMetrics('here', bare, '0.0.0.0', off.stats)).url).toBe('/metrics');
  });

  it('a taken port for /metrics leaves nothing running', async () => {
    const server = await start();
    const taken = { host: '127.0.0.1', port: server.port };
    await expect(startInsServer({ port: 0, metrics: taken })).rejects.toThrow(/is taken by another program/);
  });

  it('/healthz is 200 while requests are taken, then 503', async () => {
    const server = await start();
    const answer = await fetch(`http://127.0.0.1:${server.port}/healthz`);
    expect([answer.status, await answer.json()]).toEqual([200, { ok: true, state: 'serving' }]);
    let serving = true;
    const bare = createHttpServer({ port: 0 });
    servers.push(bare);
    serveHealth(bare, () => serving);
    const { url } = await bare.listen();
    serving = false;
    const later = await fetch(`${url}/healthz`);
    expect([later.status, await later.json()]).toEqual([503, { ok: false, state: 'draining' }]);
  });

  it('the hit ratio counts what was not fetched for it', () => {
    const ratio = (sentBlocks: number, remoteBlocks: number) =>
      hitRatio({ sentBlocks, remoteBlocks } as Parameters<typeof hitRatio>[0]);
    expect([ratio(0, 0), ratio(10, 0), ratio(10, 1), ratio(4, 8)]).toEqual([1, 1, 0.9, 0]);
  });
});
