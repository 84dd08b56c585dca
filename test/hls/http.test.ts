import { mkdir, mkdtemp, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { serveHls } from '../../runtime/node/hls-http.ts';
import { createHttpServer, type HttpServer } from '../../runtime/node/http.ts';
import { serveStatic } from '../../runtime/node/static-files.ts';
import { MadeLive } from './made-live.ts';
import { AUDIO, makeDescription, makeRecord, VIDEO } from './made-stream.ts';

const cleanups: (() => Promise<unknown> | undefined)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function started(setUp: (server: HttpServer) => void): Promise<{ server: HttpServer; url: string }> {
  const server = createHttpServer({ port: 0 });
  setUp(server);
  const { url } = await server.listen();
  cleanups.push(() => server.close());
  return { server, url };
}

async function serving(parts: number, options = {}) {
  const live = new MadeLive(makeDescription());
  for (let part = 0; part < parts; part++) live.add(makeRecord(part));
  const { server, url } = await started((made) => serveHls(made, () => new Map([['abc', live]]), options));
  return { live, server, url: `${url}/abc` };
}

describe('LL-HLS over HTTP', () => {
  it('serves playlists, headers, parts and segments, readable from any page', async () => {
    const { url } = await serving(6);
    const master = await fetch(`${url}/master.m3u8`);
    expect(master.headers.get('content-type')).toBe('application/vnd.apple.mpegurl');
    expect(master.headers.get('access-control-allow-origin')).toBe('*');
    expect(master.headers.get('cache-control')).toBe('no-cache');
    expect(await master.text()).toContain('1/media.m3u8');
    const init = await fetch(`${url}/1/init-0.mp4`);
    expect(new Uint8Array(await init.arrayBuffer())).toEqual(Uint8Array.of(1, 1, 1));
    const part = await fetch(`${url}/1/part-5.m4s`);
    expect(part.headers.get('content-type')).toBe('video/mp4');
    expect(part.headers.get('content-length')).toBe('2');
    expect(part.headers.get('access-control-allow-origin')).toBe('*');
    expect(new Uint8Array(await part.arrayBuffer())).toEqual(Uint8Array.of(VIDEO, 5));
    const segment = await fetch(`${url}/1/segment-0.m4s`);
    expect(new Uint8Array(await segment.arrayBuffer())).toEqual(Uint8Array.of(1, 0, 1, 1, 1, 2, 1, 3));
  });

  it('lists its streams at the root', async () => {
    const { url } = await serving(0);
    expect(await (await fetch(new URL('/', url))).json()).toEqual({
      streams: [{ stream: 'abc', title: 'Made', playlist: '/abc/master.m3u8', ended: false }],
    });
  });

  it('answers HEAD with the headers alone', async () => {
    const { url } = await serving(6);
    for (const path of ['/master.m3u8', '/1/part-5.m4s']) {
      const head = await fetch(url + path, { method: 'HEAD' });
      expect([head.status, (await head.arrayBuffer()).byteLength]).toEqual([200, 0]);
      expect(Number(head.headers.get('content-length'))).toBeGreaterThan(0);
    }
  });

  it('blocks a reload until the part is there', async () => {
    const { live, url } = await serving(6);
    const blocked = fetch(`${url}/1/media.m3u8?_HLS_msn=1&_HLS_part=2`).then((response) => response.text());
    await expect.poll(() => live.listenerCount).toBe(1);
    live.add(makeRecord(6));
    expect(await blocked).toContain('URI="part-6.m4s"\n#EXT-X-PRELOAD-HINT');
    expect(live.listenerCount).toBe(0);
  });

  it('gives the hinted part as soon as it is there, to everyone who waits', async () => {
    const { live, url } = await serving(6);
    const waiting = [1, 2, 3].map(() => fetch(`${url}/1/part-6.m4s`).then((response) => response.arrayBuffer()));
    await expect.poll(() => live.listenerCount).toBe(1);
    // All three are on the server once a fourth request, sent after them, was answered.
    await fetch(`${url}/1/part-5.m4s`);
    live.add(makeRecord(6));
    for (const bytes of await Promise.all(waiting)) expect(new Uint8Array(bytes)).toEqual(Uint8Array.of(1, 6));
  });

  it('answers what waits with 404 when the stream ends, and a blocked playlist with its end', async () => {
    const { live, url } = await serving(6);
    const part = fetch(`${url}/1/part-6.m4s`);
    const playlist = fetch(`${url}/1/media.m3u8?_HLS_msn=2&_HLS_part=0`).then((response) => response.text());
    await expect.poll(() => live.listenerCount).toBe(1);
    await fetch(`${url}/1/part-5.m4s`);
    live.window.end();
    live.changed();
    expect((await part).status).toBe(404);
    expect(await playlist).toContain('#EXT-X-ENDLIST');
  });

  it('says 503 after three target durations', async () => {
    const { url } = await serving(3);
    const response = await fetch(`${url}/1/media.m3u8`);
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '1']);
    expect(await response.text()).toBe('No segment of the track is complete yet: /abc/1/media.m3u8\n');
  });

  it('lets no more requests wait than it has room for', async () => {
    const { live, url } = await serving(6, { waitersMax: 1 });
    const first = fetch(`${url}/1/part-6.m4s`);
    await expect.poll(() => live.listenerCount).toBe(1);
    expect((await fetch(`${url}/1/part-6.m4s`)).status).toBe(503);
    live.add(makeRecord(6));
    expect((await first).status).toBe(200);
  });

  it('forgets a request whose client has gone', async () => {
    const { live, url } = await serving(6);
    const gone = new AbortController();
    const asked = fetch(`${url}/1/part-6.m4s`, { signal: gone.signal }).catch((error: Error) => error.name);
    await expect.poll(() => live.listenerCount).toBe(1);
    gone.abort();
    expect(await asked).toBe('AbortError');
    await expect.poll(() => live.listenerCount).toBe(0);
  });

  it('refuses bad requests in one plain line', async () => {
    const { live, url } = await serving(6);
    const statuses: [string, number][] = [
      ['/1/media.m3u8?_HLS_part=1', 400],
      ['/1/media.m3u8?_HLS_msn=99', 400],
      ['/1/part-99.m4s', 404],
      ['/7/media.m3u8', 404],
      ['/%2e%2e/etc/passwd', 404],
      ['', 404],
    ];
    for (const [path, status] of statuses) expect([path, (await fetch(url + path)).status]).toEqual([path, status]);
    expect((await fetch(`${url}d/master.m3u8`)).status).toBe(404);
    expect((await fetch(`${url}/master.m3u8`, { method: 'POST' })).status).toBe(404);
    live.forget(VIDEO, 5);
    expect((await fetch(`${url}/1/part-5.m4s`)).status).toBe(404);
    const path = `${new URL(url).pathname}/1/part-99.m4s`;
    expect(await (await fetch(`${url}/1/part-99.m4s`)).text()).toBe(`The track has no such part: ${path}\n`);
  });

  it('tells the source which tracks players ask for', async () => {
    const { live, url } = await serving(6);
    for (let part = 0; part < 5; part++) live.add(makeRecord(part, { track: AUDIO }));
    await fetch(`${url}/2/media.m3u8`);
    await fetch(`${url}/master.m3u8`);
    expect(live.wanted).toEqual([AUDIO]);
  });
});

