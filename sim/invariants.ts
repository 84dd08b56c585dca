import type { Host } from './host.ts';
import { type Run, type SimStay, START_MS } from './run.ts';

/** A rule of the system that did not hold. */
export interface Violation {
  /** When it was seen, in ms after the run's start. */
  readonly atMs: number;
  readonly rule: Rule;
  readonly what: string;
}

export type Rule =
  /** Nobody sends or receives above the rate of its link. */
  | 'link-rate'
  /** What is handed to a player is what the source made. */
  | 'content'
  /** Window and play-head never go back. */
  | 'forward'
  /** What a peer keeps has bounds. */
  | 'memory'
  /** An acknowledged put is there until it expires. */
  | 'put'
  /** In INS mode no block byte is given to or taken from a peer. */
  | 'ins-only'
  /** Little comes twice: see {@link fedTwice}. */
  | 'fed-twice'
  /** In INS mode the source sends each byte to the servers it feeds and twice besides at most. */
  | 'source-copies'
  /** When all faults are healed and time enough has passed, everybody who is there plays near the live edge. */
  | 'recovery';

/** Who is looked at: the programs of a run, and what they count. */
export interface Watched {
  readonly host: Host;
  readonly dataReceivedBytes: number;
  readonly controlReceivedBytes: number;
}

/** A run shows these besides what is measured. */
export interface CheckedRun extends Run {
  readonly servers: readonly Watched[];
  /** What INS servers broke of their word, in words; taken away by looking. */
  takeBrokenPuts(): string[];
}

/** Of all that comes, the most that may come more than once. In hybrid mode two ways race for what is late. */
const TWICE_SHARE_MAX = { ins: 0.1, native: 0.1, mixed: 0.1, hybrid: 0.4 } as const;
/** Of small crowds' supply the source has most, and servers fall behind; less time shows the start alone. */
const TWICE_VIEWERS_MIN = 200;
const TWICE_MS_MIN = 30_000;
const TWICE_SUPPLY_MIN = 1.2;

export type FedRun = Pick<CheckedRun, 'elapsedMs'> & {
  readonly plan: Pick<CheckedRun['plan'], 'mode' | 'scenario'>;
  readonly stays: readonly unknown[];
};

/** A crowd that lacks nothing and gets too much more than once. Where something breaks, what was under way comes again. */
export function fedTwice(run: FedRun, duplicateShare: number): Violation[] {
  const { supply, happenings, faults } = run.plan.scenario;
  if (happenings.length > 0 || faults !== null || run.stays.length < TWICE_VIEWERS_MIN) return [];
  if (run.elapsedMs < TWICE_MS_MIN || (supply.kind === 'fair' && supply.times < TWICE_SUPPLY_MIN)) return [];
  if (duplicateShare <= TWICE_SHARE_MAX[run.plan.mode]) return [];
  const what = `${(duplicateShare * 100).toFixed(1)} % of what came had come before`;
  return [{ atMs: run.elapsedMs, rule: 'fed-twice', what }];
}

/** Violations beyond these are counted, not kept. */
const KEPT_MAX = 20;
/** A block's header with its record, and what a network card is given ahead. */
const FRAME_MARGIN_BYTES = 8_192;
/** Frame headers, labels and records travel with each block. */
const COPIES_MARGIN = 0.05;
/** What goes over the wire again when the source's connection broke. */
const COPIES_SLACK_BYTES = 2_000_000;

/**
 * Whoever plays what was filmed so long ago is back. Native viewers keep at a distance for long after an outage: what arrives late while
 * they catch up counts as lateness to expect (`machine/player.ts`).
 */
const NEAR_LIVE_MS = { ins: 10_000, hybrid: 10_000, native: 45_000 } as const;

/** Rules that are looked at once a second in every run, whatever it is run for. Looking changes nothing. */
export class Invariants {
  readonly violations: Violation[] = [];
  count = 0;
  private readonly run: CheckedRun;
  private readonly blockBytesMax: number;
  private readonly sentBytes = new Map<Host, number>();
  private readonly receivedBytes = new Map<Watched, number>();
  private readonly heads = new Map<SimStay, { part: number; window: number }>();
  private readonly wrong = new Set<SimStay>();
  private checkedAtMs: number;
  private hasRecovered = false;

  constructor(run: CheckedRun, blockBytesMax: number) {
    this.run = run;
    this.blockBytesMax = blockBytesMax;
    this.checkedAtMs = run.nowMs;
  }

