import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { INS_SERVER_LIMITS } from '../../ins-server/core/limits.ts';
import { Storage } from '../../ins-server/core/storage/storage.ts';
import { bytesKey } from '../../protocol/text.ts';
import { blockOf, collectionOf } from './helpers.ts';

const LOCKERS = 4_000;
const BLOCKS = 1_000;
/**
 * What a viewer's locker may take that keeps the blocks of a stream: an object or two and a few bits a block. As entries of maps
 * the blocks of each would take some 100 KB.
 */
const LOCKER_BYTES_MAX = 4_096;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

function usedBytes(): number {
  collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

test('4,000 lockers that keep the same 1,000 blocks take little more than 4,000 empty ones', () => {
  const grant = { quotaBytes: 2 ** 30, quotaObjects: 65_536, rateBps: null, stranger: false };
  const storage = new Storage(INS_SERVER_LIMITS, { push: () => {} }, grant);
  const collection = collectionOf(1);
  const folder = storage.locker('owner').folder(collection, bytesKey(collection))!;
  const entries = Array.from({ length: BLOCKS }, (_, part) => {
    const { item } = blockOf(part, 16);
    const block = storage.addBlock(item.name, bytesKey(item.name), 16);
    block.ready = true;
    const { track, index, start, name, companion } = item;
    return storage.add(folder, { track, part, index, start, name, companion }, block, 60_000);
  });
  const before = usedBytes();
  for (let number = 0; number < LOCKERS; number++) {
    const locker = storage.locker(`viewer ${number}`);
    for (const entry of entries) storage.keep(entry, locker, 0);
  }
  const each = (usedBytes() - before) / LOCKERS;
  expect(each).toBeLessThan(LOCKER_BYTES_MAX);
  // It measures what is kept: the last locker has all of it.
  expect(storage.locker(`viewer ${LOCKERS - 1}`).usage(0).objects).toBe(BLOCKS);
  expect(storage.blockCount).toBe(BLOCKS);
});