describe('the HTTP server', () => {
  it('names the port that is taken', async () => {
    const { url } = await started(() => {});
    const port = Number(new URL(url).port);
    await expect(createHttpServer({ port }).listen()).rejects.toThrow(`port ${port} on 127.0.0.1 is taken`);
  });

  it('names an address that is not of this machine', async () => {
    await expect(createHttpServer({ host: '192.0.2.1', port: 0 }).listen()).rejects.toThrow(
      '192.0.2.1 is no address of this machine',
    );
  });

  it('closes waiting requests with 503, and cuts idle and upgraded connections', async () => {
    const { live, server, url } = await serving(6);
    const { hostname, port } = new URL(url);
    const upgraded: Socket[] = [];
    server.raw.on('upgrade', (_request, socket: Socket) => upgraded.push(socket));
    const sockets = [connect(Number(port), hostname), connect(Number(port), hostname)];
    const ends = sockets.map((socket) => new Promise((done) => socket.once('close', done)));
    sockets[1]?.write(`GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`);
    const waiting = fetch(`${url}/1/part-6.m4s`);
    await expect.poll(() => live.listenerCount + upgraded.length).toBe(2);
    await server.close();
    expect((await waiting).status).toBe(503);
    await Promise.all(ends);
    expect(live.listenerCount).toBe(0);
  });

  it('refuses headers beyond its bound', async () => {
    const { url } = await serving(0);
    const status = await new Promise((done, fail) => {
      const asked = request(url, { headers: { 'x-long': 'x'.repeat(9_000) } }, (response) => done(response.statusCode));
      asked.once('error', fail);
      asked.end();
    });
    expect(status).toBe(431);
  });
});

