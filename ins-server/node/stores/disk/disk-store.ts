import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { BLOCK_BYTES_MAX } from '../../../../protocol/limits.ts';
import { type Log, silentLog } from '../../../../runtime/log.ts';
import { hasName } from '../../../../runtime/node/hash.ts';
import type { Filed, FiledAt, StoredBlock } from '../../../core/io.ts';
import { type BlockStore, StoreBusy, StoreFull, type StoreIndex } from '../store.ts';
import { Ballast } from './ballast.ts';
import { Budget } from './budget.ts';
import { IndexLog } from './index-log.ts';
import { decodeFiled, encodeFiled, encodeMoved, encodeUnfiled } from './index-record.ts';
import { lockFolder } from './lock.ts';
import { Newest } from './newest.ts';
import { type Located, type Segment, Segments } from './segments.ts';

export interface DiskStoreOptions {
  /** Made when it is not there; the one above it is. It belongs to one process at a time. */
  readonly folder: string;
  /** Most bytes of blocks that will be asked for; the size of the files goes by it. Default 16 GiB. */
  readonly capacityBytes?: number;
  /** Bytes of the newest blocks that are kept in memory, too. Default 64 MiB. */
  readonly cacheBytes?: number;
  /**
   * When something is on the disk. `never`: when the operating system has it, so that it survives the end of this process,
   * however that comes (SIGKILL, out of memory), and what the system had not yet written is lost with the system itself. `always`:
   * when the disk says so (fdatasync), so that it survives a loss of power, too. Default `never`.
   */
  readonly sync?: 'always' | 'never';
  /** Ms for which a file has to be left alone before what is left of it is moved. Default 5,000. */
  readonly quietMs?: number;
  readonly log?: Log;
}

/** Bytes of blocks and records on their way to the disk, beyond which more are refused: the disk does not keep up. */
const WRITING_BYTES_MAX = 64 * 1024 * 1024;
/** Bytes of blocks being read at once. */
const READING_BYTES_MAX = 32 * 1024 * 1024;
/** So many files at most; each is kept open. */
const FILES = 256;
const SEGMENT_BYTES_MIN = 2 * BLOCK_BYTES_MAX;
const SEGMENT_BYTES_MAX = 1024 * 1024 * 1024;
/** Records in one chunk of what is restored. */
const RESTORE_CHUNK = 1_024;
const TIDY_MS = 1_000;
const FORMAT = 'inswarm store 1\n';

/**
 * Opens a store of blocks and of where they are filed, in a folder.
 *
 * Blocks go one after the other into a few large files, and where they are filed into a log of its own: at 64 KiB that is
 * five to ten times as fast as a file for each block (`npx tsx test/bench/store.ts`), and one fdatasync serves all puts of the moment.
 * A file is removed as a whole when all in it has ended; what is left of one that is a quarter dead is moved.
 *
 * @throws Error that says what is wrong: the folder cannot be written, is in use, or is not a store.
 */
export async function openDiskStore(options: DiskStoreOptions): Promise<BlockStore & { readonly index: StoreIndex }> {
  const folder = resolve(options.folder);
  const unlock = takeFolder(folder);
  try {
    const { bsize, blocks } = await statfs(folder);
    const capacityBytes = Math.min(options.capacityBytes ?? 16 * 1024 ** 3, bsize * blocks);
    const store = new DiskStore(folder, capacityBytes, options, unlock);
    await store.open();
    return store;
  } catch (error) {
    unlock();
    throw error;
  }
}

function takeFolder(folder: string): () => void {
  const unusable = (error: unknown): Error => {
    const { code, message } = error as NodeJS.ErrnoException;
    return code === undefined ? (error as Error) : new Error(`${folder} cannot be used: ${message}`);
  };
  try {
    makeFolder(folder);
    const files = readdirSync(folder);
    if (!files.includes('format') && files.some((file) => !file.startsWith('lock') && file !== 'lost+found')) {
      throw new Error(`${folder} is not empty and no store of blocks: choose another folder`);
    }
    const unlock = lockFolder(folder);
    const format = join(folder, 'format');
    if (!files.includes('format')) writeFileSync(format, FORMAT, { mode: 0o600 });
    else if (readFileSync(format, 'utf8') !== FORMAT) {
      unlock();
      throw new Error(`${folder} is the store of another version of inswarm: choose another folder`);
    }
    return unlock;
  } catch (error) {
    throw unusable(error);
  }
}

/** A file that is being emptied. */
interface Move {
  readonly segment: Segment;
  /** Blocks that are elsewhere already, while the log still says that they are here. */
  readonly unnoted: Set<Located>;
}

/** Share of a file that is dead before the rest is moved; and when there is no room left, whatever it costs. */
const DEAD_SHARE = 0.25;
const SCARCE = { deadShare: 0.05, quietMs: 0 };

