import { afterEach, describe, expect, it } from 'vitest';
import { contentType } from '../../ins-server/node/http/parse.ts';
import { memoryStore } from '../../ins-server/node/stores/memory.ts';
import { nameToText } from '../../protocol/names.ts';
import { toBase64Url } from '../../protocol/text.ts';
import { nameOf } from '../../runtime/node/hash.ts';
import { blockOf, bytesOf, collectionOf, hashText, sealToken } from './helpers.ts';
import { httpClients } from './http-client.ts';
import { ALL, bearer, blockUrl, HttpStage, json, owner, told } from './http-stage.ts';

const stage = new HttpStage();
afterEach(() => stage.close());

describe.each(httpClients)('blocks of an INS server over HTTP, asked by $name', ({ ask }) => {
  it('HT3: takes a block, gives it back, tells of it, and lets it go', async () => {
    const server = await stage.start();
    const headers = bearer(server);
    for (const length of [1, 1_000, 300_000, 1_048_576]) {
      const body = bytesOf(length, length);
      const url = blockUrl(server, body);
      const etag = `"${url.slice(-43)}"`;
      const made = await ask(url, { method: 'PUT', headers: { ...headers, 'Expires-In': '300' }, body });
      expect(made.status).toBe(201);
      expect(json(made)).toMatchObject({ name: nameToText(nameOf(body)), track: 0, index: 0 });
      expect((await ask(url, { method: 'PUT', headers, body })).status).toBe(200);
      const got = await ask(url, { headers });
      expect([got.status, got.body.length, hashText(got.body)]).toEqual([200, length, hashText(body)]);
      expect(got.headers.get('etag')).toBe(etag);
      expect(got.headers.get('content-type')).toBe('application/octet-stream');
      const [, seconds] = /^private, max-age=(\d+), immutable$/.exec(got.headers.get('cache-control')!) ?? [];
      expect(Number(seconds)).toBeGreaterThan(200);
      expect(Number(seconds)).toBeLessThan(300);
      const head = await ask(url, { method: 'HEAD', headers });
      expect([head.status, head.headers.get('content-length'), head.body.length]).toEqual([200, String(length), 0]);
      const same = await ask(url, { headers: { ...headers, 'If-None-Match': `"other", W/${etag}` } });
      expect([same.status, same.body.length, same.headers.get('etag')]).toEqual([304, 0, etag]);
      expect((await ask(url, { method: 'DELETE', headers })).status).toBe(204);
      expect(told(await ask(url, { headers }))).toEqual([404, 'NO_OBJECT']);
    }
    expect(server.stats()).toMatchObject({ blocks: 0, guests: 0 });
  });

  it('HT3: gives single ranges, and the whole where ranges are of no use', async () => {
    const server = await stage.start();
    const headers = bearer(server);
    const body = bytesOf(5, 1_000);
    const url = blockUrl(server, body);
    await ask(url, { method: 'PUT', headers, body });
    const ranges: [string, number, number, number][] = [
      ['bytes=0-9', 206, 0, 10],
      ['bytes=990-', 206, 990, 1_000],
      ['bytes=990-5000', 206, 990, 1_000],
      ['bytes=-5', 206, 995, 1_000],
      ['bytes=-5000', 206, 0, 1_000],
      ['bytes=1000-', 416, 0, 0],
      ['bytes=-0', 416, 0, 0],
      ['bytes=5-4', 200, 0, 1_000],
      ['bytes=0-1,4-5', 200, 0, 1_000],
      ['lines=0-1', 200, 0, 1_000],
      ['bytes=-', 200, 0, 1_000],
    ];
    for (const [range, status, from, to] of ranges) {
      const got = await ask(url, { headers: { ...headers, Range: range } });
      expect([range, got.status]).toEqual([range, status]);
      if (status === 416) expect(got.headers.get('content-range')).toBe('bytes */1000');
      else expect(hashText(got.body)).toBe(hashText(body.subarray(from, to)));
      if (status === 206) expect(got.headers.get('content-range')).toBe(`bytes ${from}-${to - 1}/1000`);
    }
    const other = await ask(url, { headers: { ...headers, Range: 'bytes=0-9', 'If-Range': '"other"' } });
    expect([other.status, other.body.length]).toEqual([200, 1_000]);
  });

  it('HT4: keeps the media type, and gives nothing as a page of its own', async () => {
    const server = await stage.start();
    const headers = bearer(server);
    const typed = async (number: number, type: string): Promise<[number, string | undefined]> => {
      const body = bytesOf(number, 100);
      const url = blockUrl(server, body);
      const put = await ask(url, { method: 'PUT', headers: { ...headers, 'Content-Type': type }, body });
      const got = await ask(url, { headers });
      if (put.status === 201) expect(got.headers.get('content-security-policy')).toBe("default-src 'none'; sandbox");
      return [put.status, got.headers.get('content-type')];
    };
    expect(await typed(1, 'image/svg+xml')).toEqual([201, 'image/svg+xml']);
    expect(await typed(2, 'text/plain; charset=utf-8')).toEqual([201, 'text/plain; charset=utf-8']);
    expect(await typed(3, 'application/x-www-form-urlencoded')).toEqual([201, 'application/octet-stream']);
    expect((await typed(4, 'picture'))[0]).toBe(415);
    expect((await typed(5, `text/${'x'.repeat(130)}`))[0]).toBe(400);
    expect([undefined, '', 'a/b\r\nx: y', 'ä/b', 'text/html'].map(contentType)).toEqual([
      ...Array(4).fill('application/octet-stream'),
      'text/html',
    ]);
  });

  it('HT4: files under the label that the headers name, where those who follow see it at once', async () => {
    const server = await stage.start();
    const collection = collectionOf(1);
    const follower = stage.connected(server, 2);
    const where = [{ key: server.serverKey, url: server.url }];
    const token = sealToken(owner, where);
    follower.input({ kind: 'follow', handle: 1, keep: false, token, collection, tracks: [], from: 0 });
    await follower.until('ready');
    const source = stage.connected(server, 1);
    const parts = [0, 1, 2, 3, 4, 5];
    const headers = bearer(server, { collection, operations: ALL });
    await Promise.all(
      parts.map(async (part) => {
        const { item, body } = blockOf(part, 20_000);
        if (part % 2 === 0) {
          source.input({ kind: 'put', handle: part, collection, ttlSeconds: 60, items: [item], bodies: [body] });
          return;
        }
        const label = { 'INS-Collection': toBase64Url(collection), 'INS-Part': String(part) };
        const made = await ask(blockUrl(server, body), { method: 'PUT', headers: { ...headers, ...label }, body });
        expect(json(made)).toMatchObject({ collection: toBase64Url(collection), track: 0, part, index: 0 });
      }),
    );
    const arrived = await follower.until('arrived', parts.length);
    const bodies = new Map(arrived.map(({ labelled, body }) => [labelled?.part, hashText(body)]));
    for (const part of parts) expect(bodies.get(part)).toBe(hashText(blockOf(part, 20_000).body));
    const got = await ask(blockUrl(server, blockOf(2, 20_000).body), { headers });
    expect(hashText(got.body)).toBe(hashText(blockOf(2, 20_000).body));
  });

  it('HT8: reads through this server what the token has on another one', async () => {
    const [far, near] = [await stage.start(), await stage.start()];
    const body = bytesOf(3, 200_000);
    await ask(blockUrl(far, body), { method: 'PUT', headers: bearer(far), body });
    const got = await ask(blockUrl(near, body), { headers: bearer(far) });
    expect([got.status, hashText(got.body)]).toEqual([200, hashText(body)]);
    expect(near.stats()).toMatchObject({ remoteBlocks: 1 });
    const put = await ask(blockUrl(near, body), { method: 'PUT', headers: bearer(far), body });
    expect(told(put)).toEqual([403, 'POLICY_DENIED']);
    await far.close();
    const lost = bytesOf(4, 1_000);
    expect(told(await ask(blockUrl(near, lost), { headers: bearer(far) }))).toEqual([502, 'REMOTE_FAIL']);
  });

  it('gives what a slow store loads, and says so when it has lost a block', async () => {
    const memory = memoryStore();
    const lost = nameToText(nameOf(bytesOf(2, 1_000)));
    const store = {
      ...memory,
      load: async (block: Parameters<typeof memory.load>[0]) => {
        await new Promise((resolve) => setTimeout(resolve, 5));
        return nameToText(block.name) === lost ? undefined : memory.load(block);
      },
    };
    const server = await stage.start({ store });
    const headers = bearer(server);
    for (const number of [1, 2]) {
      const body = bytesOf(number, 1_000);
      await ask(blockUrl(server, body), { method: 'PUT', headers, body });
    }
    expect(hashText((await ask(blockUrl(server, bytesOf(1, 1_000)), { headers })).body)).toBe(
      hashText(bytesOf(1, 1_000)),
    );
    expect(told(await ask(blockUrl(server, bytesOf(2, 1_000)), { headers }))).toEqual([404, 'NO_OBJECT']);
    expect(server.stats().blocks).toBe(1);
  });
});
