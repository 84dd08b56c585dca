import { beforeEach, describe, expect, it } from 'vitest';
import { concatBytes } from '../../protocol/text.ts';
import { decodeToken, encodeToken, OPERATION, type Token } from '../../protocol/token.ts';
import type { KeyPair } from '../../runtime/node/crypto.ts';
import { type CoreClient, CoreNet, type CoreServer } from './core-net.ts';
import { blockOf, collectionOf, keysOf, sealToken } from './helpers.ts';

const owner = keysOf(1);
const reseller = keysOf(3);
const elsewhere = { key: keysOf(77).publicKey, url: 'ws://elsewhere' };

describe('a delegated token', () => {
  let net: CoreNet;
  let server: CoreServer;
  let reader: CoreClient;
  let seconds: number;
  let here: Token['servers'][number];

  beforeEach(() => {
    net = new CoreNet();
    server = net.server(1);
    seconds = net.nowMs / 1000;
    here = { key: server.keys.publicKey, url: server.url };
    server.connect(owner).putParts([1, 2, 3]);
    reader = server.connect(keysOf(2));
  });

  /** A token of the owner for the reseller, and one that the reseller made from it. */
  const delegated = (
    claims: Partial<Token> = {},
    parent: Partial<Token> = {},
    issuer: KeyPair = reseller,
  ): Uint8Array =>
    server.token(issuer, { ...claims, parent: server.token(owner, { holder: reseller.publicKey, ...parent }) });

  const got = (token: Uint8Array, part = 2): string => {
    reader.get([part], { token: reader.token(token) });
    return reader.refusals().at(-1) ?? `part ${reader.parts().at(-1)}`;
  };

  it('TO10: opens the locker of the owner, in the part that it was given', () => {
    expect(got(delegated({ from: 2, to: 2, tracks: [0] }))).toBe('part 2');
    reader.get([1, 3], { token: 1 });
    expect(reader.refusals()).toEqual(['TOKEN_SCOPE', 'TOKEN_SCOPE']);
  });

  it('TO10: may be bound to a holder of its own', () => {
    expect(got(delegated({ holder: keysOf(2).publicKey }))).toBe('part 2');
    const stranger = server.connect(keysOf(4));
    stranger.get([2], { token: stranger.token(delegated({ holder: keysOf(2).publicKey })) });
    expect(stranger.refusals()).toEqual(['TOKEN_SCOPE']);
  });

  it('TO10: costs two signature checks once, and one where the parent is known', () => {
    got(delegated());
    expect(server.core.stats().tokensVerified).toBe(2);
    got(delegated({ id: new Uint8Array(16).fill(8) }));
    expect(server.core.stats().tokensVerified).toBe(3);
    got(delegated());
    expect(server.core.stats().tokensVerified).toBe(3);
  });

  const names = [blockOf(2).item.name];
  const wider: [string, Partial<Token>, Partial<Token>][] = [
    ['operations', { operations: OPERATION.get | OPERATION.put }, {}],
    ['a later end', {}, { expires: 1_800_000_060 }],
    ['an earlier begin', { notBefore: 1_799_999_990 }, {}],
    ['another server', { servers: [elsewhere] }, {}],
    ['another address', { servers: [{ key: keysOf(201).publicKey, url: 'ws://elsewhere' }] }, {}],
    ['earlier parts', {}, { from: 1 }],
    ['later parts', {}, { to: 9 }],
    ['another track', { tracks: [1] }, { tracks: [0] }],
    ['all tracks', {}, { tracks: [0] }],
    ['another collection', { collection: collectionOf(2) }, {}],
    ['a collection instead of names', {}, { collection: null, names }],
    ['other names', { collection: null, names: [blockOf(3).item.name] }, { collection: null, names }],
    ['no limit of uses', {}, { uses: 5 }],
    ['more uses', { uses: 6 }, { uses: 5 }],
    ['a higher rate', { rateBps: 2_000 }, { rateBps: 1_000 }],
    ['a larger amount', { amountBytes: 2_000 }, { amountBytes: 1_000 }],
    ['more weight', { weight: 2 }, {}],
  ];
  it.each(wider)('TO10: with %s is too wide', (_what, claims, parent) => {
    expect(seconds).toBe(1_800_000_000);
    expect(got(delegated(claims, parent))).toBe('TOKEN_TOO_WIDE');
    expect(reader.blocks).toEqual([]);
    // Its claims tell: no signature was checked.
    expect(server.core.stats().tokensVerified).toBe(0);
  });

  const narrower: [string, Partial<Token>, Partial<Token>][] = [
    ['fewer operations', {}, { operations: OPERATION.get | OPERATION.put }],
    ['an earlier end', { expires: 1_800_000_030 }, {}],
    ['names of its range', { collection: null, names }, { from: 2, to: 2 }],
    ['some of its names', { collection: null, names }, { collection: null, names: [...names, blockOf(3).item.name] }],
    ['a limit of uses', { uses: 1 }, {}],
    ['fewer uses', { uses: 1 }, { uses: 5 }],
    ['less weight', { weight: 2 }, { weight: 3 }],
  ];
  it.each(narrower)('TO10: with %s is good', (_what, claims, parent) => {
    const token = reader.token(delegated(claims, parent));
    reader.get([2], { token, byName: true });
    expect(reader.blocks).toHaveLength(1);
    expect(reader.refusals()).toEqual([]);
  });

  it('TO10: for names opens only what the range of the parent covers', () => {
    const both = [blockOf(2).item.name, blockOf(3).item.name];
    const token = reader.token(delegated({ collection: null, names: both }, { from: 2, to: 2 }));
    reader.get([2, 3], { token, byName: true });
    expect(reader.blocks).toHaveLength(1);
    expect(reader.refusals()).toEqual(['TOKEN_SCOPE']);
  });

  it('TO10: with servers that are some of the parent’s is good', () => {
    expect(got(delegated({ servers: [here] }, { servers: [elsewhere, here] }))).toBe('part 2');
  });

  it('TO10: made by somebody else than the holder is refused', () => {
    expect(got(delegated({}, {}, keysOf(5)))).toBe('TOKEN_SCOPE');
    expect(got(delegated({}, { holder: null }))).toBe('TOKEN_SCOPE');
  });

  it('TO10: made from a delegated token is refused: one level', () => {
    const first = delegated({ holder: keysOf(5).publicKey });
    expect(first.length).toBeLessThanOrEqual(1_024);
    expect(got(server.token(keysOf(5), { parent: first }))).toBe('POLICY_DENIED');
  });

  it('TO10: of which one signature is forged is refused, and counts as one invalid token', () => {
    const forged = delegated();
    forged[forged.length - 1]! ^= 1;
    expect(got(forged)).toBe('TOKEN_INVALID');
    const parent = server.token(owner, { holder: reseller.publicKey, id: new Uint8Array(16).fill(5) });
    parent[parent.length - 1]! ^= 1;
    expect(got(server.token(reseller, { parent }))).toBe('TOKEN_INVALID');
    expect(got(server.token(reseller, { parent: new Uint8Array(100) }))).toBe('TOKEN_INVALID');
    expect(server.core.stats().tokensVerified).toBe(3);
  });

  it('TO7 TO10: uses up the one that it was made from', () => {
    const limits = { uses: 2 };
    const id = (fill: number): Uint8Array => new Uint8Array(16).fill(fill);
    reader.get([1, 2], { token: reader.token(delegated({ id: id(21), ...limits }, limits)) });
    expect(reader.parts()).toEqual([1, 2]);
    expect(got(delegated({ id: id(22), ...limits }, limits))).toBe('TOKEN_REPLAYED');
  });

  it('TO10: for writing puts into the owner’s locker', () => {
    const put = { operations: OPERATION.put };
    const token = reader.token(delegated({ ...put, from: 10, to: 10 }, put));
    reader.put([blockOf(10), blockOf(11)], { token });
    expect(reader.refusals()).toEqual(['TOKEN_SCOPE']);
    const issuer = server.connect(owner);
    issuer.get([10]);
    expect(issuer.parts()).toEqual([10]);
  });

  it('IN12: is good for remote get', () => {
    const near = net.server(2);
    const visitor = near.connect(keysOf(2));
    visitor.get([2, 3], { token: visitor.token(delegated({ from: 2, to: 2 })) });
    expect(visitor.parts()).toEqual([2]);
    expect(visitor.refusals()).toEqual(['TOKEN_SCOPE']);
  });
});

