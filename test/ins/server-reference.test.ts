import { beforeEach, describe, expect, it } from 'vitest';
import type { PutItem } from '../../protocol/ins-messages.ts';
import { proofPrefix } from '../../protocol/proof.ts';
import { concatBytes } from '../../protocol/text.ts';
import { OPERATION } from '../../protocol/token.ts';
import type { KeyPair } from '../../runtime/node/crypto.ts';
import { hashOf } from '../../runtime/node/hash.ts';
import { type CoreClient, CoreNet, type CoreServer } from './core-net.ts';
import { blockOf, collectionOf, keysOf, putOf } from './helpers.ts';

const owner = keysOf(1);

describe('a put by reference', () => {
  let net: CoreNet;
  let server: CoreServer;
  let source: CoreClient;

  beforeEach(() => {
    net = new CoreNet();
    server = net.server(1);
    source = server.connect(owner);
    source.putParts([1]);
  });

  const proofOf = (client: CoreClient, keys: KeyPair, body: Uint8Array): Uint8Array =>
    hashOf(concatBytes(proofPrefix(client.of('welcome')[0]!.nonce, keys.publicKey), body));
  const put = (client: CoreClient, ...puts: PutItem[]): number => client.batch({ collection: collectionOf(2), puts });
  const withProof = (proof: Uint8Array, part = 1): PutItem => ({
    ...putOf(blockOf(part).item),
    reference: { token: 0, proof },
  });

  it('IN16: files what the server holds for who proves to have it, and stores it once', () => {
    const other = server.connect(keysOf(2));
    put(other, withProof(proofOf(other, keysOf(2), blockOf(1).body)));
    expect(other.of('stored')).toMatchObject([{ items: [0] }]);
    expect(server.bodies.size).toBe(1);
    source.batch({ deletes: [{ token: 0, name: blockOf(1).item.name }] });
    expect(server.bodies.size).toBe(1);
    other.get([1], { collection: collectionOf(2) });
    expect(other.blocks[0]?.body).toEqual(blockOf(1).body);
    other.batch({ deletes: [{ token: 0, name: blockOf(1).item.name }] });
    expect(server.bodies.size).toBe(0);
    expect(server.core.stats()).toMatchObject({ blocks: 0, memoryBytes: 0 });
  });

  it('TO7: counts nothing of the token it reads under when it is refused after all', () => {
    server = net.server(2, { durable: true });
    source = server.connect(owner);
    const answerFiled = (ok: boolean): void => {
      const file = server.outputs.findLast((output) => output.kind === 'file')!;
      server.input({ kind: 'filed', ref: file.ref, ok });
    };
    source.putParts([1]);
    answerFiled(true);
    const other = server.connect(keysOf(2));
    const token = other.token(server.token(owner, { uses: 1 }));
    put(other, { ...putOf(blockOf(1).item), reference: { token, proof: null } });
    answerFiled(false);
    expect(other.refusals()).toEqual(['OVERLOAD']);
    other.get([1], { token });
    expect(other.parts()).toEqual([1]);
  });

  it('takes no more memory for labels and companions than the server has', () => {
    const memoryBytes = 200_000;
    server = net.server(2, { limits: { memoryBytes } });
    source = server.connect(owner);
    source.putParts([1]);
    const copyTo = (part: number): PutItem => {
      const { name } = blockOf(1).item;
      const moved = { ...blockOf(part).item, name, companion: new Uint8Array(10_000) };
      return { ...putOf(moved), reference: { token: 0, proof: null } };
    };
    for (let part = 0; part < 30; part++) put(source, copyTo(part));
    expect(new Set(source.refusals())).toEqual(new Set(['QUOTA_STORAGE']));
    expect(server.core.stats().memoryBytes).toBeLessThanOrEqual(memoryBytes);
    expect(source.of('stored').length).toBeGreaterThan(10);
  });

  it('IN16: says the same of a wrong proof as of a block that is not there', () => {
    const other = server.connect(keysOf(2));
    const third = server.connect(keysOf(3));
    const stale = proofOf(third, keysOf(2), blockOf(1).body);
    const foreign = proofOf(other, keysOf(3), blockOf(1).body);
    const unknown = proofOf(other, keysOf(2), blockOf(9).body);
    const wrongSize = { ...withProof(proofOf(other, keysOf(2), blockOf(1).body)), sizeBytes: 999 };
    put(other, withProof(new Uint8Array(32)), withProof(stale), withProof(foreign), withProof(unknown, 9), wrongSize);
    const told = other.of('refused').map(({ reason, retryAfterMs }) => ({ reason, retryAfterMs }));
    expect(told).toEqual(Array.from({ length: 5 }, () => ({ reason: 'NO_OBJECT', retryAfterMs: 0 })));
    // Each of them costs the same work.
    expect(server.outputs.filter(({ kind }) => kind === 'check-proof')).toHaveLength(5);
    other.get([1], { collection: collectionOf(2) });
    expect(other.blocks).toEqual([]);
  });

  it('IN16: hashes no more for one client than a put would cost it', () => {
    const other = server.connect(keysOf(2));
    const large = { ...withProof(new Uint8Array(32), 9), sizeBytes: 1_048_576 };
    put(other, ...Array.from({ length: 64 }, () => large));
    put(other, large);
    expect(other.refusals().filter((reason) => reason === 'NO_OBJECT')).toHaveLength(64);
    expect(other.of('refused').at(-1)).toMatchObject({ reason: 'OVERLOAD', retryAfterMs: 1_000 });
    net.pass(1_000);
    put(other, large);
    expect(other.refusals().at(-1)).toBe('NO_OBJECT');
  });

  it('IN16: files what a token lets the putter read, and says of all else that it is not there', () => {
    const other = server.connect(keysOf(2));
    const readable = other.token(server.token(owner));
    const narrow = other.token(server.token(owner, { from: 2 }));
    const writable = other.token(server.token(owner, { operations: OPERATION.put }));
    const item = putOf(blockOf(1).item);
    const refer = (token: number): PutItem => ({ ...item, reference: { token, proof: null } });
    put(other, refer(narrow), refer(0), refer(writable), refer(readable));
    expect(other.refusals()).toEqual(['NO_OBJECT', 'NO_OBJECT', 'TOKEN_SCOPE']);
    expect(other.of('stored')).toMatchObject([{ items: [3] }]);
    expect(server.bodies.size).toBe(1);
  });

  it('IN16: copies, and with a delete moves, what is in one’s own locker', () => {
    const item = { ...putOf(blockOf(1).item), part: 77, reference: { token: 0, proof: null } };
    source.batch({ collection: collectionOf(1), puts: [item] });
    source.get([1, 77]);
    expect(source.parts()).toEqual([1, 77]);
    // A move: the copy goes elsewhere, and the label that it had is deleted under a token for that label alone.
    put(source, { ...item, part: 78 });
    const here = source.token(server.token(owner, { operations: OPERATION.delete, collection: collectionOf(1) }));
    source.batch({ deletes: [{ token: here, name: item.name }] });
    source.get([1, 77]);
    source.get([78], { collection: collectionOf(2) });
    expect(source.parts()).toEqual([1, 77, 78]);
    expect(source.refusals()).toHaveLength(2);
    expect(server.bodies.size).toBe(1);
  });

  it('IN16: tells those who follow, and counts in the quota', () => {
    server = net.server(2, { limits: { quotaBytes: 2_500 } });
    const client = server.connect(owner);
    client.putParts([1]);
    const viewer = server.connect(keysOf(2));
    viewer.follow(0, { token: viewer.token(server.token(owner)) });
    const again = (part: number): PutItem => ({
      ...putOf(blockOf(1).item),
      part,
      reference: { token: 0, proof: null },
    });
    client.batch({ collection: collectionOf(1), puts: [again(2), again(3)] });
    expect(viewer.parts()).toEqual([1, 2]);
    expect(client.refusals()).toEqual(['QUOTA_STORAGE']);
  });

  it('holds identical blocks of many lockers once, until the last of them is deleted', () => {
    const clients = Array.from({ length: 20 }, (_, at) => server.connect(keysOf(20 + at)));
    for (const client of clients) client.putParts([1]);
    expect(server.bodies.size).toBe(1);
    expect(server.core.stats().blocks).toBe(1);
    for (const client of [source, ...clients]) {
      expect(server.bodies.size).toBe(1);
      client.batch({ deletes: [{ token: 0, name: blockOf(1).item.name }] });
    }
    expect(server.bodies.size).toBe(0);
    expect(server.core.stats().memoryBytes).toBe(0);
  });
});
