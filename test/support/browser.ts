import { execFile } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { type Browser, chromium } from 'playwright-core';

/** Quiet, without sandbox (tests run as root in containers), and a page may start its video by itself. */
const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--autoplay-policy=no-user-gesture-required',
];
const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const INSTALL_MS = 300_000;

/** A headless Chromium. Close it. */
export async function launchChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: await findChromium(), args: ARGUMENTS });
}

let found: Promise<string> | undefined;

/** The path of a Chromium: INSWARM_CHROMIUM, one on PATH, Playwright's own; installed if there is none. An Error says what to do. */
export function findChromium(): Promise<string> {
  found ??= findOrInstall();
  return found;
}

async function findOrInstall(): Promise<string> {
  const given = process.env.INSWARM_CHROMIUM;
  if (given) {
    if (await isProgram(given)) return given;
    throw new Error(`INSWARM_CHROMIUM names ${given}, which is no program: give the path of a Chromium or unset it`);
  }
  const there = await firstProgram();
  if (there) return there;
  const problem = await install();
  const installed = await firstProgram();
  if (installed) return installed;
  throw new Error(
    `The browser tests need Chromium, and installing it failed (${problem}). Install the package "chromium", ` +
      'or run "npx playwright-core install --with-deps chromium", or set INSWARM_CHROMIUM to the path of one.',
  );
}

async function firstProgram(): Promise<string | undefined> {
  const folders = ['/usr/bin', ...(process.env.PATH ?? '').split(delimiter)];
  const paths = [...NAMES.flatMap((name) => folders.map((folder) => join(folder, name))), chromium.executablePath()];
  for (const path of paths) if (await isProgram(path)) return path;
  return undefined;
}

async function isProgram(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/** Debian's package as root, Playwright's download otherwise. Gives back why it failed. */
async function install(): Promise<string> {
  const isRoot = process.getuid?.() === 0;
  const command = isRoot
    ? 'apt-get install -y chromium || (apt-get update && apt-get install -y chromium)'
    : 'npx playwright-core install chromium';
  try {
    await promisify(execFile)('sh', ['-c', command], {
      timeout: INSTALL_MS,
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    });
    return 'the installer reported no problem';
  } catch (error) {
    return error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
  }
}