describe('a token with a holder', () => {
  const holder = keysOf(2);
  let net: CoreNet;
  let far: CoreServer;
  let near: CoreServer;

  beforeEach(() => {
    net = new CoreNet();
    far = net.server(1);
    near = net.server(2);
    far.connect(owner).putParts([1, 2]);
  });

  it('TO6: opens nothing to others, whatever they ask for', () => {
    const operations = OPERATION.get | OPERATION.put | OPERATION.delete | OPERATION.status;
    const stranger = far.connect(keysOf(4));
    const token = stranger.token(far.token(owner, { holder: holder.publicKey, operations }));
    stranger.get([1], { token });
    stranger.follow(1, { token });
    stranger.put([blockOf(5)], { token });
    stranger.batch({ deletes: [{ token, name: blockOf(1).item.name }], statuses: [{ token }] });
    expect(stranger.refusals()).toEqual(Array(5).fill('TOKEN_SCOPE'));
    expect(stranger.blocks).toEqual([]);
    const bearer = far.connect(holder);
    const good = bearer.token(far.token(owner, { holder: holder.publicKey, operations }));
    bearer.get([1], { token: good });
    bearer.put([blockOf(5)], { token: good });
    bearer.batch({ deletes: [{ token: good, name: blockOf(5).item.name }], statuses: [{ token: good }] });
    expect(bearer.refusals()).toEqual([]);
  });

  it('TO6: is not proved by the server that fetches for the holder', () => {
    const visitor = near.connect(holder);
    visitor.get([1], { token: visitor.token(far.token(owner, { holder: holder.publicKey })) });
    expect(visitor.refusals()).toEqual(['TOKEN_SCOPE']);
    expect(visitor.blocks).toEqual([]);
  });

  it('TO12: lets a server fetch for its holder who made it a token of its own, and for nobody else', () => {
    const parent = far.token(owner, { holder: holder.publicKey });
    const forServer = far.token(holder, { parent, holder: near.keys.publicKey });
    const visitor = near.connect(holder);
    visitor.get([1], { token: visitor.token(forServer) });
    expect(visitor.parts()).toEqual([1]);
    const stranger = near.connect(keysOf(4));
    stranger.get([1, 2], { token: stranger.token(forServer) });
    expect(stranger.refusals()).toEqual(['TOKEN_SCOPE', 'TOKEN_SCOPE']);
    // Neither is it good for the holder where the locker is.
    const direct = far.connect(holder);
    direct.get([1], { token: direct.token(forServer) });
    expect(direct.refusals()).toEqual(['TOKEN_SCOPE']);
  });
});

