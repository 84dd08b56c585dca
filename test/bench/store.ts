import { mkdtempSync, rmSync } from 'node:fs';
import { open, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Filed, StoredBlock } from '../../ins-server/core/io.ts';
import { openDiskStore } from '../../ins-server/node/stores/disk/disk-store.ts';
import { memoryStore } from '../../ins-server/node/stores/memory.ts';
import type { BlockStore } from '../../ins-server/node/stores/store.ts';
import { bytesKey } from '../../protocol/text.ts';
import { randomBytes } from '../../runtime/node/crypto.ts';
import { nameOf } from '../../runtime/node/hash.ts';
import { comparison, figure, type Result, reportJson, reportLine, type Target } from './report.ts';

const HELP = `What the stores of the INS server do with blocks, beside plain files: one for each block, written and read whole.

npx tsx test/bench/store.ts [options]

  --folder DIR  on this disk (default: the system's folder for temporary files)
  --rounds N    repetitions of each measurement (default 3)
  --kib N       blocks of this size only; may be repeated (default 16, 64, 256)
  --quick       fewer blocks: shows that all works, not how fast
  --json        prints { bench, machine, results } as JSON

A put is a block written and filed, as an acknowledged put is; a get reads from the file (no cache) and compares the name. Plain
files have no index and compare nothing. Each way has 16 under way, and the files' pages are in the system's cache.`;

