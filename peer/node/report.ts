import type { PeerEvent } from '../core/io.ts';
import type { PeerShellStats, Traffic } from './peer.ts';

/**
 * What a headless peer says of itself: lines of JSON for programs, one line for people. Rates are bits per second; the
 * words are those of the measures (ARCHITECTURE.md).
 */

/** One line, without its break. */
export type JsonLine = Readonly<Record<string, unknown>>;

/** An event as a line: its name under `event`, what belongs to it beside. */
export function eventLine(event: PeerEvent, startupDelayMs: number | null): JsonLine {
  const { kind, ...rest } = event;
  return kind === 'started' ? { event: kind, startupDelayMs, ...rest } : { event: kind, ...rest };
}

/** Counts what single lines do not show: rates since the last line, latencies over the whole run. */
export class PeerReport {
  private readonly startedAtMs: number;
  private lastAtMs: number;
  private lastSent: Traffic = { data: 0, control: 0 };
  private lastReceived: Traffic = { data: 0, control: 0 };
  private readonly latenciesMs: number[] = [];

  constructor(nowMs: number) {
    this.startedAtMs = nowMs;
    this.lastAtMs = nowMs;
  }

  /** To be asked for once a second: rates are since the last time. */
  statsLine(stats: PeerShellStats, nowMs: number): JsonLine {
    if (stats.latencyMs !== null) this.note(stats.latencyMs);
    const seconds = Math.max(0.001, (nowMs - this.lastAtMs) / 1000);
    const line = {
      event: 'stats',
      atMs: nowMs,
      state: stats.state,
      part: stats.part,
      bufferMs: Math.round(stats.bufferMs),
      liveLatencyMs: stats.latencyMs === null ? null : Math.round(stats.latencyMs),
      ...figures(stats),
      uploadBps: bps(stats.sentBytes, this.lastSent, seconds),
      downloadBps: bps(stats.receivedBytes, this.lastReceived, seconds),
    };
    this.lastAtMs = nowMs;
    this.lastSent = stats.sentBytes;
    this.lastReceived = stats.receivedBytes;
    return line;
  }

  summaryLine(stats: PeerShellStats, nowMs: number): JsonLine {
    const seconds = Math.max(0.001, (nowMs - this.startedAtMs) / 1000);
    const none = { data: 0, control: 0 };
    const { sentBytes, receivedBytes } = stats;
    const received = receivedBytes.data + receivedBytes.control;
    return {
      event: 'summary',
      durationMs: nowMs - this.startedAtMs,
      ...figures(stats),
      liveLatencyMs: { p50: quantile(this.latenciesMs, 0.5), p95: quantile(this.latenciesMs, 0.95) },
      uploadBps: bps(sentBytes, none, seconds),
      downloadBps: bps(receivedBytes, none, seconds),
      controlShare: received === 0 ? 0 : sentBytes.control / received,
    };
  }

  private note(latencyMs: number): void {
    // A day of seconds; then the oldest hour goes.
    if (this.latenciesMs.length >= 86_400) this.latenciesMs.splice(0, 3_600);
    this.latenciesMs.push(latencyMs);
  }
}

function figures(stats: PeerShellStats): JsonLine {
  const { mode, startupDelayMs, freezes, frozenMs, dueBlocks, missedBlocks, bytesFrom, neighbours, ins, bad } = stats;
  const { sentBytes, receivedBytes } = stats;
  const missedRate = dueBlocks === 0 ? 0 : missedBlocks / dueBlocks;
  const measures = { startupDelayMs, freezes, frozenMs: Math.round(frozenMs), missedRate, dueBlocks, missedBlocks };
  return { mode, ...measures, bytesFrom, sentBytes, receivedBytes, neighbours, ins, bad };
}

function bps(now: Traffic, before: Traffic, seconds: number): Traffic {
  const rate = (bytes: number) => Math.round((bytes * 8) / seconds);
  return { data: rate(now.data - before.data), control: rate(now.control - before.control) };
}

/** The value below which a share of the values lies; null of none. */
function quantile(values: readonly number[], share: number): number | null {
  const sorted = [...values].sort((a, b) => a - b);
  const value = sorted[Math.ceil(share * sorted.length) - 1];
  return value === undefined ? null : Math.round(value);
}

