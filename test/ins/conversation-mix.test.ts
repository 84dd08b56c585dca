import { beforeEach, describe, expect, it } from 'vitest';
import { ConversationStage, collection, want } from './conversation-stage.ts';
import { blockOf, keysOf } from './helpers.ts';

/** What different calls have under way together. */

const token = new Uint8Array(100).fill(3);

let stage: ConversationStage;
let handles: number;

beforeEach(() => {
  handles = 0;
  stage = new ConversationStage();
  stage.input({ kind: 'start' });
});

function greet(): void {
  stage.greet();
  stage.message({ type: 'accepted', quotaBytes: 1_000 });
}

const get = (parts: number[], keep = false): number => {
  const handle = ++handles;
  stage.input({ kind: 'get', handle, keep, collection: null, items: parts.map((part) => want(part)) });
  return handle;
};
const put = (part: number, ttlSeconds = 60): number => {
  const handle = ++handles;
  const { item, body } = blockOf(part);
  stage.input({ kind: 'put', handle, token, collection, ttlSeconds, items: [item], bodies: [body] });
  return handle;
};

describe('calls that wait together', () => {
  it('IN5: go as one batch, and each is told of its own', () => {
    const putting = put(1);
    const getting = get([2, 3]);
    const deleting = ++handles;
    stage.input({ kind: 'delete', handle: deleting, token: null, names: [blockOf(4).item.name, blockOf(5).item.name] });
    const asking = ++handles;
    stage.input({ kind: 'status', handle: asking, token });
    greet();
    const [batch, ...more] = stage.sent('batch');
    expect(more).toEqual([]);
    expect(batch).toMatchObject({
      keep: false,
      collection,
      ttlSeconds: 60,
      gets: [{ token: 0 }, { token: 0 }],
      puts: [{ token: 1 }],
      deletes: [{ token: 0 }, { token: 0 }],
      statuses: [{ token: 1 }],
    });
    expect(stage.sent('token')).toEqual([{ type: 'token', alias: 1, token }]);
    const { request } = batch!;
    const header = stage.told('send-block')[0]!.header;
    expect(header).toMatchObject({ request, item: 2 });

    const access = { reads: 0, readBytes: 0, readers: 0, sinceMs: 0 };
    const usage = { objects: 7, usedBytes: 70, quotaBytes: 700, names: [], ...access };
    stage.message({ type: 'usage', request, item: 5, ...usage });
    stage.message({ type: 'deleted', request, items: [4, 3] }, { type: 'stored', request, items: [2] });
    stage.input({ kind: 'block', header: { request, item: 1, kept: false, labelled: null }, body: { byteLength: 1 } });
    const refused = { reason: 'NO_OBJECT', retryAfterMs: 0, otherServer: null } as const;
    stage.message({ type: 'refused', request, item: 0, ...refused }, { type: 'done', request });
    expect(stage.told('usage')).toEqual([{ kind: 'usage', handle: asking, usage }]);
    expect(stage.told('deleted')).toEqual([{ kind: 'deleted', handle: deleting, items: [1, 0] }]);
    expect(stage.told('stored')).toEqual([{ kind: 'stored', handle: putting, items: [0] }]);
    expect(stage.told('arrived')).toMatchObject([{ handle: getting, item: 1 }]);
    expect(stage.told('refused')).toEqual([{ kind: 'refused', handle: getting, item: 0, ...refused }]);
    expect(stage.told('done').map(({ handle }) => handle)).toEqual([asking, deleting, putting, getting]);
  });

  it('go apart where the batch would say different things of them', () => {
    get([1]);
    get([2], true);
    put(3, 60);
    put(4, 90);
    greet();
    expect(
      stage.sent('batch').map(({ keep, ttlSeconds, gets, puts }) => [keep, ttlSeconds, gets.length, puts.length]),
    ).toEqual([
      [false, 0, 1, 0],
      [true, 60, 1, 1],
      [false, 90, 0, 1],
    ]);
  });

  it('fill one batch after the other: a thousand gets of one block are sixteen requests', () => {
    for (let part = 0; part < 1_000; part++) get([part]);
    greet();
    expect(stage.sent('batch').map(({ gets }) => gets.length)).toEqual(Array.from({ length: 8 }, () => 64));
    for (const { request } of stage.sent('batch')) stage.message({ type: 'done', request });
    expect(stage.sent('batch').length).toBe(16);
  });

  it('leave the others alone when one is cancelled, and tell the server when none is left', () => {
    const [first, second] = [get([1]), get([2])];
    greet();
    stage.input({ kind: 'cancel', handle: first });
    expect(stage.sent('cancel')).toEqual([]);
    const { request } = stage.sent('batch')[0]!;
    stage.input({ kind: 'block', header: { request, item: 0, kept: false, labelled: null }, body: { byteLength: 1 } });
    expect(stage.told('arrived')).toEqual([]);
    stage.input({ kind: 'cancel', handle: second });
    expect(stage.sent('cancel')).toEqual([{ type: 'cancel', request }]);
    expect(stage.told('done')).toEqual([]);
  });

  it('are refused together, each as a whole', () => {
    const [first, second] = [get([1, 2]), put(3)];
    greet();
    const { request } = stage.sent('batch')[0]!;
    const busy = { reason: 'OVERLOAD', retryAfterMs: 500, otherServer: 'ws://other' } as const;
    stage.message({ type: 'refused', request, item: null, ...busy });
    expect(stage.told('refused')).toEqual([
      { kind: 'refused', handle: first, item: null, ...busy },
      { kind: 'refused', handle: second, item: null, ...busy },
    ]);
  });

  it('do not wait for room that only others need', () => {
    greet();
    for (let part = 0; part < 512; part += 64) get(Array.from({ length: 64 }, (_, at) => part + at));
    get([600]);
    expect(stage.sent('batch').length).toBe(8);
    put(1);
    expect(stage.sent('batch')[8]).toMatchObject({ gets: [], puts: [{ sizeBytes: 1_000 }] });
  });
});

describe('what an owner orders', () => {
  it('is told to the server until it is done, over a lost connection, too', () => {
    greet();
    const [revoking, opening] = [++handles, ++handles];
    const ids = [new Uint8Array(16).fill(1)];
    stage.input({ kind: 'revoke', handle: revoking, ids, epoch: 4 });
    stage.input({ kind: 'access', handle: opening, collection, access: 'public' });
    const [revoke] = stage.sent('revoke');
    expect(revoke).toMatchObject({ ids, epoch: 4 });
    stage.message({ type: 'done', request: revoke!.request });
    stage.input({ kind: 'closed', code: 1006, why: 'broken' });
    stage.outputs = [];
    stage.pass(300);
    greet();
    expect(stage.sent('revoke')).toEqual([]);
    const [access] = stage.sent('access');
    expect(access).toMatchObject({ collection, access: 'public' });
    stage.message({
      type: 'refused',
      request: access!.request,
      item: null,
      reason: 'POLICY_DENIED',
      retryAfterMs: 0,
      otherServer: null,
    });
    expect(stage.told('refused')).toMatchObject([{ handle: opening, item: null, reason: 'POLICY_DENIED' }]);
  });

  it("names an open locker by its owner's key instead of a token", () => {
    greet();
    const owner = keysOf(7).publicKey;
    stage.input({ kind: 'get', handle: 1, keep: false, collection: null, items: [{ ...want(1), token: owner }] });
    expect(stage.sent('open')).toEqual([{ type: 'open', alias: 1, owner }]);
    expect(stage.sent('batch')[0]?.gets[0]?.token).toBe(1);
  });
});
