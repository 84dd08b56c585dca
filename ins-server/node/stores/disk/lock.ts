import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Takes a folder for this process, by a file that names the process and when it was started: a number that another process
 * has by now, or that this one has again (in a container it is often the same), holds nothing.
 *
 * @returns Lets go of it.
 * @throws When another process has it.
 */
export function lockFolder(folder: string): () => void {
  const path = join(folder, 'lock');
  const mine = `${process.pid} ${startOf(process.pid)}\n`;
  const made = join(folder, `lock.${process.pid}`);
  if (ours.has(path)) throw new Error(`${folder} is in use by this process already`);
  writeFileSync(made, mine, { mode: 0o600 });
  try {
    for (let tries = 0; ; tries++) {
      try {
        // Whole and at once, or not at all.
        linkSync(made, path);
        break;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || tries === 3) throw error;
        const holder = holderOf(path);
        if (holder !== undefined) {
          throw new Error(`${folder} is in use by process ${holder}: end that one, or choose another folder`);
        }
        rmSync(path, { force: true });
      }
    }
  } finally {
    rmSync(made, { force: true });
  }
  ours.add(path);
  return () => {
    ours.delete(path);
    rmSync(path, { force: true });
  };
}

const ours = new Set<string>();

/** The process that holds a lock, if it still runs. */
function holderOf(path: string): number | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
  const [, pid, start] = /^(\d{1,10}) (\S+)\n$/.exec(text) ?? [];
  const number = Number(pid);
  if (start === undefined || number === process.pid || !isRunning(number)) return undefined;
  const now = startOf(number);
  return now === start || now === UNKNOWN || start === UNKNOWN ? number : undefined;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

const UNKNOWN = '?';

/** When a process was started, in the kernel's own words; Linux tells. */
function startOf(pid: number): string {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The 22nd field; the 2nd is a name that may have spaces and parentheses in it.
    return `${boot}/${stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]}`;
  } catch {
    return UNKNOWN;
  }
}
