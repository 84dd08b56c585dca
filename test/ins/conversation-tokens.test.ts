import { beforeEach, describe, expect, it } from 'vitest';
import { ConversationStage, collection, want } from './conversation-stage.ts';

describe('tokens in an INS conversation', () => {
  let stage: ConversationStage;

  beforeEach(() => {
    stage = new ConversationStage();
  });

  it('sends a token once, and each request by its number', () => {
    stage.connect();
    const [first, second] = [new Uint8Array(100).fill(1), new Uint8Array(100).fill(2)];
    stage.get(1, [want(1, { token: first }), want(2, { token: second }), want(3, { token: first })]);
    stage.get(2, [want(4, { token: second })]);
    expect(stage.sent('token').map(({ alias, token }) => [alias, token[0]])).toEqual([
      [1, 1],
      [2, 2],
    ]);
    expect(stage.gets().map(({ items }) => items.map(({ token }) => token))).toEqual([[1, 2, 1], [2]]);
  });

  it('gives a token’s number to another when none is free, but never that of one in use', () => {
    stage.connect();
    const token = (at: number): Uint8Array => Uint8Array.of(at & 0xff, at >> 8, 1, 2, 3);
    stage.input({ kind: 'follow', handle: 1, keep: false, token: token(0), collection, tracks: [], from: 0 });
    for (let at = 1; at <= 300; at++) {
      stage.get(at + 1, [want(at, { token: token(at) })]);
      const { request } = stage.gets().at(-1)!;
      stage.block(request, 0);
      stage.message({ type: 'done', request });
    }
    const followed = stage.sent('follow')[0]!.token;
    expect(stage.sent('token').filter(({ alias }) => alias === followed)).toHaveLength(1);
    expect(Math.max(...stage.sent('token').map(({ alias }) => alias))).toBe(256);
    expect(stage.sent('token')).toHaveLength(301);
    for (const { items } of stage.gets()) expect(items[0]!.token).not.toBe(followed);
  });

  it('renews a token under its number: what runs goes on', () => {
    stage.connect();
    const [old, renewed] = [new Uint8Array(100).fill(1), new Uint8Array(100).fill(2)];
    stage.input({ kind: 'follow', handle: 1, keep: false, token: old, collection, tracks: [], from: 0 });
    stage.input({ kind: 'renew', old, token: renewed });
    expect(stage.sent('token').map(({ alias, token }) => [alias, token[0]])).toEqual([
      [1, 1],
      [1, 2],
    ]);
    stage.get(2, [want(1, { token: renewed })]);
    expect(stage.sent('token')).toHaveLength(2);
    stage.reconnect();
    expect(stage.sent('token').map(({ token }) => token[0])).toEqual([2]);
  });

  it('takes over the new token that the server hands to a follow', () => {
    stage.connect();
    const [old, renewed] = [new Uint8Array(100).fill(1), new Uint8Array(100).fill(2)];
    stage.input({ kind: 'follow', handle: 1, keep: false, token: old, collection, tracks: [], from: 0 });
    stage.message({ type: 'renewed', request: stage.sent('follow')[0]!.request, token: renewed });
    expect(stage.told('renewed')).toEqual([{ kind: 'renewed', handle: 1, token: renewed }]);
    expect(stage.sent('token')).toHaveLength(1);
    stage.get(2, [want(1, { token: renewed })]);
    expect(stage.gets()[0]?.items[0]?.token).toBe(1);
    stage.reconnect();
    expect(stage.sent('token').map(({ token }) => token[0])).toEqual([2]);
  });

  it('sends a token again that the server did not take', () => {
    stage.connect();
    const token = new Uint8Array(100).fill(1);
    stage.get(1, [want(1, { token })]);
    stage.message({ type: 'token-refused', alias: 1, reason: 'TOKEN_EXPIRED' });
    const { request } = stage.gets()[0]!;
    stage.message({ type: 'refused', request, item: 0, reason: 'TOKEN_EXPIRED', retryAfterMs: 0, otherServer: null });
    stage.get(2, [want(1, { token })]);
    expect(stage.sent('token')).toHaveLength(2);
  });
});
