/** What the live page is about: what the controller tells of a run, in its own words, and what people at the page may ask for. */

/** A number that a host goes by: from 0, the same in all runs of a session. */
export type HostId = number;

/** The session: one scenario, in one or several runs. */
export interface LiveSession {
  readonly scenario: string;
  /** One sentence. */
  readonly summary: string;
  /** In the order in which they are run. */
  readonly runs: readonly { readonly mode: string; readonly label: string; readonly seed: number }[];
  /** Length of a run, from the source's start. */
  readonly durationMs: number;
  /** The stream's rate in bits per second. */
  readonly streamBps: number;
  /** One-way delays in ms: row from, column to. */
  readonly regions: { readonly names: readonly string[]; readonly delaysMs: readonly (readonly number[])[] };
}

export type HostKind = 'source' | 'tracker' | 'ins' | 'viewer' | 'browser';

export interface LiveHost {
  readonly id: HostId;
  /** Such as `viewer 12` or `INS server 0`. */
  readonly name: string;
  readonly kind: HostKind;
  /** Its number in the session's regions. */
  readonly region: number;
  /** When it is to come, in ms after the source's start; null: nobody has planned that, or it is there from the beginning. */
  readonly comesAtMs: number | null;
}

/** Something that the scenario lets happen. */
export interface LiveHappening {
  readonly atMs: number;
  /** How long it lasts; 0: a moment. */
  readonly forMs: number;
  /** Such as `INS server 1 dies`. */
  readonly text: string;
}

/** `preparing`: hosts are being started; `running`; `ending`: results are being gathered. */
export type RunPhase = 'preparing' | 'running' | 'ending';

/**
 * `coming`: not there yet; `waiting`: for its first frame; `playing`; `stalled`: stands still for want of data; `left`: it has gone; `dead`: it was killed or
 * has crashed.
 */
export type ViewerState = 'coming' | 'waiting' | 'playing' | 'stalled' | 'left' | 'dead';

export interface LiveViewer {
  readonly id: HostId;
  readonly state: ViewerState;
  /** What it has in hand. */
  readonly bufferMs: number;
  /** From the camera to its screen; null: it does not play. */
  readonly latencyMs: number | null;
  /** From its first dial to its first frame, of this stay; null: there was none yet. */
  readonly startupMs: number | null;
  readonly freezes: number;
  readonly frozenMs: number;
  /** Media that it gets, by who sends it, in bits per second. */
  readonly downBps: { readonly ins: number; readonly peers: number; readonly source: number };
  readonly upBps: { readonly data: number; readonly control: number };
  /** The share of its rates that its links have, above 0, at most 1: 1 is not throttled. */
  readonly throttledTo: number;
}

export interface LiveServer {
  readonly id: HostId;
  readonly isUp: boolean;
  /** Block bytes that it sends, in bits per second. */
  readonly sentBps: number;
}

/** Who sends block bytes to whom, in bits per second. */
export interface LiveFlow {
  readonly from: HostId;
  readonly to: HostId;
  readonly bps: number;
}

/** What the machine that runs all this has to do. */
export interface LiveMachine {
  /** How busy all processors together are, 0 … 1. */
  readonly busy: number;
  /** Why it may itself be the bottleneck, a sentence each; none: it is not. */
  readonly saturatedBy: readonly string[];
}

/** How things are, once a second. */
export interface LiveSecond {
  readonly phase: RunPhase;
  /** After the source's start; negative or 0 while hosts are being prepared. */
  readonly atMs: number;
  /** Those who are left out are as they were; at first all are coming. */
  readonly viewers: readonly LiveViewer[];
  /** The source, the tracker and the INS servers. */
  readonly servers: readonly LiveServer[];
  readonly flows: readonly LiveFlow[];
  readonly machine: LiveMachine;
}

/** Lines of the log: news, something that went well, that may go wrong, or that did; the last about what people at the page did. */
export type LineTone = 'news' | 'good' | 'warning' | 'bad' | 'asked';

export interface LiveLine {
  /** Which run, from 0. */
  readonly run: number;
  readonly atMs: number;
  readonly tone: LineTone;
  readonly text: string;
  /** Whom it is about. */
  readonly host: HostId | null;
}

/** What came of the session. */
export interface LiveEnd {
  readonly ok: boolean;
  /** One sentence. */
  readonly text: string;
  /** Paths of what was written, the page for people first. */
  readonly files: readonly string[];
}

/** What people at the page may ask for. */
export type LiveWish =
  | { readonly do: 'start' | 'stop' | 'kill'; readonly hosts: WishedHosts }
  | { readonly do: 'throttle'; readonly hosts: WishedHosts; readonly to: number }
  | { readonly do: 'end' };

/** Some, or all viewers. */
export type WishedHosts = readonly HostId[] | 'all';

/** A wish that can be met; the hosts are there, of a kind and in a state for which it makes sense, and at least one. */
export type LiveCommand =
  /** Viewers who have left or are dead come (back); servers that are down are started. */
  | { readonly do: 'start'; readonly hosts: readonly HostId[] }
  /** Viewers leave as people do. */
  | { readonly do: 'stop'; readonly hosts: readonly HostId[] }
  /** Viewers and servers crash. */
  | { readonly do: 'kill'; readonly hosts: readonly HostId[] }
  /** Their links carry that share (above 0, at most 1) of what they did at first. */
  | { readonly do: 'throttle'; readonly hosts: readonly HostId[]; readonly to: number }
  /** The session ends now, and what is there is reported. */
  | { readonly do: 'end' };

/** What the controller does for people at the page. */
export interface LiveControl {
  onCommand(command: LiveCommand): void;
}

/** The number with which a page recognises the answer to what it asked. */
export interface Asked {
  readonly number: number;
  readonly wish: LiveWish;
}

/** Longest message of a page: a wish for all hosts there may be, one by one. */
export const ASKED_CHARACTERS_MAX = 40_000;
/** Hosts of one wish. */
export const HOSTS_ASKED_MAX = 5_000;
export const HOST_ID_MAX = 99_999;
/** Links that carry less than a thousandth carry nothing. */
export const THROTTLE_MIN = 0.001;

/** Reads what a page sent. Never throws: null for everything that is not to be understood, or beyond its bounds. */
export function readAsked(text: string): Asked | null {
  if (text.length > ASKED_CHARACTERS_MAX) return null;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (!isRecord(value)) return null;
  const wish = readWish(value.wish);
  return wish === null || !isWhole(value.number, 1e9) ? null : { number: value.number, wish };
}

function readWish(value: unknown): LiveWish | null {
  if (!isRecord(value)) return null;
  if (value.do === 'end') return { do: 'end' };
  const hosts = readHosts(value.hosts);
  if (hosts === null) return null;
  switch (value.do) {
    case 'start':
    case 'stop':
    case 'kill':
      return { do: value.do, hosts };
    case 'throttle': {
      const { to } = value;
      return typeof to === 'number' && to >= THROTTLE_MIN && to <= 1 ? { do: 'throttle', hosts, to } : null;
    }
    default:
      return null;
  }
}

function readHosts(value: unknown): WishedHosts | null {
  if (value === 'all') return value;
  if (!Array.isArray(value) || value.length === 0 || value.length > HOSTS_ASKED_MAX) return null;
  return value.every((id): id is number => isWhole(id, HOST_ID_MAX)) ? [...new Set(value)] : null;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isWhole(value: unknown, max: number): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= max;
}
