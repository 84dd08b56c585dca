import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { connectIns, InsError, type InsState, loadKeys, makeKeys } from '../../ins-client/node/index.ts';
import { startInsServer } from '../../ins-server/node/ins-server.ts';
import { all, ClientStage, until } from './client-stage.ts';
import { bytesOf, collectionOf, keysOf } from './helpers.ts';

let stage: ClientStage;
beforeEach(async () => {
  stage = await ClientStage.open();
});
afterEach(() => stage.close());

describe('a client', () => {
  test('ends all that is open when it is closed, and takes nothing more', async () => {
    const { ins, tap } = stage.client(1);
    const name = await ins.putObject(bytesOf(1, 1_000));
    tap.deaf = true;
    const never = new Promise<never>(() => {});
    const calls = [
      all(ins.getObjects([name])),
      ins.getObject(name),
      all(ins.follow({ collection: collectionOf(1) })),
      ins.putObjects(
        (async function* () {
          yield bytesOf(2, 1_000);
          await never;
        })(),
      ),
    ];
    const outcomes = Promise.allSettled(calls);
    await until(() => tap.of('follow').length === 1);
    await ins.close();
    for (const outcome of await outcomes) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { name: 'InsError', reason: 'CLOSED' } });
    }
    expect(ins.state).toEqual({ kind: 'closed' });
    expect(() => ins.getObjects([name])).toThrow(InsError);
    await expect(ins.putObject(bytesOf(3, 10))).rejects.toThrow('CLOSED');
    await expect(ins.ready()).rejects.toThrow('CLOSED');
    await ins.close();
  });

  test('waits for a server that is not there yet, and tells how it stands', async () => {
    const { port } = stage.server;
    await stage.server.close();
    const { ins } = stage.client(1);
    const states: InsState['kind'][] = [ins.state.kind];
    ins.onState(({ kind }) => states.push(kind));
    const putting = ins.putObject(bytesOf(1, 1_000));
    await until(() => states.includes('lost'));
    const server = await startInsServer({ port });
    try {
      const name = await putting;
      await expect(ins.getObject(name)).resolves.toEqual(bytesOf(1, 1_000));
      expect([...new Set(states)]).toEqual(['connecting', 'lost', 'ready']);
    } finally {
      await ins.close();
      await server.close();
    }
  });

  test('says which other server one without room has named, and for how long to stay away', async () => {
    const full = await ClientStage.open({ limits: { linksMax: 1 }, otherServers: ['ws://other.example:4801'] });
    try {
      await full.client(1).ins.ready();
      const { ins } = full.client(2, { giveUpAfterMs: 50 });
      const states: InsState[] = [];
      ins.onState((state) => states.push(state));
      await expect(ins.ready()).rejects.toMatchObject({ reason: 'UNREACHABLE' });
      await until(() => states.some(({ kind }) => kind === 'lost'));
      const lost = { kind: 'lost', why: 'too many clients', otherServer: 'ws://other.example:4801' };
      expect(states).toEqual([{ ...lost, retryAfterMs: expect.any(Number) }]);
      await expect(ins.ready()).rejects.toMatchObject({ otherServer: 'ws://other.example:4801' });
    } finally {
      await full.close();
    }
  });

  test('gives up on a server that cannot be reached, and says which', async () => {
    await stage.server.close();
    const { ins } = stage.client(1, { giveUpAfterMs: 50 });
    const failure = { reason: 'UNREACHABLE', message: expect.stringContaining(stage.server.url) };
    await expect(ins.putObject(bytesOf(1, 10))).rejects.toMatchObject(failure);
    await expect(ins.ready()).rejects.toMatchObject(failure);
    await expect(ins.generateToken({})).rejects.toMatchObject(failure);
  });

  test('is replaced by another one with the same keys, and says what to do', async () => {
    const first = stage.client(1);
    await first.ins.ready();
    const open = all(first.ins.follow({ collection: collectionOf(1) }));
    const failed = expect(open).rejects.toMatchObject({
      reason: 'REPLACED',
      message: expect.stringContaining('makeKeys'),
    });
    await until(() => first.tap.of('follow').length === 1);
    await stage.client(1).ins.ready();
    await failed;
    expect(first.ins.state).toEqual({ kind: 'replaced' });
    expect(() => first.ins.getObjects([])).toThrow('REPLACED');
  });

  test('names the address that is none', async () => {
    expect(() => connectIns({ url: 'localhost:4801', keys: keysOf(1), application: 'test' })).toThrow('ws://');
  });

  test('keeps its keys in a file', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'inswarm-keys-'));
    try {
      const path = join(folder, 'account.pem');
      const made = await loadKeys(path);
      expect((await loadKeys(path)).publicKey).toEqual(made.publicKey);
      expect((await makeKeys()).publicKey).not.toEqual(made.publicKey);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
