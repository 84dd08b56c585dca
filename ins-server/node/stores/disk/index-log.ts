import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { nowMs } from '../../../../runtime/node/clock.ts';
import { Appender } from './appender.ts';
import { closeFile, openFile, readAt, removeFile, renameFile, storeError, syncFile, syncFolder } from './files.ts';
import {
  encodeRefiled,
  encodeReset,
  expiryOf,
  KIND,
  nameKeyOf,
  nextRecord,
  placeKeyOf,
  type Spot,
  spotOf,
} from './index-record.ts';

/** Little enough to be gone through between two other things. */
const CHUNK_BYTES = 128 * 1024;
/** Files of earlier runs beyond which they are put together. */
const FILES_MAX = 8;
/** A log is rewritten when it has grown to twice what was worth keeping the last time, but not while it is small. */
const REWRITE_BYTES_MIN = 4 * 1024 * 1024;

/** A record of `filed` that holds, and where its block is. */
export interface Live {
  /** A view: to be used at once. */
  readonly payload: Buffer;
  readonly spot: Spot;
}

/** What a run through the records has found: which of them hold. */
interface Survey {
  /** By place, the number of the record that holds. */
  readonly filed: Map<string, number>;
  /** By name, where a block was moved to, and the number of the record that says so. */
  readonly moved: Map<string, { readonly order: number; readonly spot: Spot }>;
  readonly skippedBytes: number;
}

/**
 * Where blocks are filed, as a log of what was filed, unfiled and moved. It is rewritten in the background when most of it is
 * past; the files before the rewritten one are void by its first record, whenever they go.
 */
export class IndexLog {
  /** Bytes of records that were passed over at the start because they are torn or rotten. */
  skippedBytes = 0;
  /** Of finished files. */
  private numbers: number[] = [];
  /** Of the file that is being written. */
  private number = 0;
  private sealedBytes = 0;
  private liveBytes = 0;
  private appender: Appender | undefined;
  private rewriting: Promise<void> | undefined;
  private closed = false;
  private readonly folder: string;
  private readonly sync: boolean;
  private readonly failed: (error: Error) => void;

  /** @param failed - Rewriting did; it is tried again later. */
  constructor(folder: string, sync: boolean, failed: (error: Error) => void) {
    this.folder = folder;
    this.sync = sync;
    this.failed = failed;
  }

  /** Finds the logs of earlier runs and begins one of its own. */
  async open(): Promise<void> {
    for (const file of await readdir(this.folder)) {
      const [, digits, kind] = /^index-(\d{1,15})\.(log|tmp)$/.exec(file) ?? [];
      if (kind === 'tmp') await removeFile(join(this.folder, file));
      else if (digits !== undefined) this.numbers.push(Number(digits));
    }
    this.numbers.sort((a, b) => a - b);
    await this.begin((this.numbers.at(-1) ?? 0) + 1);
  }

  /** What the logs of earlier runs say, in chunks. To be called before anything is appended. */
  async *restore(atMs: number): AsyncGenerator<Live[]> {
    const paths = this.numbers.map((number) => this.path(number));
    const survey = await surveyOf(paths, atMs);
    this.skippedBytes = survey.skippedBytes;
    for await (const live of liveIn(paths, survey)) {
      for (const { payload } of live) this.liveBytes += payload.length;
      yield live;
    }
    for (const path of paths) this.sealedBytes += (await stat(path)).size;
    if (this.skippedBytes > 0 || paths.length > FILES_MAX) this.rewriteNow();
    else this.rewriteIfGrown();
  }

  /** Until the record will be found again. @throws (rejects) as {@link Appender.append}. */
  async append(record: Uint8Array): Promise<void> {
    await this.appender!.append(record);
    this.rewriteIfGrown();
  }

  /** Until all that was appended would be there after a loss of power. */
  async flush(): Promise<void> {
    await syncFile(this.appender!.fd);
  }

  async close(): Promise<void> {
    this.closed = true;
    await this.rewriting;
    await this.appender?.close();
  }

  private path(number: number): string {
    return join(this.folder, `index-${number}.log`);
  }

  private async begin(number: number): Promise<void> {
    const fd = await openFile(this.path(number), 'wx').catch((error: Error) => {
      throw storeError(error);
    });
    if (this.sync) await syncFolder(this.folder);
    this.appender = new Appender(fd, 0, this.sync);
    this.number = number;
  }

  private rewriteIfGrown(): void {
    const allBytes = this.sealedBytes + this.appender!.endBytes;
    if (allBytes >= Math.max(REWRITE_BYTES_MIN, 2 * this.liveBytes)) this.rewriteNow();
  }