/** The folder alone, in one that is there: what is above it is the operator's (a disk that is not mounted, perhaps). */
function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

class DiskStore implements BlockStore {
  readonly index: StoreIndex;
  private readonly blocks = new Map<string, Located>();
  private readonly newest: Newest;
  private readonly reads = new Map<string, Promise<Uint8Array | undefined>>();
  private readonly reading = new Budget(READING_BYTES_MAX);
  private readonly segments: Segments;
  private readonly log: IndexLog;
  private readonly ballast: Ballast;
  private readonly messages: Log;
  private readonly quietMs: number;
  private readonly unlock: () => void;
  private writingBytes = 0;
  /** There was no room; nothing is tried until there may be some. */
  private full = false;
  private timer: NodeJS.Timeout | undefined;
  private tidying: Promise<void> | undefined;
  private moving: Move | undefined;
  private closed = false;

  constructor(folder: string, capacityBytes: number, options: DiskStoreOptions, unlock: () => void) {
    const { cacheBytes = 64 * 1024 * 1024, sync = 'never', quietMs = 5_000, log = silentLog } = options;
    const size = Math.min(Math.max(Math.floor(capacityBytes / FILES), SEGMENT_BYTES_MIN), SEGMENT_BYTES_MAX);
    this.messages = log;
    this.quietMs = quietMs;
    this.unlock = unlock;
    this.newest = new Newest(cacheBytes);
    this.segments = new Segments(folder, size, sync === 'always', () => this.tidySoon());
    this.log = new IndexLog(folder, sync === 'always', (error) => {
      if (!this.closed) log.warn('the index of the store could not be rewritten', { why: error.message });
    });
    this.ballast = new Ballast(folder, size);
    this.index = {
      file: (entry) => this.file(entry),
      unfile: (places) => this.unfile(places),
      restore: (nowMs) => this.restore(nowMs),
    };
  }

  async open(): Promise<void> {
    await this.segments.open();
    await this.log.open();
    if (!(await this.ballast.take())) this.foundFull();
  }

  // Blocks

  async store({ key, name }: StoredBlock, bytes: Uint8Array): Promise<void> {
    if (this.full) throw new StoreFull('there was no room a moment ago');
    const done = this.writing(bytes.length);
    try {
      const located = await this.segments.write(key, name, bytes, 'fresh');
      this.drop({ key });
      this.blocks.set(key, located);
      this.newest.set(key, bytes);
    } catch (error) {
      throw this.noted(error);
    } finally {
      done();
    }
  }

  load({ key }: Pick<StoredBlock, 'key'>): Uint8Array | undefined | Promise<Uint8Array | undefined> {
    const ready = this.newest.get(key) ?? this.reads.get(key);
    if (ready !== undefined) return ready;
    const located = this.blocks.get(key);
    if (located === undefined) return undefined;
    const read = this.read(located).finally(() => this.reads.delete(key));
    this.reads.set(key, read);
    return read;
  }

  drop({ key }: Pick<StoredBlock, 'key'>): void {
    const located = this.blocks.get(key);
    this.newest.delete(key);
    if (located === undefined) return;
    this.blocks.delete(key);
    this.segments.release(located);
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    clearInterval(this.timer);
    await this.tidying;
    await Promise.all(this.reads.values());
    await this.log.close();
    await this.segments.close();
    this.unlock();
  }

  private async read(located: Located): Promise<Uint8Array | undefined> {
    const { key, sizeBytes } = located;
    await this.reading.take(sizeBytes);
    try {
      const bytes = await this.readVerified(located);
      if (this.blocks.get(key) !== located) return bytes;
      if (bytes !== undefined) this.newest.set(key, bytes);
      else this.drop(located);
      return bytes;
    } finally {
      this.reading.give(sizeBytes);
    }
  }

  /** The bytes, if they are still those that were put: disks rot, and files are tampered with. */
  private async readVerified(located: Located): Promise<Uint8Array | undefined> {
    const { name, sizeBytes, segment, offset } = located;
    const place = { file: segment.path, offset, bytes: sizeBytes };
    try {
      const bytes = await this.segments.read(located);
      if (bytes.length === sizeBytes && hasName(bytes, name)) return bytes;
      this.messages.error('a stored block has changed on the disk and is dropped', place);
    } catch (error) {
      this.messages.error('a stored block cannot be read and is dropped', { ...place, why: (error as Error).message });
    }
    return undefined;
  }

  // Where they are filed

  private async file(entry: Filed): Promise<void> {
    const located = this.blocks.get(entry.block.key);
    if (located === undefined) throw new Error('the block was lost');
    const record = encodeFiled(entry, spotOf(located));
    const done = this.writing(record.length);
    try {
      await this.log.append(record);
    } catch (error) {
      throw this.noted(error);
    } finally {
      done();
    }
  }

