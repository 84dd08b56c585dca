import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Browser } from 'playwright-core';
import { findChromium as find, launchChromium as launch, NO_CHROMIUM } from '../harness/browser/chromium.ts';

const INSTALL_MS = 300_000;

/** A headless Chromium, installed if there is none. Close it. */
export async function launchChromium(): Promise<Browser> {
  await findChromium();
  return launch();
}

let found: Promise<string> | undefined;

/** The path of a Chromium, installed if there is none. An Error says what to do. */
export function findChromium(): Promise<string> {
  found ??= findOrInstall();
  return found;
}

async function findOrInstall(): Promise<string> {
  const there = await find();
  if (there) return there;
  const problem = await install();
  const installed = await find();
  if (installed) return installed;
  throw new Error(`The browser tests need Chromium, and installing it failed (${problem}); ${NO_CHROMIUM}.`);
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
