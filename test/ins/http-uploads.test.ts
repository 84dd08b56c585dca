import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { RunningInsServer } from '../../ins-server/node/ins-server.ts';
import { OPERATION, type Token } from '../../protocol/token.ts';
import { bytesOf } from './helpers.ts';
import { bearer, blockUrl, HttpStage, raw } from './http-stage.ts';

const stage = new HttpStage();
afterEach(() => stage.close());

describe('an INS server over HTTP, asked badly', () => {
  const head = (server: RunningInsServer, body: Uint8Array, fields: string, claims: Partial<Token> = {}): string =>
    `PUT ${new URL(blockUrl(server, body)).pathname} HTTP/1.1\r\nHost: x\r\n` +
    `Authorization: ${bearer(server, claims).authorization}\r\n${fields}\r\n\r\n`;

  it('HT4: asks for the body only when everything else is good', async () => {
    const server = await stage.start();
    const body = bytesOf(1, 100);
    const expects = 'Content-Length: 100\r\nExpect: 100-continue\r\nConnection: close';
    const scope = await raw(server, head(server, body, expects, { operations: OPERATION.get }));
    expect(scope).toMatch(/^HTTP\/1\.1 403 /);
    const good = await raw(server, head(server, body, expects) + Buffer.from(body).toString('latin1'));
    expect(good).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 20\d /);
    const big = await raw(server, head(server, body, 'Content-Length: 99999999999\r\nExpect: 100-continue'));
    expect(big).toMatch(/^HTTP\/1\.1 413 /);
  });

  it('HT4: takes no body without a length', async () => {
    const server = await stage.start();
    // The connection ends, though the asker would keep it: there may be no end to what comes.
    const chunks = 'Transfer-Encoding: chunked';
    expect(await raw(server, `${head(server, bytesOf(1, 5), chunks)}5\r\nhello\r\n`)).toMatch(/^HTTP\/1\.1 411 /);
    expect(server.stats().http.dataIn).toBe(0);
  });

  it('lets go of what a broken upload or download took', async () => {
    const server = await stage.start();
    const body = bytesOf(1, 1_000_000);
    const socket = connect(server.port, '127.0.0.1');
    socket.write(head(server, body, 'Content-Length: 1000000'));
    socket.write(body.subarray(0, 1_000));
    while (server.stats().http.dataIn === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(server.stats().guests).toBe(1);
    socket.destroy();
    while (server.stats().guests > 0) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(server.stats()).toMatchObject({ blocks: 0, memoryBytes: 0 });
  });

  it('HT9: closes within a second or so, whatever is under way', async () => {
    const server = await stage.start();
    const body = bytesOf(1, 1_000_000);
    const answer = raw(server, head(server, body, 'Content-Length: 1000000'));
    while (server.stats().guests === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    await server.close();
    expect(await answer).toMatch(/^HTTP\/1\.1 503 [\s\S]*"DRAINING"/);
    expect(server.stats().guests).toBe(0);
  });
});
