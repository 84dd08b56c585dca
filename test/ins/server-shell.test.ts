import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { StoredBlock } from '../../ins-server/core/io.ts';
import { type InsServerConfig, type RunningInsServer, startInsServer } from '../../ins-server/node/ins-server.ts';
import { dialRules } from '../../ins-server/node/remotes-policy.ts';
import { memoryStore } from '../../ins-server/node/stores/memory.ts';
import type { BlockStore } from '../../ins-server/node/stores/store.ts';
import { insServerCodec } from '../../protocol/ins-messages.ts';
import { CLOSE } from '../../protocol/reasons.ts';
import { toBase64Url } from '../../protocol/text.ts';
import type { KeyPair } from '../../runtime/node/crypto.ts';
import { blockOf, collectionOf, hashText, keysOf, sealToken, TestClient } from './helpers.ts';

const collection = collectionOf(1);

describe('a running INS server', () => {
  const servers: RunningInsServer[] = [];
  const clients: TestClient[] = [];
  afterEach(async () => {
    await Promise.all(clients.splice(0).map(({ client }) => client.close()));
    await Promise.all(servers.splice(0).map((server) => server.close()));
  });
  const start = async (config: Partial<InsServerConfig> = {}): Promise<RunningInsServer> => {
    const server = await startInsServer({ port: 0, ...config });
    servers.push(server);
    return server;
  };
  const connect = (server: RunningInsServer, keys: KeyPair): TestClient => {
    const client = new TestClient(server.url, keys);
    clients.push(client);
    return client;
  };
  const put = async (client: TestClient, parts: number[], length = 5_000): Promise<void> => {
    const blocks = parts.map((part) => blockOf(part, length));
    const items = blocks.map(({ item }) => item);
    const bodies = blocks.map(({ body }) => body);
    client.input({ kind: 'put', handle: 1, collection, ttlSeconds: 60, items, bodies });
    await client.until('done');
  };
  const get = (client: TestClient, parts: number[], token: Uint8Array | null = null, length = 5_000): void => {
    const items = parts.map((part) => {
      const { name } = blockOf(part, length).item;
      return { token, name, label: null, deadlineAtMs: null };
    });
    client.input({ kind: 'get', handle: 2, keep: false, collection, items });
  };

  it('GE6: closes those who send what is no message, and serves the others on', async () => {
    const server = await start();
    const client = connect(server, keysOf(1));
    await put(client, [1]);
    const junk: [Uint8Array | string, number][] = [
      [Uint8Array.of(0x81, 1, 1), CLOSE.violation],
      [Uint8Array.of(0x91), CLOSE.violation],
      [Uint8Array.of(1, 0, 0), CLOSE.violation],
      [Uint8Array.of(0xd4, 0x72, 0x40), CLOSE.violation],
      ['text', 1003],
      [new Uint8Array(1_200_000).fill(1), CLOSE.tooBig],
      // Well formed, but nobody has said hello.
      [Uint8Array.of(0x92, 9, 5), CLOSE.unauthenticated],
    ];
    for (const [bytes, code] of junk) {
      const socket = new WebSocket(server.url);
      socket.on('error', () => {});
      socket.on('open', () => socket.send(bytes));
      expect(await new Promise((resolve) => socket.on('close', resolve))).toBe(code);
    }
    get(client, [1]);
    expect(await client.until('arrived')).toHaveLength(1);
    expect(server.stats().links).toBe(1);
  });

  it('GE5: ignores messages of a later version', async () => {
    const server = await start();
    const socket = new WebSocket(server.url);
    const welcome = await new Promise<Uint8Array>((resolve) => socket.once('message', resolve));
    expect(insServerCodec.decode(welcome)).toMatchObject({ message: { type: 'welcome' } });
    socket.send(Uint8Array.of(0x92, 0x3f, 5));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(socket.readyState).toBe(WebSocket.OPEN);
    socket.terminate();
  });

  it('IN2: gives way to a newer connection of the same key', async () => {
    const server = await start();
    const first = connect(server, keysOf(1));
    await first.until('ready');
    const second = connect(server, keysOf(1));
    expect(await first.until('lost')).toMatchObject([{ final: true }]);
    await put(second, [1]);
    expect(server.stats().links).toBe(1);
  });

  it('keeps its key in a file, so that tokens are good after a restart, and clients come back by themselves', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'inswarm-ins-'));
    const keyFile = join(folder, 'key.pem');
    const server = await start({ keyFile });
    const client = connect(server, keysOf(1));
    await put(client, [1]);
    const follower = connect(server, keysOf(2));
    const token = sealToken(keysOf(1), [{ key: server.serverKey, url: server.url }]);
    follower.input({ kind: 'follow', handle: 5, keep: false, token, collection, tracks: [], from: 0 });
    await follower.until('arrived', 1);
    await server.close();
    expect(client.of('lost')).toMatchObject([{ final: false }]);
    const again = await start({ keyFile, port: server.port });
    expect(again.serverKey).toEqual(server.serverKey);
    const { item, body } = blockOf(2);
    client.input({ kind: 'put', handle: 9, collection, ttlSeconds: 60, items: [item], bodies: [body] });
    const arrived = await follower.until('arrived', 2);
    expect(arrived[1]?.labelled?.part).toBe(2);
    rmSync(folder, { recursive: true });
  });

  it('sends in order out of a store that takes its time, and tells what the store has lost or could not take', async () => {
    const memory = memoryStore();
    const lost = hashText(blockOf(3, 5_000).body);
    const full = hashText(blockOf(4, 5_000).body);
    let turn = 0;
    const slowly = async <T>(value: T): Promise<T> => {
      // The later ones are ready first.
      await new Promise((resolve) => setTimeout(resolve, 30 - 10 * (turn++ % 3)));
      return value;
    };
    const store: BlockStore = {
      async store(block: StoredBlock, bytes: Uint8Array) {
        await slowly(undefined);
        if (hashText(bytes) === full) throw new Error('no space left on device');
        memory.store(block, bytes);
      },
      load: async (block: StoredBlock) => {
        const bytes = await slowly(memory.load(block) as Uint8Array | undefined);
        return bytes === undefined || hashText(bytes) === lost ? undefined : bytes;
      },
      drop: memory.drop,
      close: memory.close,
    };
    const server = await start({ store });
    const client = connect(server, keysOf(1));
    await put(client, [0, 1, 2, 3, 4, 5]);
    expect(client.of('refused')).toMatchObject([{ handle: 1, item: 4, reason: 'OVERLOAD' }]);
    get(client, [0, 1, 2, 3, 5]);
    await client.until('done', 2);
    expect(client.of('arrived').map(({ item }) => item)).toEqual([0, 1, 2, 4]);
    expect(client.of('arrived').map(({ body }) => hashText(body))).toEqual(
      [0, 1, 2, 5].map((part) => hashText(blockOf(part, 5_000).body)),
    );
    expect(client.of('refused').at(-1)).toMatchObject({ handle: 2, item: 3, reason: 'NO_OBJECT' });
    expect(server.stats().blocks).toBe(4);
  });

  it('HT7: does not take readers for slow, of either protocol, when it is the store that is', async () => {
    const memory = memoryStore();
    // Longer than a reader may take nothing.
    const load = async (block: StoredBlock): Promise<Uint8Array | undefined> => {
      await new Promise((resolve) => setTimeout(resolve, 6_500));
      return memory.load(block);
    };
    const server = await start({ store: { ...memory, load } });
    const client = connect(server, keysOf(1));
    await put(client, [1]);
    const token = sealToken(keysOf(1), [{ key: server.serverKey, url: server.url }]);
    const name = toBase64Url(blockOf(1, 5_000).item.name.subarray(1));
    const url = `http://${server.host}:${server.port}/.well-known/ni/blake3/${name}`;
    const answer = fetch(url, { headers: { authorization: `Bearer ${toBase64Url(token)}` } });
    get(client, [1]);
    const [[arrived], response] = await Promise.all([client.until('arrived'), answer]);
    expect(hashText(arrived!.body)).toBe(hashText(blockOf(1, 5_000).body));
    expect(client.of('lost')).toEqual([]);
    expect(response.status).toBe(200);
    expect(hashText(new Uint8Array(await response.arrayBuffer()))).toBe(hashText(arrived!.body));
  });

  it('counts what it sends where it leaves', async () => {
    const server = await start();
    const source = connect(server, keysOf(1));
    await put(source, [1, 2], 100_000);
    const viewer = connect(server, keysOf(2));
    get(viewer, [1, 2], sealToken(keysOf(1), [{ key: server.serverKey, url: server.url }]), 100_000);
    await viewer.until('done');
    // Eight bytes of ours and ten of the WebSocket's before each block; the client masks what it sends.
    expect(server.stats().clients).toMatchObject({
      dataOut: 200_036,
      dataIn: 200_056,
    });
    expect(viewer.client.counters).toMatchObject({ dataIn: 200_036, dataOut: 0 });
    expect(source.client.counters.dataIn).toBe(0);
  });

  it('stops within a second or so, whoever is connected, and leaves nothing running', async () => {
    const server = await start();
    const other = await start();
    const viewer = connect(other, keysOf(2));
    const token = sealToken(keysOf(1), [{ key: server.serverKey, url: server.url }]);
    viewer.input({ kind: 'follow', handle: 1, keep: true, token, collection, tracks: [], from: 0 });
    const source = connect(server, keysOf(1));
    await put(source, [1]);
    await viewer.until('arrived');
    const mute = new WebSocket(server.url);
    await new Promise((resolve) => mute.once('open', resolve));
    mute.pause();
    await Promise.all([viewer.client.close(), source.client.close()]);
    await Promise.all([server.close(), other.close()]);
    mute.terminate();
    expect(server.stats()).toMatchObject({ links: 0, upstreams: 0 });
    expect(other.stats()).toMatchObject({ links: 0, upstreams: 0, follows: 0 });
  });
});