describe('tokens in thousands of mutations', () => {
  it.each([
    ['fixed', 1],
    ['fresh', Date.now()],
  ])(
    'TO1: are accepted in none (%s seed %i)',
    (_which, seed) => {
      const net = new CoreNet();
      const server = net.server(1);
      server.connect(owner).putParts([1]);
      const place = [{ key: server.keys.publicKey, url: server.url }];
      const parent = sealToken(owner, place, { holder: reseller.publicKey }, net.nowMs);
      const whole = [server.token(owner), server.token(owner, { uses: 3 }), server.token(reseller, { parent })];
      let state = seed >>> 0;
      const random = (below: number): number => {
        state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
        return Math.floor((state / 2 ** 32) * below);
      };
      let reader = server.connect(keysOf(2));
      for (let count = 0; count < 10_000; count++) {
        const token = new Uint8Array(whole[count % whole.length]!);
        const changes = 1 + random(3);
        for (let change = 0; change < changes; change++) token[random(token.length)]! ^= 1 << random(8);
        const cut = random(8) === 0 ? token.subarray(0, random(token.length)) : token;
        if (whole.some((good) => Buffer.compare(good, cut) === 0)) continue;
        if (reader.closed !== undefined || count % 16 === 0) reader = server.connect(keysOf(2));
        const alias = reader.token(cut);
        if (reader.closed !== undefined) continue;
        reader.get([1], { token: alias });
        expect(reader.blocks, `seed ${seed}, mutation ${count}`).toEqual([]);
        expect(reader.refusals().length).toBeGreaterThan(0);
        reader.messages.length = 0;
      }
      // Nor is a good signature under other claims.
      const [good] = whole as [Uint8Array];
      const claims = encodeToken({ ...decodeToken(good)!.token, operations: 15 });
      reader = server.connect(keysOf(2));
      reader.get([1], { token: reader.token(concatBytes(claims, good.subarray(-64))) });
      expect(reader.refusals()).toEqual(['TOKEN_INVALID']);
    },
    60_000,
  );
});
