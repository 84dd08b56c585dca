import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Appender } from './appender.ts';
import { closeFile, openFile, readAt, removeFile, storeError, syncFile, syncFolder } from './files.ts';

/** Where a block's bytes are. Changes when the block is moved. */
export interface Located {
  readonly key: string;
  readonly name: Uint8Array;
  readonly sizeBytes: number;
  segment: Segment;
  offset: number;
}

/** One file of blocks, one after the other, nothing between them. */
export interface Segment {
  readonly number: number;
  readonly path: string;
  /** -1 until it is open; nothing is in it before. */
  fd: number;
  /** Nothing is written to it any more. */
  sealed: boolean;
  sizeBytes: number;
  liveBytes: number;
  readonly blocks: Set<Located>;
  /** Reads and writes under way, and whoever else needs the file to stay. */
  users: number;
  /** When a block last came or went. */
  changedAtMs: number;
}

/** The segment that is being filled. */
interface Filling {
  readonly segment: Segment;
  readonly appender: Promise<Appender>;
  reservedBytes: number;
}

/**
 * `fresh` takes what is put, `settled` what has outlived its neighbours: so blocks that live long gather in files of their
 * own and are moved once, not again and again.
 */
export type Generation = 'fresh' | 'settled';

/** Share of the usual size below which a file of an earlier run is put together with others. */
const SMALL_SHARE = 0.25;

/** The files with the blocks. A file goes as a whole when nothing in it is wanted any more. */
export class Segments {
  totalBytes = 0;
  private readonly all = new Map<number, Segment>();
  private readonly filling = new Map<Generation, Filling>();
  private readonly unflushed = new Set<Segment>();
  private readonly ending = new Set<Promise<void>>();
  private lastNumber = 0;
  private readonly folder: string;
  private readonly segmentBytes: number;
  private readonly sync: boolean;
  /** Told when a file is gone. */
  private readonly freed: () => void;

  constructor(folder: string, segmentBytes: number, sync: boolean, freed: () => void) {
    this.folder = folder;
    this.segmentBytes = segmentBytes;
    this.sync = sync;
    this.freed = freed;
  }

  get count(): number {
    return this.all.size;
  }

  /** Finds the files of an earlier run; nothing more is written to them. */
  async open(): Promise<void> {
    for (const file of await readdir(this.folder)) {
      const number = Number(/^blocks-(\d{1,15})\.dat$/.exec(file)?.[1] ?? Number.NaN);
      if (Number.isNaN(number)) continue;
      const path = join(this.folder, file);
      const { size } = await stat(path);
      this.add(number, path, await openFile(path, 'r'), size).sealed = true;
    }
  }

  /** Files that an index knows of are never made anew: numbers go up over all runs. */
  skipNumbers(used: number): void {
    this.lastNumber = Math.max(this.lastNumber, used);
  }

  /** A block of an earlier run. `undefined` when it cannot be there. */
  locate(key: string, name: Uint8Array, sizeBytes: number, number: number, offset: number): Located | undefined {
    const segment = this.all.get(number);
    if (segment === undefined || offset + sizeBytes > segment.sizeBytes) return undefined;
    return this.place({ key, name, sizeBytes, segment, offset });
  }

  /** Removes the files of which nothing was located. */
  removeUnused(): void {
    for (const segment of this.all.values()) this.removeIfDead(segment);
  }

  async write(key: string, name: Uint8Array, bytes: Uint8Array, generation: Generation): Promise<Located> {
    const { segment, offset } = await this.append(bytes, generation);
    const located = this.place({ key, name, sizeBytes: bytes.length, segment, offset });
    this.letGo(segment);
    return located;
  }

  /**
   * Writes a located block anew, elsewhere; its old file is to be held meanwhile.
   *
   * @returns Whether it is there now: it may have been released before.
   */
  async move(located: Located, bytes: Uint8Array): Promise<boolean> {
    const from = located.segment;
    const { segment, offset } = await this.append(bytes, 'settled');
    const wanted = from.blocks.has(located);
    if (wanted) {
      this.displace(located);
      this.unflushed.add(segment);
      located.segment = segment;
      located.offset = offset;
      this.place(located);
    }
    this.letGo(segment);
    return wanted;
  }

  /** The bytes as they are in the file: fewer if it ends too early. */
  async read({ segment, offset, sizeBytes }: Located): Promise<Uint8Array> {
    this.hold(segment);
    try {
      return await readAt(segment.fd, sizeBytes, offset);
    } finally {
      this.letGo(segment);
    }
  }

  release(located: Located): void {
    const { segment } = located;
    if (!segment.blocks.has(located)) return;
    this.displace(located);
    // One that is being filled and has nothing in it any more need not stay for what may come.
    if (segment.blocks.size === 0 && segment.users === 0) this.seal(segment);
  }

