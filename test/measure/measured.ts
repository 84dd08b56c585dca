import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readReport } from '../../report/read.ts';
import type { Report } from '../../report/report.ts';
import { BIN } from '../cli/program.ts';

/** Runs of the command line that measure, and what is left of them. */

/** A folder of a test's own, with a temporary folder in it, so that what is left there can be seen. */
export class Place {
  readonly folder = mkdtempSync(join(tmpdir(), 'inswarm-checks-'));
  /** Its temporary folder. */
  readonly temporary = join(this.folder, 'tmp');
  /** All that is started here, and whatever they start, has it in its environment. */
  readonly marker = `${process.pid}-${Math.random().toString(36).slice(2)}`;

  constructor() {
    mkdirSync(this.temporary);
  }

  write(name: string, text: string): void {
    writeFileSync(join(this.folder, name), text);
  }

  read(name: string): string {
    return readFileSync(join(this.folder, name), 'utf8');
  }

  report(name: string): Report {
    const read = readReport(this.read(name));
    if (!read.ok) throw new Error(`${read.problem}: ${read.faults.join('; ')}`);
    return read.report;
  }

  start(...args: string[]): Started {
    const env = { ...process.env, INSWARM_CHECKS: this.marker, TMPDIR: this.temporary };
    const child = spawn(process.execPath, [BIN, ...args], { cwd: this.folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
    return new Started(child);
  }

  /** Processes that were started here and are still there: their ids and what they run. */
  processes(): string[] {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .flatMap((pid) => {
        try {
          if (!readFileSync(`/proc/${pid}/environ`, 'utf8').includes(`INSWARM_CHECKS=${this.marker}`)) return [];
          return [`${pid} ${readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')}`];
        } catch {
          // It has just ended.
          return [];
        }
      });
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export class Started {
  readonly child: ChildProcess;
  readonly ended: Promise<number | NodeJS.Signals>;
  text = '';

  constructor(child: ChildProcess) {
    this.child = child;
    for (const stream of [child.stdout!, child.stderr!])
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.text += text;
      });
    this.ended = new Promise((resolve) => child.once('close', (code, signal) => resolve(signal ?? code ?? 0)));
  }

  /** @throws Error when it ends before it says so. */
  async says(what: RegExp): Promise<void> {
    const over = this.ended.then((how) => {
      if (!what.test(this.text)) throw new Error(`it ended (${how}) and said: ${this.text}`);
    });
    const said = new Promise<void>((resolve) => {
      const look = setInterval(() => {
        if (!what.test(this.text)) return;
        clearInterval(look);
        resolve();
      }, 20);
      void this.ended.then(() => clearInterval(look));
    });
    await Promise.race([said, over]);
  }
}

/** A port of loopback on which nobody listens. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** The lines of a file without quoted cells, each by the names in its first line. */
export function rowsOf(csv: string): Record<string, string>[] {
  const [head = '', ...lines] = csv.trimEnd().split('\n');
  const names = head.split(',');
  return lines.map((line) => Object.fromEntries(line.split(',').map((cell, at) => [names[at]!, cell])));
}
