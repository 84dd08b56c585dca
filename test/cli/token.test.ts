import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runCommandLine } from '../../cli/command.ts';
import { COMMANDS } from '../../cli/commands.ts';
import { type RunningInsServer, startInsServer } from '../../ins-server/node/ins-server.ts';
import { nameToText } from '../../protocol/names.ts';
import { fromBase64Url, toBase64Url } from '../../protocol/text.ts';
import { decodeToken } from '../../protocol/token.ts';
import { nameOf } from '../../runtime/node/hash.ts';
import { BIN, ensureBuilt } from './program.ts';

let folder: string;
let key: string;
let server: RunningInsServer;

beforeAll(async () => {
  ensureBuilt();
  folder = mkdtempSync(join(tmpdir(), 'inswarm-token-'));
  key = join(folder, 'my.key');
  server = await startInsServer({ port: 0 });
  await inswarm('keygen', '--key', key);
}, 60_000);
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

async function inswarm(...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [BIN, ...args]);
  return stdout.trim();
}

function problem(...args: string[]): Promise<unknown> {
  const surroundings = { env: {}, version: '1', write: () => {} };
  return runCommandLine(COMMANDS, ['token', ...args], surroundings).then(
    () => undefined,
    (error: Error) => error.message,
  );
}

test('a name and a token are all that curl needs to put a file and get it back', async () => {
  const file = join(folder, 'file');
  writeFileSync(file, 'Hello World!');
  const name = await inswarm('name', '--file', file);
  expect(name).toBe(nameToText(nameOf(Buffer.from('Hello World!'))));
  const token = await inswarm('token', '--key', key, '--server', server.url, '--ops', 'get,put');
  const url = `http://127.0.0.1:${server.port}/.well-known/ni/blake3/${name.slice(-43)}`;
  const headers = { authorization: `Bearer ${token}` };
  expect((await fetch(url, { method: 'PUT', headers, body: 'Hello World!' })).status).toBe(201);
  expect(await (await fetch(url, { headers })).text()).toBe('Hello World!');
  expect((await fetch(url, { method: 'DELETE', headers })).status).toBe(403);
}, 30_000);

test('a token says what the options say', async () => {
  const known = toBase64Url(server.serverKey);
  const collection = toBase64Url(new Uint8Array(32).fill(5));
  const range = ['--collection', collection, '--track', '1', '--track', '2', '--from', '5', '--to', '9'];
  const line = await inswarm(
    ...['token', '--key', key, '--server', known, '--server', `${known},ws://ins.example:4801`, '--json'],
    ...[...range, '--expires', '60', '--ops', 'get,status', '--holder', known],
  );
  const { token, issuer, expiresAtMs } = JSON.parse(line);
  const decoded = decodeToken(fromBase64Url(token)!)!.token;
  expect(decoded).toMatchObject({
    servers: [{ url: '' }, { url: 'ws://ins.example:4801' }],
    operations: 9,
    names: null,
    tracks: [1, 2],
    from: 5,
    to: 9,
  });
  expect([toBase64Url(decoded.issuer), decoded.expires * 1000]).toEqual([issuer, expiresAtMs]);
  expect(decoded.expires - decoded.notBefore).toBe(60);
  expect(toBase64Url(decoded.holder!)).toBe(known);
}, 30_000);

test('a token that cannot be made is explained in one line', async () => {
  expect(await problem('--server', 'ws://127.0.0.1:9')).toMatch(
    /--key is missing: inswarm keygen --key FILE makes one/,
  );
  expect(await problem('--key', join(folder, 'other'))).toMatch(/there is no such file/);
  expect(await problem('--key', key)).toMatch(/--server is missing/);
  expect(await problem('--key', key, '--server', 'ws://127.0.0.1:9')).toMatch(/cannot be asked for its key/);
  expect(await problem('--key', key, '--server', 'abc')).toMatch(/a key is 43 characters/);
  expect(await problem('--key', key, '--server', server.url, '--ops', 'look')).toMatch(/get, put, delete, status/);
  expect(await problem('--key', key, '--server', server.url, '--name', 'x')).toMatch(/inswarm name prints it/);
  expect(await problem('--key', key, '--server', server.url, '--from', '2', '--to', '1')).toMatch(/behind --to/);
  expect(await problem('--key', key, '--server', server.url, '--expires', '601')).toMatch(/from 1 to 600/);
});
