import { beforeEach, describe, expect, it } from 'vitest';
import { METERS_PER_OWNER_MAX } from '../../ins-server/core/limits.ts';
import { Meters } from '../../ins-server/core/tokens/meters.ts';
import { TokenBook } from '../../ins-server/core/tokens/tokens.ts';
import { EMPTY_GET } from '../../protocol/ins-messages.ts';
import { OPERATION, type Token } from '../../protocol/token.ts';
import { type CoreClient, CoreNet, type CoreServer } from './core-net.ts';
import { blockOf, collectionOf, keysOf } from './helpers.ts';

const owner = keysOf(1);
/** All blocks in these tests have so many bytes. */
const BLOCK = 1_000;

describe('a limited token', () => {
  let net: CoreNet;
  let server: CoreServer;
  let publisher: CoreClient;
  let reader: CoreClient;

  beforeEach(() => {
    net = new CoreNet();
    server = net.server(1);
    publisher = server.connect(owner);
    publisher.putParts([1, 2, 3, 4, 5, 6, 7, 8]);
    reader = server.connect(keysOf(2));
  });

  const limited = (claims: Partial<Token>): Uint8Array => server.token(owner, claims);
  /** Reasons and retry times. */
  const refusals = (client: CoreClient): [string, number][] =>
    client.of('refused').map(({ reason, retryAfterMs }) => [reason, retryAfterMs]);

  it('TO7: is good for so many items, and used up then', () => {
    const token = reader.token(limited({ uses: 2 }));
    reader.get([1, 2, 3], { token });
    expect(reader.parts()).toEqual([1, 2]);
    expect(refusals(reader)).toEqual([['TOKEN_REPLAYED', 0]]);
    reader.get([1], { token });
    reader.follow(1, { token });
    expect(reader.refusals().slice(1)).toEqual(['TOKEN_REPLAYED', 'TOKEN_REPLAYED']);
    expect(reader.parts()).toEqual([1, 2]);
  });

  it('TO7: is counted over all who bear it, and over reconnects', () => {
    const sealed = limited({ uses: 2 });
    reader.get([1], { token: reader.token(sealed) });
    reader.leave();
    const again = server.connect(keysOf(2));
    again.get([2], { token: again.token(sealed) });
    const other = server.connect(keysOf(3));
    other.get([3], { token: other.token(sealed) });
    expect([reader, again, other].map((client) => client.parts())).toEqual([[1], [2], []]);
    expect(other.of('token-refused').map(({ reason }) => reason)).toEqual(['TOKEN_REPLAYED']);
    expect(other.refusals()).toEqual(['TOKEN_REPLAYED']);
  });

  it('TO7: is refused without a signature check when it is used up', () => {
    const sealed = limited({ uses: 1 });
    reader.get([1], { token: reader.token(sealed) });
    const before = server.core.stats().tokensVerified;
    // Other bytes, the same id.
    reader.token(limited({ uses: 1, to: 7 }));
    expect(reader.of('token-refused').at(-1)?.reason).toBe('TOKEN_REPLAYED');
    expect(server.core.stats().tokensVerified).toBe(before);
  });

  it('TO7: does not count what is not there, or was not sent in time', () => {
    const token = reader.token(limited({ uses: 1 }));
    reader.get([99], { token });
    expect(reader.refusals()).toEqual(['NOT_YET']);
    reader.reads = false;
    publisher.put([blockOf(20, 600_000)]);
    reader.get([20], { token: reader.token(limited({ id: new Uint8Array(16).fill(9) })) });
    reader.get([1], { token, deadlineMs: 100 });
    net.pass(200);
    reader.reads = true;
    reader.drained();
    expect(reader.refusals()).toEqual(['NOT_YET', 'DEADLINE']);
    const cancelled = reader.get([1], { token, deadlineMs: 100 });
    reader.send({ type: 'cancel', request: cancelled });
    reader.get([1], { token });
    expect(reader.refusals().at(-1)).toBe('TOKEN_REPLAYED');
    expect(reader.parts().at(-1)).toBe(1);
  });

  it('TO7: counts nothing that was neither filed nor followed', () => {
    server = net.server(3, { limits: { quotaBytes: 10 } });
    server.connect(owner).put([blockOf(1, 5)]);
    reader = server.connect(keysOf(2));
    const token = reader.token(limited({ uses: 1, tracks: [0] }));
    reader.put([blockOf(2, 6)]);
    const label = { track: 0, part: 1, index: 0 };
    reader.batch({ keep: true, deliver: false, collection: collectionOf(1), gets: [{ ...EMPTY_GET, token, label }] });
    reader.follow(1, { token, tracks: [1] });
    expect(reader.refusals()).toEqual(['QUOTA_STORAGE', 'TOKEN_SCOPE']);
    reader.get([1], { token });
    expect(reader.parts()).toEqual([1]);
  });

  it('TO7: gives back what a cancelled request has not been sent', () => {
    const token = reader.token(limited({ uses: 1 }));
    reader.reads = false;
    publisher.put([blockOf(20, 600_000)]);
    reader.get([20], { token: reader.token(limited({ id: new Uint8Array(16).fill(9) })) });
    const waiting = reader.get([1], { token });
    reader.send({ type: 'cancel', request: waiting });
    reader.reads = true;
    reader.drained();
    reader.get([2], { token });
    expect(reader.parts()).toEqual([20, 2]);
  });

  it('TO7: counts a follow once, however many blocks it brings', () => {
    const token = reader.token(limited({ uses: 1 }));
    reader.follow(1, { token });
    expect(reader.parts()).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    publisher.putParts([9]);
    expect(reader.parts().at(-1)).toBe(9);
    reader.follow(1, { token });
    expect(reader.refusals()).toEqual(['TOKEN_REPLAYED']);
  });

  it('TO7: gives so many bytes', () => {
    const token = reader.token(limited({ amountBytes: 2 * BLOCK + 1 }));
    reader.get([1, 2, 3], { token });
    expect(reader.parts()).toEqual([1, 2]);
    expect(refusals(reader)).toEqual([['QUOTA_AMOUNT', 0]]);
  });

  it('TO7: has each of several follows go on in its own time', () => {
    const others = [3, 4].map((number) => server.connect(keysOf(number)));
    for (const [at, client] of [reader, ...others].entries()) {
      const id = new Uint8Array(16).fill(at);
      client.follow(1, { token: client.token(limited({ id, rateBps: 8 * BLOCK * (3 - at) })) });
    }
    net.pass(10_000);
    for (const client of [reader, ...others]) expect(client.parts()).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it('TO7: ends a follow with its amount', () => {
    const token = reader.token(limited({ amountBytes: 3 * BLOCK }));
    reader.follow(1, { token });
    expect(reader.parts()).toEqual([1, 2, 3]);
    expect(refusals(reader)).toEqual([['QUOTA_AMOUNT', 0]]);
    expect(server.core.stats().follows).toBe(0);
  });

  it('TO7: says of a get beyond its rate when to ask again', () => {
    // Two blocks a second, and two at once.
    const token = reader.token(limited({ rateBps: 2 * BLOCK * 8 }));
    reader.get([1, 2, 3], { token });
    expect(reader.parts()).toEqual([1, 2]);
    const [[reason, retryMs] = ['', 0]] = refusals(reader);
    expect(reason).toBe('QUOTA_AMOUNT');
    net.pass(retryMs - 1);
    reader.get([3], { token });
    expect(reader.parts()).toEqual([1, 2]);
    net.pass(1);
    reader.get([3], { token });
    expect(reader.parts()).toEqual([1, 2, 3]);
  });

  it('TO7: holds a follow to its rate, and drops nothing of it', () => {
    const token = reader.token(limited({ rateBps: 2 * BLOCK * 8 }));
    reader.follow(1, { token });
    expect(reader.parts()).toEqual([1, 2]);
    // The next goes as soon as there is anything left for it, and is paid for after.
    net.pass(1);
    expect(reader.parts()).toEqual([1, 2, 3]);
    net.pass(999);
    expect(reader.parts()).toEqual([1, 2, 3, 4]);
    net.pass(2_000);
    expect(reader.parts()).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    publisher.putParts([9]);
    net.pass(1_000);
    expect(reader.parts().at(-1)).toBe(9);
    expect(reader.refusals()).toEqual([]);
  });

  it('TO7: of no uses, bytes or rate gives nothing', () => {
    const ids = [11, 12, 13].map((fill) => new Uint8Array(16).fill(fill));
    for (const [at, claims] of [{ uses: 0 }, { amountBytes: 0 }, { rateBps: 0 }].entries()) {
      reader.get([1], { token: reader.token(limited({ ...claims, id: ids[at]! })) });
    }
    expect(reader.blocks).toEqual([]);
    expect(refusals(reader)).toEqual([
      ['TOKEN_REPLAYED', 0],
      ['QUOTA_AMOUNT', 0],
      ['QUOTA_AMOUNT', 0],
    ]);
  });

  it('TO7: for writing counts puts and deletes', () => {
    const claims = { operations: OPERATION.put | OPERATION.delete, uses: 3, amountBytes: 2 * BLOCK };
    const token = reader.token(limited(claims));
    reader.put([blockOf(10), blockOf(11), blockOf(12)], { token });
    expect(reader.of('stored').flatMap(({ items }) => items)).toEqual([0, 1]);
    expect(refusals(reader)).toEqual([['QUOTA_AMOUNT', 0]]);
    const deletes = [10, 11].map((part) => ({ token, name: blockOf(part).item.name }));
    reader.batch({ deletes });
    expect(reader.of('deleted').flatMap(({ items }) => items)).toEqual([0]);
    expect(refusals(reader).at(-1)).toEqual(['TOKEN_REPLAYED', 0]);
  });

  it('TO8: names exactly one server', () => {
    const servers = [
      { key: server.keys.publicKey, url: server.url },
      { key: keysOf(77).publicKey, url: 'ws://elsewhere' },
    ];
    reader.get([1], { token: reader.token(limited({ servers, uses: 5 })) });
    expect(reader.refusals()).toEqual(['POLICY_DENIED']);
  });

  it('TO8: is not taken to its server by another one, which could not count', () => {
    const near = net.server(2);
    const visitor = near.connect(keysOf(2));
    visitor.get([1], { token: visitor.token(limited({ uses: 5 })) });
    visitor.follow(1, { token: 1 });
    expect(visitor.refusals()).toEqual(['POLICY_DENIED', 'POLICY_DENIED']);
  });

  it('TO8: made before the server started counts as used up', () => {
    net.pass(10_000);
    const restarted = net.server(3);
    restarted.connect(owner).putParts([1]);
    const visitor = restarted.connect(keysOf(2));
    const notBefore = net.nowMs / 1000;
    visitor.get([1], { token: visitor.token(restarted.token(owner, { uses: 1, notBefore: notBefore - 1 })) });
    expect(visitor.refusals()).toEqual(['TOKEN_REPLAYED']);
    visitor.get([1], { token: visitor.token(restarted.token(owner, { uses: 1, notBefore })) });
    expect(visitor.parts()).toEqual([1]);
  });

  it('TO8: is refused where there is no room to count, and forgotten after its end', () => {
    const meters = new Meters();
    const book = new TokenBook(server.keys.publicKey);
    const use = (number: number, issuer = owner): string | undefined => {
      const id = new Uint8Array(16);
      new DataView(id.buffer).setUint32(0, number);
      const { known } = book.open(server.token(issuer, { id, uses: 1 }))!;
      return meters.use(known, 1, 1, net.nowMs)?.reason;
    };
    for (let number = 0; number < METERS_PER_OWNER_MAX; number++) expect(use(number)).toBeUndefined();
    expect(use(METERS_PER_OWNER_MAX)).toBe('OVERLOAD');
    expect(use(1)).toBe('TOKEN_REPLAYED');
    expect(use(1, keysOf(3))).toBeUndefined();
    net.nowMs += 90_000;
    meters.tidy(net.nowMs);
    expect(use(METERS_PER_OWNER_MAX)).toBe('OVERLOAD');
    // Five seconds more, by which clocks may differ.
    net.nowMs += 5_000;
    meters.tidy(net.nowMs);
    expect(meters.size).toBe(0);
    expect(use(METERS_PER_OWNER_MAX)).toBeUndefined();
  });
});
