import { beforeEach, describe, expect, it } from 'vitest';
import { helloSigned } from '../../protocol/ins-messages.ts';
import { CLOSE } from '../../protocol/reasons.ts';
import { ConversationStage, collection, keys, nonce, server, signature, want } from './conversation-stage.ts';
import { blockOf } from './helpers.ts';

describe('how an INS conversation connects', () => {
  let stage: ConversationStage;

  beforeEach(() => {
    stage = new ConversationStage();
  });

  it('proves its key to this server on this connection, and says when it is ready', () => {
    stage.connect();
    expect(stage.told('dial')).toEqual([{ kind: 'dial', url: 'ws://server' }]);
    expect(stage.told('sign')[0]?.bytes).toEqual(helloSigned(nonce, server, keys.publicKey));
    expect(stage.sent('hello')).toEqual([
      { type: 'hello', version: 1, key: keys.publicKey, application: 'test', signature, invitation: null },
    ]);
    expect(stage.told('ready')).toEqual([{ kind: 'ready', server, nonce, clockOffsetMs: 700 }]);
  });

  it('sends what was asked before right behind its hello', () => {
    stage.input({ kind: 'start' });
    stage.get(1, [want(1)]);
    stage.input({ kind: 'follow', handle: 2, keep: false, token: null, collection, tracks: [], from: 0 });
    const { item, body: bytes } = blockOf(3);
    stage.input({ kind: 'put', handle: 3, collection, ttlSeconds: 9, items: [item], bodies: [bytes] });
    stage.input({ kind: 'range-token', token: new Uint8Array(100) });
    expect(stage.told('send')).toEqual([]);
    stage.greet();
    const types = stage.told('send').map(({ message: each }) => each.type);
    expect(types[0]).toBe('hello');
    expect(types.sort()).toEqual(['batch', 'follow', 'hello', 'range-token']);
    expect(stage.told('send-block')).toHaveLength(1);
  });

  it('dials again after pauses that grow with how long it has been gone, and starts again with a short one', () => {
    stage.input({ kind: 'start' });
    const pauses: number[] = [];
    for (let failure = 0; failure < 60; failure++) {
      stage.input({ kind: 'closed', code: 1006, why: 'refused' });
      pauses.push(stage.conversation.nextDeadline()! - stage.nowMs);
      stage.pass(pauses.at(-1)!);
    }
    expect(stage.told('dial')).toHaveLength(61);
    expect(stage.told('lost').every(({ final }) => !final)).toBe(true);
    expect(pauses[0]).toBeLessThanOrEqual(250);
    // What is back is found within an eighth of its absence, or a second; never later than in ten.
    let goneMs = 0;
    for (const pause of pauses) {
      expect(pause).toBeLessThanOrEqual(Math.min(10_000, Math.max(1_000, goneMs / 8)));
      goneMs += pause;
    }
    expect(pauses.at(-1)).toBeGreaterThan(4_000);
    stage.greet();
    stage.message({ type: 'accepted', quotaBytes: 1 });
    stage.input({ kind: 'closed', code: 1006, why: 'broken' });
    expect(stage.conversation.nextDeadline()! - stage.nowMs).toBeLessThanOrEqual(250);
  });

  it('gives a server up that does not greet or accept in time, and one that breaks the protocol', () => {
    stage.input({ kind: 'start' });
    stage.pass(10_000);
    expect(stage.told('close')).toMatchObject([{ code: CLOSE.idle }]);
    stage.input({ kind: 'closed', code: 1006, why: '' });
    stage.pass(500);
    stage.greet();
    stage.pass(5_000);
    expect(stage.told('close')).toHaveLength(2);
    stage.input({ kind: 'closed', code: 1006, why: '' });
    stage.pass(1_000);
    stage.input({ kind: 'opened' }, { kind: 'violation', why: 'trailing bytes' });
    expect(stage.told('close').at(-1)).toEqual({ kind: 'close', code: CLOSE.violation, why: 'trailing bytes' });
  });

  it('does not come back when a newer connection took its place', () => {
    stage.connect();
    stage.get(1, [want(1)]);
    stage.message({ type: 'notice', kind: 'replaced', otherServer: null, retryAfterMs: 0 });
    stage.input({ kind: 'closed', code: CLOSE.replaced, why: '' });
    expect(stage.told('refused')).toMatchObject([{ handle: 1, item: null, reason: 'REPLACED' }]);
    expect(stage.told('lost')).toMatchObject([{ final: true }]);
    expect(stage.conversation.nextDeadline()).toBeUndefined();
    stage.input({ kind: 'start' });
    expect(stage.told('dial')).toHaveLength(2);
  });

  it('comes back when the server was shut down', () => {
    stage.connect();
    stage.message({ type: 'notice', kind: 'draining', otherServer: null, retryAfterMs: 0 });
    stage.input({ kind: 'closed', code: CLOSE.goingAway, why: '' });
    expect(stage.told('lost')).toMatchObject([{ final: false }]);
    expect(stage.conversation.nextDeadline()).toBeDefined();
  });

  it('IN21: comes back no sooner than a busy server has told it, and says where that sends it', () => {
    stage.input({ kind: 'start' }, { kind: 'opened' });
    stage.message({ type: 'welcome', version: 1, server, nonce, clockMs: stage.nowMs, blockBytesMax: 1_048_576 });
    stage.message({ type: 'notice', kind: 'busy', otherServer: 'ws://other', retryAfterMs: 8_000 });
    stage.input({ kind: 'closed', code: CLOSE.tryLater, why: 'too many clients' });
    expect(stage.told('lost')).toEqual([
      { kind: 'lost', why: 'too many clients', final: false, retryAfterMs: 8_000, otherServer: 'ws://other' },
    ]);
    stage.pass(7_999);
    expect(stage.told('dial')).toHaveLength(1);
    stage.pass(4_001);
    expect(stage.told('dial')).toHaveLength(2);
    // What was said counts once.
    stage.greet();
    stage.input({ kind: 'closed', code: 1006, why: '' });
    expect(stage.told('lost').at(-1)).toMatchObject({ retryAfterMs: 0, otherServer: null });
    expect(stage.conversation.nextDeadline()! - stage.nowMs).toBeLessThan(8_000);
  });

  it('IN21: is not kept away for more than a minute', () => {
    stage.connect();
    stage.message({ type: 'notice', kind: 'busy', otherServer: null, retryAfterMs: 0xffff_ffff });
    stage.input({ kind: 'closed', code: CLOSE.tryLater, why: '' });
    expect(stage.conversation.nextDeadline()! - stage.nowMs).toBeLessThanOrEqual(60_000);
    expect(stage.conversation.nextDeadline()! - stage.nowMs).toBeGreaterThanOrEqual(40_000);
  });

  it('stops for good when told to, wherever it is', () => {
    stage.input({ kind: 'start' }, { kind: 'stop' });
    expect(stage.told('close')).toHaveLength(1);
    expect(stage.told('lost')).toMatchObject([{ final: true }]);
    stage.input({ kind: 'opened' }, { kind: 'closed', code: 1006, why: '' });
    expect(stage.conversation.nextDeadline()).toBeUndefined();
    stage.input({ kind: 'start' }, { kind: 'closed', code: 1006, why: '' });
    stage.input({ kind: 'stop' });
    expect(stage.conversation.nextDeadline()).toBeUndefined();
    expect(stage.told('lost').map(({ final }) => final)).toEqual([true, false, true]);
  });
});
