import { beforeEach, describe, expect, it } from 'vitest';
import { InsConversation } from '../../ins-client/core/conversation.ts';
import type { InsClientInput, InsClientOutput, WantedBlock } from '../../ins-client/core/io.ts';
import { Prng } from '../../machine/prng.ts';
import { type FromInsClient, type FromInsServer, insClientCodec } from '../../protocol/ins-messages.ts';
import { blockOf, collectionOf, keysOf } from './helpers.ts';

/** What different calls have under way together. */

const collection = collectionOf(1);
const token = new Uint8Array(100).fill(3);

let conversation: InsConversation;
let outputs: InsClientOutput[];
let nowMs: number;
let handles: number;

beforeEach(() => {
  nowMs = 1_800_000_000_000;
  outputs = [];
  handles = 0;
  const options = { url: 'ws://server', key: keysOf(1).publicKey, application: 'test', prng: new Prng(1) };
  conversation = new InsConversation(options);
  input({ kind: 'start' });
});

function input(...inputs: InsClientInput[]): void {
  for (const each of inputs) {
    conversation.handleInput(each, nowMs);
    for (let output = conversation.pollOutput(); output !== undefined; output = conversation.pollOutput()) {
      if (output.kind === 'send') insClientCodec.encode(output.message);
      outputs.push(output);
    }
  }
}

const message = (...messages: FromInsServer[]): void => {
  for (const each of messages) input({ kind: 'message', message: each });
};

function greet(): void {
  input({ kind: 'opened' });
  const server = keysOf(2).publicKey;
  message({ type: 'welcome', version: 1, server, nonce: new Uint8Array(32), clockMs: nowMs, blockBytesMax: 1_000 });
  input({ kind: 'signed', ref: told('sign').at(-1)!.ref, signature: new Uint8Array(64) });
  message({ type: 'accepted', quotaBytes: 1_000 });
}

function told<Kind extends InsClientOutput['kind']>(kind: Kind): Extract<InsClientOutput, { readonly kind: Kind }>[] {
  return outputs.filter((output): output is Extract<InsClientOutput, { readonly kind: Kind }> => output.kind === kind);
}

function sent<Type extends FromInsClient['type']>(type: Type): Extract<FromInsClient, { readonly type: Type }>[] {
  return told('send')
    .map((output) => output.message)
    .filter((each): each is Extract<FromInsClient, { readonly type: Type }> => each.type === type);
}

const want = (part: number): WantedBlock => ({
  token: null,
  name: blockOf(part).item.name,
  label: null,
  deadlineAtMs: null,
});
const get = (parts: number[], keep = false): number => {
  const handle = ++handles;
  input({ kind: 'get', handle, keep, collection: null, items: parts.map(want) });
  return handle;
};
const put = (part: number, ttlSeconds = 60): number => {
  const handle = ++handles;
  const { item, body } = blockOf(part);
  input({ kind: 'put', handle, token, collection, ttlSeconds, items: [item], bodies: [body] });
  return handle;
};