describe('static files', () => {
  async function servedFolder(): Promise<string> {
    const base = await mkdtemp(join(tmpdir(), 'inswarm-static-'));
    cleanups.push(() => rm(base, { recursive: true }));
    const folder = join(base, 'page');
    await mkdir(join(folder, 'assets'), { recursive: true });
    await writeFile(join(folder, 'index.html'), '<p>page</p>');
    await writeFile(join(folder, 'assets', 'a.js'), 'code');
    await writeFile(join(folder, 'hash.wasm'), Uint8Array.of(0, 97));
    await writeFile(join(base, 'secret.txt'), 'secret');
    await symlink(join(base, 'secret.txt'), join(folder, 'link.txt'));
    const { url } = await started((server) => serveStatic(server, { folder, headers: { 'x-page': 'yes' } }));
    return url;
  }

  it('serves files with their types, and index.html for the folder', async () => {
    const url = await servedFolder();
    const page = await fetch(`${url}/?stream=x`);
    expect([page.headers.get('content-type'), await page.text()]).toEqual(['text/html; charset=utf-8', '<p>page</p>']);
    expect(page.headers.get('x-page')).toBe('yes');
    expect((await fetch(`${url}/assets/a.js`)).headers.get('content-type')).toBe('text/javascript; charset=utf-8');
    expect((await fetch(`${url}/hash.wasm`)).headers.get('content-type')).toBe('application/wasm');
    const head = await fetch(`${url}/assets/a.js`, { method: 'HEAD' });
    expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([200, '4', '']);
  });

  it('answers 304 for a file that the client has', async () => {
    const url = await servedFolder();
    const etag = (await fetch(`${url}/assets/a.js`)).headers.get('etag') ?? '';
    expect((await fetch(`${url}/assets/a.js`, { headers: { 'if-none-match': etag } })).status).toBe(304);
    expect((await fetch(`${url}/assets/a.js`, { headers: { 'if-none-match': '"x"' } })).status).toBe(200);
  });

  it('gives a file as the build has packed it to those who can read that, and never one of an earlier build', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'inswarm-static-'));
    cleanups.push(() => rm(folder, { recursive: true }));
    const packed = gzipSync('code '.repeat(1_000));
    await writeFile(join(folder, 'a.js'), 'code '.repeat(1_000));
    await writeFile(join(folder, 'a.js.gz'), packed);
    const { url } = await started((server) => serveStatic(server, { folder }));
    const ask = async (encoding: string): Promise<unknown[]> => {
      const answer = await fetch(`${url}/a.js`, { headers: { 'accept-encoding': encoding } });
      const { headers } = answer;
      return [headers.get('content-encoding'), headers.get('content-length'), headers.get('vary'), await answer.text()];
    };
    const plain = [null, '5000', 'accept-encoding', 'code '.repeat(1_000)];
    const gzip = ['gzip', `${packed.length}`, 'accept-encoding', plain[3]];
    expect(await ask('br, gzip;q=0.5')).toEqual(gzip);
    const smaller = brotliCompressSync('code '.repeat(1_000));
    await writeFile(join(folder, 'a.js.br'), smaller);
    expect(await ask('gzip, deflate, br, zstd')).toEqual(['br', `${smaller.length}`, 'accept-encoding', plain[3]]);
    expect(await ask('br;q=0, gzip')).toEqual(gzip);
    expect(await ask('gzip, vibr')).toEqual(gzip);
    await utimes(join(folder, 'a.js.br'), 1, 1);
    expect(await ask('br, gzip')).toEqual(gzip);
    expect(await ask('identity')).toEqual(plain);
    expect(await ask('gzip;q=0')).toEqual(plain);
    await utimes(join(folder, 'a.js.gz'), 1, 1);
    expect(await ask('gzip')).toEqual(plain);
  });

  it('gives nothing from outside of the folder', async () => {
    const url = await servedFolder();
    const { hostname, port } = new URL(url);
    const rawStatus = (path: string) =>
      new Promise((done, fail) => {
        const asked = request({ hostname, port, path }, (response) => {
          response.resume();
          done(response.statusCode);
        });
        asked.once('error', fail);
        asked.end();
      });
    const paths = [
      '/../secret.txt',
      '/%2e%2e/secret.txt',
      '/assets/..%2f..%2fsecret.txt',
      '/..%5csecret.txt',
      '/link.txt',
      '/%00',
      '/assets',
      '/none',
    ];
    for (const path of paths) expect([path, await rawStatus(path)]).toEqual([path, 404]);
  });
});
