import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runCommandLine } from '../../cli/command.ts';
import { COMMANDS } from '../../cli/commands.ts';
import { insStore } from '../../cli/ins-store.ts';
import { readInvitation, readPublicKey } from '../../cli/readers.ts';
import { startInsServer } from '../../ins-server/node/ins-server.ts';
import { decodeInvitation } from '../../protocol/invitation.ts';
import { toBase64Url } from '../../protocol/text.ts';
import { silentLog } from '../../runtime/log.ts';
import { loadOrMakeKeyFile } from '../../runtime/node/crypto.ts';
import { blockOf, collectionOf, keysOf, TestClient } from '../ins/helpers.ts';

let folder: string;
let key: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'inswarm-invite-'));
  key = join(folder, 'provider.key');
  loadOrMakeKeyFile(key);
});
afterAll(() => rmSync(folder, { recursive: true }));

function inswarm(...args: string[]): Promise<void> {
  return runCommandLine(COMMANDS, args, { env: {}, version: '1', write: () => {} });
}

/** What a command prints. */
async function printed(...args: string[]): Promise<string> {
  const { write } = process.stdout;
  let text = '';
  process.stdout.write = ((chunk: string) => {
    text += chunk;
    return true;
  }) as typeof write;
  try {
    await inswarm(...args);
  } finally {
    process.stdout.write = write;
  }
  return text.trim();
}

test('an invitation says what the options say', async () => {
  const account = toBase64Url(keysOf(3).publicKey);
  const options = ['--account', account, '--application', 'tv', '--quota', '2M', '--objects', '9', '--rate', '800'];
  const line = await printed('invite', '--key', key, ...options, '--weight', '3', '--days', '2', '--json');
  const { event, invitation, provider, expiresAtMs } = JSON.parse(line);
  expect(event).toBe('invitation');
  const decoded = decodeInvitation(readInvitation(invitation))!.invitation;
  expect(decoded).toMatchObject({
    account: keysOf(3).publicKey,
    application: 'tv',
    quotaBytes: 2 * 2 ** 20,
    quotaObjects: 9,
    rateBps: 800_000,
    weight: 3,
  });
  expect(decoded.provider).toEqual(readPublicKey(provider));
  expect(decoded.expires - decoded.notBefore).toBe(2 * 86_400);
  expect(expiresAtMs).toBe(decoded.expires * 1000);
});

test('AC3: with an invitation a server that asks for one keeps what is put, without one it does not', async () => {
  const providers = [loadOrMakeKeyFile(key).publicKey];
  const server = await startInsServer({ port: 0, registration: 'invitation', providers });
  const invitation = readInvitation(await printed('invite', '--key', key, '--quota', '1M'));
  const [invited, guest] = [
    new TestClient(server.url, keysOf(1), 'test', invitation),
    new TestClient(server.url, keysOf(2)),
  ];
  const { item, body } = blockOf(1);
  for (const client of [invited, guest]) {
    client.input({
      kind: 'put',
      handle: 1,
      collection: collectionOf(1),
      ttlSeconds: 60,
      items: [item],
      bodies: [body],
    });
    await client.until('done');
  }
  expect(invited.of('stored')).toHaveLength(1);
  expect(guest.of('refused').map(({ reason }) => reason)).toEqual(['POLICY_DENIED']);
  await Promise.all([invited.client.close(), guest.client.close()]);
  await server.close();
}, 20_000);

test('AC4: no two accounts fill a server, unless its operator says so', async () => {
  const options = {
    quota: undefined,
    strangers: undefined,
    provider: [],
    store: undefined,
    disk: 0,
    fsync: false,
    key: undefined,
  };
  const shares = async (more: object) => (await insStore({ ...options, memory: 2 ** 30, ...more }, silentLog)).limits;
  expect(await shares({})).toMatchObject({ quotaBytes: 2 ** 27, strangersBytes: 2 ** 30 });
  expect(await shares({ provider: [1] })).toMatchObject({ quotaBytes: 2 ** 27, strangersBytes: 2 ** 29 });
  expect(await shares({ quota: 2 ** 29, strangers: 2 ** 28 })).toMatchObject({
    quotaBytes: 2 ** 29,
    strangersBytes: 2 ** 28,
  });
  expect(await shares({ memory: 2 ** 20 })).toMatchObject({ quotaBytes: 2 ** 20 });
});

test('what cannot be is explained in one line', async () => {
  const problem = (...args: string[]): Promise<string> =>
    inswarm(...args).then(String, (error: Error) => error.message);
  expect(await problem('invite')).toMatch(/--key is missing: inswarm keygen --key FILE makes one/);
  expect(await problem('invite', '--key', key, '--account', 'abc')).toMatch(/a public key is 43 characters/);
  expect(await problem('ins', '--registration', 'closed')).toMatch(/open or invitation/);
  expect(await problem('ins', '--registration', 'invitation')).toMatch(/--provider is missing/);
  expect(await problem('source', '--invitation', 'abc')).toMatch(/as inswarm invite prints it/);
});
