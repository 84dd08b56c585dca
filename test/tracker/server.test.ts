import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';
import { pack } from '../../protocol/codec.ts';
import type { Description, IndexRecord } from '../../protocol/media.ts';
import { nameOfHash, streamIdToText } from '../../protocol/names.ts';
import { CLOSE } from '../../protocol/reasons.ts';
import { descriptionSigned, encodeDescription, encodeRecord, recordSigned } from '../../protocol/records.ts';
import { concatBytes } from '../../protocol/text.ts';
import {
  type FromTracker,
  fromTrackerCodec,
  joinSigned,
  type ToTracker,
  toTrackerCodec,
} from '../../protocol/tracker-messages.ts';
import { silentLog } from '../../runtime/log.ts';
import { type KeyPair, keyPairFromSeed } from '../../runtime/node/crypto.ts';
import { hashOf } from '../../runtime/node/hash.ts';
import { dialLink, type Link } from '../../runtime/node/ws-link.ts';
import { startTracker, type TrackerServer, type TrackerServerOptions } from '../../tracker/node/tracker.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function start(options: Partial<TrackerServerOptions> = {}): Promise<TrackerServer> {
  const tracker = await startTracker({ port: 0, log: silentLog, ...options });
  cleanups.push(() => tracker.close());
  return tracker;
}

