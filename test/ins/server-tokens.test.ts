import { beforeEach, describe, expect, it } from 'vitest';
import { CLOSE } from '../../protocol/reasons.ts';
import { OPERATION, type Token } from '../../protocol/token.ts';
import { type CoreClient, CoreNet, type CoreServer } from './core-net.ts';
import { blockOf, collectionOf, keysOf, sealToken } from './helpers.ts';

const owner = keysOf(1);

describe('a token', () => {
  let net: CoreNet;
  let server: CoreServer;
  let reader: CoreClient;
  let seconds: number;

  beforeEach(() => {
    net = new CoreNet();
    server = net.server(1);
    seconds = net.nowMs / 1000;
    server.connect(owner).putParts([1, 2, 3]);
    reader = server.connect(keysOf(2));
  });

  const got = (token: Uint8Array, part = 2): string => {
    const alias = reader.token(token);
    reader.get([part], { token: alias });
    return reader.refusals().at(-1) ?? `part ${reader.parts().at(-1)}`;
  };

  it('TO3: opens the range it names, by label and by name', () => {
    expect(got(server.token(owner, { from: 2, to: 2 }))).toBe('part 2');
    const named = reader.token(server.token(owner, { collection: null, names: [blockOf(3).item.name] }));
    reader.get([3], { token: named, byName: true });
    expect(reader.blocks).toHaveLength(2);
    expect(reader.refusals()).toEqual([]);
    reader.get([2, 3], { token: named });
    expect(reader.blocks).toHaveLength(3);
    expect(reader.refusals()).toEqual(['TOKEN_SCOPE']);
  });

  const wrong: [string, Partial<Token> | (() => Partial<Token>), string][] = [
    ['has expired (TO4)', () => ({ notBefore: seconds - 90, expires: seconds }), 'TOKEN_EXPIRED'],
    ['is early beyond the leeway (TO4)', () => ({ notBefore: seconds + 6 }), 'TOKEN_NOT_YET'],
    ['lives longer than servers allow (TO4)', () => ({ expires: seconds + 606 }), 'POLICY_DENIED'],
    ['is bound to another holder (TO6)', { holder: keysOf(9).publicKey }, 'TOKEN_SCOPE'],
    ['begins behind the part', { from: 3 }, 'TOKEN_SCOPE'],
    ['ends before the part', { to: 1 }, 'TOKEN_SCOPE'],
    ['is for other tracks', { tracks: [1] }, 'TOKEN_SCOPE'],
    ['is for another collection', { collection: collectionOf(9) }, 'TOKEN_SCOPE'],
    ['is for writing (TO2)', { operations: OPERATION.put }, 'TOKEN_SCOPE'],
    ['opens a locker of somebody who has none here', {}, 'NO_OBJECT'],
  ];
  it.each(wrong)('that %s is refused', (what, claims, reason) => {
    const issuer = what.includes('somebody') ? keysOf(8) : owner;
    expect(got(server.token(issuer, typeof claims === 'function' ? claims() : claims))).toBe(reason);
    expect(reader.blocks).toEqual([]);
  });

  it('with the signature of another one is forged, also when that one is known', () => {
    const known = server.token(owner, { from: 2, to: 2 });
    expect(got(known)).toBe('part 2');
    const wider = server.token(owner, { from: 1, to: 3 });
    wider.set(known.subarray(-64), wider.length - 64);
    expect(got(wider, 3)).toBe('TOKEN_INVALID');
  });

  it('TO4: that is early within the leeway is good', () => {
    expect(got(server.token(owner, { notBefore: seconds + 5 }))).toBe('part 2');
  });

  it('TO6: that is bound to its bearer is good', () => {
    expect(got(server.token(owner, { holder: keysOf(2).publicKey }))).toBe('part 2');
  });

  it('IN3: that is forged, malformed or missing is refused', () => {
    const forged = server.token(owner);
    forged[forged.length - 1]! ^= 1;
    expect(got(forged)).toBe('TOKEN_INVALID');
    expect(got(new Uint8Array(100))).toBe('TOKEN_INVALID');
    expect(reader.of('token-refused').map(({ reason }) => reason)).toEqual(['TOKEN_INVALID', 'TOKEN_INVALID']);
    reader.get([2], { token: 99 });
    expect(reader.refusals().at(-1)).toBe('TOKEN_REQUIRED');
    expect(reader.blocks).toEqual([]);
  });

  it('TO4: that runs out after it was accepted opens nothing any more', () => {
    const alias = reader.token(server.token(owner));
    net.pass(30_000);
    reader.get([1], { token: alias });
    expect(reader.parts()).toEqual([1]);
    server.connect(owner).putParts([4], { ttlSeconds: 600 });
    net.pass(61_000);
    reader.get([4], { token: alias });
    expect(reader.refusals()).toEqual(['TOKEN_EXPIRED']);
  });

  it('IN12: of another server is refused where none may be dialled', () => {
    const closed = net.server(2, { mayDial: false });
    const visitor = closed.connect(keysOf(2));
    visitor.get([1], { token: visitor.token(server.token(owner)) });
    expect(visitor.refusals()).toEqual(['POLICY_DENIED']);
  });

  it('is verified once for all who bear it, and not at all when its claims refuse it', () => {
    const token = server.token(owner);
    for (const number of [2, 3, 4]) {
      const client = server.connect(keysOf(number));
      client.get([1], { token: client.token(token) });
      expect(client.parts()).toEqual([1]);
      client.token(server.token(owner, { notBefore: seconds - 90, expires: seconds - 1 }));
    }
    expect(server.core.stats().tokensVerified).toBe(1);
  });

  it('IN3: that is invalid costs a point, and five close the connection', () => {
    for (let count = 0; count < 4; count++) reader.token(new Uint8Array(80 + count));
    expect(reader.closed).toBeUndefined();
    reader.token(new Uint8Array(99));
    expect(reader.closed?.code).toBe(CLOSE.policy);
  });

  it('is not verified more often than a connection may ask for', () => {
    for (let count = 0; count < 70; count++) reader.token(server.token(owner, { id: new Uint8Array(16).fill(count) }));
    expect(server.core.stats().tokensVerified).toBe(64);
    expect(reader.of('token-refused').map(({ reason }) => reason)).toEqual(Array(6).fill('OVERLOAD'));
    net.pass(1_000);
    reader.token(server.token(owner, { id: new Uint8Array(16).fill(99) }));
    expect(server.core.stats().tokensVerified).toBe(65);
  });

  it('TO2: for writing puts into the locker of its issuer, within its range', () => {
    const claims = { operations: OPERATION.put, from: 10, to: 10 };
    const alias = reader.token(server.token(owner, claims));
    reader.put([blockOf(10), blockOf(11)], { token: alias });
    expect(reader.of('stored').flatMap(({ items }) => items)).toEqual([0]);
    expect(reader.refusals()).toEqual(['TOKEN_SCOPE']);
    const issuer = server.connect(owner);
    issuer.get([10]);
    expect(issuer.parts()).toEqual([10]);
    reader.get([10]);
    expect(reader.refusals().at(-1)).toBe('NO_OBJECT');
  });

  it('TO2: may name several servers: each of them holds the locker', () => {
    const other = { key: keysOf(77).publicKey, url: 'ws://elsewhere' };
    const here = { key: server.keys.publicKey, url: server.url };
    expect(got(sealToken(owner, [other, here], {}, net.nowMs))).toBe('part 2');
  });
});
