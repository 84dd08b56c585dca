import type { Delays, Host, LinkCounts, LinkOrder } from '../links/links.ts';
import type { FromWorker, ProcessSample, ToWorker } from './programs.ts';

/** What controller and agent say to each other: JSON in binary WebSocket messages (`pieces.ts`), after they have shown each other that they hold the same key. */

export type ToAgent =
  | { readonly say: 'welcome'; readonly proof: string }
  /** Make ready for the hosts of a run. Answered by `ground` or `trouble`. */
  | {
      readonly say: 'ground';
      readonly links: 'namespaces' | 'buckets';
      readonly delays: Delays;
      /** By address, of all hosts of the run. Null: machines have one address each, and the network between them is as it is. */
      readonly regions: Readonly<Record<string, number>> | null;
    }
  /** Ports of an address of its own on which nobody listens. Answered by `ports` or `trouble`. */
  | { readonly say: 'ports'; readonly host: string; readonly from: number; readonly count: number }
  /** A worker for these hosts. It says `ready`, or the agent says that it `ended`. */
  | { readonly say: 'spawn'; readonly worker: string; readonly hosts: readonly Host[] }
  | { readonly say: 'tell'; readonly worker: string; readonly message: ToWorker }
  /** SIGKILL. */
  | { readonly say: 'kill'; readonly worker: string }
  | { readonly say: 'link'; readonly order: LinkOrder }
  /** All workers are asked for samples; the agent adds its own. */
  | { readonly say: 'sample'; readonly at: number }
  /** Compare what programs and kernel have counted. Answered by `kernel`. */
  | { readonly say: 'kernel'; readonly at: number }
  /** Ends all workers, and takes away what was made for them. Answered by `cleared`. */
  | { readonly say: 'clear' };

export type FromAgent =
  | { readonly say: 'hello'; readonly nonce: string; readonly proof: string; readonly machine: MachineInfo }
  | { readonly say: 'ground'; readonly are: string }
  | { readonly say: 'ports'; readonly ports: readonly number[] }
  | { readonly say: 'trouble'; readonly why: string }
  /** Something that people should know. */
  | { readonly say: 'notice'; readonly text: string }
  | { readonly say: 'worker'; readonly worker: string; readonly message: FromWorker }
  | { readonly say: 'ended'; readonly worker: string; readonly how: string }
  | {
      readonly say: 'sample';
      readonly at: number;
      /** Of all processors, since the last sample. */
      readonly cpuBusy: number;
      /** The agent's own, and those of others that carry the run: the relay. */
      readonly processes: Readonly<Record<string, ProcessSample>>;
    }
  | { readonly say: 'counts'; readonly at: number; readonly counts: LinkCounts }
  | { readonly say: 'kernel'; readonly at: number; readonly found: KernelFindings }
  | { readonly say: 'cleared' };

/** What the controller says first; the agent answers with `hello`. */
export interface Challenge {
  readonly say: 'challenge';
  readonly nonce: string;
}

export interface MachineInfo {
  readonly name: string;
  /** Its worker processes' addresses, where it is another machine. */
  readonly host: string | null;
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly node: string;
  readonly platform: string;
  /** Why links cannot be made by the kernel here; null: they can. */
  readonly noNamespaces: string | null;
  /** Its clock, Unix ms. */
  readonly clockMs: number;
}

/** The sum over all sockets of viewers that were open at the end. */
export interface KernelFindings {
  readonly sockets: number;
  /** By the programs' own count, HTTP before WebSockets included. */
  readonly ownBytes: number;
  /** By the kernel's, of the same sockets: sent and acknowledged or on the way, and received. */
  readonly kernelBytes: number;
  /** The largest difference of a single socket that carried much, over what the kernel says. */
  readonly worstShare: number;
  /** What the interfaces carried in all, IP and TCP headers, acknowledgements and repetitions included, since they were made. */
  readonly interfaceBytes: number;
  readonly interfacePackets: number;
}