  private async unfile(places: readonly FiledAt[]): Promise<void> {
    await this.withBallast(() => this.log.append(Buffer.concat(places.map(encodeUnfiled))));
  }

  private async *restore(nowMs: number): AsyncGenerator<Filed[]> {
    const lost: FiledAt[] = [];
    let restored = 0;
    let chunk: Filed[] = [];
    for await (const live of this.log.restore(nowMs)) {
      for (const { payload, spot } of live) {
        const entry = decodeFiled(payload);
        const { key, name, sizeBytes } = entry.block;
        this.segments.skipNumbers(spot.segment);
        const located = this.blocks.get(key) ?? this.segments.locate(key, name, sizeBytes, spot.segment, spot.offset);
        if (located === undefined) lost.push(entry);
        else {
          this.blocks.set(key, located);
          restored++;
          chunk.push(entry);
        }
        if (chunk.length === RESTORE_CHUNK) {
          yield chunk;
          chunk = [];
        }
      }
    }
    if (chunk.length > 0) yield chunk;
    this.segments.removeUnused();
    const { skippedBytes } = this.log;
    if (skippedBytes > 0 || lost.length > 0) {
      const fields = { entries: lost.length, indexBytes: skippedBytes };
      this.messages.warn('part of the store was torn or missing and is dropped', fields);
      // Told once, not at every start.
      for (const place of lost) this.log.append(encodeUnfiled(place)).catch(() => undefined);
    }
    if (restored > 0) this.messages.info('restored', { entries: restored, blocks: this.blocks.size });
    this.timer = setInterval(() => this.tidySoon(), TIDY_MS).unref();
  }

  // Room

  /** Counts what is on its way to the disk, until what it returns is called. @throws StoreBusy when that is too much. */
  private writing(bytes: number): () => void {
    if (this.writingBytes + bytes > WRITING_BYTES_MAX) throw new StoreBusy('the disk does not keep up');
    this.writingBytes += bytes;
    return () => {
      this.writingBytes -= bytes;
    };
  }

  private noted(error: unknown): Error {
    if (error instanceof StoreFull) this.foundFull();
    return error as Error;
  }

  private foundFull(): void {
    if (!this.full) this.messages.warn('there is no room left in the store: what is put is refused until there is');
    this.full = true;
  }

  /** Does what frees room, if need be in the room that is kept for that; it is taken again when there is some. */
  private async withBallast<T>(act: () => Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (error) {
      if (!(error instanceof StoreFull)) throw error;
      this.foundFull();
      await this.ballast.drop();
      return act();
    }
  }

  private tidySoon(): void {
    if (this.closed) return;
    this.tidying ??= this.tidy()
      .catch((error: Error) => this.messages.warn('the store could not be tidied', { why: error.message }))
      .then(() => {
        this.tidying = undefined;
      });
  }

  private async tidy(): Promise<void> {
    // Where there is no room, what can be freed is freed at once.
    this.moving ??= this.beginMove();
    if (this.moving !== undefined) await this.moveOut(this.moving);
    if (this.full && (await this.ballast.take())) {
      this.full = false;
      this.messages.info('there may be room in the store again');
    }
  }

  private beginMove(): Move | undefined {
    const segment = this.segments.toMove(this.full ? SCARCE : { deadShare: DEAD_SHARE, quietMs: this.quietMs });
    if (segment === undefined) return undefined;
    this.segments.hold(segment);
    return { segment, unnoted: new Set() };
  }

  /** Moves what is left in a file elsewhere; then it goes. What fails is taken up again the next time. */
  private async moveOut({ segment, unnoted }: Move): Promise<void> {
    for (const located of unnoted) await this.noteMove(located, unnoted);
    for (const located of [...segment.blocks]) {
      if (this.closed) return;
      await this.moveBlock(located, unnoted);
    }
    // Whatever is promised for what is new: this has been on the disk before.
    await this.segments.flush();
    await this.log.flush();
    this.moving = undefined;
    this.segments.letGo(segment);
  }

  private async moveBlock(located: Located, unnoted: Set<Located>): Promise<void> {
    const bytes = await this.readVerified(located);
    if (bytes === undefined) {
      // Whoever asks for it learns that it is lost.
      if (this.blocks.get(located.key) === located) this.drop(located);
      return;
    }
    if (!(await this.withBallast(() => this.segments.move(located, bytes)))) return;
    unnoted.add(located);
    await this.noteMove(located, unnoted);
  }

  private async noteMove(located: Located, unnoted: Set<Located>): Promise<void> {
    await this.withBallast(() => this.log.append(encodeMoved(located.name, spotOf(located))));
    unnoted.delete(located);
  }
}

function spotOf({ segment, offset }: Located): { readonly segment: number; readonly offset: number } {
  return { segment: segment.number, offset };
}