  /** In the background, without what is past or torn. */
  private rewriteNow(): void {
    if (this.rewriting !== undefined || this.closed) return;
    this.rewriting = this.rewrite()
      .catch((error: Error) => {
        // Not at once again: what is wrong will still be so.
        this.liveBytes = Math.max(this.liveBytes, this.sealedBytes + this.appender!.endBytes);
        this.failed(error);
      })
      .then(() => {
        this.rewriting = undefined;
        // Much may have been appended meanwhile.
        this.rewriteIfGrown();
      });
  }

  private async rewrite(): Promise<void> {
    const { number, appender: before } = this;
    await this.begin(number + 1);
    await before!.close();
    this.numbers.push(number);
    this.sealedBytes += before!.endBytes;
    const paths = this.numbers.map((sealed) => this.path(sealed));
    const made = join(this.folder, `index-${number}.tmp`);
    const bytes = await this.writeLive(paths, made).catch(async (error: Error) => {
      await removeFile(made).catch(() => undefined);
      throw error;
    });
    await renameFile(made, this.path(number));
    for (const path of paths.slice(0, -1)) await removeFile(path);
    this.numbers = [number];
    this.sealedBytes = bytes;
    this.liveBytes = bytes;
  }

  /** It takes the place of older files, so it has to be on the disk itself, whatever is promised for new records. */
  private async writeLive(paths: readonly string[], made: string): Promise<number> {
    const out = new Appender(await openFile(made, 'w'), 0, false);
    try {
      await out.append(encodeReset());
      for await (const live of liveIn(paths, await surveyOf(paths, nowMs()))) {
        await out.append(Buffer.concat(live.map(({ payload, spot }) => encodeRefiled(payload, spot))));
      }
      await syncFile(out.fd);
      return out.endBytes;
    } finally {
      await out.close();
    }
  }
}

/** First run: which records hold. */
async function surveyOf(paths: readonly string[], atMs: number): Promise<Survey> {
  const filed = new Map<string, number>();
  const moved = new Map<string, { readonly order: number; readonly spot: Spot }>();
  let order = 0;
  let skippedBytes = 0;
  for await (const { payloads, skipped } of recordsIn(paths)) {
    skippedBytes += skipped;
    for (const payload of payloads) {
      order++;
      switch (payload[0]) {
        case KIND.filed:
          if (expiryOf(payload) > atMs) filed.set(placeKeyOf(payload), order);
          else filed.delete(placeKeyOf(payload));
          break;
        case KIND.unfiled:
          filed.delete(placeKeyOf(payload));
          break;
        case KIND.moved:
          moved.set(nameKeyOf(payload), { order, spot: spotOf(payload) });
          break;
        case KIND.reset:
          filed.clear();
          moved.clear();
      }
    }
  }
  return { filed, moved, skippedBytes };
}

/** Second run: those records, in their order. */
async function* liveIn(paths: readonly string[], { filed, moved }: Survey): AsyncGenerator<Live[]> {
  let order = 0;
  for await (const { payloads } of recordsIn(paths)) {
    const live: Live[] = [];
    for (const payload of payloads) {
      order++;
      if (payload[0] !== KIND.filed || filed.get(placeKeyOf(payload)) !== order) continue;
      const later = moved.get(nameKeyOf(payload));
      live.push({ payload, spot: later !== undefined && later.order > order ? later.spot : spotOf(payload) });
    }
    if (live.length > 0) yield live;
  }
}

/** All records of some files, in chunks; payloads are views, to be used at once. */
async function* recordsIn(
  paths: readonly string[],
): AsyncGenerator<{ readonly payloads: readonly Buffer[]; readonly skipped: number }> {
  for (const path of paths) {
    const fd = await openFile(path, 'r');
    try {
      let left = Buffer.alloc(0);
      for (let at = 0, atEnd = false; !atEnd; ) {
        const read = await readAt(fd, CHUNK_BYTES, at);
        at += read.length;
        atEnd = read.length < CHUNK_BYTES;
        const bytes = Buffer.concat([left, read]);
        const payloads: Buffer[] = [];
        let skipped = 0;
        let from = 0;
        for (;;) {
          const found = nextRecord(bytes, from, atEnd);
          skipped += found.skippedBytes;
          from = found.nextAt;
          if (found.payload === undefined) break;
          payloads.push(found.payload);
        }
        left = bytes.subarray(from);
        yield { payloads, skipped };
      }
    } finally {
      await closeFile(fd);
    }
  }
}
