import { beforeEach, describe, expect, it } from 'vitest';
import {
  PUBLIC_LOCKERS_MAX,
  REVOKED_IDS_MAX,
  REVOKED_IDS_PER_ISSUER_MAX,
  REVOKERS_MAX,
  STRANGERS_SHARE,
} from '../../ins-server/core/limits.ts';
import { Revocations } from '../../ins-server/core/tokens/revocations.ts';
import { OPERATION } from '../../protocol/token.ts';
import { type CoreClient, CoreNet, type CoreServer } from './core-net.ts';
import { blockOf, collectionOf, keysOf, putOf } from './helpers.ts';

const owner = keysOf(1);
const id = (fill: number): Uint8Array => new Uint8Array(16).fill(fill);

let net: CoreNet;
let server: CoreServer;
let publisher: CoreClient;
let reader: CoreClient;

beforeEach(() => {
  net = new CoreNet();
  server = net.server(1);
  publisher = server.connect(owner);
  publisher.putParts([1, 2, 3]);
  reader = server.connect(keysOf(2));
});

const revoke = (ids: readonly Uint8Array[], epoch: number | null = null, client = publisher): void =>
  client.send({ type: 'revoke', request: 1, ids, epoch });

describe('what an issuer revokes', () => {
  it('TO11: by id is void for all who bear it, at once', () => {
    const token = reader.token(server.token(owner, { id: id(1) }));
    const other = reader.token(server.token(owner, { id: id(2) }));
    revoke([id(1)]);
    expect(publisher.of('done').map(({ request }) => request)).toContain(1);
    reader.get([1], { token });
    expect(reader.refusals()).toEqual(['TOKEN_REVOKED']);
    reader.get([1], { token: other });
    expect(reader.parts()).toEqual([1]);
    const late = server.connect(keysOf(3));
    late.get([1], { token: late.token(server.token(owner, { id: id(1) })) });
    expect(late.refusals()).toEqual(['TOKEN_REVOKED']);
    expect(late.of('token-refused')).toHaveLength(1);
  });

  it('TO11: by epoch is void if it has a lower one, and the epoch never falls', () => {
    const tokens = [null, 4, 5].map((epoch, at) => reader.token(server.token(owner, { id: id(at), epoch })));
    revoke([], 5);
    revoke([], 1);
    for (const token of tokens) reader.get([1], { token });
    expect(reader.refusals()).toEqual(['TOKEN_REVOKED', 'TOKEN_REVOKED']);
    expect(reader.parts()).toEqual([1]);
  });

  it('TO11: ends the follows that run under it, and sends nothing that waits', () => {
    const token = reader.token(server.token(owner, { id: id(1) }));
    reader.follow(1, { token });
    expect(reader.parts()).toEqual([1, 2, 3]);
    publisher.put([blockOf(20, 600_000)]);
    reader.reads = false;
    reader.get([20, 1], { token });
    const sent = reader.blocks.length;
    revoke([id(1)]);
    expect(reader.refusals()).toEqual(['TOKEN_REVOKED']);
    publisher.putParts([4]);
    reader.reads = true;
    reader.drained();
    expect(reader.refusals()).toEqual(['TOKEN_REVOKED', 'TOKEN_REVOKED']);
    expect(reader.blocks).toHaveLength(sent);
    expect(server.core.stats().follows).toBe(0);
  });

  it('TO11: stops puts that were announced before', () => {
    const token = reader.token(server.token(owner, { id: id(1), operations: OPERATION.put }));
    const block = blockOf(10);
    const request = reader.batch({ collection: collectionOf(1), puts: [putOf(block.item, token)] });
    revoke([id(1)]);
    reader.sendBlock(request, 0, block.body);
    expect(reader.refusals()).toEqual(['TOKEN_REVOKED']);
    publisher.get([10]);
    expect(publisher.parts()).toEqual([]);
  });

  it('TO11: takes with it what was made from it; the owner may revoke that by its own id too', () => {
    const parent = server.token(owner, { id: id(1), holder: keysOf(3).publicKey });
    const made = (fill: number): number => reader.token(server.token(keysOf(3), { id: id(fill), parent }));
    const [first, second, third] = [made(11), made(12), made(13)];
    revoke([id(11)]);
    // And so may its maker, for what he has made.
    revoke([id(12)], null, server.connect(keysOf(3)));
    for (const token of [first, second, third]) reader.get([1], { token: token! });
    expect(reader.refusals()).toEqual(['TOKEN_REVOKED', 'TOKEN_REVOKED']);
    expect(reader.parts()).toEqual([1]);
    reader.follow(1, { token: third! });
    revoke([id(1)]);
    expect(reader.refusals().at(-1)).toBe('TOKEN_REVOKED');
  });

  it('TO11: is nobody else’s: others cannot revoke an owner’s tokens', () => {
    const token = reader.token(server.token(owner, { id: id(1) }));
    revoke([id(1)], 9, server.connect(keysOf(4)));
    reader.get([1], { token });
    expect(reader.parts()).toEqual([1]);
  });

  it('TO11: by id is bounded; beyond that the epoch still works', () => {
    const numbered = (at: number): Uint8Array => {
      const bytes = new Uint8Array(16);
      new DataView(bytes.buffer).setUint32(0, at);
      return bytes;
    };
    for (let at = 0; at < REVOKED_IDS_PER_ISSUER_MAX; at += 64) {
      revoke(Array.from({ length: 64 }, (_, plus) => numbered(at + plus)));
    }
    expect(publisher.refusals()).toEqual([]);
    // What is known already takes no room.
    revoke([numbered(0)]);
    expect(publisher.refusals()).toEqual([]);
    revoke([id(0xff)], 3);
    expect(publisher.refusals()).toEqual(['QUOTA_STORAGE']);
    const token = reader.token(server.token(owner, { id: id(0xff) }));
    reader.get([1], { token });
    expect(reader.parts()).toEqual([1]);
    revoke([], 3);
    reader.get([1], { token });
    expect(reader.refusals()).toEqual(['TOKEN_REVOKED']);
    // No token of the time is good any more: its id need not be remembered.
    net.pass(620_000);
    revoke([id(0xff)]);
    expect(publisher.refusals()).toEqual(['QUOTA_STORAGE']);
  });

  it('TO11: leaves room to who has something here, however many free keys revoke', () => {
    const numbered = (at: number): Uint8Array => {
      const bytes = new Uint8Array(16);
      new DataView(bytes.buffer).setUint32(0, at);
      return bytes;
    };
    const ids = REVOKED_IDS_MAX * STRANGERS_SHARE;
    for (let key = 0; key * REVOKED_IDS_PER_ISSUER_MAX < ids; key++) {
      const stranger = server.connect(keysOf(10 + key));
      for (let at = 0; at < REVOKED_IDS_PER_ISSUER_MAX; at += 64) {
        const some = Array.from({ length: 64 }, (_, plus) => numbered(at + plus));
        revoke(some, null, stranger);
      }
      expect(stranger.refusals()).toEqual([]);
    }
    const late = server.connect(keysOf(100));
    revoke([id(1)], null, late);
    expect(late.refusals()).toEqual(['QUOTA_STORAGE']);
    // What takes no room is for everybody.
    revoke([], 3, late);
    expect(late.refusals()).toHaveLength(1);
    const token = reader.token(server.token(owner, { id: id(1) }));
    revoke([id(1)]);
    reader.get([1], { token });
    expect(reader.refusals()).toEqual(['TOKEN_REVOKED']);
    late.putParts([1]);
    revoke([id(1)], null, late);
    expect(late.refusals()).toHaveLength(1);
  });

  it('TO11: leaves places among those who have revoked to who has something here', () => {
    const revocations = new Revocations();
    const strangers = REVOKERS_MAX * STRANGERS_SHARE;
    for (let at = 0; at < strangers; at++) expect(revocations.revoke(`${at}`, [], 1, true, 0)).toBeUndefined();
    expect(revocations.revoke('late', [], 1, true, 0)).toBe('OVERLOAD');
    expect(revocations.revoke('0', [], 2, true, 0)).toBeUndefined();
    expect(revocations.revoke('owner', [], 1, false, 0)).toBeUndefined();
  });

  it('TO11: ends at other servers with the follow there', () => {
    const near = net.server(2);
    const visitor = near.connect(keysOf(2));
    visitor.follow(1, { token: visitor.token(server.token(owner, { id: id(1) })) });
    expect(visitor.parts()).toEqual([1, 2, 3]);
    const other = near.connect(keysOf(3));
    other.follow(1, { token: other.token(server.token(owner, { id: id(2) })) });
    expect(other.parts()).toEqual([1, 2, 3]);
    revoke([id(1)]);
    expect(visitor.refusals()).toEqual(['TOKEN_REVOKED']);
    // Whose token is good hears that the connection failed, and may ask again.
    expect(other.refusals()).toEqual(['REMOTE_FAIL']);
    other.follow(1, { token: 1 });
    expect(other.parts()).toEqual([1, 2, 3, 1, 2, 3]);
    // What is held here is not given for it either.
    visitor.get([1], { token: 1 });
    expect(visitor.refusals()).toEqual(['TOKEN_REVOKED', 'TOKEN_REVOKED']);
    expect(visitor.parts()).toEqual([1, 2, 3]);
  });
});

