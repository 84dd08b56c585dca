import { beforeEach, describe, expect, it } from 'vitest';
import { type Priority, SERVER_APPLICATION } from '../../protocol/ins-messages.ts';
import { encodeInvitation, invitationSigned } from '../../protocol/invitation.ts';
import { CLOSE } from '../../protocol/reasons.ts';
import { concatBytes } from '../../protocol/text.ts';
import type { Token } from '../../protocol/token.ts';
import type { KeyPair } from '../../runtime/node/crypto.ts';
import { type CoreClient, CoreNet, type CoreServer } from './core-net.ts';
import { blockOf, keysOf } from './helpers.ts';

const [one, two, three] = [keysOf(1), keysOf(2), keysOf(3)];
/** 1,000 blocks of 1,000 bytes a second. */
const BANDWIDTH_BPS = 8_000_000;
const PARTS = [1, 2, 3, 4, 5, 6, 7, 8];

const providers = [keysOf(50), keysOf(51)] as const;

/** What a provider gives an account for a weight. */
function invite(net: CoreNet, account: KeyPair, weight: number, provider = providers[0]): Uint8Array {
  const seconds = Math.floor(net.nowMs / 1000);
  const body = encodeInvitation({
    version: 1,
    provider: provider.publicKey,
    account: account.publicKey,
    application: null,
    quotaBytes: 10_000_000,
    quotaObjects: 1_000,
    rateBps: null,
    weight,
    notBefore: seconds,
    expires: seconds + 1_000,
  });
  return concatBytes(body, provider.sign(invitationSigned(body)));
}

/** A client that always has something waiting. */
interface Hungry {
  readonly client: CoreClient;
  readonly ask: () => void;
  /** Bytes that have come. */
  bytes(): number;
}

