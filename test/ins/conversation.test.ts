import { beforeEach, describe, expect, it } from 'vitest';
import { InsConversation } from '../../ins-client/core/conversation.ts';
import type { InsClientInput, InsClientOutput, WantedBlock } from '../../ins-client/core/io.ts';
import { Prng } from '../../machine/prng.ts';
import {
  FROM_NEWEST_START,
  type FromInsClient,
  type FromInsServer,
  type GetItem,
  helloSigned,
  insClientCodec,
  type PutBlock,
} from '../../protocol/ins-messages.ts';
import { CLOSE } from '../../protocol/reasons.ts';
import { blockOf, collectionOf, keysOf } from './helpers.ts';

const keys = keysOf(1);
const server = keysOf(2).publicKey;
const collection = collectionOf(1);
const nonce = new Uint8Array(32).fill(9);
const signature = new Uint8Array(64).fill(5);
const body = { byteLength: 100 };

const ACCESS = { reads: 0, readBytes: 0, readers: 0, sinceMs: 0 };
type Sent<Type extends FromInsClient['type']> = Extract<FromInsClient, { readonly type: Type }>;
type Told<Kind extends InsClientOutput['kind']> = Extract<InsClientOutput, { readonly kind: Kind }>;

describe('an INS conversation', () => {
  let conversation: InsConversation;
  let nowMs: number;
  let outputs: InsClientOutput[];

  beforeEach(() => {
    nowMs = 1_800_000_000_000;
    outputs = [];
    const options = { url: 'ws://server', key: keys.publicKey, application: 'test', prng: new Prng(1) };
    conversation = new InsConversation(options);
  });

  const drain = (): void => {
    for (let output = conversation.pollOutput(); output !== undefined; output = conversation.pollOutput()) {
      // What is sent must be sayable on the wire.
      if (output.kind === 'send') insClientCodec.encode(output.message);
      outputs.push(output);
    }
  };
  const input = (...inputs: InsClientInput[]): void => {
    for (const each of inputs) {
      conversation.handleInput(each, nowMs);
      drain();
    }
  };
  const pass = (ms: number): void => {
    nowMs += ms;
    conversation.handleTimeout(nowMs);
    drain();
  };
  const message = (...messages: FromInsServer[]): void => {
    for (const each of messages) input({ kind: 'message', message: each });
  };
  const welcome = (): void =>
    message({ type: 'welcome', version: 1, server, nonce, clockMs: nowMs + 700, blockBytesMax: 1_000_000 });
  const greet = (): void => {
    input({ kind: 'opened' });
    welcome();
    input({ kind: 'signed', ref: told('sign').at(-1)!.ref, signature });
  };
  const connect = (): void => {
    input({ kind: 'start' });
    greet();
    message({ type: 'accepted', quotaBytes: 1_000 });
  };
  /** The connection breaks and comes back. */
  const reconnect = (): void => {
    input({ kind: 'closed', code: 1006, why: 'broken' });
    outputs = [];
    pass(300);
    greet();
    message({ type: 'accepted', quotaBytes: 1_000 });
  };
  const told = <Kind extends InsClientOutput['kind']>(kind: Kind): Told<Kind>[] =>
    outputs.filter((output): output is Told<Kind> => output.kind === kind);
  const sent = <Type extends FromInsClient['type']>(type: Type): Sent<Type>[] =>
    told('send')
      .map(({ message: each }) => each)
      .filter((each): each is Sent<Type> => each.type === type);
  const gets = (): { readonly request: number; readonly items: readonly GetItem[] }[] =>
    sent('batch').flatMap(({ request, gets: items }) => (items.length === 0 ? [] : [{ request, items }]));
  const puts = (): { readonly request: number; readonly items: readonly PutBlock[] }[] =>
    sent('batch').flatMap(({ request, puts: items }) =>
      items.length === 0
        ? []
        : [
            {
              request,
              items: items.map(({ token: _token, reference: _reference, mediaType: _mediaType, ...item }) => item),
            },
          ],
    );

  const want = (part: number, more: Partial<WantedBlock> = {}): WantedBlock => ({
    token: null,
    name: blockOf(part).item.name,
    label: null,
    deadlineAtMs: null,
    ...more,
  });
  const get = (handle: number, items: WantedBlock[]): void =>
    input({ kind: 'get', handle, keep: true, collection, items });
  const block = (request: number, item: number, part?: number): void => {
    const { track, index, start, name, companion } = blockOf(part ?? 0).item;
    const labelled = part === undefined ? null : { track, part, index, start, name, companion };
    input({ kind: 'block', header: { request, item, kept: true, labelled }, body });
  };

  it('proves its key to this server on this connection, and says when it is ready', () => {
    connect();
    expect(told('dial')).toEqual([{ kind: 'dial', url: 'ws://server' }]);
    expect(told('sign')[0]?.bytes).toEqual(helloSigned(nonce, server, keys.publicKey));
    expect(sent('hello')).toEqual([
      { type: 'hello', version: 1, key: keys.publicKey, application: 'test', signature, invitation: null },
    ]);
    expect(told('ready')).toEqual([{ kind: 'ready', server, nonce, clockOffsetMs: 700 }]);
  });

  it('sends what was asked before right behind its hello', () => {
    input({ kind: 'start' });
    get(1, [want(1)]);
    input({ kind: 'follow', handle: 2, keep: false, token: null, collection, tracks: [], from: 0 });
    const { item, body: bytes } = blockOf(3);
    input({ kind: 'put', handle: 3, collection, ttlSeconds: 9, items: [item], bodies: [bytes] });
    input({ kind: 'range-token', token: new Uint8Array(100) });
    expect(told('send')).toEqual([]);
    greet();
    const types = told('send').map(({ message: each }) => each.type);
    expect(types[0]).toBe('hello');
    expect(types.sort()).toEqual(['batch', 'follow', 'hello', 'range-token']);
    expect(told('send-block')).toHaveLength(1);
  });

  it('tells what arrives and is refused, and when a request is done', () => {
    connect();
    get(1, [want(1), want(2), want(3)]);
    const { request, items } = gets()[0]!;
    expect(items.map(({ token, deadlineMs }) => [token, deadlineMs])).toEqual(Array(3).fill([0, 0]));
    block(request, 2, 3);
    message({ type: 'refused', request, item: 0, reason: 'GONE', retryAfterMs: 0, otherServer: null });
    expect(told('done')).toEqual([]);
    block(request, 1);
    expect(told('arrived').map(({ handle, item, kept }) => [handle, item, kept])).toEqual([
      [1, 2, true],
      [1, 1, true],
    ]);
    expect(told('arrived')[0]?.labelled?.companion).toEqual(blockOf(3).item.companion);
    expect(told('refused')).toMatchObject([{ handle: 1, item: 0, reason: 'GONE' }]);
    expect(told('done')).toEqual([{ kind: 'done', handle: 1 }]);
  });

  it('takes an item that the server leaves out as not to be had', () => {
    connect();
    get(1, [want(1), want(2)]);
    const { request } = gets()[0]!;
    block(request, 0);
    message({ type: 'done', request });
    expect(told('refused')).toMatchObject([{ handle: 1, item: 1, reason: 'NO_OBJECT' }]);
    expect(told('done')).toHaveLength(1);
  });

  it('ignores what it has not asked for', () => {
    connect();
    get(1, [want(1)]);
    const { request } = gets()[0]!;
    outputs = [];
    block(request + 50, 0);
    block(request, 9);
    message(
      { type: 'done', request: 999 },
      { type: 'stored', request, items: [0] },
      { type: 'refused', request: 999, item: null, reason: 'GONE', retryAfterMs: 0, otherServer: null },
      { type: 'refused', request, item: 60, reason: 'GONE', retryAfterMs: 0, otherServer: null },
      { type: 'renewed', request, token: new Uint8Array(90) },
      { type: 'token-refused', alias: 7, reason: 'GONE' },
      { type: 'usage', request, item: 0, objects: 1, usedBytes: 1, quotaBytes: 1, names: [], ...ACCESS },
    );
    input({ kind: 'cancel', handle: 77 }, { kind: 'signed', ref: 99, signature });
    expect(outputs).toEqual([]);
    block(request, 0);
    block(request, 0);
    expect(told('arrived')).toHaveLength(1);
  });

  it('cuts what is more than a batch into several, the most urgent first', () => {
    connect();
    const items = Array.from({ length: 150 }, (_, at) => want(at, { deadlineAtMs: nowMs + 10_000 - at }));
    get(1, items);
    expect(gets().map((each) => each.items.length)).toEqual([22, 64, 64]);
    for (const each of gets()) {
      for (const [item] of each.items.entries()) block(each.request, item);
    }
    expect(
      told('arrived')
        .map(({ item }) => item)
        .sort((a, b) => a - b),
    ).toEqual(items.map((_, at) => at));
    expect(told('done')).toHaveLength(1);
  });

  it('keeps to what a connection may have open, and goes on as answers come', () => {
    connect();
    for (let handle = 0; handle < 100; handle++) get(handle, [want(handle)]);
    expect(gets()).toHaveLength(64);
    block(gets()[0]!.request, 0);
    expect(gets()).toHaveLength(64);
    message({ type: 'done', request: gets()[0]!.request });
    expect(gets()).toHaveLength(65);
  });

  it('refuses itself what is beyond all bounds', () => {
    const items = Array.from({ length: 10_000 }, (_, at) => want(at));
    get(1, items);
    get(2, items);
    expect(told('refused')).toMatchObject([{ handle: 2, item: null, reason: 'OVERLOAD' }]);
  });

  it('sends a token once, and each request by its number', () => {
    connect();
    const [first, second] = [new Uint8Array(100).fill(1), new Uint8Array(100).fill(2)];
    get(1, [want(1, { token: first }), want(2, { token: second }), want(3, { token: first })]);
    get(2, [want(4, { token: second })]);
    expect(sent('token').map(({ alias, token }) => [alias, token[0]])).toEqual([
      [1, 1],
      [2, 2],
    ]);
    expect(gets().map(({ items }) => items.map(({ token }) => token))).toEqual([[1, 2, 1], [2]]);
  });

  it('gives a token’s number to another when none is free, but never that of one in use', () => {
    connect();
    const token = (at: number): Uint8Array => Uint8Array.of(at & 0xff, at >> 8, 1, 2, 3);
    input({ kind: 'follow', handle: 1, keep: false, token: token(0), collection, tracks: [], from: 0 });
    for (let at = 1; at <= 300; at++) {
      get(at + 1, [want(at, { token: token(at) })]);
      const { request } = gets().at(-1)!;
      block(request, 0);
      message({ type: 'done', request });
    }
    const followed = sent('follow')[0]!.token;
    expect(sent('token').filter(({ alias }) => alias === followed)).toHaveLength(1);
    expect(Math.max(...sent('token').map(({ alias }) => alias))).toBe(256);
    expect(sent('token')).toHaveLength(301);
    for (const { items } of gets()) expect(items[0]!.token).not.toBe(followed);
  });

  it('renews a token under its number: what runs goes on', () => {
    connect();
    const [old, renewed] = [new Uint8Array(100).fill(1), new Uint8Array(100).fill(2)];
    input({ kind: 'follow', handle: 1, keep: false, token: old, collection, tracks: [], from: 0 });
    input({ kind: 'renew', old, token: renewed });
    expect(sent('token').map(({ alias, token }) => [alias, token[0]])).toEqual([
      [1, 1],
      [1, 2],
    ]);
    get(2, [want(1, { token: renewed })]);
    expect(sent('token')).toHaveLength(2);
    reconnect();
    expect(sent('token').map(({ token }) => token[0])).toEqual([2]);
  });

  it('takes over the new token that the server hands to a follow', () => {
    connect();
    const [old, renewed] = [new Uint8Array(100).fill(1), new Uint8Array(100).fill(2)];
    input({ kind: 'follow', handle: 1, keep: false, token: old, collection, tracks: [], from: 0 });
    message({ type: 'renewed', request: sent('follow')[0]!.request, token: renewed });
    expect(told('renewed')).toEqual([{ kind: 'renewed', handle: 1, token: renewed }]);
    expect(sent('token')).toHaveLength(1);
    get(2, [want(1, { token: renewed })]);
    expect(gets()[0]?.items[0]?.token).toBe(1);
    reconnect();
    expect(sent('token').map(({ token }) => token[0])).toEqual([2]);
  });

  it('sends a token again that the server did not take', () => {
    connect();
    const token = new Uint8Array(100).fill(1);
    get(1, [want(1, { token })]);
    message({ type: 'token-refused', alias: 1, reason: 'TOKEN_EXPIRED' });
    const { request } = gets()[0]!;
    message({ type: 'refused', request, item: 0, reason: 'TOKEN_EXPIRED', retryAfterMs: 0, otherServer: null });
    get(2, [want(1, { token })]);
    expect(sent('token')).toHaveLength(2);
  });

  it('tells by itself when a deadline passes, and ignores what comes too late', () => {
    connect();
    get(1, [want(1, { deadlineAtMs: nowMs + 500 }), want(2, { deadlineAtMs: nowMs + 900 })]);
    get(2, [want(3, { deadlineAtMs: nowMs })]);
    expect(told('refused')).toMatchObject([{ handle: 2, item: 0, reason: 'DEADLINE' }]);
    expect(gets()[0]?.items.map(({ deadlineMs }) => deadlineMs)).toEqual([500, 900]);
    expect(conversation.nextDeadline()).toBe(nowMs + 500);
    pass(500);
    expect(told('refused').at(-1)).toMatchObject({ handle: 1, item: 0, reason: 'DEADLINE' });
    block(gets()[0]!.request, 0);
    expect(told('arrived')).toEqual([]);
    block(gets()[0]!.request, 1);
    expect(told('done').map(({ handle }) => handle)).toEqual([2, 1]);
    expect(conversation.nextDeadline()).toBeUndefined();
  });

  it('keeps deadlines also while there is no connection', () => {
    input({ kind: 'start' });
    get(1, [want(1, { deadlineAtMs: nowMs + 400 })]);
    pass(400);
    expect(told('refused')).toMatchObject([{ handle: 1, item: 0, reason: 'DEADLINE' }]);
    greet();
    expect(gets()).toEqual([]);
  });

  it('asks again after a reconnect for what was not answered, and only for that', () => {
    connect();
    get(1, [want(1), want(2), want(3, { token: new Uint8Array(90) })]);
    block(gets()[0]!.request, 1);
    reconnect();
    expect(sent('token')).toHaveLength(1);
    expect(gets().map(({ items }) => items.map(({ name }) => name))).toEqual([
      [blockOf(1).item.name, blockOf(3).item.name],
    ]);
    for (const item of [0, 1]) block(gets()[0]!.request, item);
    expect(told('arrived').map(({ item }) => item)).toEqual([0, 2]);
    expect(told('done')).toHaveLength(1);
  });

  it('goes on with a follow behind the newest part of the track that is furthest back', () => {
    connect();
    const follow = { kind: 'follow', handle: 1, keep: true, token: null, collection, tracks: [0, 1] } as const;
    input({ ...follow, from: FROM_NEWEST_START });
    const { request } = sent('follow')[0]!;
    const bring = (wire: number, track: number, part: number, index = 0): void => {
      const labelled = { ...blockOf(part, 100, { track, index }).item };
      input({ kind: 'block', header: { request: wire, item: 0, kept: false, labelled }, body });
    };
    bring(request, 0, 7);
    bring(request, 1, 7);
    bring(request, 0, 8);
    bring(request, 0, 8, 1);
    reconnect();
    const again = sent('follow')[0]!;
    expect(again).toMatchObject({ from: 7, tracks: [0, 1], keep: true });
    bring(again.request, 0, 7);
    bring(again.request, 1, 7);
    bring(again.request, 0, 8);
    bring(again.request, 0, 8, 2);
    bring(again.request, 1, 8);
    expect(told('arrived').map(({ labelled }) => `${labelled?.part}/${labelled?.track}/${labelled?.index}`)).toEqual([
      '8/0/2',
      '8/1/0',
    ]);
  });

  it('tells nothing twice that a follow brings again, however old', () => {
    connect();
    input({ kind: 'follow', handle: 1, keep: true, token: null, collection, tracks: [], from: 0 });
    const bring = (part: number): void =>
      input({
        kind: 'block',
        header: { request: sent('follow').at(-1)!.request, item: 0, kept: false, labelled: blockOf(part, 50).item },
        body,
      });
    for (let part = 0; part < 40; part++) bring(part);
    // Out of order is no repetition before the connection has broken.
    bring(3);
    expect(told('arrived')).toHaveLength(41);
    reconnect();
    for (let part = 0; part < 42; part++) bring(part);
    expect(told('arrived').map(({ labelled }) => labelled?.part)).toEqual([40, 41]);
  });

  it('puts again after a reconnect what was not acknowledged', () => {
    connect();
    const blocks = [1, 2, 3].map((part) => blockOf(part));
    const items = blocks.map(({ item }) => item);
    const bodies = blocks.map((each) => each.body);
    input({ kind: 'put', handle: 1, collection, ttlSeconds: 9, items, bodies });
    message({ type: 'stored', request: puts()[0]!.request, items: [1] });
    expect(told('stored')).toEqual([{ kind: 'stored', handle: 1, items: [1] }]);
    reconnect();
    expect(puts()[0]?.items).toEqual([items[0], items[2]]);
    expect(told('send-block').map((each) => each.body)).toEqual([bodies[0], bodies[2]]);
    message({ type: 'stored', request: puts()[0]!.request, items: [0, 1] });
    expect(told('stored')).toEqual([{ kind: 'stored', handle: 1, items: [0, 2] }]);
    expect(told('done')).toHaveLength(1);
  });

  it('puts no more than a window ahead of the acknowledgements, in messages that fit', () => {
    connect();
    const items = Array.from({ length: 30 }, (_, at) => ({
      ...blockOf(at).item,
      sizeBytes: 1_048_576,
      companion: new Uint8Array(12_000),
    }));
    const bodies = items.map(() => ({ byteLength: 1_048_576 }));
    input({ kind: 'put', handle: 1, collection, ttlSeconds: 9, items, bodies });
    expect(told('send-block')).toHaveLength(8);
    const { request, items: first } = puts()[0]!;
    message({ type: 'stored', request, items: first.map((_, at) => at) });
    message({ type: 'done', request });
    expect(told('send-block')).toHaveLength(12);
  });

  it('hands on what was on its way when its follow was cancelled, and nothing of it once the handle is in use again', () => {
    connect();
    const follow = () =>
      input({ kind: 'follow', handle: 2, keep: false, token: null, collection, tracks: [], from: 0 });
    follow();
    const { request } = sent('follow')[0]!;
    block(request, 0, 1);
    input({ kind: 'cancel', handle: 2 });
    block(request, 1, 2);
    block(request, 2, 2);
    expect(told('arrived').map(({ handle, labelled }) => [handle, labelled?.part])).toEqual([
      [2, 1],
      [2, 2],
    ]);
    follow();
    block(request, 3, 3);
    expect(told('arrived')).toHaveLength(2);
  });

  it('cancels what runs and what waits', () => {
    connect();
    get(1, [want(1)]);
    input({ kind: 'follow', handle: 2, keep: false, token: null, collection, tracks: [], from: 0 });
    input({ kind: 'cancel', handle: 1 }, { kind: 'cancel', handle: 2 });
    expect(sent('cancel').map(({ request }) => request)).toEqual([gets()[0]!.request, sent('follow')[0]!.request]);
    block(gets()[0]!.request, 0);
    expect(told('arrived')).toEqual([]);
    reconnect();
    expect(gets()).toEqual([]);
    expect(sent('follow')).toEqual([]);
    // The handle is free again.
    get(1, [want(1)]);
    expect(gets()).toHaveLength(1);
  });

  it('dials again after pauses that grow with how long it has been gone, and starts again with a short one', () => {
    input({ kind: 'start' });
    const pauses: number[] = [];
    for (let failure = 0; failure < 60; failure++) {
      input({ kind: 'closed', code: 1006, why: 'refused' });
      pauses.push(conversation.nextDeadline()! - nowMs);
      pass(pauses.at(-1)!);
    }
    expect(told('dial')).toHaveLength(61);
    expect(told('lost').every(({ final }) => !final)).toBe(true);
    expect(pauses[0]).toBeLessThanOrEqual(250);
    // What is back is found within an eighth of its absence, or a second; never later than in ten.
    let goneMs = 0;
    for (const pause of pauses) {
      expect(pause).toBeLessThanOrEqual(Math.min(10_000, Math.max(1_000, goneMs / 8)));
      goneMs += pause;
    }
    expect(pauses.at(-1)).toBeGreaterThan(4_000);
    greet();
    message({ type: 'accepted', quotaBytes: 1 });
    input({ kind: 'closed', code: 1006, why: 'broken' });
    expect(conversation.nextDeadline()! - nowMs).toBeLessThanOrEqual(250);
  });

  it('gives a server up that does not greet or accept in time, and one that breaks the protocol', () => {
    input({ kind: 'start' });
    pass(10_000);
    expect(told('close')).toMatchObject([{ code: CLOSE.idle }]);
    input({ kind: 'closed', code: 1006, why: '' });
    pass(500);
    greet();
    pass(5_000);
    expect(told('close')).toHaveLength(2);
    input({ kind: 'closed', code: 1006, why: '' });
    pass(1_000);
    input({ kind: 'opened' }, { kind: 'violation', why: 'trailing bytes' });
    expect(told('close').at(-1)).toEqual({ kind: 'close', code: CLOSE.violation, why: 'trailing bytes' });
  });

  it('does not come back when a newer connection took its place', () => {
    connect();
    get(1, [want(1)]);
    message({ type: 'notice', kind: 'replaced', otherServer: null, retryAfterMs: 0 });
    input({ kind: 'closed', code: CLOSE.replaced, why: '' });
    expect(told('refused')).toMatchObject([{ handle: 1, item: null, reason: 'REPLACED' }]);
    expect(told('lost')).toMatchObject([{ final: true }]);
    expect(conversation.nextDeadline()).toBeUndefined();
    input({ kind: 'start' });
    expect(told('dial')).toHaveLength(2);
  });

  it('comes back when the server was shut down', () => {
    connect();
    message({ type: 'notice', kind: 'draining', otherServer: null, retryAfterMs: 0 });
    input({ kind: 'closed', code: CLOSE.goingAway, why: '' });
    expect(told('lost')).toMatchObject([{ final: false }]);
    expect(conversation.nextDeadline()).toBeDefined();
  });

  it('IN21: comes back no sooner than a busy server has told it, and says where that sends it', () => {
    input({ kind: 'start' }, { kind: 'opened' });
    message({ type: 'welcome', version: 1, server, nonce, clockMs: nowMs, blockBytesMax: 1_048_576 });
    message({ type: 'notice', kind: 'busy', otherServer: 'ws://other', retryAfterMs: 8_000 });
    input({ kind: 'closed', code: CLOSE.tryLater, why: 'too many clients' });
    expect(told('lost')).toEqual([
      { kind: 'lost', why: 'too many clients', final: false, retryAfterMs: 8_000, otherServer: 'ws://other' },
    ]);
    pass(7_999);
    expect(told('dial')).toHaveLength(1);
    pass(4_001);
    expect(told('dial')).toHaveLength(2);
    // What was said counts once.
    greet();
    input({ kind: 'closed', code: 1006, why: '' });
    expect(told('lost').at(-1)).toMatchObject({ retryAfterMs: 0, otherServer: null });
    expect(conversation.nextDeadline()! - nowMs).toBeLessThan(8_000);
  });

  it('IN21: is not kept away for more than a minute', () => {
    connect();
    message({ type: 'notice', kind: 'busy', otherServer: null, retryAfterMs: 0xffff_ffff });
    input({ kind: 'closed', code: CLOSE.tryLater, why: '' });
    expect(conversation.nextDeadline()! - nowMs).toBeLessThanOrEqual(60_000);
    expect(conversation.nextDeadline()! - nowMs).toBeGreaterThanOrEqual(40_000);
  });

  it('stops for good when told to, wherever it is', () => {
    input({ kind: 'start' }, { kind: 'stop' });
    expect(told('close')).toHaveLength(1);
    expect(told('lost')).toMatchObject([{ final: true }]);
    input({ kind: 'opened' }, { kind: 'closed', code: 1006, why: '' });
    expect(conversation.nextDeadline()).toBeUndefined();
    input({ kind: 'start' }, { kind: 'closed', code: 1006, why: '' });
    input({ kind: 'stop' });
    expect(conversation.nextDeadline()).toBeUndefined();
    expect(told('lost').map(({ final }) => final)).toEqual([true, false, true]);
  });
});
