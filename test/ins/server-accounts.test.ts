import { beforeEach, describe, expect, it } from 'vitest';
import { encodeInvitation, type Invitation, invitationSigned } from '../../protocol/invitation.ts';
import { CLOSE } from '../../protocol/reasons.ts';
import { concatBytes } from '../../protocol/text.ts';
import { OPERATION } from '../../protocol/token.ts';
import { type CoreClient, CoreNet, type CoreServer } from './core-net.ts';
import { blockOf, collectionOf, keysOf } from './helpers.ts';

const provider = keysOf(50);
const owner = keysOf(1);

let net: CoreNet;
let server: CoreServer;

function invite(more: Partial<Invitation> = {}, signer = provider): Uint8Array {
  const seconds = net.nowMs / 1000;
  const body = encodeInvitation({
    version: 1,
    provider: provider.publicKey,
    account: owner.publicKey,
    application: null,
    quotaBytes: 100_000,
    quotaObjects: 10,
    rateBps: null,
    weight: null,
    notBefore: seconds,
    expires: seconds + 1_000,
    ...more,
  });
  return concatBytes(body, signer.sign(invitationSigned(body)));
}

const quotaOf = (client: CoreClient): number | undefined => client.of('accepted')[0]?.quotaBytes;

beforeEach(() => {
  net = new CoreNet();
});

describe('a server for those who are invited', () => {
  beforeEach(() => {
    server = net.server(1, { core: { registration: 'invitation', providers: [provider.publicKey] } });
  });

  it('AC5: lets the invited open a locker to the public before they put anything, however many others did', () => {
    const open = (client: CoreClient): string[] => {
      client.send({ type: 'access', request: 1, collection: collectionOf(1), access: 'public' });
      return client.refusals();
    };
    const refused = Array.from({ length: 130 }, (_, at) => open(server.connect(keysOf(60 + at)))).flat();
    expect(refused).toEqual(['QUOTA_STORAGE', 'QUOTA_STORAGE']);
    expect(open(server.connect(owner, 'test', invite()))).toEqual([]);
  });

  it('AC3: gives an account the place that its invitation says', () => {
    const client = server.connect(owner, 'test', invite({ quotaBytes: 3_500, quotaObjects: 3 }));
    expect(quotaOf(client)).toBe(3_500);
    client.putParts([1, 2, 3, 4]);
    expect(client.of('stored')).toHaveLength(3);
    expect(client.refusals()).toEqual(['QUOTA_STORAGE']);
  });

  it('AC3: has no place for who comes uninvited, but lets him read under tokens', () => {
    server.connect(owner, 'test', invite()).putParts([1, 2]);
    const guest = server.connect(keysOf(2));
    expect(quotaOf(guest)).toBe(0);
    guest.putParts([1]);
    expect(guest.refusals()).toEqual(['POLICY_DENIED']);
    const request = guest.get([1], { token: guest.token(server.token(owner)), keep: true });
    expect(guest.parts(request)).toEqual([1]);
    expect(guest.blocks.map(({ header }) => header.kept)).toEqual([false]);
    // He may put where he has a token for: what the owner has, he gives.
    const put = guest.token(server.token(owner, { operations: OPERATION.put }));
    guest.put([blockOf(9)], { token: put });
    expect(guest.of('stored')).toHaveLength(1);
  });

  it('AC3: takes no puts into the locker of an uninvited token’s issuer', () => {
    const guest = server.connect(keysOf(2));
    guest.put([blockOf(1)], { token: guest.token(server.token(keysOf(9), { operations: OPERATION.put })) });
    expect(guest.refusals()).toEqual(['POLICY_DENIED']);
  });

  const wrong: [string, () => Uint8Array, string][] = [
    ['is for another account', () => invite({ account: keysOf(2).publicKey }), 'another account'],
    ['is for another application', () => invite({ application: 'other' }), 'the application other'],
    ['has expired', () => invite({ expires: net.nowMs / 1000 }), 'has expired'],
    ['is not valid yet', () => invite({ notBefore: net.nowMs / 1000 + 6 }), 'not valid yet'],
    ['is signed by another', () => invite({}, keysOf(51)), 'not signed by its provider'],
    ['is malformed', () => new Uint8Array(100), 'malformed'],
  ];
  it.each(wrong)('AC2: tells who brings an invitation that %s', (_what, sealed, why) => {
    const client = server.connect(owner, 'test', sealed());
    expect(client.closed?.code).toBe(CLOSE.unauthenticated);
    expect(client.closed?.why).toContain(why);
    expect(client.of('accepted')).toEqual([]);
  });

  it('AC2: takes an invitation of a provider that it does not know for none, and checks no signature for it', () => {
    const client = server.connect(owner, 'test', invite({ provider: keysOf(52).publicKey }));
    expect(client.closed).toBeUndefined();
    expect(quotaOf(client)).toBe(0);
    expect(server.outputs.filter(({ kind }) => kind === 'verify')).toHaveLength(1);
  });

  it('AC2: takes an invitation that names nobody from whoever bears it', () => {
    for (const number of [1, 2]) {
      const client = server.connect(keysOf(number), 'test', invite({ account: null }));
      expect(quotaOf(client)).toBe(100_000);
    }
  });

  it('AC2: answers what came behind the hello only when the invitation was checked', () => {
    const client = server.connect(owner, 'test', invite());
    client.putParts([1]);
    expect(client.of('stored')).toHaveLength(1);
    expect(client.messages.map(({ type }) => type)).toEqual(['welcome', 'accepted', 'stored', 'done']);
  });

  it('AC4: keeps an account’s place while it is known, and takes it back when the invitation ends', () => {
    server.connect(owner, 'test', invite({ expires: net.nowMs / 1000 + 100 })).put([blockOf(1)], { ttlSeconds: 600 });
    const again = server.connect(owner);
    expect(quotaOf(again)).toBe(100_000);
    net.pass(120_000);
    again.putParts([2]);
    expect(again.refusals()).toEqual(['POLICY_DENIED']);
    again.get([1]);
    expect(again.parts()).toEqual([1]);
  });

  it('AC4: holds an account to the rate of its puts', () => {
    const client = server.connect(owner, 'test', invite({ rateBps: 2_000 * 8 }));
    client.putParts([1, 2, 3]);
    expect(client.of('stored')).toHaveLength(2);
    const [refused] = client.of('refused');
    expect(refused?.reason).toBe('QUOTA_AMOUNT');
    net.pass(refused!.retryAfterMs);
    client.putParts([3]);
    expect(client.of('stored')).toHaveLength(3);
  });
});