/** One line for people on what the peer is doing. */
export function progressLine(stats: PeerShellStats): string {
  const { state, part, bufferMs, latencyMs, bytesFrom, freezes, frozenMs, neighbours, ins } = stats;
  if (state === 'waiting') {
    const from = ins === null ? 'no INS server yet' : `INS server ${ins}`;
    return `waiting for the first picture: ${from}, ${count(neighbours, 'neighbour')}`;
  }
  const words = [
    state === 'playing' ? `playing part ${part}` : `stalled before part ${part}`,
    `buffer ${seconds(bufferMs)}`,
    latencyMs === null ? '' : `${seconds(latencyMs)} behind live`,
    `from INS ${bytes(bytesFrom.ins)}, peers ${bytes(bytesFrom.peers)}, source ${bytes(bytesFrom.source)}`,
    `sent ${bytes(stats.sentBytes.data)} data, ${bytes(stats.sentBytes.control)} control`,
    count(neighbours, 'neighbour'),
    freezes === 0 ? 'no freeze' : `${count(freezes, 'freeze')} (${seconds(frozenMs)})`,
  ];
  return words.filter((word) => word !== '').join(' | ');
}

/** An event for people; undefined where the progress line says enough. */
export function eventText(event: PeerEvent, startupDelayMs: number | null): string | undefined {
  switch (event.kind) {
    case 'started':
      return `playing after ${startupDelayMs} ms, from part ${event.part}`;
    case 'freeze':
      return `freeze: part ${event.part} is not there`;
    case 'resumed':
      return `playing again after ${Math.round(event.frozenMs)} ms, from part ${event.part}`;
    case 'missed':
      return `missed ${partsText(event)}`;
    case 'skipped':
      return `skipped ${partsText(event)} to come back to live`;
    case 'joined':
      return `joined: ${count(event.neighbours, 'neighbour')}, ${count(event.insServers, 'INS server')}`;
    case 'stream-state':
      return `the stream is ${event.state}${because(event.why)}`;
    case 'ins-up':
      return `connected to INS server ${event.url}`;
    case 'ins-lost':
      return `no connection to INS server ${event.url}${because(event.why)}`;
    case 'switched':
      return `now taking blocks from ${event.to === 'ins' ? 'the INS server' : 'neighbours'}${because(event.why)}`;
    case 'tracker-lost':
      return `lost the tracker${because(event.why)}; playing goes on`;
    case 'refused':
      return `refused by the ${event.by === 'ins' ? 'INS server' : 'tracker'}${because(event.why)}`;
    case 'rendition':
      return `taking ${event.name} from part ${event.from} on`;
    case 'no-rendition':
      return event.why;
    case 'bad':
      return `dropped what ${event.from} sent for track ${event.track}, part ${event.part}: ${event.what}`;
  }
}

/** The summary for people: a few lines. */
export function summaryText(stats: PeerShellStats, line: JsonLine): string {
  const { startupDelayMs, freezes, frozenMs, dueBlocks, missedBlocks, bytesFrom, sentBytes } = stats;
  const { p50, p95 } = line.liveLatencyMs as { p50: number | null; p95: number | null };
  const upload = line.uploadBps as Traffic;
  const total = Math.max(1, bytesFrom.ins + bytesFrom.peers + bytesFrom.source);
  const share = (from: number) => `${bytes(from)} (${Math.round((from / total) * 100)} %)`;
  return [
    startupDelayMs === null ? 'never started' : `started after ${startupDelayMs} ms`,
    `${count(freezes, 'freeze')}, ${seconds(frozenMs)} in all; missed ${missedBlocks} of ${dueBlocks} blocks`,
    p50 === null ? '' : `behind live by ${seconds(p50)}, at most ${seconds(p95 ?? p50)} for 95 % of the time`,
    `from INS ${share(bytesFrom.ins)}, peers ${share(bytesFrom.peers)}, source ${share(bytesFrom.source)}`,
    `sent ${bytes(sentBytes.data)} data (${rate(upload.data)}), ${bytes(sentBytes.control)} control (${rate(upload.control)})`,
  ]
    .filter((text) => text !== '')
    .join('\n');
}

function because(why: string): string {
  return why === '' ? '' : ` (${why})`;
}

function partsText({ from, to }: { readonly from: number; readonly to: number }): string {
  return from === to ? `part ${from}` : `parts ${from} to ${to}`;
}

function count(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? '' : 's'}`;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

function rate(bitsPerSecond: number): string {
  return bitsPerSecond < 1e6
    ? `${(bitsPerSecond / 1e3).toFixed(1)} kbit/s`
    : `${(bitsPerSecond / 1e6).toFixed(2)} Mbit/s`;
}

function bytes(n: number): string {
  if (n < 1e3) return `${n} B`;
  if (n < 1e6) return `${(n / 1e3).toFixed(0)} kB`;
  return n < 1e9 ? `${(n / 1e6).toFixed(1)} MB` : `${(n / 1e9).toFixed(2)} GB`;
}