describe('calls that wait together', () => {
  it('IN5: go as one batch, and each is told of its own', () => {
    const putting = put(1);
    const getting = get([2, 3]);
    const deleting = ++handles;
    input({ kind: 'delete', handle: deleting, token: null, names: [blockOf(4).item.name, blockOf(5).item.name] });
    const asking = ++handles;
    input({ kind: 'status', handle: asking, token });
    greet();
    const [batch, ...more] = sent('batch');
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
    expect(sent('token')).toEqual([{ type: 'token', alias: 1, token }]);
    const { request } = batch!;
    const header = told('send-block')[0]!.header;
    expect(header).toMatchObject({ request, item: 2 });

    const access = { reads: 0, readBytes: 0, readers: 0, sinceMs: 0 };
    const usage = { objects: 7, usedBytes: 70, quotaBytes: 700, names: [], ...access };
    message({ type: 'usage', request, item: 5, ...usage });
    message({ type: 'deleted', request, items: [4, 3] }, { type: 'stored', request, items: [2] });
    input({ kind: 'block', header: { request, item: 1, kept: false, labelled: null }, body: { byteLength: 1 } });
    const refused = { reason: 'NO_OBJECT', retryAfterMs: 0, otherServer: null } as const;
    message({ type: 'refused', request, item: 0, ...refused }, { type: 'done', request });
    expect(told('usage')).toEqual([{ kind: 'usage', handle: asking, usage }]);
    expect(told('deleted')).toEqual([{ kind: 'deleted', handle: deleting, items: [1, 0] }]);
    expect(told('stored')).toEqual([{ kind: 'stored', handle: putting, items: [0] }]);
    expect(told('arrived')).toMatchObject([{ handle: getting, item: 1 }]);
    expect(told('refused')).toEqual([{ kind: 'refused', handle: getting, item: 0, ...refused }]);
    expect(told('done').map(({ handle }) => handle)).toEqual([asking, deleting, putting, getting]);
  });

  it('go apart where the batch would say different things of them', () => {
    get([1]);
    get([2], true);
    put(3, 60);
    put(4, 90);
    greet();
    expect(
      sent('batch').map(({ keep, ttlSeconds, gets, puts }) => [keep, ttlSeconds, gets.length, puts.length]),
    ).toEqual([
      [false, 0, 1, 0],
      [true, 60, 1, 1],
      [false, 90, 0, 1],
    ]);
  });

  it('fill one batch after the other: a thousand gets of one block are sixteen requests', () => {
    for (let part = 0; part < 1_000; part++) get([part]);
    greet();
    expect(sent('batch').map(({ gets }) => gets.length)).toEqual(Array.from({ length: 8 }, () => 64));
    for (const { request } of sent('batch')) message({ type: 'done', request });
    expect(sent('batch').length).toBe(16);
  });

  it('leave the others alone when one is cancelled, and tell the server when none is left', () => {
    const [first, second] = [get([1]), get([2])];
    greet();
    input({ kind: 'cancel', handle: first });
    expect(sent('cancel')).toEqual([]);
    const { request } = sent('batch')[0]!;
    input({ kind: 'block', header: { request, item: 0, kept: false, labelled: null }, body: { byteLength: 1 } });
    expect(told('arrived')).toEqual([]);
    input({ kind: 'cancel', handle: second });
    expect(sent('cancel')).toEqual([{ type: 'cancel', request }]);
    expect(told('done')).toEqual([]);
  });

  it('are refused together, each as a whole', () => {
    const [first, second] = [get([1, 2]), put(3)];
    greet();
    const { request } = sent('batch')[0]!;
    const busy = { reason: 'OVERLOAD', retryAfterMs: 500, otherServer: 'ws://other' } as const;
    message({ type: 'refused', request, item: null, ...busy });
    expect(told('refused')).toEqual([
      { kind: 'refused', handle: first, item: null, ...busy },
      { kind: 'refused', handle: second, item: null, ...busy },
    ]);
  });

  it('do not wait for room that only others need', () => {
    greet();
    for (let part = 0; part < 512; part += 64) get(Array.from({ length: 64 }, (_, at) => part + at));
    get([600]);
    expect(sent('batch').length).toBe(8);
    put(1);
    expect(sent('batch')[8]).toMatchObject({ gets: [], puts: [{ sizeBytes: 1_000 }] });
  });
});

describe('what an owner orders', () => {
  it('is told to the server until it is done, over a lost connection, too', () => {
    greet();
    const [revoking, opening] = [++handles, ++handles];
    const ids = [new Uint8Array(16).fill(1)];
    input({ kind: 'revoke', handle: revoking, ids, epoch: 4 });
    input({ kind: 'access', handle: opening, collection, access: 'public' });
    const [revoke] = sent('revoke');
    expect(revoke).toMatchObject({ ids, epoch: 4 });
    message({ type: 'done', request: revoke!.request });
    input({ kind: 'closed', code: 1006, why: 'broken' });
    outputs = [];
    nowMs += 300;
    conversation.handleTimeout(nowMs);
    greet();
    expect(sent('revoke')).toEqual([]);
    const [access] = sent('access');
    expect(access).toMatchObject({ collection, access: 'public' });
    message({
      type: 'refused',
      request: access!.request,
      item: null,
      reason: 'POLICY_DENIED',
      retryAfterMs: 0,
      otherServer: null,
    });
    expect(told('refused')).toMatchObject([{ handle: opening, item: null, reason: 'POLICY_DENIED' }]);
  });

  it("names an open locker by its owner's key instead of a token", () => {
    greet();
    const owner = keysOf(7).publicKey;
    input({ kind: 'get', handle: 1, keep: false, collection: null, items: [{ ...want(1), token: owner }] });
    expect(sent('open')).toEqual([{ type: 'open', alias: 1, owner }]);
    expect(sent('batch')[0]?.gets[0]?.token).toBe(1);
  });
});
