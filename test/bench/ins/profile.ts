import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Where the servers' time goes: V8's own sampling profiler, its samples added up by function. */

interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

const ROWS = 30;

export class Profiler {
  private readonly folder = mkdtempSync(join(tmpdir(), 'inswarm-bench-profile-'));

  /** For the process to be looked at; it writes when it exits. */
  get flags(): string[] {
    return ['--cpu-prof', `--cpu-prof-dir=${this.folder}`];
  }

  /** The functions that most samples fell into since the last call, for people. */
  report(): string[] {
    const self = new Map<string, number>();
    let total = 0;
    for (const file of readdirSync(this.folder)) {
      const path = join(this.folder, file);
      const { nodes, samples, timeDeltas } = JSON.parse(readFileSync(path, 'utf8')) as CpuProfile;
      rmSync(path);
      const names = new Map(nodes.map((node) => [node.id, nameOf(node.callFrame)]));
      for (const [at, id] of samples.entries()) {
        const name = names.get(id)!;
        if (name.startsWith('(idle)')) continue;
        self.set(name, (self.get(name) ?? 0) + timeDeltas[at]!);
        total += timeDeltas[at]!;
      }
    }
    const rows = [...self].sort((a, b) => b[1] - a[1]).slice(0, ROWS);
    return rows.map(([name, us]) => `${((us / total) * 100).toFixed(1).padStart(5)} %  ${name}`);
  }

  close(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function nameOf({ functionName, url, lineNumber }: CpuProfile['nodes'][number]['callFrame']): string {
  const place = url === '' ? '' : ` ${url.replace(/^.*\/(dist|node_modules)\//, '')}:${lineNumber + 1}`;
  return `${functionName === '' ? '(anonymous)' : functionName}${place}`;
}
