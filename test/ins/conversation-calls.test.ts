import { beforeEach, describe, expect, it } from 'vitest';
import { InsConversation } from '../../ins-client/core/conversation.ts';
import { Prng } from '../../machine/prng.ts';
import { ConversationStage, collection, signature, want } from './conversation-stage.ts';
import { blockOf } from './helpers.ts';

describe('what is asked in an INS conversation', () => {
  let stage: ConversationStage;

  beforeEach(() => {
    stage = new ConversationStage();
  });

  it('tells what arrives and is refused, and when a request is done', () => {
    stage.connect();
    stage.get(1, [want(1), want(2), want(3)]);
    const { request, items } = stage.gets()[0]!;
    expect(items.map(({ token, deadlineMs }) => [token, deadlineMs])).toEqual(Array(3).fill([0, 0]));
    stage.block(request, 2, 3);
    stage.message({ type: 'refused', request, item: 0, reason: 'GONE', retryAfterMs: 0, otherServer: null });
    expect(stage.told('done')).toEqual([]);
    stage.block(request, 1);
    expect(stage.told('arrived').map(({ handle, item, kept }) => [handle, item, kept])).toEqual([
      [1, 2, true],
      [1, 1, true],
    ]);
    expect(stage.told('arrived')[0]?.labelled?.companion).toEqual(blockOf(3).item.companion);
    expect(stage.told('refused')).toMatchObject([{ handle: 1, item: 0, reason: 'GONE' }]);
    expect(stage.told('done')).toEqual([{ kind: 'done', handle: 1 }]);
  });

  it('takes an item that the server leaves out as not to be had', () => {
    stage.connect();
    stage.get(1, [want(1), want(2)]);
    const { request } = stage.gets()[0]!;
    stage.block(request, 0);
    stage.message({ type: 'done', request });
    expect(stage.told('refused')).toMatchObject([{ handle: 1, item: 1, reason: 'NO_OBJECT' }]);
    expect(stage.told('done')).toHaveLength(1);
  });

  it('ignores what it has not asked for', () => {
    stage.connect();
    stage.get(1, [want(1)]);
    const { request } = stage.gets()[0]!;
    stage.outputs = [];
    stage.block(request + 50, 0);
    stage.block(request, 9);
    stage.message(
      { type: 'done', request: 999 },
      { type: 'stored', request, items: [0] },
      { type: 'refused', request: 999, item: null, reason: 'GONE', retryAfterMs: 0, otherServer: null },
      { type: 'refused', request, item: 60, reason: 'GONE', retryAfterMs: 0, otherServer: null },
      { type: 'renewed', request, token: new Uint8Array(90) },
      { type: 'token-refused', alias: 7, reason: 'GONE' },
      {
        type: 'usage',
        request,
        item: 0,
        objects: 1,
        usedBytes: 1,
        quotaBytes: 1,
        names: [],
        reads: 0,
        readBytes: 0,
        readers: 0,
        sinceMs: 0,
      },
    );
    stage.input({ kind: 'cancel', handle: 77 }, { kind: 'signed', ref: 99, signature });
    expect(stage.outputs).toEqual([]);
    stage.block(request, 0);
    stage.block(request, 0);
    expect(stage.told('arrived')).toHaveLength(1);
  });

  it('cuts what is more than a batch into several, the most urgent first', () => {
    stage.connect();
    const items = Array.from({ length: 150 }, (_, at) => want(at, { deadlineAtMs: stage.nowMs + 10_000 - at }));
    stage.get(1, items);
    expect(stage.gets().map((each) => each.items.length)).toEqual([22, 64, 64]);
    for (const each of stage.gets()) {
      for (const [item] of each.items.entries()) stage.block(each.request, item);
    }
    expect(
      stage
        .told('arrived')
        .map(({ item }) => item)
        .sort((a, b) => a - b),
    ).toEqual(items.map((_, at) => at));
    expect(stage.told('done')).toHaveLength(1);
  });

  it('keeps to what a connection may have open, and goes on as answers come', () => {
    stage.connect();
    for (let handle = 0; handle < 100; handle++) stage.get(handle, [want(handle)]);
    expect(stage.gets()).toHaveLength(64);
    stage.block(stage.gets()[0]!.request, 0);
    expect(stage.gets()).toHaveLength(64);
    stage.message({ type: 'done', request: stage.gets()[0]!.request });
    expect(stage.gets()).toHaveLength(65);
  });

  it('refuses itself what is beyond all bounds', () => {
    const items = Array.from({ length: 10_000 }, (_, at) => want(at));
    stage.get(1, items);
    stage.get(2, items);
    expect(stage.told('refused')).toMatchObject([{ handle: 2, item: null, reason: 'OVERLOAD' }]);
  });

  it('tells by itself when a deadline passes, and ignores what comes too late', () => {
    stage.connect();
    stage.get(1, [want(1, { deadlineAtMs: stage.nowMs + 500 }), want(2, { deadlineAtMs: stage.nowMs + 900 })]);
    stage.get(2, [want(3, { deadlineAtMs: stage.nowMs })]);
    expect(stage.told('refused')).toMatchObject([{ handle: 2, item: 0, reason: 'DEADLINE' }]);
    expect(stage.gets()[0]?.items.map(({ deadlineMs }) => deadlineMs)).toEqual([500, 900]);
    expect(stage.conversation.nextDeadline()).toBe(stage.nowMs + 500);
    stage.pass(500);
    expect(stage.told('refused').at(-1)).toMatchObject({ handle: 1, item: 0, reason: 'DEADLINE' });
    stage.block(stage.gets()[0]!.request, 0);
    expect(stage.told('arrived')).toEqual([]);
    stage.block(stage.gets()[0]!.request, 1);
    expect(stage.told('done').map(({ handle }) => handle)).toEqual([2, 1]);
    expect(stage.conversation.nextDeadline()).toBeUndefined();
  });

  it('keeps deadlines also while there is no connection', () => {
    stage.input({ kind: 'start' });
    stage.get(1, [want(1, { deadlineAtMs: stage.nowMs + 400 })]);
    stage.pass(400);
    expect(stage.told('refused')).toMatchObject([{ handle: 1, item: 0, reason: 'DEADLINE' }]);
    stage.greet();
    expect(stage.gets()).toEqual([]);
  });

  it('puts no more than a window ahead of the acknowledgements, in messages that fit', () => {
    stage.connect();
    const items = Array.from({ length: 30 }, (_, at) => ({
      ...blockOf(at).item,
      sizeBytes: 1_048_576,
      companion: new Uint8Array(12_000),
    }));
    const bodies = items.map(() => ({ byteLength: 1_048_576 }));
    stage.input({ kind: 'put', handle: 1, collection, ttlSeconds: 9, items, bodies });
    expect(stage.told('send-block')).toHaveLength(8);
    const { request, items: first } = stage.puts()[0]!;
    stage.message({ type: 'stored', request, items: first.map((_, at) => at) });
    stage.message({ type: 'done', request });
    expect(stage.told('send-block')).toHaveLength(12);
  });

  it('has no more puts wait by reference than items of any kind', () => {
    const reference = { token: 1, proof: null };
    const items = Array.from({ length: 9_000 }, (_, at) => ({ ...blockOf(at).item, reference }));
    const bodies = items.map(() => ({ byteLength: 0 }));
    for (const handle of [1, 2]) stage.input({ kind: 'put', handle, collection, ttlSeconds: 9, items, bodies });
    expect(stage.told('refused')).toMatchObject([{ handle: 2, item: null, reason: 'OVERLOAD' }]);
  });

  it('is gets and follows alone where a conversation is made without the calls of owners', () => {
    const viewer = new InsConversation({ url: 'ws://x', key: new Uint8Array(32), application: 'x', prng: new Prng(1) });
    const ask = (kind: 'status' | 'revoke') =>
      viewer.handleInput(
        kind === 'status' ? { kind, handle: 1, token: null } : { kind, handle: 1, ids: [], epoch: null },
        0,
      );
    expect(() => ask('status')).toThrow('status is for owners of lockers');
    expect(() => ask('revoke')).toThrow('revoke is for owners of lockers');
  });

  it('hands on what was on its way when its follow was cancelled, and nothing of it once the handle is in use again', () => {
    stage.connect();
    const follow = () =>
      stage.input({ kind: 'follow', handle: 2, keep: false, token: null, collection, tracks: [], from: 0 });
    follow();
    const { request } = stage.sent('follow')[0]!;
    stage.block(request, 0, 1);
    stage.input({ kind: 'cancel', handle: 2 });
    stage.block(request, 1, 2);
    stage.block(request, 2, 2);
    expect(stage.told('arrived').map(({ handle, labelled }) => [handle, labelled?.part])).toEqual([
      [2, 1],
      [2, 2],
    ]);
    follow();
    stage.block(request, 3, 3);
    expect(stage.told('arrived')).toHaveLength(2);
  });

  it('cancels what runs and what waits', () => {
    stage.connect();
    stage.get(1, [want(1)]);
    stage.input({ kind: 'follow', handle: 2, keep: false, token: null, collection, tracks: [], from: 0 });
    stage.input({ kind: 'cancel', handle: 1 }, { kind: 'cancel', handle: 2 });
    expect(stage.sent('cancel').map(({ request }) => request)).toEqual([
      stage.gets()[0]!.request,
      stage.sent('follow')[0]!.request,
    ]);
    stage.block(stage.gets()[0]!.request, 0);
    expect(stage.told('arrived')).toEqual([]);
    stage.reconnect();
    expect(stage.gets()).toEqual([]);
    expect(stage.sent('follow')).toEqual([]);
    // The handle is free again.
    stage.get(1, [want(1)]);
    expect(stage.gets()).toHaveLength(1);
  });
});
