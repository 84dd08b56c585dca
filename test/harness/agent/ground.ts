import type { ChildProcess } from 'node:child_process';
import type { KernelCounts } from '../links/lab/kernel.ts';
import type { Host, LinkCounts, LinkOrder } from '../links/links.ts';
import type { ProcessSample } from './programs.ts';

/** What workers stand on: links made by the kernel between namespaces, or by the workers themselves. */
export interface Ground {
  /** One sentence for people: how rates and delays are made. */
  readonly are: string;
  /** A process, joined to the others, with a channel to it. */
  spawn(name: string, hosts: readonly Host[], command: readonly string[]): Promise<ChildProcess>;
  /** False: workers have to carry it out. */
  order(order: LinkOrder): Promise<boolean>;
  /** Undefined: workers count. */
  counts(): Promise<LinkCounts | undefined>;
  /** Processes besides workers that carry the run. */
  processes(): Promise<Readonly<Record<string, ProcessSample>>>;
  /** What the kernel has counted for a worker; undefined where nobody can tell. */
  kernel(worker: string): Promise<KernelCounts | undefined>;
  close(): Promise<void>;
}