describe('a collection that is open', () => {
  const access = (kind: 'private' | 'members' | 'public', collection = collectionOf(1)): void =>
    publisher.send({ type: 'access', request: 1, collection, access: kind });
  const opened = (client: CoreClient, of = owner): number => {
    client.send({ type: 'open', alias: 500, owner: of.publicKey });
    return 500;
  };

  it('AC5: to the public can be read and followed by everybody without a token', () => {
    access('public');
    const token = opened(reader);
    reader.get([1], { token });
    reader.get([2], { token, byName: true });
    reader.follow(3, { token });
    publisher.putParts([4]);
    expect(reader.blocks).toHaveLength(4);
    expect(reader.refusals()).toEqual([]);
  });

  it('AC5: to members can be read by accounts of the owner’s application alone', () => {
    access('members');
    const member = server.connect(keysOf(3), 'test');
    const other = server.connect(keysOf(4), 'other');
    member.get([1], { token: opened(member) });
    other.get([1], { token: opened(other) });
    other.follow(1, { token: 500 });
    expect(member.parts()).toEqual([1]);
    expect(other.refusals()).toEqual(['TOKEN_REQUIRED', 'TOKEN_REQUIRED']);
  });

  it('AC5: is open alone: others of the locker stay private, and nothing is told of them', () => {
    publisher.put([blockOf(9)], { collection: collectionOf(2) });
    access('public');
    const token = opened(reader);
    reader.get([9], { token, collection: collectionOf(2) });
    reader.get([9], { token, byName: true });
    reader.follow(0, { token, collection: collectionOf(2) });
    expect(reader.refusals()).toEqual(['TOKEN_REQUIRED', 'NO_OBJECT', 'TOKEN_REQUIRED']);
    expect(reader.blocks).toEqual([]);
  });

  it('AC6: is open for reading alone', () => {
    access('public');
    const token = opened(reader);
    reader.put([blockOf(10)], { token });
    reader.batch({ deletes: [{ token, name: blockOf(1).item.name }], statuses: [{ token }] });
    expect(reader.refusals()).toEqual(['TOKEN_SCOPE', 'TOKEN_SCOPE', 'TOKEN_SCOPE']);
    publisher.get([1]);
    expect(publisher.parts()).toEqual([1]);
  });

  it('AC5: that is closed again ends follows and sends nothing that waits', () => {
    access('public');
    const token = opened(reader);
    reader.follow(1, { token });
    publisher.put([blockOf(20, 600_000)]);
    reader.reads = false;
    reader.get([20, 1], { token });
    const sent = reader.blocks.length;
    access('private');
    reader.reads = true;
    reader.drained();
    publisher.putParts([4]);
    expect(reader.refusals()).toEqual(['TOKEN_REQUIRED', 'TOKEN_REQUIRED']);
    expect(reader.blocks).toHaveLength(sent);
  });

  it('AC6: that is closed again refuses who waits for a label there as who shows no token', () => {
    access('public');
    reader.get([4], { token: opened(reader), wait: true });
    access('private');
    publisher.putParts([4]);
    expect(reader.refusals()).toEqual(['TOKEN_REQUIRED']);
  });

  it('AC5: that is closed again ends gets that wait there at once, and those alone', () => {
    access('public');
    access('public', collectionOf(2));
    const token = opened(reader);
    const sealed = reader.token(server.token(owner));
    reader.get([4], { token, wait: true });
    reader.get([4], { token, wait: true, collection: collectionOf(2) });
    reader.get([5], { token: sealed, wait: true });
    access('private');
    expect(reader.refusals()).toEqual(['TOKEN_REQUIRED']);
    expect(server.core.stats().waits).toBe(2);
    publisher.putParts([5]);
    expect(reader.parts()).toEqual([5]);
  });

  it('AC5: is set by the owner alone; a locker that nobody has is private', () => {
    reader.send({ type: 'access', request: 1, collection: collectionOf(1), access: 'public' });
    const other = server.connect(keysOf(3));
    other.get([1], { token: opened(other) });
    other.get([1], { token: opened(other, keysOf(9)) });
    expect(other.refusals()).toEqual(['TOKEN_REQUIRED', 'TOKEN_REQUIRED']);
  });

  it('AC5: is one of 64 at most in a locker', () => {
    for (let at = 1; at <= 64; at++) access('public', collectionOf(at));
    expect(publisher.refusals()).toEqual([]);
    access('public', collectionOf(65));
    expect(publisher.refusals()).toEqual(['QUOTA_STORAGE']);
    access('private', collectionOf(2));
    access('public', collectionOf(65));
    expect(publisher.refusals()).toHaveLength(1);
  });

  it('AC5: is open to the public also where free keys have opened all that they could', () => {
    const most = PUBLIC_LOCKERS_MAX * STRANGERS_SHARE;
    const open = (number: number): string[] => {
      const stranger = server.connect(keysOf(number));
      stranger.send({ type: 'access', request: 1, collection: collectionOf(1), access: 'public' });
      const refusals = stranger.refusals();
      stranger.send({ type: 'access', request: 2, collection: collectionOf(2), access: 'members' });
      return refusals;
    };
    for (let at = 0; at < most; at++) expect(open(10 + at)).toEqual([]);
    expect(open(10 + most)).toEqual(['QUOTA_STORAGE']);
    access('public');
    expect(publisher.refusals()).toEqual([]);
    // A locker with something in it, be it by reference, is no stranger's.
    reader.get([1], { token: opened(reader), keep: true });
    reader.send({ type: 'access', request: 1, collection: collectionOf(1), access: 'public' });
    expect(reader.refusals()).toEqual([]);
  });

  it('HT1: to the public is given over HTTP to who shows no token; nothing else is', () => {
    publisher.put([blockOf(9)], { collection: collectionOf(2) });
    const ask = (part: number): string => {
      const call = { kind: 'get', name: blockOf(part).item.name, bodyless: false } as const;
      server.input({ kind: 'asked', link: 9_000 + part, address: '192.0.2.1', token: null, call });
      const output = server.outputs.find((sent) => 'link' in sent && sent.link === 9_000 + part);
      if (output?.kind === 'send-block') return 'block';
      return output?.kind === 'send' && output.message.type === 'refused' ? output.message.reason : `${output?.kind}`;
    };
    expect(ask(1)).toBe('TOKEN_REQUIRED');
    access('members', collectionOf(2));
    access('public');
    expect([ask(2), ask(9)]).toEqual(['block', 'TOKEN_REQUIRED']);
    access('private');
    expect(ask(3)).toBe('TOKEN_REQUIRED');
  });
});
