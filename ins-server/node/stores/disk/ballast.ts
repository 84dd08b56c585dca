import { stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { closeFile, openFile, removeFile, writeAt } from './files.ts';

/**
 * Room that is kept for when there is none: a file that is given up when something has to be written in order to free more
 * than that. Without it a full disk could neither note what was deleted nor move what is left of a file.
 */
export class Ballast {
  private held = false;
  private readonly folder: string;
  private readonly path: string;
  private readonly bytes: number;

  constructor(folder: string, bytes: number) {
    this.folder = folder;
    this.path = join(folder, 'ballast');
    this.bytes = bytes;
  }

  /** @returns Whether it is held now. */
  async take(): Promise<boolean> {
    if (this.held || (await this.wasTaken())) return true;
    const { bavail, bsize } = await statfs(this.folder);
    if (bavail * bsize < this.bytes) return false;
    let fd: number | undefined;
    try {
      fd = await openFile(this.path, 'w');
      // What is only promised is no room.
      const piece = new Uint8Array(Math.min(this.bytes, 1024 * 1024));
      for (let at = 0; at < this.bytes; at += piece.length) {
        const { error } = await writeAt(fd, [piece.subarray(0, Math.min(piece.length, this.bytes - at))], at);
        if (error !== undefined) throw error;
      }
      this.held = true;
    } catch {
      await this.drop();
    } finally {
      if (fd !== undefined) await closeFile(fd).catch(() => undefined);
    }
    return this.held;
  }

  /** By an earlier run. */
  private async wasTaken(): Promise<boolean> {
    this.held = await stat(this.path).then(
      ({ size }) => size === this.bytes,
      () => false,
    );
    return this.held;
  }

  async drop(): Promise<void> {
    this.held = false;
    await removeFile(this.path).catch(() => undefined);
  }
}