function folder(files: Readonly<Record<string, string>>): string {
  const path = mkdtempSync(join(tmpdir(), 'inswarm-'));
  cleanups.push(() => rmSync(path, { recursive: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text);
  return path;
}

/** A member on a real socket. */
class Client {
  readonly link: Link;
  readonly messages: FromTracker[] = [];
  closed: { readonly code: number; readonly why: string } | undefined;
  private wake: (() => void) | undefined;

  constructor(url: string) {
    this.link = dialLink(url, {
      control: (bytes) => {
        const decoded = fromTrackerCodec.decode(bytes);
        if (!decoded.ok || decoded.message === undefined) throw new Error('the tracker sent nonsense');
        this.messages.push(decoded.message);
        this.wake?.();
      },
      block: () => {
        throw new Error('the tracker sent a block');
      },
      closed: (code, why) => {
        this.closed = { code, why };
        this.wake?.();
      },
    });
    cleanups.push(() => this.link.close(1000, 'done'));
  }

  send(message: ToTracker): void {
    this.link.sendControl(toTrackerCodec.encode(message));
  }

  /** The next message of a type that was not asked for yet. */
  async next<Type extends FromTracker['type']>(type: Type): Promise<Extract<FromTracker, { type: Type }>> {
    for (;;) {
      const at = this.messages.findIndex((message) => message.type === type);
      if (at >= 0) return this.messages.splice(at, 1)[0] as Extract<FromTracker, { type: Type }>;
      if (this.closed !== undefined) throw new Error(`closed: ${this.closed.code} ${this.closed.why}`);
      await this.change();
    }
  }

  async end(): Promise<{ readonly code: number; readonly why: string }> {
    while (this.closed === undefined) await this.change();
    return this.closed;
  }

  async join(stream: Uint8Array, keys: KeyPair, role: 'source' | 'viewer', url: string | null = null): Promise<void> {
    const { nonce } = await this.next('welcome');
    const { publicKey: key } = keys;
    const proof = keys.sign(joinSigned(nonce, stream, key));
    this.send({ type: 'join', version: 1, role, stream, key, mode: 'hybrid', url, region: null, proof });
  }

  private change(): Promise<void> {
    return new Promise((resolve) => {
      this.wake = resolve;
    });
  }
}

const root = keyPairFromSeed(new Uint8Array(32).fill(1));
const signing = keyPairFromSeed(new Uint8Array(32).fill(2));
const viewerKeys = keyPairFromSeed(new Uint8Array(32).fill(3));
const stream = hashOf(root.publicKey);

function seal(by: KeyPair, change: Partial<Description> = {}): Uint8Array {
  const issuedAtMs = Date.now();
  const body = encodeDescription({
    rootKey: root.publicKey,
    signingKey: signing.publicKey,
    revision: 0,
    issuedAtMs,
    expiresAtMs: issuedAtMs + 60_000,
    title: 'test pattern',
    partTargetMs: 250,
    segmentTargetMs: 1_000,
    tracks: [],
    ...change,
  });
  return concatBytes(body, by.sign(descriptionSigned(stream, body)));
}

function sealRecord(part: number): Uint8Array {
  const record: IndexRecord = {
    track: 0,
    part,
    revision: 0,
    segment: 0,
    indexInSegment: part,
    independent: part === 0,
    discontinuity: false,
    timeUs: part * 250_000,
    durationUs: 250_000,
    capturedAtMs: 0,
    blocks: [{ name: nameOfHash(hashOf(Uint8Array.of(part))), sizeBytes: 1 }],
    previous: new Uint8Array(32),
  };
  const body = encodeRecord(record);
  return concatBytes(body, signing.sign(recordSigned(stream, body)));
}

const state = { type: 'state', bufferMs: 0, latencyMs: 0, uploadBps: 0, insFed: false } as const;

describe('a tracker on sockets', () => {
  test('TR4 TR10: a source publishes, a viewer gets all it takes; the source goes, and is back', async () => {
    const tracker = await start({ ins: [{ url: 'ws://127.0.0.1:9', region: 'eu' }] });
    const early = new Client(tracker.wsUrl);
    await early.join(stream, keyPairFromSeed(new Uint8Array(32).fill(9)), 'viewer');
    expect((await early.next('joined')).description).toBeNull();

    const description = seal(root);
    const publish = { type: 'publish', description, insServers: [], hlsUrl: ':8080/x.m3u8' } as const;
    const source = new Client(tracker.wsUrl);
    await source.join(stream, signing, 'source', ':7000');
    source.send(publish);
    source.send({ type: 'records', records: [sealRecord(0), sealRecord(1)] });
    source.send({ ...state, availability: [{ track: 0, first: 0, bits: Uint8Array.of(3) }], token: Uint8Array.of(1) });
    expect((await early.next('description')).description).toEqual(description);
    expect((await early.next('stream-state')).state).toBe('live');
    const digest = await early.next('digest');
    expect(digest.records).toEqual([sealRecord(0), sealRecord(1)]);

    const viewer = new Client(tracker.wsUrl);
    await viewer.join(stream, viewerKeys, 'viewer');
    const joined = await viewer.next('joined');
    expect(joined).toMatchObject({ state: 'live', description, records: [sealRecord(0), sealRecord(1)] });
    expect(joined.neighbours[0]).toEqual({
      peer: signing.publicKey,
      url: 'ws://127.0.0.1:7000',
      mode: 'hybrid',
      source: true,
      availability: [{ track: 0, first: 0, bits: Uint8Array.of(3) }],
      token: Uint8Array.of(1),
    });
    expect(joined.insServers).toEqual([{ url: 'ws://127.0.0.1:9', region: 'eu' }]);
    const listed = await (await fetch(`${tracker.url}/api/streams`)).json();
    expect(listed).toEqual([
      {
        id: streamIdToText(stream),
        title: 'test pattern',
        state: 'live',
        viewers: 2,
        hlsUrl: 'http://127.0.0.1:8080/x.m3u8',
      },
    ]);

    source.link.close(1000, 'crash');
    expect(await viewer.next('stream-state')).toMatchObject({ state: 'interrupted', why: 'the source is gone' });
    const back = new Client(tracker.wsUrl);
    await back.join(stream, signing, 'source', ':7001');
    back.send(publish);
    expect((await viewer.next('neighbours')).neighbours[0]?.url).toBe('ws://127.0.0.1:7001');
    expect((await viewer.next('stream-state')).state).toBe('live');
  });

  test('TR8: a description that another key signed is refused with real signatures', async () => {
    const tracker = await start();
    const forger = new Client(tracker.wsUrl);
    await forger.join(stream, signing, 'source', ':7000');
    forger.send({ type: 'publish', description: seal(signing), insServers: [], hlsUrl: null });
    expect((await forger.next('refused')).reason).toBe('TOKEN_INVALID');
    expect((await forger.end()).code).toBe(CLOSE.policy);
  });

  test('TR1: a key cannot be claimed without its private half', async () => {
    const tracker = await start();
    const thief = new Client(tracker.wsUrl);
    await thief.join(stream, { ...viewerKeys, publicKey: signing.publicKey }, 'viewer');
    expect((await thief.next('refused')).reason).toBe('UNAUTHENTICATED');
    expect((await thief.end()).code).toBe(CLOSE.unauthenticated);
  });

  test('TR3: the newer connection of a key takes over', async () => {
    const tracker = await start();
    const older = new Client(tracker.wsUrl);
    await older.join(stream, viewerKeys, 'viewer');
    await older.next('joined');
    const newer = new Client(tracker.wsUrl);
    await newer.join(stream, viewerKeys, 'viewer');
    await newer.next('joined');
    expect((await older.end()).code).toBe(CLOSE.replaced);
    expect(tracker.stats().connections).toBe(1);
  });

  test.each([
    ['no MessagePack', Uint8Array.of(0xc1), 'unexpected type'],
    ['a join of the wrong shape', pack([1, 1, 'viewer']), 'malformed join'],
    ['a block frame', Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0, 9), 'a tracker takes no blocks'],
  ])('GE6: %s closes the connection and says why', async (_name, bytes, text) => {
    const tracker = await start();
    const client = new Client(tracker.wsUrl);
    await client.next('welcome');
    if (bytes[0] === 1) client.link.sendBlock(bytes.subarray(0, 8), bytes.subarray(8));
    else client.link.sendControl(bytes);
    expect(await client.next('refused')).toMatchObject({ reason: 'MALFORMED', text });
    expect((await client.end()).code).toBe(CLOSE.violation);
  });

  test('GE5: a message of a later version is ignored', async () => {
    const tracker = await start();
    const client = new Client(tracker.wsUrl);
    await client.join(stream, viewerKeys, 'viewer');
    client.link.sendControl(pack([99, 'whatever']));
    client.send({ type: 'more', count: 1, known: [] });
    await client.next('joined');
    client.send({ type: 'leave' });
    expect((await client.end()).code).toBe(CLOSE.normal);
  });

  test('closing ends every connection, the page and the port', async () => {
    const tracker = await start();
    const clients = [new Client(tracker.wsUrl), new Client(tracker.wsUrl)];
    for (const client of clients) await client.next('welcome');
    await tracker.close();
    for (const client of clients) expect((await client.end()).code).toBe(CLOSE.goingAway);
    await expect(fetch(tracker.url)).rejects.toThrow();
  });
});

test('a process whose tracker was closed ends by itself: no timer and no socket is left', async () => {
  const code = `
    import { startTracker } from './tracker/node/tracker.ts';
    import { dialLink } from './runtime/node/ws-link.ts';
    import { silentLog } from './runtime/log.ts';
    const tracker = await startTracker({ port: 0, log: silentLog });
    await new Promise((resolve) => dialLink(tracker.wsUrl, { control: resolve, block() {}, closed() {} }));
    await fetch(tracker.url).then((page) => page.text());
    await tracker.close();
    console.log('closed');
  `;
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', code], {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.on('data', (text) => {
    said += text;
  });
  const late = setTimeout(() => child.kill('SIGKILL'), 30_000);
  const [exitCode, signal] = await once(child, 'exit');
  clearTimeout(late);
  expect([said, exitCode, signal]).toEqual(['closed\n', 0, null]);
});

