import { beforeEach, describe, expect, it } from 'vitest';
import { EMPTY_BATCH, EMPTY_PUT, helloSigned, SERVER_APPLICATION } from '../../protocol/ins-messages.ts';
import { CLOSE } from '../../protocol/reasons.ts';
import { CoreClient, CoreNet, type CoreServer } from './core-net.ts';
import { blockOf, collectionOf, keysOf } from './helpers.ts';

const owner = keysOf(1);

describe('a connection', () => {
  let net: CoreNet;
  let server: CoreServer;

  beforeEach(() => {
    net = new CoreNet();
    server = net.server(1);
  });

  it('IN1: is greeted with the server’s key, clock and a nonce of its own, and accepted for its signature', () => {
    const one = server.connect(owner);
    const two = new CoreClient(server, keysOf(2));
    const [first, second] = [one, two].map((client) => client.of('welcome')[0]!);
    expect(first).toMatchObject({ server: server.keys.publicKey, clockMs: net.nowMs });
    expect(first?.nonce).not.toEqual(second?.nonce);
    expect(one.of('accepted')[0]?.quotaBytes).toBeGreaterThan(0);
    expect(two.of('accepted')).toEqual([]);
  });

  it('IN1: that signs another nonce, another server or with another key is closed', () => {
    const other = keysOf(9);
    for (const forge of ['nonce', 'server', 'key'] as const) {
      const client = new CoreClient(server, owner);
      const { nonce, server: key } = client.of('welcome')[0]!;
      const bytes = helloSigned(
        forge === 'nonce' ? new Uint8Array(32) : nonce,
        forge === 'server' ? other.publicKey : key,
        owner.publicKey,
      );
      const signature = (forge === 'key' ? other : owner).sign(bytes);
      client.send({
        type: 'hello',
        version: 1,
        key: owner.publicKey,
        application: 'test',
        signature,
        invitation: null,
      });
      expect(client.closed?.code).toBe(CLOSE.unauthenticated);
      expect(client.of('accepted')).toEqual([]);
    }
  });

  it('IN1: that asks before its hello is closed', () => {
    const client = new CoreClient(server, owner);
    client.get([1]);
    expect(client.closed?.code).toBe(CLOSE.unauthenticated);
  });

  it('IN1: that never says hello is closed after 5 s', () => {
    const client = new CoreClient(server, owner);
    net.pass(4_900);
    expect(client.closed).toBeUndefined();
    net.pass(1_200);
    expect(client.closed?.code).toBe(CLOSE.unauthenticated);
    expect(server.core.nextDeadline()).toBeUndefined();
  });

  it('GE10: that speaks another version, or says hello twice, is closed', () => {
    const client = new CoreClient(server, owner);
    const signature = new Uint8Array(64);
    client.send({ type: 'hello', version: 9, key: owner.publicKey, application: 'test', signature, invitation: null });
    expect(client.closed?.code).toBe(CLOSE.violation);
    const twice = server.connect(owner);
    twice.send({ type: 'hello', version: 1, key: owner.publicKey, application: 'test', signature, invitation: null });
    expect(twice.closed?.code).toBe(CLOSE.violation);
  });

  it('IN2: takes the place of an older one of the same account, whose requests end', () => {
    const older = server.connect(owner);
    older.follow(0);
    const newer = server.connect(owner);
    expect(older.of('notice')).toEqual([{ type: 'notice', kind: 'replaced', otherServer: null, retryAfterMs: 0 }]);
    expect(older.closed?.code).toBe(CLOSE.replaced);
    newer.putParts([1]);
    expect(older.blocks).toEqual([]);
    expect(server.core.stats()).toMatchObject({ links: 1, accounts: 1, follows: 0 });
  });

  it('IN2: leaves others of its account alone as long as there are no more than allowed', () => {
    server = net.server(2, { limits: { connectionsPerAccount: 2 } });
    const clients = [1, 2, 3].map(() => server.connect(owner));
    expect(clients.map(({ closed }) => closed?.code)).toEqual([CLOSE.replaced, undefined, undefined]);
  });

  it('IN13: is outside M when another server opened it', () => {
    server = net.server(2, { knowsServers: true });
    const clients = [1, 2, 3].map(() => server.connect(keysOf(9), SERVER_APPLICATION));
    expect(clients.map(({ closed }) => closed)).toEqual([undefined, undefined, undefined]);
    for (let count = 0; count < 6; count++) server.connect(keysOf(9), SERVER_APPLICATION);
    expect(server.core.stats().links).toBe(8);
  });

  it('IN13: gets little more than a client’s when it says to be a server and nobody knows it', () => {
    const room = (application: string, knowsServers: boolean): number => {
      const to = net.server(knowsServers ? 4 : 3, { knowsServers });
      const client = to.connect(keysOf(9), application);
      for (let request = 1; request <= 1_100; request++) {
        client.send({
          type: 'follow',
          request,
          keep: false,
          token: 0,
          collection: collectionOf(1),
          tracks: [],
          from: 0,
          priority: 'normal',
        });
      }
      return to.core.stats().follows;
    };
    expect(room('test', true)).toBe(64);
    expect(room(SERVER_APPLICATION, false)).toBe(256);
    expect(room(SERVER_APPLICATION, true)).toBe(1_024);
    const strangers = [1, 2, 3].map(() => server.connect(keysOf(9), SERVER_APPLICATION));
    expect(strangers.map(({ closed }) => closed?.code)).toEqual([CLOSE.replaced, undefined, undefined]);
  });

  it('GE6: whose bytes break the protocol is closed', () => {
    const client = server.connect(owner);
    server.input({ kind: 'violation', link: client.link, why: 'trailing bytes' });
    expect(client.closed).toEqual({ code: CLOSE.violation, why: 'trailing bytes' });
  });

  it('IN4: that uses a request number twice is closed', () => {
    const client = server.connect(owner);
    for (const _ of [1, 2]) {
      client.send({
        type: 'follow',
        request: 5,
        keep: false,
        token: 0,
        collection: collectionOf(1),
        tracks: [],
        from: 0,
        priority: 'normal',
      });
    }
    expect(client.closed?.code).toBe(CLOSE.violation);
  });

  it('that sends blocks nobody waits for is heard no further', () => {
    const client = server.connect(owner);
    client.sendBlock(77, 0, blockOf(1).body);
    expect(client.closed).toBeUndefined();
    expect(server.core.stats()).toMatchObject({ blocks: 0, memoryBytes: 0 });
  });

  it('IN15: is told when the server stops, and nobody is let in after that', () => {
    const client = server.connect(owner);
    server.input({ kind: 'stop' });
    expect(client.of('notice')).toMatchObject([{ kind: 'draining' }]);
    expect(client.closed?.code).toBe(CLOSE.goingAway);
    expect(new CoreClient(server, owner).closed?.code).toBe(CLOSE.goingAway);
    expect(server.core.stats().links).toBe(0);
  });

  describe('of a server that is to stop', () => {
    const others = ['ws://a', 'ws://b'];
    beforeEach(() => {
      server = net.server(3, { core: { otherServers: others } });
    });

    it('IN15: is sent what it has asked for, and sent elsewhere in turn for all else', () => {
      const client = server.connect(owner);
      const idle = server.connect(keysOf(2));
      client.putParts([1, 2, 3]);
      client.reads = false;
      client.get([1, 2, 3]);
      server.input({ kind: 'stop' });
      expect(server.core.stats()).toMatchObject({ draining: true, links: 1 });
      expect([...client.of('notice'), ...idle.of('notice')].map(({ otherServer }) => otherServer)).toEqual(others);
      expect(idle.closed?.code).toBe(CLOSE.goingAway);
      client.get([1]);
      client.put([blockOf(4)]);
      expect(client.of('refused')).toMatchObject([
        { item: null, reason: 'DRAINING', otherServer: 'ws://a' },
        { item: null, reason: 'DRAINING', otherServer: 'ws://b' },
      ]);
      expect(client.of('refused')[0]!.retryAfterMs).toBeGreaterThan(0);
      net.pass(1_000);
      expect(client.closed).toBeUndefined();
      expect(client.blocks).toHaveLength(3);
      client.drained();
      net.pass(100);
      expect(client.closed?.code).toBe(CLOSE.goingAway);
      expect(server.core.stats().links).toBe(0);
    });

    it('IN15: gets the acknowledgement of what it was putting before it is closed', () => {
      const client = server.connect(owner);
      const { item, body } = blockOf(1);
      const request = client.batch({ collection: collectionOf(1), puts: [{ ...EMPTY_PUT, ...item }] });
      server.input({ kind: 'stop' });
      net.pass(1_000);
      expect(client.closed).toBeUndefined();
      client.sendBlock(request, 0, body);
      expect(client.of('stored')).toMatchObject([{ request, items: [0] }]);
      net.pass(100);
      expect(client.closed?.code).toBe(CLOSE.goingAway);
    });

    it('IN15: gets what is being fetched for it from another server before it is closed', () => {
      const far = net.server(4);
      far.connect(owner).putParts([1]);
      const client = server.connect(keysOf(2));
      far.silent = true;
      client.get([1], { token: client.token(far.token(owner)) });
      server.input({ kind: 'stop' });
      net.pass(1_000);
      expect(client.closed).toBeUndefined();
      far.wake();
      expect(client.parts()).toEqual([1]);
      net.pass(100);
      expect(client.closed?.code).toBe(CLOSE.goingAway);
    });

    it('IN15: is sent elsewhere with what it waits for, and closed', () => {
      const client = server.connect(owner);
      client.get([1, 2], { wait: true });
      server.input({ kind: 'stop' });
      expect(client.of('refused')).toMatchObject([
        { item: 0, reason: 'DRAINING', otherServer: 'ws://b' },
        { item: 1, reason: 'DRAINING', otherServer: 'ws://a' },
      ]);
      expect(client.of('done')).toHaveLength(1);
      expect(client.closed?.code).toBe(CLOSE.goingAway);
      expect(server.core.stats().waits).toBe(0);
    });

    it('IN15: is closed when its time is up, whatever it still waits for', () => {
      const client = server.connect(owner);
      client.batch({ collection: collectionOf(1), puts: [{ ...EMPTY_PUT, ...blockOf(1).item }] });
      server.input({ kind: 'stop' });
      net.pass(9_000);
      expect(client.closed).toBeUndefined();
      net.pass(1_100);
      expect(client.closed?.code).toBe(CLOSE.goingAway);
    });
  });
});