const { values } = parseArgs({
  allowPositionals: true,
  options: {
    folder: { type: 'string', default: tmpdir() },
    rounds: { type: 'string', default: '3' },
    kib: { type: 'string', multiple: true, default: ['16', '64', '256'] },
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const UNDER_WAY = 16;
const SIZES_KIB = values.kib.map(Number);
const MIB = 1024 * 1024;
const totalBytes = (values.quick ? 16 : 192) * MIB;
/** With a write through to the disk for each file. */
const syncedBytes = (values.quick ? 4 : 32) * MIB;
const rounds = values.quick ? 1 : Number(values.rounds);

interface Made {
  readonly block: StoredBlock;
  readonly bytes: Uint8Array;
  readonly entry: Filed;
}

/** How fast, and what the processor did for it. */
interface Run {
  readonly mbPerSecond: number;
  readonly cpuSecondsPerGb: number;
}

/** One way to keep blocks. */
interface Way {
  put(made: Made, at: number): Promise<void> | void;
  get(made: Made, at: number): Promise<unknown> | unknown;
  close(): Promise<void> | void;
}

function blocksOf(sizeBytes: number, bytes: number): Made[] {
  const owner = bytesKey(randomBytes(32));
  const collection = randomBytes(32);
  return Array.from({ length: Math.floor(bytes / sizeBytes) }, (_, part) => {
    const body = randomBytes(sizeBytes);
    const name = nameOf(body);
    const block = { key: bytesKey(name), name, sizeBytes };
    const label = { track: 0, part, index: 0, name, start: true, companion: new Uint8Array(600) };
    return { block, bytes: body, entry: { owner, collection, label, block, expiresAtMs: Date.now() + 3_600_000 } };
  });
}

function plainFiles(folder: string, sync: boolean): Way {
  const path = (at: number): string => join(folder, `plain-${at}`);
  return {
    async put({ bytes }, at) {
      if (!sync) {
        await writeFile(path(at), bytes);
        return;
      }
      const file = await open(path(at), 'w');
      await file.writeFile(bytes);
      await file.datasync();
      await file.close();
    },
    get: (_, at) => readFile(path(at)),
    close() {},
  };
}

function storeWay(store: BlockStore): Way {
  return {
    async put({ block, bytes, entry }) {
      await store.store(block, bytes);
      await store.index?.file(entry);
    },
    async get({ block }) {
      if ((await store.load(block)) === undefined) throw new Error('a block is lost');
    },
    close: () => store.close(),
  };
}

async function diskWay(folder: string, sync: 'always' | 'never'): Promise<Way> {
  const store = await openDiskStore({ folder: join(folder, 'store'), cacheBytes: 0, sync });
  for await (const _ of store.index.restore(Date.now())) throw new Error('the folder is not empty');
  return storeWay(store);
}

async function timed(made: readonly Made[], act: (one: Made, at: number) => unknown): Promise<Run> {
  const gigabytes = made.reduce((sum, { bytes }) => sum + bytes.length, 0) / 1e9;
  const before = process.cpuUsage();
  const startMs = performance.now();
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < made.length) {
      const at = next++;
      await act(made[at]!, at);
    }
  };
  await Promise.all(Array.from({ length: UNDER_WAY }, worker));
  const seconds = (performance.now() - startMs) / 1000;
  const { user, system } = process.cpuUsage(before);
  return { mbPerSecond: (gigabytes * 1000) / seconds, cpuSecondsPerGb: (user + system) / 1e6 / gigabytes };
}

async function measured(
  made: readonly Made[],
  open: (folder: string) => Promise<Way> | Way,
): Promise<{ readonly put: Run; readonly get: Run }> {
  const folder = mkdtempSync(join(values.folder, 'inswarm-bench-store-'));
  const way = await open(folder);
  try {
    const put = await timed(made, (one, at) => way.put(one, at));
    return { put, get: await timed(made, (one, at) => way.get(one, at)) };
  } finally {
    await way.close();
    rmSync(folder, { recursive: true });
  }
}

type Pair = { readonly store: { put: Run; get: Run }; readonly plain: { put: Run; get: Run } };

async function pairs(made: readonly Made[], sync: 'always' | 'never'): Promise<Pair[]> {
  const all: Pair[] = [];
  for (let round = 0; round < rounds; round++) {
    const plain = await measured(made, (folder) => plainFiles(folder, sync === 'always'));
    all.push({ plain, store: await measured(made, (folder) => diskWay(folder, sync)) });
  }
  return all;
}

function rowsOf(name: string, all: readonly Pair[], operations: readonly ('put' | 'get')[]): Result[] {
  const row = (operation: 'put' | 'get', what: keyof Run, unit: string, target: Target): Result =>
    comparison(
      `${name} ${operation}${what === 'cpuSecondsPerGb' ? ', processor' : ''}`,
      all.map(({ store }) => store[operation][what]),
      unit,
      'plain files',
      all.map(({ plain }) => plain[operation][what]),
      target,
    );
  return operations.flatMap((operation) => [
    row(operation, 'mbPerSecond', 'MB/s', { atLeast: 0.8 }),
    row(operation, 'cpuSecondsPerGb', 's/GB', {}),
  ]);
}

async function main(): Promise<void> {
  const results: Result[] = [];
  const report = (rows: readonly Result[]): void => {
    results.push(...rows);
    if (!values.json) for (const row of rows) console.log(reportLine(row));
  };
  // What is measured first pays for everybody's warm-up.
  await measured(blocksOf(65_536, 8 * MIB), (folder) => diskWay(folder, 'never'));
  for (const kib of SIZES_KIB) {
    const made = blocksOf(kib * 1024, totalBytes);
    report(rowsOf(`disk ${kib} KiB`, await pairs(made, 'never'), ['put', 'get']));
    const some = made.slice(0, Math.floor(syncedBytes / (kib * 1024)));
    report(rowsOf(`disk ${kib} KiB, through to the disk,`, await pairs(some, 'always'), ['put']));
    const memory = await measured(made, () => storeWay(memoryStore()));
    report([
      figure(`memory ${kib} KiB put`, [memory.put.mbPerSecond], 'MB/s'),
      figure(`memory ${kib} KiB get`, [memory.get.mbPerSecond], 'MB/s'),
    ]);
  }
  if (values.json) console.log(reportJson('store', results));
  if (results.some(({ ok }) => !ok)) process.exitCode = 1;
}

if (values.help) console.log(HELP);
else await main();