describe('the pages of the tracker', () => {
  test('without a built player a page says how to build it', async () => {
    const tracker = await start({ playerFolder: folder({}) });
    const page = await fetch(`${tracker.url}/?stream=x`);
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    expect(await page.text()).toContain('npm run build');
  });

  test('the built player is served at / with what belongs to it', async () => {
    const playerFolder = folder({ 'index.html': '<title>player</title>', 'main.js': 'let x' });
    const tracker = await start({ playerFolder });
    expect(await (await fetch(`${tracker.url}/?stream=x`)).text()).toBe('<title>player</title>');
    expect(await (await fetch(`${tracker.url}/main.js`)).text()).toBe('let x');
    expect(await (await fetch(`${tracker.url}/api/streams`)).json()).toEqual([]);
  });

  test('a sign of life, and streams that nobody published are not listed', async () => {
    const tracker = await start();
    const viewer = new Client(tracker.wsUrl);
    await viewer.join(stream, viewerKeys, 'viewer');
    await viewer.next('joined');
    expect(await (await fetch(`${tracker.url}/healthz`)).json()).toEqual({ ok: true, connections: 1 });
    expect(await (await fetch(`${tracker.url}/api/streams`)).json()).toEqual([]);
  });
});

describe('what is wrong at the start is said in one sentence', () => {
  test('a port that is taken', async () => {
    const other = createServer();
    const port = await new Promise<number>((resolve) => {
      other.listen(0, '127.0.0.1', () => resolve((other.address() as { port: number }).port));
    });
    cleanups.push(() => new Promise((resolve) => other.close(resolve)));
    await expect(start({ port })).rejects.toThrow(`port ${port} on 127.0.0.1 is taken by another program`);
  });

  test('a regions file that is not there, and one with bad lines', async () => {
    await expect(start({ regionsFile: '/nowhere/regions.txt' })).rejects.toThrow(
      /^cannot read the regions file \/nowhere\/regions.txt: ENOENT/,
    );
    const bad = join(folder({ 'regions.txt': '10.0.0.0/8 eu\nnonsense x\n1.2.3.4\n' }), 'regions.txt');
    await expect(start({ regionsFile: bad })).rejects.toThrow(
      `the regions file ${bad}, line 2: nonsense is not an IPv4 or IPv6 address block; line 3: expected an address block`,
    );
  });

  test('TR20: the regions file decides which INS server comes first', async () => {
    const regionsFile = join(folder({ 'regions.txt': '127.0.0.0/8 home\n' }), 'regions.txt');
    const ins = [
      { url: 'ws://a:1', region: 'away' },
      { url: 'ws://b:1', region: 'home' },
    ];
    const tracker = await start({ regionsFile, ins });
    const viewer = new Client(tracker.wsUrl);
    await viewer.join(stream, viewerKeys, 'viewer');
    expect((await viewer.next('joined')).insServers.map(({ url }) => url)).toEqual(['ws://b:1', 'ws://a:1']);
  });
});
