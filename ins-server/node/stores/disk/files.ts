import fs from 'node:fs';
import { StoreFull } from '../store.ts';

/** Files by descriptor, as promises: a third of the cost of `fs.promises` with its handles. */

type Done<T> = (error: NodeJS.ErrnoException | null, value: T) => void;

function promised<T>(act: (done: Done<T>) => void): Promise<T> {
  return new Promise((resolve, reject) => act((error, value) => (error === null ? resolve(value) : reject(error))));
}

export function openFile(path: string, flags: string): Promise<number> {
  return promised((done) => fs.open(path, flags, 0o600, done));
}

export function closeFile(fd: number): Promise<void> {
  return promised((done) => fs.close(fd, (error) => done(error ?? null, undefined)));
}

export function syncFile(fd: number): Promise<void> {
  return promised((done) => fs.fdatasync(fd, (error) => done(error, undefined)));
}

export function truncateFile(fd: number, bytes: number): Promise<void> {
  return promised((done) => fs.ftruncate(fd, bytes, (error) => done(error, undefined)));
}

/** Removes a file; none is as good. */
export function removeFile(path: string): Promise<void> {
  return promised((done) => fs.unlink(path, (error) => done(error?.code === 'ENOENT' ? null : error, undefined)));
}

export function renameFile(from: string, to: string): Promise<void> {
  return promised((done) => fs.rename(from, to, (error) => done(error, undefined)));
}

/** Makes names that were added to or removed from a folder last through a loss of power. */
export async function syncFolder(path: string): Promise<void> {
  // Windows opens no folders, and needs no such thing.
  if (process.platform === 'win32') return;
  const fd = await openFile(path, 'r');
  try {
    await syncFile(fd);
  } finally {
    await closeFile(fd);
  }
}

/** Up to `length` bytes from `at` on; fewer at the end of the file. */
export async function readAt(fd: number, length: number, at: number): Promise<Uint8Array> {
  // Not from the pool: a block that is kept would keep its neighbours.
  const bytes = Buffer.allocUnsafeSlow(length);
  let filled = 0;
  while (filled < length) {
    const read = await promised<number>((done) => fs.read(fd, bytes, filled, length - filled, at + filled, done));
    if (read === 0) break;
    filled += read;
  }
  return filled === length ? bytes : bytes.subarray(0, filled);
}

/** Writes buffers one after the other from `at` on. @returns How much was written, and why not all if so. */
export async function writeAt(
  fd: number,
  buffers: readonly Uint8Array[],
  at: number,
): Promise<{ readonly writtenBytes: number; readonly error?: Error }> {
  let left = [...buffers];
  let writtenBytes = 0;
  try {
    while (left.length > 0) {
      const written = await promised<number>((done) => fs.writev(fd, left, at + writtenBytes, done));
      writtenBytes += written;
      left = behind(left, written);
    }
  } catch (error) {
    return { writtenBytes, error: storeError(error as NodeJS.ErrnoException) };
  }
  return { writtenBytes };
}

/** What is left of buffers behind so many bytes. */
function behind(buffers: readonly Uint8Array[], bytes: number): Uint8Array[] {
  let skip = bytes;
  for (const [at, buffer] of buffers.entries()) {
    if (skip < buffer.length) return [buffer.subarray(skip), ...buffers.slice(at + 1)];
    skip -= buffer.length;
  }
  return [];
}

/** What stores throw for an error of the file system: no room is {@link StoreFull}. */
export function storeError(error: NodeJS.ErrnoException): Error {
  return error.code === 'ENOSPC' || error.code === 'EDQUOT' ? new StoreFull(error.message) : error;
}
