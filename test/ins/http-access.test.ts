import { afterEach, describe, expect, it } from 'vitest';
import { addressGroup } from '../../ins-server/node/http/parse.ts';
import { nameToText } from '../../protocol/names.ts';
import { toBase64Url } from '../../protocol/text.ts';
import { OPERATION } from '../../protocol/token.ts';
import { nameOf } from '../../runtime/node/hash.ts';
import { blockOf, bytesOf, collectionOf, hashText } from './helpers.ts';
import { httpClients } from './http-client.ts';
import { bearer, blockUrl, HttpStage, json, owner, told, urlOf } from './http-stage.ts';

const stage = new HttpStage();
afterEach(() => stage.close());

describe.each(httpClients)('who may ask an INS server over HTTP, asked by $name', ({ ask }) => {
  it('HT3: gives what is open to the public without a token, for every cache', async () => {
    const server = await stage.start();
    const source = stage.connected(server, 1);
    const { item, body } = blockOf(1, 5_000);
    source.input({
      kind: 'put',
      handle: 1,
      collection: collectionOf(1),
      ttlSeconds: 60,
      items: [item],
      bodies: [body],
    });
    await source.until('done');
    const url = blockUrl(server, body);
    expect(told(await ask(url))).toEqual([401, 'TOKEN_REQUIRED']);
    source.input({ kind: 'access', handle: 2, collection: collectionOf(1), access: 'public' });
    await source.until('done', 2);
    const got = await ask(url);
    expect([got.status, hashText(got.body)]).toEqual([200, hashText(body)]);
    expect(got.headers.get('cache-control')).toMatch(/^public, max-age=\d+, immutable$/);
    expect(told(await ask(url, { method: 'DELETE' }))).toEqual([401, 'TOKEN_REQUIRED']);
    expect(told(await ask(url, { method: 'PUT', body }))).toEqual([401, 'TOKEN_REQUIRED']);
  });

  it('HT10: tells the server’s figures to everybody, a locker’s to those with a status token', async () => {
    const server = await stage.start();
    const headers = bearer(server);
    const body = bytesOf(1, 1_000);
    await ask(blockUrl(server, body), { method: 'PUT', headers, body });
    const open = await ask(urlOf(server, '/status'));
    expect(json(open)).toMatchObject({ server: toBase64Url(server.serverKey), blocks: 1, blockBytesMax: 1_048_576 });
    expect(Buffer.from(open.body).toString()).not.toContain(toBase64Url(owner.publicKey));
    const mine = await ask(urlOf(server, '/status'), { headers });
    expect(json(mine)).toMatchObject({ objects: 1, usedBytes: 1_000, reads: 0, newest: [nameToText(nameOf(body))] });
    const reader = bearer(server, { operations: OPERATION.get });
    expect(told(await ask(urlOf(server, '/status'), { headers: reader }))).toEqual([403, 'TOKEN_SCOPE']);
  });

  it('HT11: lets pages use it, all or those that the operator names', async () => {
    const origin = 'https://page.example';
    const server = await stage.start();
    const body = bytesOf(1, 1_000);
    const preflight = await ask(blockUrl(server, body), {
      method: 'OPTIONS',
      headers: { origin, 'Access-Control-Request-Method': 'PUT' },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-methods')).toContain('PUT');
    expect(preflight.headers.get('access-control-allow-headers')).toContain('Authorization');
    const refused = await ask(blockUrl(server, body), { headers: { origin } });
    expect(refused.headers.get('access-control-allow-origin')).toBe('*');
    expect(refused.headers.get('access-control-expose-headers')).toContain('Retry-After');
    const strict = await stage.start({ origins: [origin] });
    const allowed = await ask(urlOf(strict, '/status'), { headers: { origin } });
    expect([allowed.status, allowed.headers.get('access-control-allow-origin')]).toEqual([200, origin]);
    const foreign = await ask(urlOf(strict, '/status'), { headers: { origin: 'https://other.example' } });
    expect([foreign.status, foreign.headers.get('access-control-allow-origin')]).toEqual([403, undefined]);
    expect((await ask(urlOf(strict, '/status'))).status).toBe(200);
  });
});

describe('askers of an INS server over HTTP', () => {
  it('HT6: counts by address, also behind a proxy on this machine', async () => {
    const server = await stage.start();
    const body = bytesOf(1, 100);
    const ask = async (forwarded: string, token: string): Promise<number> => {
      const headers = { authorization: `Bearer ${token}`, 'x-forwarded-for': forwarded };
      return (await fetch(blockUrl(server, body), { headers })).status;
    };
    const genuine = bearer(server, { id: new Uint8Array(16).fill(1) }).authorization.slice(7);
    for (let at = 0; at < 5; at++) expect(await ask('192.0.2.1', 'AAAA')).toBe(401);
    expect(await ask('192.0.2.1', genuine)).toBe(503);
    // What stands before the last address is what the asker says himself.
    expect(await ask('192.0.2.2, 192.0.2.1', genuine)).toBe(503);
    expect(await ask('192.0.2.2', genuine)).toBe(404);
    const groups = [
      '::1',
      '127.0.0.1',
      '::ffff:127.0.0.1',
      'x',
      '192.0.2.1',
      '::ffff:192.0.2.1',
      '2001:db8::1',
      '2001:db8:0:0:1::',
    ];
    expect(groups.map(addressGroup)).toEqual([
      '',
      '',
      '',
      '',
      '192.0.2.1',
      '192.0.2.1',
      '2001:db8:0:0::/64',
      '2001:db8:0:0::/64',
    ]);
    expect(addressGroup('fe80::1%eth0')).toBe('fe80:0:0:0::/64');
  });
});
