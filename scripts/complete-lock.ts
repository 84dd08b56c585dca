/**
 * Completes package-lock.json after `npm install` (`npm run lock`).
 *
 * Prebuilt binaries come as optional packages, one for each platform. npm leaves those out of the lock file that the
 * registry at hand does not carry, and `npm ci` then refuses the lock. This adds them with the version their parent names
 * and the platform their own name tells; npm installs only the one that fits.
 */
import { readFileSync, writeFileSync } from 'node:fs';

interface Entry {
  version?: string;
  optional?: boolean;
  os?: string[];
  cpu?: string[];
  libc?: string[];
  optionalDependencies?: Record<string, string>;
}

const OS = ['android', 'darwin', 'freebsd', 'linux', 'openbsd', 'netbsd', 'sunos', 'aix', 'win32', 'openharmony'];
const CPU = ['x64', 'arm64', 'ia32', 'arm', 'ppc64', 's390x', 'riscv64', 'loong64', 'mips64el'];
const LIBC: Record<string, string> = { musl: 'musl', gnu: 'glibc' };

const lock = JSON.parse(readFileSync('package-lock.json', 'utf8')) as { packages: Record<string, Entry> };
const added: string[] = [];
for (const { optionalDependencies } of Object.values(lock.packages)) {
  for (const [name, version] of Object.entries(optionalDependencies ?? {})) {
    const path = `node_modules/${name}`;
    if (lock.packages[path] !== undefined || !/^\d/.test(version)) continue;
    const words = name.split(/[/-]/);
    const os = words.filter((word) => OS.includes(word));
    const cpu = words.flatMap((word) => (CPU.includes(word) ? [word] : /^arm(?!64)/.test(word) ? ['arm'] : []));
    const libc = os[0] === 'linux' ? words.flatMap((word) => LIBC[word] ?? []) : [];
    if (os.length === 0 || cpu.length === 0) continue;
    lock.packages[path] = { version, cpu, ...(libc.length > 0 ? { libc } : {}), optional: true, os };
    added.push(name);
  }
}
const sorted = Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1));
lock.packages = Object.fromEntries(sorted);
writeFileSync('package-lock.json', `${JSON.stringify(lock, null, 2)}\n`);
console.log(added.length === 0 ? 'nothing was missing' : `added ${added.join(', ')}`);