describe('which servers are dialled', () => {
  const all = [
    'ws://127.0.0.1:1',
    'ws://[::1]:1',
    'ws://localhost:1',
    'ws://10.0.0.1:1',
    'wss://ins.example',
    'ws://169.254.169.254',
  ];

  it('is loopback for one on loopback, and anything but that for the others', () => {
    expect(all.filter((url) => dialRules('same-scope', '127.0.0.1').mayDial(url))).toEqual(all.slice(0, 3));
    expect(all.filter((url) => dialRules('same-scope', '0.0.0.0').mayDial(url))).toEqual([
      'ws://10.0.0.1:1',
      'wss://ins.example',
    ]);
    const { mayReach } = dialRules('same-scope', '0.0.0.0');
    const addresses = [
      '127.0.0.1',
      '::1',
      '::ffff:127.0.0.1',
      '0.0.0.0',
      '169.254.1.1',
      'fe80::1',
      '::',
      '192.0.2.1',
      '2001:db8::1',
    ];
    expect(addresses.filter(mayReach)).toEqual(['192.0.2.1', '2001:db8::1']);
  });

  it('is what the operator lists, if so', () => {
    const { mayDial } = dialRules(['ins.example', '10.0.0.1:1'], '0.0.0.0');
    expect(all.filter((url) => mayDial(url))).toEqual(['ws://10.0.0.1:1', 'wss://ins.example']);
    expect(mayDial('ws://10.0.0.1:2')).toBe(false);
  });

  it('can be those whose keys the operator lists, wherever they are', () => {
    const [known, other] = [keysOf(1).publicKey, keysOf(2).publicKey];
    const { mayDial, isKnownServer } = dialRules([toBase64Url(known)], '0.0.0.0');
    expect(all.filter((url) => mayDial(url, known))).toEqual(all);
    expect(all.filter((url) => mayDial(url, other))).toEqual([]);
    expect(mayDial('http://ins.example', known)).toBe(false);
    expect([known, other].map(isKnownServer)).toEqual([true, false]);
    expect(dialRules('same-scope', '0.0.0.0').isKnownServer(known)).toBe(false);
  });

  it('is never what is no WebSocket’s address', () => {
    const { mayDial } = dialRules('same-scope', '127.0.0.1');
    expect(['http://127.0.0.1', 'ws://user@127.0.0.1', '127.0.0.1', '', 'ws://'].filter((url) => mayDial(url))).toEqual(
      [],
    );
  });
});