describe('a server that cannot send all that is asked', () => {
  let net: CoreNet;
  let server: CoreServer;
  const hungry: Hungry[] = [];

  beforeEach(() => {
    net = new CoreNet();
    hungry.length = 0;
    server = net.server(1, {
      limits: { bandwidthBps: BANDWIDTH_BPS, connectionsPerAccount: 9 },
      core: { providers: providers.map(({ publicKey }) => publicKey) },
    });
    for (const keys of [one, two, three]) server.connect(keys).putParts(PARTS);
  });

  const eat = (client: CoreClient, options: { token?: number; priority?: Priority; batch?: number } = {}): Hungry => {
    const { batch = 64, ...more } = options;
    const parts = Array.from({ length: batch }, (_, at) => PARTS[at % PARTS.length]!);
    let asked = 0;
    const eater = {
      client,
      ask() {
        while (asked - client.of('done').length < 2) {
          client.get(parts, more);
          asked++;
        }
      },
      bytes: () => client.blocks.reduce((sum, { body }) => sum + body.byteLength, 0),
    };
    hungry.push(eater);
    return eater;
  };
  const reader = (number: number, issuer = one, claims: Partial<Token> = {}, priority: Priority = 'normal'): Hungry => {
    const client = server.connect(keysOf(number));
    return eat(client, { token: client.token(server.token(issuer, claims)), priority });
  };
  const own = (keys = one, application = 'test', invitation: Uint8Array | null = null): Hungry =>
    eat(server.connect(keys, application, invitation));
  /** Lets time pass while all stay hungry; what each has got of all that was sent meanwhile. */
  const shares = (ms: number, eaters: readonly Hungry[] = hungry): number[] => {
    const before = eaters.map((eater) => eater.bytes());
    const sentBefore = server.core.stats().sentBytes;
    for (let passed = 0; passed < ms; passed += 20) {
      for (const { ask } of eaters) ask();
      net.pass(20);
    }
    const sent = server.core.stats().sentBytes - sentBefore;
    return eaters.map((eater, at) => (eater.bytes() - before[at]!) / sent);
  };
  const expectShares = (got: readonly number[], wanted: readonly number[]): void => {
    for (const [at, share] of wanted.entries()) expect(Math.abs(got[at]! - share), `${got}`).toBeLessThanOrEqual(0.02);
  };

  it('IN19: sends as much as its bandwidth allows, and no more', () => {
    own(one);
    own(two);
    shares(4_000);
    // What it may catch up with at once is on top.
    expect(server.core.stats().sentBytes).toBeGreaterThan(3_950_000);
    expect(server.core.stats().sentBytes).toBeLessThan(4_100_000);
  });

  it('IN19: gives accounts of weights 1 and 3 a quarter and three quarters, whoever reads in their lockers', () => {
    own(one, 'test', invite(net, one, 1));
    own(two, 'test', invite(net, two, 3));
    expectShares(shares(4_000), [0.25, 0.75]);
    // Readers from outside count to whose blocks they read: there are more links, the accounts' shares stay.
    for (let number = 10; number < 15; number++) reader(number, one);
    reader(15, two);
    const got = shares(4_000);
    expectShares([got[0]! + got.slice(2, 7).reduce((sum, share) => sum + share, 0)], [0.25]);
    expectShares([got[1]! + got[7]!], [0.75]);
  });

  it('IN19: gives providers equal shares, and all whom nobody has invited one together', () => {
    own(one, 'test', invite(net, one, 3));
    own(two, 'test', invite(net, two, 1, providers[1]));
    own(three);
    const stranger = server.connect(keysOf(4));
    stranger.putParts(PARTS);
    eat(stranger);
    expectShares(shares(4_000), [1 / 3, 1 / 3, 1 / 6, 1 / 6]);
  });

  it('IN19: gives the link of another server 64 shares beside those of viewers where the operator has listed it, else one', () => {
    for (const [knowsServers, share] of [
      [true, 64 / 66],
      [false, 1 / 3],
    ] as const) {
      net = new CoreNet();
      hungry.length = 0;
      server = net.server(1, { limits: { bandwidthBps: BANDWIDTH_BPS }, knowsServers });
      server.connect(one).putParts(PARTS);
      const other = server.connect(keysOf(9), SERVER_APPLICATION);
      eat(other, { token: other.token(server.token(one)) });
      reader(10);
      reader(11);
      expectShares(shares(4_000), [share, (1 - share) / 2, (1 - share) / 2]);
    }
  });

  it('IN19: counts bytes, not blocks', () => {
    const large = [1, 2, 3].map((part) => blockOf(20 + part, 40_000));
    const client = server.connect(three);
    client.put(large);
    const parts = large.map(({ item }) => item.part);
    const eater = eat(client);
    let asked = 0;
    const ask = (): void => {
      while (asked - client.of('done').length < 2) {
        client.get([...parts, ...parts, ...parts]);
        asked++;
      }
    };
    hungry[0] = { ...eater, ask };
    own(one);
    expectShares(shares(6_000), [0.5, 0.5]);
  });

  it('IN19: shares inside an account between applications, inside those between tokens, under those between links', () => {
    own(two);
    own(one, 'archive');
    own(one, 'portal');
    expectShares(shares(4_000), [0.5, 0.25, 0.25]);
    // The newest application of the account is the one that its tokens are for: the portal's own link and two tokens.
    reader(10, one, { id: new Uint8Array(16).fill(1), weight: 3 });
    for (let number = 11; number < 14; number++) reader(number, one, { id: new Uint8Array(16).fill(2), weight: 1 });
    const third = 0.25 / 5 / 3;
    expectShares(shares(12_000), [0.5, 0.25, 0.05, 0.15, third, third, third]);
  });

  it('IN20: sends what is more urgent first inside an application, which costs other accounts nothing', () => {
    const low = reader(10, one, {}, 'low');
    const normal = reader(11, one, {}, 'normal');
    const other = own(two);
    shares(200);
    expectShares(shares(2_000), [0, 0.5, 0.5]);
    const urgent = reader(12, one, {}, 'urgent');
    const high = reader(13, one, {}, 'high');
    expectShares(shares(2_000, [low, normal, other, urgent, high]), [0, 0, 0.5, 0.5, 0]);
    urgent.client.leave();
    expectShares(shares(2_000, [low, normal, other, high]), [0, 0, 0.5, 0.5]);
  });

  it('IN20: sends a link what is more urgent before what is due earlier', () => {
    const client = server.connect(three);
    const busy = own(one);
    busy.ask();
    client.get([1], { deadlineMs: 500 });
    client.get([2], { deadlineMs: 900, priority: 'urgent' });
    client.get([3], { deadlineMs: 100 });
    client.get([4], { deadlineMs: 50, priority: 'low' });
    net.pass(40);
    expect(client.parts()).toEqual([2, 3, 1, 4]);
  });

  it('IN20: follows with the priority that the follow has', () => {
    const urgent = server.connect(keysOf(10));
    const normal = server.connect(keysOf(11));
    for (const [client, priority] of [
      [normal, 'normal'],
      [urgent, 'urgent'],
    ] as const) {
      client.follow(0, { token: client.token(server.token(one)), priority });
    }
    net.pass(1_000);
    const publisher = server.connect(one);
    const before = [urgent, normal].map((client) => client.blocks.length);
    // More than may go out at once: some of it waits.
    publisher.putParts(Array.from({ length: 60 }, (_, at) => 100 + at));
    const came = (): number[] => [urgent, normal].map((client, at) => client.blocks.length - before[at]!);
    const [first = 0, second = 0] = came();
    expect(first + second).toBeLessThan(120);
    net.pass(20);
    expect(came()[0]! - first).toBeGreaterThan(2 * (came()[1]! - second));
    net.pass(200);
    expect(came()).toEqual([60, 60]);
  });

  it('IN19: gives who comes late its share at once, and nothing for the time in which it asked for nothing', () => {
    const early = own(one);
    shares(5_000);
    const late = own(two);
    expectShares(shares(500), [0.5, 0.5]);
    shares(3_000, [early]);
    expectShares(shares(500, [early, late]), [0.5, 0.5]);
    // Nor does who was sent everything while it was alone pay for that.
    shares(3_000, [late]);
    expectShares(shares(500, [early, late]), [0.5, 0.5]);
  });

  it('IN19: gives all who bear tokens for anybody one share, whichever of them they have been given', () => {
    reader(10);
    reader(11);
    net.pass(2_000);
    // A renewed token of the same locker, which not all have yet.
    reader(12);
    expectShares(shares(3_000), [1 / 3, 1 / 3, 1 / 3]);
    reader(13, one, { holder: keysOf(13).publicKey });
    expectShares(shares(3_000), [1 / 6, 1 / 6, 1 / 6, 1 / 2]);
  });

  it('IN19: lets one that asks for a hundred times as much cost the others nothing', () => {
    const ask: (() => void)[] = [];
    const polite = Array.from({ length: 99 }, (_, at) => {
      const client = server.connect(keysOf(20 + at));
      const token = client.token(server.token(one));
      // A block each 110 ms: nine tenths of a hundredth of what the server sends.
      ask.push(() => client.get([1 + (at % 8)], { token, deadlineMs: 2_000 }));
      return client;
    });
    const run = (greedy?: Hungry): number => {
      const before = polite.reduce((sum, client) => sum + client.blocks.length, 0);
      for (let round = 0; round < 40; round++) {
        for (const one of ask) one();
        for (let step = 0; step < 5; step++) {
          greedy?.ask();
          net.pass(22);
        }
      }
      return polite.reduce((sum, client) => sum + client.blocks.length, 0) - before;
    };
    const alone = run();
    const greedy = reader(130, one);
    const beside = run(greedy);
    expect(beside / alone).toBeGreaterThan(0.97);
    expect(greedy.bytes()).toBeGreaterThan(300_000);
    expect(new Set(polite.flatMap((client) => client.refusals()))).toEqual(new Set());
  });

  it('GE12: gives who does not read a window and no more, and the others all the rest', () => {
    const deaf = reader(10, two);
    deaf.client.reads = false;
    own(one);
    const [got] = shares(3_000, [hungry[1]!, deaf]);
    expect(deaf.bytes()).toBeLessThanOrEqual(512 * 1024 + 1_000);
    expect(got).toBeGreaterThan(0.8);
    expectShares(shares(1_000, [hungry[1]!]), [1]);
    net.pass(2_000);
    expect(deaf.client.closed?.code).toBe(CLOSE.slow);
  });

  it('IN20: tells what was dropped because its deadline passed in the line', () => {
    own(two);
    shares(100);
    const client = server.connect(three);
    client.get(
      Array.from({ length: 64 }, (_, at) => PARTS[at % 8]!),
      { deadlineMs: 40 },
    );
    shares(200);
    expect(client.refusals().length).toBeGreaterThan(20);
    expect(client.blocks.length + client.refusals().length).toBe(64);
    expect(new Set(client.refusals())).toEqual(new Set(['DEADLINE']));
    expect(client.of('done')).toHaveLength(1);
  });

  it('forgets who has long taken nothing', () => {
    for (let number = 10; number < 60; number++) {
      const eater = reader(number);
      eater.ask();
      net.pass(200);
      eater.client.leave();
    }
    net.pass(25_000);
    const { scheduler } = server.core as unknown as { scheduler: { providers: { members: Map<unknown, unknown> } } };
    expect(scheduler.providers.members.size).toBe(0);
  });
});