describe('a server for everybody', () => {
  it('AC4: gives no account more than an eighth of its memory unless its operator says so', () => {
    server = net.server(1);
    expect(quotaOf(server.connect(owner))).toBe(128 * 1024 * 1024);
  });

  it('AC4: leaves to those whom nobody has invited no more than their share, all together', () => {
    const limits = { quotaBytes: 10_000, strangersBytes: 5_000 };
    server = net.server(1, { limits, core: { providers: [provider.publicKey] } });
    const [first, second] = [keysOf(2), keysOf(3)].map((keys) => server.connect(keys));
    first!.putParts([1, 2, 3]);
    second!.putParts([1, 2]);
    expect(first!.of('stored')).toHaveLength(3);
    expect(second!.refusals()).toEqual(['QUOTA_STORAGE']);
    const invited = server.connect(owner, 'test', invite());
    invited.putParts([1, 2, 3, 4, 5]);
    expect(invited.of('stored')).toHaveLength(5);
    // What ends makes room; so does who is invited.
    first!.batch({ deletes: [{ token: 0, name: blockOf(1).item.name }] });
    second!.putParts([2]);
    expect(second!.of('stored')).toHaveLength(2);
    server.connect(keysOf(2), 'test', invite({ account: keysOf(2).publicKey }));
    second!.putParts([3, 4]);
    expect(second!.of('stored')).toHaveLength(4);
  });
});

describe('one address with many connections', () => {
  const forged = (client: CoreClient): void => {
    const token = server.token(owner);
    token[token.length - 1]! ^= 1;
    client.token(token);
  };
  const openFrom = (origin: string): CoreClient => {
    const client = server.connect(keysOf(2), 'test', null, origin);
    return client;
  };

  it('IN3: that sends too much that is invalid is not let in for a while; others are', () => {
    server = net.server(1, { limits: { connectionsPerAccount: 100 } });
    for (let count = 0; count < 11; count++) {
      const client = openFrom('192.0.2.1');
      for (let failures = 0; failures < 5 && client.closed === undefined; failures++) forged(client);
    }
    expect(openFrom('192.0.2.1').closed?.code).toBe(CLOSE.tryLater);
    expect(openFrom('192.0.2.2').closed).toBeUndefined();
    net.pass(11_000);
    expect(openFrom('192.0.2.1').closed).toBeUndefined();
  });

  it('IN3: may have only so many signatures checked', () => {
    server = net.server(1, { limits: { connectionsPerAccount: 100 } });
    let refused = 0;
    for (let link = 0; link < 40; link++) {
      const client = openFrom('192.0.2.1');
      for (let count = 0; count < 60; count++) {
        const id = new Uint8Array(16);
        new DataView(id.buffer).setUint32(0, link * 100 + count);
        client.token(server.token(owner, { id }));
      }
      refused += client.of('token-refused').filter(({ reason }) => reason === 'OVERLOAD').length;
    }
    expect(refused).toBe(40 * 60 - 2_048);
  });
});
