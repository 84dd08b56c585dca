import { closeSync, openSync, readdirSync, readlinkSync } from 'node:fs';

const SWEEP_WITHIN_MS = 5_000;
const LOOK_MS = 10;

/** The network namespace of a process, by a name that others compare; undefined where it has ended. */
export function namespaceOf(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`);
  } catch {
    return undefined;
  }
}

/** Processes of this machine that are in one of these network namespaces. */
export function processesIn(namespaces: ReadonlySet<string>): number[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.map(Number).filter((pid) => namespaces.has(namespaceOf(pid) ?? ''));
}

/**
 * A network namespace that was a process's own. It is held open: the kernel gives the names of those that are gone to others', and whoever
 * is in one of these is none of ours.
 */
export class Namespace {
  readonly name: string;
  private readonly descriptor: number;
  private emptied: Promise<void> | undefined;

  /** @throws Error where the process has ended, or is in ours: that is not to be emptied. */
  constructor(pid: number) {
    this.descriptor = openSync(`/proc/${pid}/ns/net`, 'r');
    this.name = readlinkSync(`/proc/self/fd/${this.descriptor}`);
    if (this.name !== namespaceOf(process.pid)) return;
    closeSync(this.descriptor);
    throw new Error(`process ${pid} has no network namespace of its own`);
  }

  /** Kills whatever is still in it, such as browsers that a program has started, and lets it go. */
  empty(): Promise<void> {
    this.emptied ??= sweep(new Set([this.name])).finally(() => closeSync(this.descriptor));
    return this.emptied;
  }
}

async function sweep(namespaces: ReadonlySet<string>): Promise<void> {
  const untilMs = performance.now() + SWEEP_WITHIN_MS;
  for (let left = processesIn(namespaces); left.length > 0 && performance.now() < untilMs; ) {
    for (const pid of left) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It has just ended.
      }
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    left = processesIn(namespaces);
  }
}
