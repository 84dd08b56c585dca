import { describe, expect, it } from 'vitest';
import { Account } from '../../peer/core/account.ts';
import { Lockers } from '../../peer/core/lockers.ts';
import { concatBytes } from '../../protocol/text.ts';
import { encodeToken, NO_LIMITS, OPERATION, type Token } from '../../protocol/token.ts';
import type { Catalogue } from '../../swarm/catalogue.ts';

const key = (fill: number) => new Uint8Array(32).fill(fill);
const NEAR = key(200);
const FAR = key(201);
const NOW_MS = 1_000_000;

function token(owner: number, server: Uint8Array, expires: number): Uint8Array {
  const claims: Token = {
    version: 1,
    issuer: key(owner),
    servers: [{ key: server, url: 'ws://ins:1' }],
    operations: OPERATION.get,
    names: null,
    collection: key(9),
    tracks: null,
    from: 0,
    to: 0xffff_fffe,
    notBefore: 0,
    expires,
    id: new Uint8Array(16),
    ...NO_LIMITS,
  };
  return concatBytes(encodeToken(claims), new Uint8Array(64));
}

function lockers() {
  const table = new Lockers();
  table.nameSource(key(1));
  table.addToken(key(1), token(1, FAR, 2_000));
  table.addToken(key(2), token(2, NEAR, 2_000));
  table.get(String.fromCharCode(...key(2)))!.availability.add(0, 5);
  return table;
}

const owner = (table: Lockers, part: number, clockOffsetMs = 0) =>
  table.choose(NEAR, 0, part, NOW_MS, clockOffsetMs)?.owner.charCodeAt(0);

describe('lockers', () => {
  it('a part is taken from a locker on our own server where one has it, else from the source’s', () => {
    const table = lockers();
    expect(owner(table, 5)).toBe(2);
    expect(owner(table, 6)).toBe(1);
  });

  it('a locker that lacked what it was said to hold rests; the source’s never does', () => {
    const table = lockers();
    table.rest(String.fromCharCode(...key(2)), NOW_MS + 1);
    expect(owner(table, 5)).toBe(1);
    table.rest(String.fromCharCode(...key(1)), NOW_MS + 1);
    expect(owner(table, 5)).toBe(1);
  });

  it('a token’s end is judged by the server’s clock', () => {
    const table = lockers();
    expect(owner(table, 5, 999_000)).toBe(2);
    expect(owner(table, 5, 1_000_000)).toBeUndefined();
    const behind = new Lockers();
    behind.nameSource(key(1));
    behind.addToken(key(1), token(1, NEAR, 990));
    expect(owner(behind, 5)).toBeUndefined();
    expect(owner(behind, 5, -20_000)).toBe(1);
  });

  it('takes no token of another issuer and no older one, and names the one it replaces', () => {
    const table = lockers();
    expect(table.addToken(key(3), token(2, NEAR, 2_000))).toBeUndefined();
    expect(table.addToken(key(2), token(2, NEAR, 1_999))).toBeUndefined();
    expect(table.addToken(key(2), token(2, NEAR, 2_030))).toEqual(token(2, NEAR, 2_000));
  });

  it('when it is full, whose token runs out first makes room, and never the source', () => {
    const table = new Lockers();
    table.nameSource(key(1));
    table.addToken(key(1), token(1, NEAR, 1_001));
    for (let other = 2; other < 80; other++) table.addToken(key(other), token(other, NEAR, 1_500 + other));
    expect(table.source).toBeDefined();
    expect(table.get(String.fromCharCode(...key(2)))).toBeUndefined();
    expect(table.get(String.fromCharCode(...key(79)))).toBeDefined();
  });
});

describe('account', () => {
  it('counts a jump over thousands of millions of parts without walking it', () => {
    const account = new Account();
    account.missed(100, 4_294_966_999, [0, 1], {
      oldestPart: 4_294_966_800,
      get: () => undefined,
    } as unknown as Catalogue);
    expect(account.missedBlocks).toBe(2 * (4_294_966_999 - 100 + 1));
    expect(account.dueBlocks).toBe(account.missedBlocks);
  });
});
