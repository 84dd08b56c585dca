import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import { collectionOf, connectIns, type InsClient, makeKeys } from '../../ins-client/node/index.ts';
import { type RunningInsServer, startInsServer } from '../../ins-server/node/ins-server.ts';
import { REQUIREMENTS } from './decade.ts';

const TESTS = join(import.meta.dirname, '..');

let server: RunningInsServer;
const clients: InsClient[] = [];

async function client(): Promise<InsClient> {
  const connected = connectIns({ url: server.url, keys: await makeKeys(), application: 'conformance' });
  clients.push(connected);
  return connected;
}

function bytes(length: number, fill: number): Uint8Array {
  return new Uint8Array(length).map((_, at) => (at * 31 + fill * 7) & 0xff);
}

describe('what DECADE asks of in-network storage', () => {
  test('is 46 requirements, each shown by a test or said not to apply', () => {
    expect(Object.keys(REQUIREMENTS)).toEqual(Array.from({ length: 46 }, (_, at) => `D-${at + 1}`));
    for (const [id, { shownBy = [], butNot = '' }] of Object.entries(REQUIREMENTS)) {
      expect(shownBy.length > 0 || butNot !== '', id).toBe(true);
    }
  });

  const shown = Object.entries(REQUIREMENTS).flatMap(([id, { shownBy = [] }]) =>
    shownBy.map((by) => [id, by] as const),
  );
  test.each(shown)('%s is shown by %s', (_id, by) => {
    const [, file, name] = /^([^:]+): (.*)$/.exec(by)!;
    const source = readFileSync(join(TESTS, `${file}.test.ts`), 'utf8');
    // Skipped, it would show nothing.
    const quoted = name!.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
    expect(source).toMatch(new RegExp(`\\b(?:it|test)(?:\\.each\\([^'"\`]*\\))?\\(\\s*['"\`]${quoted}['"\`]`));
  });
});

describe('over real sockets', () => {
  beforeEach(async () => {
    server = await startInsServer({ port: 0 });
  });

  afterEach(async () => {
    await Promise.all(clients.splice(0).map((one) => one.close()));
    await server.close();
  });

  it('D-9: one byte and 1 MiB are objects, nothing and a byte more are none', async () => {
    const owner = await client();
    for (const length of [1, 1_048_576]) {
      const name = await owner.putObject(bytes(length, 1));
      expect((await owner.getObject(name)).length).toBe(length);
    }
    for (const length of [0, 1_048_577]) await expect(owner.putObject(bytes(length, 1))).rejects.toThrow();
  });

  it('D-38: what an owner has put is read under its token when the owner is gone', async () => {
    const owner = await client();
    const block = bytes(20_000, 2);
    const name = await owner.putObject(block);
    const token = await owner.generateToken({ names: [name] });
    await owner.close();
    const reader = await client();
    await expect(reader.getObject(name)).rejects.toMatchObject({ reason: 'NO_OBJECT' });
    expect(Buffer.compare(await reader.getObject(name, { token }), block)).toBe(0);
  });

  it('D-39: many read and write at once', async () => {
    const crowd = await Promise.all(Array.from({ length: 8 }, client));
    const blocks = crowd.map((_, at) => bytes(50_000, at));
    const collection = await collectionOf('a meeting');
    const tokens = await Promise.all(crowd.map((one) => one.generateToken({ collection })));
    const label = { track: 0, part: 0, index: 0 };
    const reads = crowd.map((one) =>
      Promise.all(
        tokens.map((token) => one.getObject({ label, wait: true }, { token, collection, deadlineMs: 20_000 })),
      ),
    );
    await Promise.all(crowd.map((one, at) => one.putObject({ bytes: blocks[at]!, label }, { collection })));
    for (const got of await Promise.all(reads)) {
      for (const [at, block] of got.entries()) expect(Buffer.compare(block, blocks[at]!)).toBe(0);
    }
  });
});
