import { expect, it } from 'vitest';
import { ClientLink } from '../../ins-server/node/client-link.ts';
import { memoryStore } from '../../ins-server/node/stores/memory.ts';
import { CLOSE } from '../../protocol/reasons.ts';
import type { Link } from '../../runtime/node/ws-link.ts';
import { blockOf, hashText } from './helpers.ts';

it('gives up a link whose block a store does not load for 30 s, and none whose blocks it loads slowly', async () => {
  const closed: number[] = [];
  const link = { close: (code: number) => closed.push(code), sendBlock: () => {} } as unknown as Link;
  const loads: ((bytes: Uint8Array) => void)[] = [];
  const load = (): Promise<Uint8Array> => new Promise((resolve) => loads.push(resolve));
  const client = new ClientLink(link, { ...memoryStore(), load }, () => {});
  const { item, body } = blockOf(1);
  const block = { key: hashText(body), name: item.name, sizeBytes: body.length };
  const header = { request: 1, item: 0, kept: false, labelled: null };
  const look = (times: number): boolean[] => Array.from({ length: times }, () => client.look());
  expect(client.look()).toBe(false);
  client.sendBlock(header, block);
  client.sendBlock(header, block);
  expect(look(29)).toEqual(Array(29).fill(true));
  loads[0]!(body);
  await new Promise(setImmediate);
  look(29);
  expect(closed).toEqual([]);
  look(5);
  expect(closed).toEqual([CLOSE.tryLater]);
});