  /** At the end of each second. */
  check(): void {
    const { run } = this;
    const sinceMs = run.nowMs - this.checkedAtMs;
    this.checkedAtMs = run.nowMs;
    for (const stay of run.stays) {
      // Who has left has been looked at a last time when it did.
      if (stay.leftAtMs < run.nowMs - 2 * sinceMs) continue;
      this.rates(stay.peer, () => `viewer ${stay.visit.viewer}`, sinceMs);
      this.peer(stay);
    }
    for (const [at, server] of run.servers.entries()) this.rates(server, () => `server ${at}`, sinceMs);
    for (const what of run.takeBrokenPuts()) this.report('put', what);
    this.sourceCopies();
    this.recovery();
  }

  private rates(program: Watched, who: () => string, sinceMs: number): void {
    const { host } = program;
    const { upBps, downBps } = host.options;
    const sent = host.sentBytes - (this.sentBytes.get(host) ?? 0);
    this.sentBytes.set(host, host.sentBytes);
    const totalBytes = program.dataReceivedBytes + program.controlReceivedBytes;
    const received = totalBytes - (this.receivedBytes.get(program) ?? 0);
    this.receivedBytes.set(program, totalBytes);
    const marginBytes = this.blockBytesMax + FRAME_MARGIN_BYTES;
    if (sent > (upBps * sinceMs) / 8000 + marginBytes)
      this.report('link-rate', `${who()} sent ${sent} bytes in ${sinceMs} ms over ${Math.round(upBps)} bit/s`);
    if (received > (downBps * sinceMs) / 8000 + marginBytes)
      this.report('link-rate', `${who()} got ${received} bytes in ${sinceMs} ms over ${Math.round(downBps)} bit/s`);
  }

  private peer(stay: SimStay): void {
    const { peer, visit } = stay;
    const who = `viewer ${visit.viewer}`;
    if (peer.wrongParts.length > 0 && !this.wrong.has(stay)) {
      this.wrong.add(stay);
      this.report('content', `${who} played ${peer.wrongParts[0]}, which the source did not make so`);
    }
    const stats = peer.core.stats(this.run.nowMs + peer.skewMs);
    const sizes = peer.core.sizes();
    const before = this.heads.get(stay);
    if (before !== undefined && (stats.part < before.part || sizes.windowFrom < before.window)) {
      this.report(
        'forward',
        `${who} went from part ${before.part} (window ${before.window}) back to ${stats.part} (${sizes.windowFrom})`,
      );
    }
    this.heads.set(stay, { part: stats.part, window: sizes.windowFrom });
    for (const name in sizes.bounded) {
      const { size, max } = sizes.bounded[name]!;
      if (size > max) this.report('memory', `${who} has ${size} ${name}, of which there are ${max} at most`);
    }
    if (stats.mode === 'ins' && peer.dataSentBytes + stats.bytesFrom.peers + stats.bytesFrom.source > 0) {
      this.report(
        'ins-only',
        `${who} gave ${peer.dataSentBytes} bytes to peers and took ${stats.bytesFrom.peers + stats.bytesFrom.source}`,
      );
    }
  }

  private sourceCopies(): void {
    const { run } = this;
    const { dataSentBytes, mediaBytes } = run.source;
    if (dataSentBytes <= (run.plan.fed + 2) * (1 + COPIES_MARGIN) * mediaBytes + COPIES_SLACK_BYTES) return;
    if (run.stays.some(({ peer }) => peer.core.stats(run.nowMs).mode !== 'ins')) return;
    this.report('source-copies', `the source sent ${dataSentBytes} bytes of a stream of ${mediaBytes}`);
  }

  private recovery(): void {
    const { run } = this;
    const { faults } = run.plan.scenario;
    if (this.hasRecovered || faults === null || run.elapsedMs < faults.untilMs + faults.recoveredWithinMs) return;
    this.hasRecovered = true;
    const newest = run.source.newestPart;
    for (const { peer, visit, leftAtMs, joinedAtMs } of run.stays) {
      if (leftAtMs <= run.nowMs || joinedAtMs - START_MS > faults.untilMs) continue;
      const { state, part, mode } = peer.core.stats(run.nowMs + peer.skewMs);
      const behindMs = (newest - part) * run.plan.scenario.stream.partMs;
      // Who stands still for a moment at the live edge is there.
      if (state !== 'waiting' && behindMs <= NEAR_LIVE_MS[mode]) continue;
      this.report('recovery', `viewer ${visit.viewer} (${mode}) is ${state} at part ${part} of ${newest}`);
    }
  }

  private report(rule: Rule, what: string): void {
    this.count++;
    if (this.violations.length < KEPT_MAX) this.violations.push({ atMs: this.run.nowMs - START_MS, rule, what });
  }
}