  /** The file that is most worth emptying: such a share of it is dead, or it is small, and nothing has changed for a while. */
  toMove({ deadShare, quietMs }: { readonly deadShare: number; readonly quietMs: number }): Segment | undefined {
    const quietAtMs = performance.now() - quietMs;
    let deadest: Segment | undefined;
    for (const segment of this.all.values()) {
      const { sizeBytes, liveBytes, changedAtMs, users } = segment;
      if (sizeBytes === 0 || changedAtMs > quietAtMs || users > 0) continue;
      if (sizeBytes - liveBytes < sizeBytes * deadShare && !(quietMs > 0 && this.isLeftOver(segment))) continue;
      if (deadest === undefined || sizeBytes - liveBytes > deadest.sizeBytes - deadest.liveBytes) deadest = segment;
    }
    if (deadest !== undefined) this.seal(deadest);
    return deadest;
  }

  /** Until all that was moved would be there after a loss of power. */
  async flush(): Promise<void> {
    for (const segment of this.unflushed) {
      this.unflushed.delete(segment);
      await syncFile(segment.fd);
    }
  }

  hold(segment: Segment): void {
    segment.users++;
  }

  letGo(segment: Segment): void {
    segment.users--;
    this.removeIfDead(segment);
  }

  /** To be called when nothing is asked for any more. */
  async close(): Promise<void> {
    for (const { appender } of this.filling.values()) {
      await appender.then((opened) => opened.idle()).catch(() => undefined);
    }
    await Promise.all(this.ending);
    await Promise.all([...this.all.values()].map(({ fd }) => (fd < 0 ? undefined : closeFile(fd))));
    this.all.clear();
  }

  /** A small file of an earlier run, or one that was sealed early. */
  private isLeftOver({ sealed, sizeBytes }: Segment): boolean {
    return sealed && sizeBytes < this.segmentBytes * SMALL_SHARE;
  }

  /** The segment is held; the caller lets it go. */
  private async append(
    bytes: Uint8Array,
    generation: Generation,
  ): Promise<{ readonly segment: Segment; readonly offset: number }> {
    const filling = this.fillingFor(bytes.length, generation);
    const { segment } = filling;
    filling.reservedBytes += bytes.length;
    this.hold(segment);
    try {
      const appender = await filling.appender;
      const offset = await appender.append(bytes).finally(() => {
        this.totalBytes += appender.endBytes - segment.sizeBytes;
        segment.sizeBytes = appender.endBytes;
      });
      return { segment, offset };
    } catch (error) {
      this.letGo(segment);
      throw error;
    }
  }

  private fillingFor(bytes: number, generation: Generation): Filling {
    const before = this.filling.get(generation);
    if (before !== undefined && before.reservedBytes + bytes <= this.segmentBytes) return before;
    if (before !== undefined) this.seal(before.segment);
    const number = this.lastNumber + 1;
    const segment = this.add(number, join(this.folder, `blocks-${number}.dat`), -1, 0);
    const filling = { segment, appender: this.begin(segment), reservedBytes: 0 };
    this.filling.set(generation, filling);
    filling.appender.catch(() => {
      this.seal(segment);
      this.all.delete(number);
    });
    return filling;
  }

  private async begin(segment: Segment): Promise<Appender> {
    segment.fd = await openFile(segment.path, 'wx+').catch((error: Error) => {
      throw storeError(error);
    });
    if (this.sync) await syncFolder(this.folder);
    return new Appender(segment.fd, 0, this.sync);
  }

  private seal(segment: Segment): void {
    for (const [generation, filling] of this.filling) {
      if (filling.segment === segment) this.filling.delete(generation);
    }
    segment.sealed = true;
    this.removeIfDead(segment);
  }

  private add(number: number, path: string, fd: number, sizeBytes: number): Segment {
    const segment: Segment = {
      number,
      path,
      fd,
      sealed: false,
      sizeBytes,
      liveBytes: 0,
      blocks: new Set(),
      users: 0,
      changedAtMs: performance.now(),
    };
    this.all.set(number, segment);
    this.skipNumbers(number);
    this.totalBytes += sizeBytes;
    return segment;
  }

  private place(located: Located): Located {
    const { segment } = located;
    segment.blocks.add(located);
    segment.liveBytes += located.sizeBytes;
    segment.changedAtMs = performance.now();
    return located;
  }

  private displace(located: Located): void {
    const { segment } = located;
    segment.blocks.delete(located);
    segment.liveBytes -= located.sizeBytes;
    segment.changedAtMs = performance.now();
  }

  private removeIfDead(segment: Segment): void {
    if (!segment.sealed || segment.blocks.size > 0 || segment.users > 0 || !this.all.delete(segment.number)) return;
    this.totalBytes -= segment.sizeBytes;
    this.unflushed.delete(segment);
    const ended = closeFile(segment.fd)
      .then(() => removeFile(segment.path))
      .catch(() => undefined)
      .then(() => {
        this.ending.delete(ended);
        this.freed();
      });
    this.ending.add(ended);
  }
}
