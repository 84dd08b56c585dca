import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** What was begun and not finished for so long belongs to a process that is gone. */
const ABANDONED_MS = 3_600_000;
/** Others that put theirs there in the same moment. */
const RENAMES_MAX = 5;

/** Where films are kept by default: a folder of the user's own under the system's temporary one. */
export function filmsFolder(): string {
  return path.join(tmpdir(), `inswarm-${process.getuid?.() ?? 0}`, 'films');
}

/**
 * Folders that are made once and found by what they hold. They appear under their name only when they are whole, so that
 * processes that make the same at the same time do not disturb each other.
 */
export class KeptFolders {
  private readonly root: string;

  constructor(root: string) {
    this.root = root;
  }

  /** The folder for what is described so; whether it is there is not looked at. */
  folderOf(description: unknown): string {
    const hash = createHash('sha256').update(JSON.stringify(description)).digest('hex');
    return path.join(this.root, hash.slice(0, 24));
  }

  /**
   * Makes a folder: `fill` writes into a new one, which then takes the name, unless another process was quicker.
   *
   * @param isWhole whether what has the name is as it should be; if not it makes way.
   * @throws Error that says what to do where the place is somebody else's, or what `fill` throws.
   */
  async make(
    folder: string,
    fill: (work: string) => Promise<void>,
    isWhole: (folder: string) => Promise<boolean>,
  ): Promise<void> {
    await mkdir(this.root, { recursive: true, mode: 0o700 });
    const owner = await stat(this.root);
    if (process.getuid !== undefined && owner.uid !== process.getuid()) {
      throw new Error(`${this.root} belongs to somebody else: remove it, or set TMPDIR to a folder of your own`);
    }
    await this.removeAbandoned();
    const work = `${folder}.new-${randomUUID()}`;
    try {
      await mkdir(work);
      await fill(work);
      await putInPlace(work, folder, isWhole);
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  }

  private async removeAbandoned(): Promise<void> {
    for (const name of await readdir(this.root)) {
      const one = path.join(this.root, name);
      const changedAtMs = (await stat(one).catch(() => undefined))?.mtimeMs;
      const isAbandoned = changedAtMs !== undefined && Date.now() - changedAtMs > ABANDONED_MS;
      if (/\.(new|old)-/.test(name) && isAbandoned) await rm(one, { recursive: true, force: true });
    }
  }
}

/** A whole folder stays where it is: somebody may be reading it. */
async function putInPlace(work: string, folder: string, isWhole: (folder: string) => Promise<boolean>): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      return await rename(work, folder);
    } catch (error) {
      if (tries === RENAMES_MAX || !/ENOTEMPTY|EEXIST/.test(String(error))) throw error;
    }
    if (await isWhole(folder)) return;
    const old = `${folder}.old-${randomUUID()}`;
    await rename(folder, old).catch(ignoreMissing);
    await rm(old, { recursive: true, force: true });
  }
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}

export async function sha256OfFile(file: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(file))
    .digest('hex');
}