describe('while a signature is checked', () => {
  it('what comes behind it waits, in order, within bounds', () => {
    const net = new CoreNet();
    const server = net.server(1);
    const link = 900;
    const messages: string[] = [];
    const core = server.core;
    const drain = (): { ref: number } | undefined => {
      let verify: { ref: number } | undefined;
      for (let output = core.pollOutput(); output !== undefined; output = core.pollOutput()) {
        if (output.kind === 'verify') verify = output;
        else messages.push(output.kind === 'send' ? output.message.type : output.kind);
      }
      return verify;
    };
    core.handleInput({ kind: 'link-opened', link, nonce: new Uint8Array(32) }, net.nowMs);
    const hello = { type: 'hello', version: 1, key: owner.publicKey, application: 'test', invitation: null } as const;
    const message = { ...hello, signature: new Uint8Array(64) };
    core.handleInput({ kind: 'message', link, message }, net.nowMs);
    const { ref } = drain()!;
    const status = (request: number): void =>
      core.handleInput(
        { kind: 'message', link, message: { ...EMPTY_BATCH, request, statuses: [{ token: 0 }] } },
        net.nowMs,
      );
    status(1);
    status(2);
    expect(drain()).toBeUndefined();
    expect(messages).toEqual(['welcome']);
    core.handleInput({ kind: 'verified', ref, ok: true }, net.nowMs);
    drain();
    expect(messages).toEqual(['welcome', 'accepted', 'usage', 'done', 'usage', 'done']);

    const late = 901;
    core.handleInput({ kind: 'link-opened', link: late, nonce: new Uint8Array(32) }, net.nowMs);
    core.handleInput({ kind: 'message', link: late, message }, net.nowMs);
    for (let request = 0; request < 600; request++) {
      core.handleInput(
        { kind: 'message', link: late, message: { ...EMPTY_BATCH, request, statuses: [{ token: 0 }] } },
        net.nowMs,
      );
    }
    drain();
    expect(messages.slice(6)).toEqual(['welcome', 'turned-away', 'close']);
  });
});
