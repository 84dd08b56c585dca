import { beforeEach, describe, expect, it } from 'vitest';
import { FROM_NEWEST_START, SERVER_APPLICATION } from '../../protocol/ins-messages.ts';
import { CoreNet, type CoreServer } from './core-net.ts';
import { blockOf, bytesOf, collectionOf, keysOf, sealToken } from './helpers.ts';

const owner = keysOf(1);

describe('a server that fetches from another', () => {
  let net: CoreNet;
  let far: CoreServer;
  let near: CoreServer;

  beforeEach(() => {
    net = new CoreNet();
    far = net.server(1);
    near = net.server(2);
  });

  it('IN12: fetches a block once, however many ask for it at the same time or later', () => {
    far.connect(owner).putParts([1, 2]);
    const token = far.token(owner);
    const early = [10, 11, 12].map((number) => near.connect(keysOf(number)));
    far.silent = true;
    for (const client of early) client.get([1, 2], { token: client.token(token) });
    expect(early.flatMap((client) => client.blocks)).toEqual([]);
    far.wake();
    const late = near.connect(keysOf(13));
    late.get([1, 2], { token: late.token(token) });
    for (const client of [...early, late]) expect(client.parts()).toEqual([1, 2]);
    expect(far.core.stats().sentBlocks).toBe(2);
    expect(near.core.stats()).toMatchObject({ remoteBlocks: 2, remoteHits: 2, upstreams: 1 });
  });

  it('IN12: gives what comes for several askers only to those whose token covers it', () => {
    far.connect(owner).putParts([1]);
    const [first, second, third] = [10, 11, 12].map((number) => near.connect(keysOf(number)));
    far.silent = true;
    first?.get([1], { token: first.token(far.token(owner)), byName: true });
    second?.get([1], { token: second.token(far.token(owner, { from: 2 })), byName: true });
    const request = third?.get([1], { token: third.token(far.token(owner)), byName: true });
    third?.send({ type: 'cancel', request: request! });
    far.wake();
    expect(first?.blocks).toHaveLength(1);
    expect(second?.blocks).toEqual([]);
    expect(second?.refusals()).toEqual(['TOKEN_SCOPE']);
    expect(third?.messages.at(-1)?.type).toBe('accepted');
  });

  it('tries another asker’s token when the first one’s has run out meanwhile', () => {
    far.connect(owner).putParts([1], { ttlSeconds: 600 });
    const [first, second] = [10, 11].map((number) => near.connect(keysOf(number)));
    far.silent = true;
    first?.get([1], { token: first.token(far.token(owner, { expires: net.nowMs / 1000 + 2 })) });
    second?.get([1], { token: second.token(far.token(owner)) });
    net.pass(3_000);
    far.wake();
    expect(second?.parts()).toEqual([1]);
  });

  it('IN12: gives what it has fetched only to those whose own token covers it', () => {
    far.connect(owner).putParts([1, 2]);
    const reader = near.connect(keysOf(2));
    reader.get([1, 2], { token: reader.token(far.token(owner)) });
    const other = near.connect(keysOf(3));
    other.get([1], { byName: true });
    other.get([1], { token: other.token(far.token(owner, { from: 2 })), byName: true });
    other.get([1], { token: other.token(far.token(owner, { from: 2 })) });
    other.get([1], { token: other.token(far.token(keysOf(5))), byName: true });
    expect(other.blocks).toEqual([]);
    expect(other.refusals()).toEqual(['NO_OBJECT', 'TOKEN_SCOPE', 'TOKEN_SCOPE', 'NO_OBJECT']);
    other.get([2], { token: other.token(far.token(owner, { from: 2 })), byName: true });
    expect(other.blocks).toHaveLength(1);
  });

  it('passes on why the other server refuses', () => {
    far.connect(owner).putParts([5]);
    const reader = near.connect(keysOf(2));
    const alias = reader.token(far.token(owner));
    reader.get([4, 6], { token: alias });
    reader.get([9], { token: alias, byName: true });
    expect(reader.refusals()).toEqual(['GONE', 'NOT_YET', 'NO_OBJECT']);
  });

  it('IN12: sends on no block that does not have its name', () => {
    far.connect(owner).putParts([1]);
    far.tamper = (body) => bytesOf(99, body.byteLength);
    const reader = near.connect(keysOf(2));
    reader.get([1], { token: reader.token(far.token(owner)), byName: true });
    expect(reader.blocks).toEqual([]);
    expect(reader.refusals()).toEqual(['REMOTE_FAIL']);
    expect(near.core.stats()).toMatchObject({ blocks: 0, memoryBytes: 0 });
  });

  it('IN12: says in time that the other server does not answer', () => {
    far.connect(owner).putParts([1]);
    const reader = near.connect(keysOf(2));
    const alias = reader.token(far.token(owner));
    reader.get([1], { token: alias });
    far.silent = true;
    reader.get([2], { token: alias });
    net.pass(4_900);
    expect(reader.refusals()).toEqual([]);
    net.pass(200);
    expect(reader.of('refused')).toMatchObject([{ reason: 'REMOTE_FAIL' }]);
    expect(reader.of('refused')[0]?.retryAfterMs).toBeGreaterThan(0);
  });

  it('says at once that nobody answers the dial, and dials again after a pause', () => {
    far.connect(owner).putParts([1]);
    far.dead = true;
    const reader = near.connect(keysOf(2));
    const alias = reader.token(far.token(owner));
    reader.get([1], { token: alias });
    reader.follow(0, { token: alias });
    expect(reader.refusals()).toEqual(['REMOTE_FAIL', 'REMOTE_FAIL']);
    far.dead = false;
    net.pass(1_100);
    reader.get([1], { token: alias });
    expect(reader.parts()).toEqual([1]);
  });

  it('asks the next server that a token names when the first cannot be had', () => {
    const third = net.server(3);
    third.connect(owner).putParts([1]);
    far.dead = true;
    const servers = [far, third].map(({ keys, url }) => ({ key: keys.publicKey, url }));
    const token = sealToken(owner, servers, {}, net.nowMs);
    const reader = near.connect(keysOf(2));
    const alias = reader.token(token);
    reader.get([1], { token: alias });
    expect(reader.refusals()).toEqual([]);
    expect(reader.parts()).toEqual([1]);
  });

  it('IN12: gives nothing to and takes nothing from a server that is not the one its token names', () => {
    far.connect(owner).putParts([1]);
    const token = sealToken(owner, [{ key: keysOf(99).publicKey, url: far.url }], {}, net.nowMs);
    const reader = near.connect(keysOf(2));
    reader.get([1], { token: reader.token(token) });
    expect(reader.blocks).toEqual([]);
    expect(reader.refusals()).toEqual(['REMOTE_FAIL']);
    expect(near.core.stats().upstreams).toBe(0);
  });

  it('IN13: does not fetch for a server that fetches for another', () => {
    far.connect(owner).putParts([1]);
    const chained = near.connect(keysOf(2), SERVER_APPLICATION);
    const alias = chained.token(far.token(owner));
    chained.get([1], { token: alias });
    chained.follow(0, { token: alias });
    expect(chained.refusals()).toEqual(['POLICY_DENIED', 'POLICY_DENIED']);
    expect(near.core.stats().upstreams).toBe(0);
  });

  it('IN13: keeps a copy no longer than the original lives', () => {
    far.connect(owner).putParts([1], { ttlSeconds: 10 });
    net.pass(4_000);
    const reader = near.connect(keysOf(2));
    const alias = reader.token(far.token(owner));
    reader.get([1], { token: alias, keep: true });
    expect(reader.blocks[0]?.header.kept).toBe(true);
    net.pass(6_000);
    reader.get([1]);
    reader.get([1], { token: alias });
    expect(reader.parts()).toEqual([1]);
    net.pass(2_000);
    expect(near.bodies.size).toBe(0);
  });

  it('lets copies that nobody keeps make room for what clients put, and no others', () => {
    near = net.server(4, { limits: { memoryBytes: 6_500 } });
    far.connect(owner).putParts([1, 2, 3, 4]);
    const reader = near.connect(keysOf(2));
    const alias = reader.token(far.token(owner));
    reader.get([1, 2], { token: alias });
    reader.get([3, 4], { token: alias, keep: true });
    const writer = near.connect(keysOf(3));
    writer.putParts([20, 21]);
    expect(writer.refusals()).toEqual([]);
    writer.putParts([22]);
    expect(writer.refusals()).toEqual(['QUOTA_STORAGE']);
    reader.get([3, 4]);
    expect(reader.parts()).toEqual([1, 2, 3, 4, 3, 4]);
    expect(near.core.stats()).toMatchObject({ blocks: 4 });
  });

  it('IN12: follows a collection once for all who follow it, and stops with the last of them', () => {
    const source = far.connect(owner);
    source.putParts([3, 4, 5]);
    const viewers = [10, 11, 12].map((number) => near.connect(keysOf(number)));
    const requests = viewers.map((viewer) =>
      viewer.follow(FROM_NEWEST_START, { token: viewer.token(far.token(owner)), keep: true }),
    );
    source.putParts([6]);
    for (const viewer of viewers) {
      expect(viewer.parts()).toEqual([4, 5, 6]);
      expect(viewer.blocks.every(({ header }) => header.kept)).toBe(true);
    }
    expect(far.core.stats()).toMatchObject({ follows: 1, sentBlocks: 3 });
    expect(near.core.stats()).toMatchObject({ follows: 3, remoteBlocks: 3, upstreams: 1 });
    viewers[0]?.send({ type: 'cancel', request: requests[0]! });
    viewers[1]?.leave();
    source.putParts([7]);
    expect(viewers.map((viewer) => viewer.parts().at(-1))).toEqual([6, 6, 7]);
    viewers[2]?.leave();
    expect(far.core.stats().follows).toBe(0);
    net.pass(32_000);
    expect(near.core.stats().upstreams).toBe(0);
    expect(far.core.stats().links).toBe(1);
  });

  it('lets a follow join from where it asks, and opens another one for what lies further back', () => {
    const source = far.connect(owner);
    source.putParts([1, 2, 3, 4, 5]);
    const [first, second, third] = [10, 11, 12].map((number) => near.connect(keysOf(number)));
    first?.follow(4, { token: first.token(far.token(owner)) });
    second?.follow(5, { token: second.token(far.token(owner)) });
    expect(far.core.stats()).toMatchObject({ follows: 1, sentBlocks: 2 });
    third?.follow(2, { token: third.token(far.token(owner)) });
    expect(far.core.stats().follows).toBe(2);
    source.putParts([6]);
    expect(first?.parts()).toEqual([4, 5, 6]);
    expect(second?.parts()).toEqual([5, 6]);
    expect(third?.parts()).toEqual([2, 3, 4, 5, 6]);
  });

  it('gives nobody less for joining somebody whose token allows less', () => {
    const source = far.connect(owner);
    const [guest, member, other] = [10, 11, 12].map((number) => near.connect(keysOf(number)));
    guest?.follow(0, { token: guest.token(far.token(owner, { to: 2 })) });
    member?.follow(0, { token: member.token(far.token(owner)) });
    other?.follow(0, { token: other.token(far.token(owner, { to: 3 })) });
    source.putParts([1, 2, 3, 4]);
    expect(guest?.parts()).toEqual([1, 2]);
    expect(member?.parts()).toEqual([1, 2, 3, 4]);
    expect(other?.parts()).toEqual([1, 2, 3]);
    expect(far.core.stats().follows).toBe(2);
  });

  it('IN11: passes the owner’s new token on, and goes on under it', () => {
    const source = far.connect(owner);
    const viewers = [10, 11].map((number) => near.connect(keysOf(number)));
    for (const viewer of viewers) viewer.follow(0, { token: viewer.token(far.token(owner)) });
    for (let second = 0; second < 180; second += 30) {
      net.pass(30_000);
      source.send({ type: 'range-token', token: far.token(owner) });
    }
    source.putParts([1]);
    for (const viewer of viewers) {
      expect(viewer.parts()).toEqual([1]);
      expect(viewer.of('renewed')).toHaveLength(6);
      expect(viewer.refusals()).toEqual([]);
    }
  });

  it('IN3: goes on under a token that names this server as well', () => {
    const source = far.connect(owner);
    const viewer = near.connect(keysOf(10));
    const alias = viewer.token(far.token(owner));
    viewer.follow(0, { token: alias });
    const servers = [far, near].map(({ keys, url }) => ({ key: keys.publicKey, url }));
    viewer.send({ type: 'token', alias, token: far.token(owner, { servers }) });
    source.putParts([1]);
    expect(viewer.parts()).toEqual([1]);
    viewer.send({ type: 'token', alias, token: near.token(owner) });
    expect(viewer.refusals()).toEqual(['TOKEN_SCOPE']);
  });

  it('checks few tokens of a server that forges them, and does not listen to it any more', () => {
    far.connect(owner).putParts([1]);
    const viewer = near.connect(keysOf(10));
    viewer.follow(0, { token: viewer.token(far.token(owner)) });
    const sent = far.outputs.find((output) => output.kind === 'send-block')!;
    const { request } = sent.header;
    const verified = (): number => near.core.stats().tokensVerified;
    const before = verified();
    const tell = (token: Uint8Array): void =>
      near.input({
        kind: 'upstream',
        upstream: 1,
        input: { kind: 'message', message: { type: 'renewed', request, token } },
      });
    net.pass(1_000);
    for (let id = 0; id < 20; id++) tell(far.token(keysOf(30), { id: new Uint8Array(16).fill(id) }));
    expect(verified()).toBe(before);
    for (let id = 0; id < 20; id++) {
      const forged = far.token(owner, { id: new Uint8Array(16).fill(id) });
      forged[forged.length - 1]! ^= 1;
      tell(forged);
    }
    expect(verified()).toBe(before + 5);
    expect(viewer.refusals()).toEqual(['REMOTE_FAIL']);
  });

  it('goes on under the token of another follower when the first one’s runs out', () => {
    const source = far.connect(owner);
    const [first, second] = [10, 11].map((number) => near.connect(keysOf(number)));
    first?.follow(0, { token: first.token(far.token(owner)) });
    net.pass(60_000);
    second?.follow(0, { token: second.token(far.token(owner)) });
    net.pass(60_000);
    source.putParts([1]);
    expect(first?.refusals()).toEqual(['TOKEN_EXPIRED']);
    expect(second?.parts()).toEqual([1]);
  });

  it('takes a follow up again behind what it has brought when the connection comes back', () => {
    const source = far.connect(owner);
    const viewer = near.connect(keysOf(10));
    viewer.follow(0, { token: viewer.token(far.token(owner)) });
    source.putParts([1, 2]);
    const link = far.outputs
      .filter(({ kind }) => kind === 'send-block')
      .map((output) => 'link' in output && output.link);
    far.input({ kind: 'violation', link: link[0] as number, why: 'made up' });
    source.putParts([3]);
    net.pass(1_000);
    source.putParts([4]);
    expect(viewer.parts()).toEqual([1, 2, 3, 4]);
    expect(viewer.refusals()).toEqual([]);
  });

  it('ends a follow when the other server does not come back in 5 s', () => {
    far.connect(owner);
    const viewer = near.connect(keysOf(10));
    viewer.follow(0, { token: viewer.token(far.token(owner)) });
    far.dead = true;
    far.input({ kind: 'stop' });
    net.pass(4_500);
    expect(viewer.refusals()).toEqual([]);
    net.pass(1_600);
    expect(viewer.refusals()).toEqual(['REMOTE_FAIL']);
    expect(near.core.stats()).toMatchObject({ follows: 0, upstreams: 0 });
  });

  it('speaks to no more servers at once than it may', () => {
    near = net.server(5, { limits: { upstreamsMax: 1 } });
    const third = net.server(3);
    far.connect(owner).putParts([1]);
    third.connect(keysOf(4)).putParts([2]);
    const viewer = near.connect(keysOf(2));
    const request = viewer.follow(0, { token: viewer.token(far.token(owner)) });
    const other = viewer.token(third.token(keysOf(4)));
    viewer.get([2], { token: other });
    expect(viewer.refusals()).toEqual(['OVERLOAD']);
    viewer.send({ type: 'cancel', request });
    viewer.get([2], { token: other });
    expect(viewer.parts()).toEqual([1, 2]);
    expect(near.core.stats().upstreams).toBe(1);
  });

  it('fetches by the name alone for a token that names blocks', () => {
    far.connect(owner).putParts([1, 2]);
    const reader = near.connect(keysOf(2));
    const names = [blockOf(2).item.name];
    const alias = reader.token(far.token(owner, { collection: null, names }));
    reader.get([2, 1], { token: alias, byName: true, collection: collectionOf(1) });
    expect(reader.blocks.map(({ body }) => body)).toEqual([blockOf(2).body]);
    expect(reader.refusals()).toEqual(['TOKEN_SCOPE']);
  });

  it('IN12: asks another server that a token names for what the locker here lacks', () => {
    const source = far.connect(owner);
    source.putParts([1, 2, 3]);
    const here = near.connect(owner);
    here.putParts([3]);
    const servers = [near, far].map(({ keys, url }) => ({ key: keys.publicKey, url }));
    const reader = near.connect(keysOf(2));
    const alias = reader.token(sealToken(owner, servers, {}, net.nowMs));
    reader.get([1, 3], { token: alias });
    reader.get([2], { token: alias, byName: true });
    expect(reader.blocks.map(({ body }) => body)).toEqual([3, 1, 2].map((part) => blockOf(part).body));
    reader.get([1], { token: alias });
    expect(far.core.stats().sentBlocks).toBe(2);
    // What nobody has is refused as it would be without the others; what is not there yet is not looked for.
    reader.get([0, 9], { token: alias });
    expect(reader.refusals()).toEqual(['NOT_YET', 'GONE']);
    expect(far.core.stats().refused).toBe(1);
  });

  it('asks the next server for what the first does not have or does not send in time', () => {
    const third = net.server(3);
    far.connect(owner).putParts([1]);
    third.connect(owner).putParts([1, 2]);
    const servers = [far, third].map(({ keys, url }) => ({ key: keys.publicKey, url }));
    const reader = near.connect(keysOf(2));
    const alias = reader.token(sealToken(owner, servers, {}, net.nowMs));
    reader.get([1], { token: alias });
    reader.get([2], { token: alias, byName: true });
    expect(reader.blocks).toHaveLength(2);
    expect(reader.refusals()).toEqual([]);
    reader.get([7], { token: alias, byName: true });
    expect(reader.refusals()).toEqual(['NO_OBJECT']);
  });

  it('keeps blocks that tokens name apart, whatever collections they come from', () => {
    const source = far.connect(owner);
    const other = { ...blockOf(2).item, part: 1 };
    source.put([blockOf(1)]);
    source.put([{ item: other, body: blockOf(2).body }], { collection: collectionOf(3) });
    const names = [1, 2].map((part) => blockOf(part).item.name);
    const readers = [10, 11].map((number) => near.connect(keysOf(number)));
    for (const reader of readers) {
      const alias = reader.token(far.token(owner, { collection: null, names }));
      reader.get([1, 2], { token: alias, byName: true, keep: true });
      expect(reader.blocks.map(({ body }) => body)).toEqual([1, 2].map((part) => blockOf(part).body));
      expect(reader.blocks.every(({ header }) => header.kept)).toBe(true);
    }
    expect(far.core.stats().sentBlocks).toBe(2);
  });

  it('IN12: files what a token names under no collection that only the asker speaks of', () => {
    const source = far.connect(owner);
    source.put([blockOf(1)]);
    source.put([{ item: { ...blockOf(2).item, part: 1 }, body: blockOf(2).body }], { collection: collectionOf(3) });
    const liar = near.connect(keysOf(10));
    const names = [blockOf(2).item.name];
    for (const collection of [null, collectionOf(1)]) {
      const token = liar.token(far.token(owner, { collection, names }));
      const gets = [{ token, deadlineMs: 0, name: names[0]!, label: null, wait: false, priority: 'normal' as const }];
      liar.batch({ collection: collectionOf(1), gets });
    }
    expect(liar.blocks).toHaveLength(2);
    const reader = near.connect(keysOf(2));
    reader.get([1], { token: reader.token(far.token(owner)) });
    expect(reader.blocks[0]?.body).toEqual(blockOf(1).body);
  });

  it('IN9: fetches and files without sending, for who asks so', () => {
    far.connect(owner).putParts([1]);
    const reader = near.connect(keysOf(2));
    const token = reader.token(far.token(owner));
    const label = { track: 0, part: 1, index: 0 };
    const gets = [{ token, deadlineMs: 0, name: null, label, wait: false, priority: 'normal' as const }];
    const request = reader.batch({ keep: true, deliver: false, collection: collectionOf(1), gets });
    expect(reader.of('stored')).toEqual([{ type: 'stored', request, items: [0] }]);
    expect(reader.blocks).toEqual([]);
    far.dead = true;
    reader.get([1]);
    expect(reader.parts()).toEqual([1]);
  });

  it('IN5: tells an asker in time that his deadline has passed, and still keeps what comes for others', () => {
    far.connect(owner).putParts([1]);
    const [hurried, patient] = [10, 11].map((number) => near.connect(keysOf(number)));
    far.silent = true;
    hurried?.get([1], { token: hurried.token(far.token(owner)), deadlineMs: 200 });
    patient?.get([1], { token: patient.token(far.token(owner)) });
    net.pass(200);
    expect(hurried?.refusals()).toEqual(['DEADLINE']);
    far.wake();
    expect(patient?.parts()).toEqual([1]);
    expect(hurried?.blocks).toEqual([]);
  });

  it('has at most 512 blocks fetched for one account at a time', () => {
    far.connect(owner).putParts([1]);
    const [greedy, other] = [10, 11].map((number) => near.connect(keysOf(number)));
    const token = greedy?.token(far.token(owner));
    far.silent = true;
    for (let batch = 0; batch < 9; batch++) {
      greedy?.get(
        Array.from({ length: 64 }, (_, at) => 100 + batch * 64 + at),
        { token: token! },
      );
    }
    expect(greedy?.refusals()).toEqual(Array.from({ length: 64 }, () => 'OVERLOAD'));
    other?.get([1], { token: other.token(far.token(owner)) });
    far.wake();
    expect(other?.parts()).toEqual([1]);
    expect(new Set(greedy?.refusals())).toEqual(new Set(['OVERLOAD', 'NOT_YET']));
    greedy?.get([1], { token: token! });
    expect(greedy?.parts()).toEqual([1]);
  });
});
