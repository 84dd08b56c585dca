import type {
  HostId,
  LiveEnd,
  LiveFlow,
  LiveHappening,
  LiveHost,
  LiveLine,
  LiveMachine,
  LiveSession,
  LiveViewer,
  RunPhase,
  ViewerState,
} from './model.ts';
import type { Totals } from './totals.ts';

/** What a page is told, as JSON. All of it first; then what changes. Both ends keep the same picture of it (`picture.ts`). */
export type Told =
  | { readonly is: 'all'; readonly format: number; readonly picture: ToldPicture }
  | {
      readonly is: 'run';
      readonly run: number;
      readonly hosts: readonly LiveHost[];
      readonly happenings: readonly LiveHappening[];
    }
  | ({ readonly is: 'second' } & ToldSecond)
  | { readonly is: 'line'; readonly line: LiveLine }
  | { readonly is: 'end'; readonly end: LiveEnd };

/** What a page is told that asked for something: null is yes. */
export interface Answer {
  readonly is: 'answer';
  readonly number: number;
  readonly why: string | null;
}

/** Both ends are of one build, or the page says that it has to be loaded again. */
export const TOLD_FORMAT = 1;

/** A second, small: rows of viewers are there where they changed, one after the other in flat lists. */
export interface ToldSecond {
  readonly phase: RunPhase;
  readonly atMs: number;
  /** Rows of {@link MOVING} figures. */
  readonly moving: readonly number[];
  /** Rows of {@link LASTING} figures. */
  readonly lasting: readonly number[];
  /** Rows of id, 1 where it is up, kbit/s. */
  readonly servers: readonly number[];
  /** See {@link packFlows}. */
  readonly flows: readonly number[];
  readonly machine: LiveMachine;
  readonly totals: Totals | null;
}

export interface ToldPicture {
  readonly session: LiveSession | null;
  readonly runs: readonly ToldRun[];
  readonly lines: readonly LiveLine[];
  readonly end: LiveEnd | null;
  readonly now: ToldSecond | null;
}

/** A run that has begun. */
export interface ToldRun {
  readonly hosts: readonly LiveHost[];
  readonly happenings: readonly LiveHappening[];
  readonly totals: readonly Totals[];
  /** As in `History` (totals.ts). */
  readonly every: number;
  readonly skips: number;
  readonly startupsMs: readonly number[];
}

const STATES: readonly ViewerState[] = ['coming', 'waiting', 'playing', 'stalled', 'left', 'dead'];

/** Figures of a row that move all the time: id, buffer and latency in 10 ms (-1: none), kbit/s from INS servers, peers, source, and sent: data, control. */
export const MOVING = 8;
/** Figures that last: id, state, startup in ms (-1: none), freezes, frozen ms, share of its rates in thousandths. */
export const LASTING = 6;

export function packMoving({ id, bufferMs, latencyMs, downBps, upBps }: LiveViewer): number[] {
  const latency = latencyMs === null ? -1 : Math.max(0, Math.round(latencyMs / 10));
  const rates = [downBps.ins, downBps.peers, downBps.source, upBps.data, upBps.control];
  return [id, Math.max(0, Math.round(bufferMs / 10)), latency, ...rates.map(kbits)];
}

export function packLasting({ id, state, startupMs, freezes, frozenMs, throttledTo }: LiveViewer): number[] {
  const startup = startupMs === null ? -1 : Math.max(0, Math.round(startupMs));
  return [id, STATES.indexOf(state), startup, freezes, Math.round(frozenMs), Math.round(throttledTo * 1000)];
}

/** A viewer out of its two rows. */
export function unpackViewer(moving: readonly number[], lasting: readonly number[]): LiveViewer {
  const [, buffer = 0, latency = -1, ins = 0, peers = 0, source = 0, data = 0, control = 0] = moving;
  const [id = 0, state = 0, startup = -1, freezes = 0, frozenMs = 0, throttled = 1000] = lasting;
  return {
    id,
    state: STATES[state] ?? 'coming',
    bufferMs: buffer * 10,
    latencyMs: latency < 0 ? null : latency * 10,
    startupMs: startup < 0 ? null : startup,
    freezes,
    frozenMs,
    downBps: { ins: ins * 1000, peers: peers * 1000, source: source * 1000 },
    upBps: { data: data * 1000, control: control * 1000 },
    throttledTo: throttled / 1000,
  };
}

/** Rows of a flat list. */
export function rowsOf(flat: readonly number[], length: number): number[][] {
  const rows: number[][] = [];
  for (let at = 0; at + length <= flat.length; at += length) rows.push(flat.slice(at, at + length));
  return rows;
}

/** Kilobits as short as they tell something: three digits that count, none behind the point from 10 on. */
export function kbits(bps: number): number {
  const kbit = bps / 1000;
  return kbit >= 10 ? Math.round(kbit) : Math.round(kbit * 10) / 10;
}

/** More lines than these are no picture but a grey. */
export const FLOWS_MAX = 2_000;

/** The largest flows, by their senders: -1 - sender, then receiver and kbit/s of each, then the next sender. */
export function packFlows(flows: readonly LiveFlow[]): number[] {
  const shown = flows.filter(({ bps }) => bps >= 500);
  const largest = shown.length <= FLOWS_MAX ? shown : shown.toSorted((a, b) => b.bps - a.bps).slice(0, FLOWS_MAX);
  const bySender = new Map<HostId, number[]>();
  for (const { from, to, bps } of largest) {
    const list = bySender.get(from) ?? [];
    bySender.set(from, list);
    list.push(to, twoDigits(bps / 1000));
  }
  return [...bySender].flatMap(([from, list]) => [-1 - from, ...list]);
}

export function unpackFlows(packed: readonly number[]): LiveFlow[] {
  const flows: LiveFlow[] = [];
  let from = 0;
  for (let at = 0; at < packed.length; at++) {
    const value = packed[at]!;
    if (value < 0) from = -1 - value;
    else flows.push({ from, to: value, bps: (packed[++at] ?? 0) * 1000 });
  }
  return flows;
}

/** The width of a line shows no more. */
function twoDigits(value: number): number {
  return Number(value.toPrecision(2));
}