describe('a server without a cap', () => {
  it('IN19: hands out so many bytes per turn, in the order of the shares', () => {
    const net = new CoreNet();
    const server = net.server(1, {
      limits: { turnBytes: 8_000 },
      core: { providers: [providers[0].publicKey] },
    });
    const clients = [
      server.connect(one, 'test', invite(net, one, 1)),
      server.connect(two, 'test', invite(net, two, 3)),
    ];
    for (const client of [...clients, server.connect(three)]) client.putParts(PARTS);
    const parts = Array.from({ length: 64 }, (_, at) => PARTS[at % 8]!);
    // Two others have used up this turn.
    for (const number of [10, 11]) {
      const other = server.connect(keysOf(number));
      other.get(number === 10 ? PARTS : [1], { token: other.token(server.token(three)) });
    }
    for (const client of clients) for (let batch = 0; batch < 4; batch++) client.get(parts);
    const before = clients.map((client) => client.blocks.length);
    for (let turn = 0; turn < 20; turn++) {
      expect(server.nextDeadline()).toBe(net.nowMs);
      server.timeout();
    }
    const got = clients.map((client, at) => client.blocks.length - before[at]!);
    expect(got).toEqual([40, 120]);
    net.pass(0);
    expect(clients.map((client) => client.blocks.length)).toEqual([256, 256]);
    net.pass(1_000);
    expect(server.nextDeadline()).toBeGreaterThan(net.nowMs);
  });
});
