import { openSync, writeSync } from 'node:fs';
import { openDiskStore } from '../../ins-server/node/stores/disk/disk-store.ts';
import { Prng } from '../../machine/prng.ts';
import { nowMs } from '../../runtime/node/clock.ts';
import { filedOf, restored, storedBlockOf } from './store-blocks.ts';

/**
 * A process that puts into a store as fast as it can, and deletes half of it again, until it has said so much: then it is killed in
 * the midst of the rest. It says what it has done at once, each in a line: `put NUMBER LENGTH`, `deleting NUMBER`, `deleted NUMBER`.
 *
 * `disk-writer.ts FOLDER FIRST-NUMBER always|never FILE BYTES`; the file takes the lines.
 */

const [folder = '', first = '', sync = '', words = '', bytesToSay = ''] = process.argv.slice(2);
const out = openSync(words, 'a');
const PUTTERS = 16;

const store = await openDiskStore({
  folder,
  capacityBytes: 1,
  cacheBytes: 0,
  quietMs: 1,
  sync: sync === 'always' ? 'always' : 'never',
});
await restored(store);
const prng = new Prng(`writer ${first}`);
let number = Number(first);
let saidBytes = 0;
const say = (line: string): void => {
  saidBytes += writeSync(out, `${line}\n`);
  // By itself: whoever watched from outside would be the later the busier the machine is, and find the more to check.
  if (saidBytes > Number(bytesToSay)) process.kill(process.pid, 'SIGKILL');
};

async function put(): Promise<void> {
  for (;;) {
    const mine = number++;
    const length = 1 + prng.int(0, 4) ** 3 * 3_000 + prng.int(0, 8_000);
    const { block, bytes } = storedBlockOf(mine, length);
    const entry = filedOf(block, mine, { expiresAtMs: nowMs() + 3_600_000 });
    // Large companions make the index be rewritten, too.
    const filed = { ...entry, label: { ...entry.label, companion: new Uint8Array(10_000).fill(mine) } };
    await store.store(block, bytes);
    await store.index.file(filed);
    say(`put ${mine} ${length}`);
    if (mine % 2 === 0) continue;
    say(`deleting ${mine}`);
    await store.index.unfile([filed]);
    store.drop(block);
    say(`deleted ${mine}`);
  }
}

await Promise.all(Array.from({ length: PUTTERS }, put));
