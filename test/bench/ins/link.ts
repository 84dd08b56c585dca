import { spawnSync } from 'node:child_process';
import { undoAtEnd } from './process.ts';

/** A link shaped by the kernel: a network namespace behind a pair of virtual cards, its sending side held back by tbf. */
export interface ShapedLink {
  /** Our end. */
  readonly host: string;
  /** What starts a process at the other end. */
  readonly before: readonly string[];
  remove(): Promise<void>;
}

/** @throws Error that says what the machine does not allow. */
export function makeShapedLink(mbitPerSecond: number): ShapedLink {
  const name = `inswarm-bench-${process.pid}`;
  const card = `inswb${process.pid % 100_000}`;
  const network = `10.213.${process.pid % 256}`;
  const remove = async (): Promise<void> => {
    forget();
    // The pair of cards goes with the namespace that one of them is in.
    spawnSync('ip', ['netns', 'del', name]);
    spawnSync('ip', ['link', 'del', card]);
  };
  const forget = undoAtEnd(remove);
  try {
    run('ip', 'netns', 'add', name);
    run('ip', 'link', 'add', card, 'type', 'veth', 'peer', 'name', 'far', 'netns', name);
    run('ip', 'addr', 'add', `${network}.1/30`, 'dev', card);
    run('ip', 'link', 'set', card, 'up');
    run('ip', '-n', name, 'addr', 'add', `${network}.2/30`, 'dev', 'far');
    run('ip', '-n', name, 'link', 'set', 'far', 'up');
    const shape = ['rate', `${mbitPerSecond}mbit`, 'burst', '256kb', 'latency', '20ms'];
    run('tc', 'qdisc', 'add', 'dev', card, 'root', 'tbf', ...shape);
  } catch (error) {
    void remove();
    throw error;
  }
  return { host: `${network}.1`, before: ['ip', 'netns', 'exec', name], remove };
}

function run(program: string, ...args: string[]): void {
  const { status, stderr, error } = spawnSync(program, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${(stderr ?? error?.message ?? '').trim()}`);
}
