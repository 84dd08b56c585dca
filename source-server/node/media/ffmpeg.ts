import { execFile } from 'node:child_process';
import { accessSync, chmodSync, constants, copyFileSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** The ffmpeg in use. */
export interface Ffmpeg {
  readonly path: string;
  /** As it says itself, such as `5.1.9`. */
  readonly version: string;
  readonly origin: 'INSWARM_FFMPEG' | 'PATH' | 'npm package';
}

const answerMaxMs = 20_000;

/**
 * Finds ffmpeg: the environment's INSWARM_FFMPEG, else the first on PATH, else the one that the npm package
 * `@ffmpeg-installer/ffmpeg` carries.
 *
 * @throws Error that says what to do, when there is none or it does not run.
 */
export async function findFfmpeg(environment: NodeJS.ProcessEnv = process.env): Promise<Ffmpeg> {
  const wanted = environment.INSWARM_FFMPEG;
  if (wanted) return { path: wanted, version: await askVersion(wanted, 'INSWARM_FFMPEG'), origin: 'INSWARM_FFMPEG' };
  const onPath = findOnPath(environment.PATH ?? '');
  if (onPath !== undefined) return { path: onPath, version: await askVersion(onPath, 'PATH'), origin: 'PATH' };
  const packaged = makeExecutable(findPackaged());
  return { path: packaged, version: await askVersion(packaged, 'npm package'), origin: 'npm package' };
}

const programName = process.platform === 'win32' ? 'ffmpeg.exe' : 'ffmpeg';

function findOnPath(searchPath: string): string | undefined {
  const candidates = searchPath.split(path.delimiter).filter((folder) => path.isAbsolute(folder));
  return candidates.map((folder) => path.join(folder, programName)).find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

function findPackaged(): string {
  try {
    const found: { path: string } = createRequire(import.meta.url)('@ffmpeg-installer/ffmpeg');
    return found.path;
  } catch {
    throw new Error(
      `there is no ffmpeg for ${process.platform}-${process.arch}: install ffmpeg, or set INSWARM_FFMPEG to its path`,
    );
  }
}

/** The package leaves it to an install script to make its program executable, and npm does not run those unasked. */
export function makeExecutable(file: string): string {
  if (isExecutable(file)) return file;
  try {
    chmodSync(file, 0o755);
    if (isExecutable(file)) return file;
  } catch {
    // Not ours to change: a copy will do.
  }
  return copyToCache(file);
}

function copyToCache(file: string): string {
  const { size } = statSync(file);
  const folder = path.join(tmpdir(), `inswarm-${process.getuid?.() ?? 0}`);
  const copy = path.join(folder, `ffmpeg-${size}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const owner = statSync(folder);
  if (process.getuid !== undefined && owner.uid !== process.getuid()) {
    throw new Error(`${folder} belongs to somebody else: make ${file} executable, or set INSWARM_FFMPEG`);
  }
  if (isExecutable(copy) && statSync(copy).size === size) return copy;
  // A second process may be at the same: the copy appears under its name only when it is whole.
  const partial = `${copy}.${process.pid}`;
  copyFileSync(file, partial);
  chmodSync(partial, 0o755);
  renameSync(partial, copy);
  return copy;
}

function askVersion(file: string, origin: Ffmpeg['origin']): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(file, ['-hide_banner', '-version'], { timeout: answerMaxMs }, (error, stdout) => {
      const version = /ffmpeg version (\S+)/.exec(stdout)?.[1];
      if (version !== undefined) return resolve(version);
      const why = error === null ? 'it does not answer like ffmpeg' : error.message.split('\n')[0];
      reject(new Error(`ffmpeg from ${origin} (${file}) does not run: ${why}; set INSWARM_FFMPEG to one that does`));
    });
  });
}
