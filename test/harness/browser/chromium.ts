import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import type { Browser, BrowserType } from 'playwright-core';

/**
 * What the address bar shows while somebody types: two pages of its own for each window, which nobody sees, and a second of a processor for them.
 * Only the last list counts, so what Playwright's has to do with pages is in it.
 */
const NOT_USED = [
  'WebUIOmniboxPopup',
  'WebUIOmniboxAimPopup',
  'AimEnabled',
  'AvoidCorsURLLoaderRestartOnRedirect',
  'AvoidUnnecessaryBeforeUnloadCheckSync',
  'DestroyProfileOnBrowserClose',
  'HttpsFirstBalancedModeAutoEnable',
  'HttpsUpgrades',
  'LensOverlay',
  'MediaRouter',
  'NetworkTimeServiceQuerying',
  'OptimizationHints',
  'PaintHolding',
  'PreconnectToSearch',
  'ThirdPartyStoragePartitioning',
];

/** Quiet, without sandbox (it may run as root in a container), and a page may start its video by itself. */
const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--no-pings',
  '--mute-audio',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-domain-reliability',
  '--disable-sync',
  '--autoplay-policy=no-user-gesture-required',
  `--disable-features=${NOT_USED.join(',')}`,
];
const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

export interface ChromiumOptions {
  /** Hosts that it may speak to, such as `127.0.0.1` or `198.18.*`; all of them by default. */
  readonly hosts?: readonly string[];
  /** Pages of these origins have what pages on https have: without it hashes and signatures are made in JavaScript. */
  readonly secureOrigins?: readonly string[];
  /** End it when this process gets SIGINT, SIGTERM or SIGHUP; default true. It ends with this process in any case. */
  readonly endsOnSignals?: boolean;
}

/**
 * Starts a headless Chromium, as a child of this process and in its network namespace. Close it.
 *
 * @throws Error that says what to install.
 */
export async function launchChromium(options: ChromiumOptions = {}): Promise<Browser> {
  const { hosts, secureOrigins = [], endsOnSignals = true } = options;
  const executablePath = await findChromium();
  if (executablePath === undefined) throw new Error(NO_CHROMIUM);
  const args = [...ARGUMENTS];
  if (hosts !== undefined) {
    const rules = ['MAP * ~NOTFOUND', ...hosts.map((host) => `EXCLUDE ${host}`)];
    args.push(`--host-resolver-rules=${rules.join(', ')}`);
  }
  if (secureOrigins.length > 0) args.push(`--unsafely-treat-insecure-origin-as-secure=${secureOrigins.join(',')}`);
  const signals = { handleSIGINT: endsOnSignals, handleSIGTERM: endsOnSignals, handleSIGHUP: endsOnSignals };
  return (await loadPlaywright()).launch({ executablePath, args, ...signals });
}

export const NO_CHROMIUM =
  'there is no Chromium: install the package "chromium", or run "npx playwright-core install --with-deps chromium", ' +
  'or set INSWARM_CHROMIUM to the path of one';

/** The path of a Chromium: INSWARM_CHROMIUM, one on PATH, Playwright's own. An Error says what is wrong with INSWARM_CHROMIUM. */
export async function findChromium(): Promise<string | undefined> {
  const given = process.env.INSWARM_CHROMIUM;
  if (given) {
    if (await isProgram(given)) return given;
    throw new Error(`INSWARM_CHROMIUM names ${given}, which is no program: give the path of a Chromium or unset it`);
  }
  const folders = ['/usr/bin', ...(process.env.PATH ?? '').split(delimiter)];
  const own = (await loadPlaywright()).executablePath();
  const paths = [...NAMES.flatMap((name) => folders.map((folder) => join(folder, name))), own];
  for (const path of paths) if (await isProgram(path)) return path;
  return undefined;
}

/** It is for whoever opens browsers alone: who only runs the programs has not got it. */
async function loadPlaywright(): Promise<BrowserType> {
  try {
    return (await import('playwright-core')).chromium;
  } catch (error) {
    throw new Error(
      'browsers are driven by playwright-core, which is not installed: run "npm install playwright-core"',
      {
        cause: error,
      },
    );
  }
}

function isProgram(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
