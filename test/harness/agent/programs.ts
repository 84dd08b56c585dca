import type { BytesFrom } from '../../../peer/core/io.ts';
import type { InsServerEntry, Mode } from '../../../protocol/swarm-fields.ts';
import type { Connection } from '../../../runtime/node/ws-link.ts';
import type { Delays, Host, LinkCounts, LinkOrder } from '../links/links.ts';

/** What a worker is told and says: plain data that JSON can hold. All times are Unix ms by the clock of the worker's machine. */

/** Everybody listens here, each on an address of its own; {@link HLS_PORT} is where sources and gateways serve HLS. */
export const SWARM_PORT = 4_800;
export const HLS_PORT = 4_801;

/**
 * Where a program listens: an address of its own with the usual ports, or `ADDRESS:PORT` where it shares the address with others, which know no place for
 * HLS then.
 */
export function placeOf(address: string): { readonly host: string; readonly port: number; readonly httpPort: number } {
  const [host = '', port] = address.split(':');
  return port === undefined
    ? { host, port: SWARM_PORT, httpPort: HLS_PORT }
    : { host, port: Number(port), httpPort: 0 };
}

/** A program to be started. `host` is its address. */
export type ProgramSpec =
  | { readonly kind: 'tracker'; readonly host: string; readonly ins: readonly InsServerEntry[] }
  | {
      readonly kind: 'ins';
      readonly host: string;
      /** Of blocks, bits per second. */
      readonly bandwidthBps: number;
      /** Kept beside the run: who comes back is the same. */
      readonly keyFile: string;
      /** Keys of the run's INS servers. */
      readonly known: readonly string[];
    }
  | {
      readonly kind: 'source';
      readonly host: string;
      readonly tracker: string;
      readonly ins: readonly InsServerEntry[];
      readonly input: string;
      readonly keyFile: string;
      readonly partMs: number;
      readonly segmentMs: number;
      readonly region: string;
    }
  | {
      readonly kind: 'viewer';
      readonly host: string;
      readonly tracker: string;
      readonly stream: string;
      readonly mode: Mode;
      readonly region: string;
      /** False: nobody can dial it, as with a browser. */
      readonly dialable: boolean;
      /** A plain player in a browser beside it plays what it serves as HLS, and says what it sees. */
      readonly witnessed: boolean;
    }
  /** A viewer with our player in a browser. Its page is loaded as soon as it is asked for; play is pressed at the time that it is asked for. */
  | {
      readonly kind: 'browser';
      readonly host: string;
      /** Where the tracker serves the page, `http://HOST:PORT`. */
      readonly trackerUrl: string;
      readonly stream: string;
      readonly mode: Mode;
    };

export type ToWorker =
  /** The first: the network is there. With `buckets` the worker makes the links of its hosts itself. */
  | {
      readonly do: 'begin';
      readonly hosts: readonly Host[];
      readonly buckets: { readonly delays: Delays; readonly regions: Readonly<Record<string, number>> | null } | null;
    }
  /** `atMs`: at that time, which may have passed. Answered by `started` or `failed`. */
  | { readonly do: 'start'; readonly id: string; readonly program: ProgramSpec; readonly atMs: number | null }
  /** Takes its leave; or is gone without a word. Answered by `stopped`, where it has started. */
  | { readonly do: 'stop'; readonly id: string; readonly crashes: boolean }
  /** Where workers make their links themselves. */
  | { readonly do: 'link'; readonly order: LinkOrder }
  /** Answered by `sample`s that say `last` in the end. */
  | { readonly do: 'sample'; readonly at: number }
  /** What all sockets have carried by the programs' own count. Answered by `sockets`. */
  | { readonly do: 'sockets'; readonly at: number };

export type FromWorker =
  | { readonly say: 'ready' }
  | { readonly say: 'started'; readonly id: string; readonly atMs: number; readonly stream: string | null }
  | { readonly say: 'failed'; readonly id: string; readonly why: string }
  | { readonly say: 'stopped'; readonly id: string; readonly atMs: number; readonly figures: ProgramFigures | null }
  | {
      readonly say: 'sample';
      readonly at: number;
      readonly last: boolean;
      readonly process: ProcessSample;
      readonly programs: readonly ProgramSample[];
      /** In buckets: what was seen of the hosts from outside. */
      readonly counts: LinkCounts;
    }
  | { readonly say: 'sockets'; readonly at: number; readonly last: boolean; readonly sockets: readonly Connection[] }
  /** Something that people should know. */
  | { readonly say: 'notice'; readonly id: string; readonly text: string };

export interface ProcessSample {
  /** When it looked at itself, in ms by a clock of its own that never jumps: samples come late where machines are busy. */
  readonly atMs: number;
  /** Since the start of the process. */
  readonly cpuMs: number;
  readonly rssBytes: number;
  /** 99th percentile of how late the event loop was since the last sample. */
  readonly loopDelayMs: number;
}

export interface ProgramSample {
  readonly id: string;
  readonly figures: ProgramFigures;
}

export type ProgramFigures = ViewerFigures | SourceFigures | { readonly kind: 'tracker' | 'ins' };

export interface SourceFigures {
  readonly kind: 'source';
  /** The newest that is announced; -1 before the first. */
  readonly part: number;
  /** Media bytes that it made, each once, and block bytes that it sent. */
  readonly mediaBytes: number;
  readonly dataSentBytes: number;
}

/** What a viewer says of itself: the words are those of the measures. */
export interface ViewerFigures {
  readonly kind: 'viewer';
  readonly state: 'waiting' | 'playing' | 'stalled';
  readonly part: number;
  readonly bufferMs: number;
  readonly latencyMs: number | null;
  readonly startupDelayMs: number | null;
  readonly dueBlocks: number;
  readonly missedBlocks: number;
  readonly bytesFrom: Readonly<Record<BytesFrom, number>>;
  readonly usefulBytes: number;
  readonly bad: number;
  readonly sent: { readonly data: number; readonly control: number };
  readonly received: { readonly data: number; readonly control: number };
  readonly neighbours: number;
  /** Freezes since the last sample: that playback stopped, and that it went on. */
  readonly events: readonly FreezeEvent[];
  /** What a plain player beside it sees on its screen; none where none is there. */
  readonly witness?: { readonly freezes: number; readonly frozenMs: number; readonly startupDelayMs: number | null };
}

export type FreezeEvent =
  | { readonly kind: 'freeze'; readonly atMs: number }
  | { readonly kind: 'resumed'; readonly atMs: number; readonly frozenMs: number };
