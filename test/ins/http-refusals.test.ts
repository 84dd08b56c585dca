import { afterEach, describe, expect, it } from 'vitest';
import { STATUSES } from '../../ins-server/node/http/statuses.ts';
import { REASONS } from '../../protocol/reasons.ts';
import { toBase64Url } from '../../protocol/text.ts';
import { OPERATION, type Token } from '../../protocol/token.ts';
import { nowMs } from '../../runtime/node/clock.ts';
import { bytesOf, keysOf } from './helpers.ts';
import { httpClients } from './http-client.ts';
import { bearer, blockUrl, HttpStage, json, told, UNNAMED } from './http-stage.ts';

const stage = new HttpStage();
afterEach(() => stage.close());

describe.each(httpClients)('an INS server that refuses over HTTP, asked by $name', ({ ask }) => {
  it('HT5: says why not: a status and a reason', async () => {
    const server = await stage.start({ limits: { quotaBytes: 5_000 } });
    const headers = bearer(server);
    const body = bytesOf(5, 1_000);
    const url = blockUrl(server, body);
    const other = bytesOf(6, 1_000);
    const otherUrl = blockUrl(server, other);
    const seconds = Math.floor(nowMs() / 1000);
    const put = { method: 'PUT', headers, body };
    expect((await ask(url, put)).status).toBe(201);
    const with_ = (claims: Partial<Token>) => ask(url, { headers: bearer(server, claims) });
    expect(told(await ask(url))).toEqual([401, 'TOKEN_REQUIRED']);
    expect(told(await with_({ expires: seconds - 1 }))).toEqual([401, 'TOKEN_EXPIRED']);
    expect(told(await with_({ notBefore: seconds + 60 }))).toEqual([401, 'TOKEN_NOT_YET']);
    expect(told(await with_({ expires: seconds + 5_000 }))).toEqual([403, 'POLICY_DENIED']);
    expect(told(await with_({ operations: OPERATION.put }))).toEqual([403, 'TOKEN_SCOPE']);
    expect(told(await with_({ tracks: [5] }))).toEqual([403, 'TOKEN_SCOPE']);
    const held = await with_({ holder: keysOf(2).publicKey });
    expect(told(held)).toEqual([403, 'TOKEN_SCOPE']);
    expect(json(held).text).toContain('HTTP cannot prove');
    const junk = await ask(url, { headers: { authorization: 'Bearer AAAA' } });
    expect(told(junk)).toEqual([401, 'TOKEN_INVALID']);
    expect(junk.headers.get('www-authenticate')).toContain('error="invalid_token"');
    expect(told(await ask(url, { headers: { authorization: 'Basic YTpi' } }))).toEqual([400, 'MALFORMED']);
    expect(told(await ask(otherUrl, { headers }))).toEqual([404, 'NO_OBJECT']);
    expect(told(await ask(otherUrl, { method: 'DELETE', headers }))).toEqual([404, 'NO_OBJECT']);
    expect(told(await ask(otherUrl, put))).toEqual([422, 'NAME_MISMATCH']);
    const typed = { ...put, headers: { ...headers, 'Content-Type': 'picture' } };
    expect(told(await ask(url, typed))).toEqual([415, 'MALFORMED']);
    expect(told(await ask(`${url}x`, { headers }))).toEqual([400, 'MALFORMED']);
    expect(told(await ask(url.replace('blake3', 'sha-256'), { headers }))).toEqual([400, 'MALFORMED']);
    expect(told(await ask(url, { method: 'POST', headers }))).toEqual([405, 'POLICY_DENIED']);
    const full = await ask(blockUrl(server, bytesOf(7, 4_500)), { ...put, body: bytesOf(7, 4_500) });
    expect(told(full)).toEqual([507, 'QUOTA_STORAGE']);
    expect(full.headers.get('retry-after')).toBe('1');
    expect(json(full).retryAfterMs).toBe(1_000);
    for (const life of ['0', '86401', 'soon']) {
      const answer = await ask(url, { ...put, headers: { ...headers, 'Expires-In': life } });
      expect(told(answer)).toEqual([400, 'MALFORMED']);
    }
    const label = { 'INS-Collection': toBase64Url(UNNAMED), 'INS-Track': '0', 'INS-Part': '0', 'INS-Index': '0' };
    const taken = await ask(otherUrl, { method: 'PUT', headers: { ...headers, ...label }, body: other });
    expect(told(taken)).toEqual([409, 'EXISTS']);
    for (const bad of [{ 'INS-Collection': 'x' }, { 'INS-Part': '1' }, { ...label, 'INS-Track': '16' }]) {
      const answer = await ask(otherUrl, { method: 'PUT', headers: { ...headers, ...bad }, body: other });
      expect(told(answer)).toEqual([400, 'MALFORMED']);
    }
    expect(server.stats().blocks).toBe(1);
  });

  it('HT4: refuses bodies that are too long or empty before it takes them', async () => {
    const server = await stage.start();
    const headers = bearer(server);
    const body = bytesOf(1, 1_048_577);
    expect(told(await ask(blockUrl(server, body), { method: 'PUT', headers, body }))).toEqual([413, 'SIZE']);
    const none = new Uint8Array(0);
    expect(told(await ask(blockUrl(server, none), { method: 'PUT', headers, body: none }))).toEqual([413, 'SIZE']);
    expect(server.stats()).toMatchObject({ blocks: 0, memoryBytes: 0, refused: 0 });
  });
});

describe('what an INS server says over HTTP', () => {
  it('HT5: has a status for every reason', () => {
    expect(Object.keys(STATUSES)).toEqual(Object.keys(REASONS));
  });
});
