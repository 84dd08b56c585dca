import { expect, it } from 'vitest';
import { Queue } from '../../machine/machine.ts';
import { Prng } from '../../machine/prng.ts';
import { PROTOCOL_VERSION } from '../../protocol/limits.ts';
import { nameOfHash } from '../../protocol/names.ts';
import { InsFeeds } from '../../source-server/core/ins-feeds.ts';
import type { SourceOutput } from '../../source-server/core/io.ts';
import { LinkNumbers } from '../../swarm/io.ts';

const KEY = new Uint8Array(32);

it('a put that a server has refused is not waited for: what is put after a long pause is sent', () => {
  const outputs = new Queue<SourceOutput>();
  const servers = [{ url: 'ws://ins:1', region: '' }];
  let ref = 0;
  const signRef = (_: number, own: number): number => {
    ref = own;
    return own;
  };
  const feeds = new InsFeeds(servers, KEY, undefined, new LinkNumbers(), new Prng('1'), outputs, signRef, () => 0);
  const sent = (): string[] => {
    const types: string[] = [];
    for (let output = outputs.shift(); output !== undefined; output = outputs.shift()) {
      if (output.kind === 'send-ins') types.push(output.message.type);
    }
    return types;
  };
  const put = (part: number, nowMs: number): void => {
    const block = {
      track: 0,
      part,
      index: 0,
      start: true,
      name: nameOfHash(KEY),
      sizeBytes: 1,
      companion: new Uint8Array(0),
    };
    feeds.put(part, KEY, () => 60, [block], [new Uint8Array(1)], nowMs);
  };
  feeds.start(0);
  const dialled = outputs.shift();
  const link = dialled?.kind === 'dial' ? dialled.link : 0;
  feeds.link(link, { kind: 'opened' }, 0);
  const welcome = {
    type: 'welcome',
    version: PROTOCOL_VERSION,
    server: KEY,
    nonce: KEY,
    clockMs: 0,
    blockBytesMax: 1_000_000,
  } as const;
  feeds.link(link, { kind: 'message', message: welcome }, 0);
  feeds.signed(0, ref, new Uint8Array(64), 0);
  put(1, 0);
  expect(sent()).toContain('batch');
  const refused = {
    type: 'refused',
    request: 1,
    item: null,
    reason: 'OVERLOAD',
    retryAfterMs: 0,
    otherServer: null,
    text: '',
  } as const;
  feeds.link(link, { kind: 'message', message: refused }, 50);
  expect(feeds.lateAtMs()).toBe(Number.POSITIVE_INFINITY);
  put(2, 5_000);
  expect(sent()).toContain('batch');
});
