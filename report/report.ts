import type { Mode } from '../protocol/swarm-fields.ts';
import type { Rig } from './rig.ts';

/**
 * The one shape of report of simulator and harness: one module draws both, scripts read either.
 *
 * Times are in ms, rates in bits per second, shares from 0 to 1, sizes in bytes. What cannot be said (the median of nothing, a
 * bound that nobody has worked out) is null: JSON knows no NaN. A report of one run has one seed; one over several seeds holds their means,
 * each with the half width of its 95 % confidence interval, and the figures of every run.
 */
export interface Report {
  readonly schema: typeof REPORT_SCHEMA;
  readonly scenario: string;
  /** The cores under virtual time, or real processes over real sockets. */
  readonly engine: 'sim' | 'processes';
  /** The first of {@link seeds}. */
  readonly seed: string | number;
  /** Of each column's runs, in their order; repetitions have the same seed. */
  readonly seeds: readonly (string | number)[];
  /** Viewers who join in a run. */
  readonly peers: number;
  /** All that may be sent per second by whoever sends media: the same for all columns that are compared. */
  readonly supplyBps: number;
  /** Of all tracks that a viewer takes. */
  readonly streamBps: number;
  /** How long a run lasts. */
  readonly seconds: number;
  /** When the crowd is in: freezes after that count apart. From the start of the run, as all times in series. */
  readonly crowdInAtMs: number;
  readonly made: Made;
  /** What a reader has to know before believing the figures, such as a machine that was the bottleneck. */
  readonly warnings: readonly string[];
  /** By key: `ins`, `native`, `hybrid`, `ins-drafts`, …; in the order of the table. */
  readonly modes: Readonly<Record<string, ColumnReport>>;
}

export const REPORT_SCHEMA = 'inswarm-report-1';

/** How a report was made. */
export interface Made {
  /** The command that makes it again. */
  readonly command: string;
  readonly version: string;
  /** Such as `Node 20.19, 2 CPUs`. */
  readonly machine: string;
  /** ISO 8601; empty where no clock may be read. */
  readonly at: string;
  readonly tookMs: number;
}

/** A column of the table: what was run, and what came of it; figures are means over the runs. */
export interface ColumnReport extends Figures {
  readonly label: string;
  readonly mode: Mode | 'mixed';
  /** One sentence for people: what is different in this column. */
  readonly what: string;
  /** How {@link Report.supplyBps} is shared out here. */
  readonly supply: Supply;
  /** The column of which this is a variation, one thing changed: they are compared seed by seed. Null: it stands for itself. */
  readonly base: string | null;
  /** By the path of a figure (`startupDelayMs.p50`): half the width of its 95 % confidence interval; null of fewer than two runs. */
  readonly confidence: Readonly<Record<string, number | null>>;
  readonly series: Series;
  readonly runs: readonly Run[];
}

export interface Supply {
  readonly sourceBps: number;
  readonly insBps: number;
  readonly peersBps: number;
}

/** One run: a seed's, or one of several repetitions with the same seed. */
export interface Run {
  readonly seed: string | number;
  /** Equal for equal seeds and options; empty where the engine is no simulator. */
  readonly traceHash: string;
  /** The command that replays it. */
  readonly command: string;
  readonly figures: Figures;
  /** What it ran on; null of a simulated run. */
  readonly rig: Rig | null;
}

/** The measures. None of these ever gets another meaning; more may come. */
export interface Figures {
  readonly viewers: {
    readonly joined: number;
    /** Of them, those who saw a first frame. */
    readonly started: number;
  };
  /** From a viewer's first dial to its first frame, over all who saw one. */
  readonly startupDelayMs: {
    readonly p50: number | null;
    readonly p95: number | null;
    readonly max: number | null;
    /** What no system can beat with this supply and these arrivals. */
    readonly bound: Quantiles | null;
  };
  /** How often playback stopped for more than 100 ms for want of data after it had started. */
  readonly freezes: FreezeFigures & {
    /** Of what began after {@link Report.crowdInAtMs}. */
    readonly afterCrowd: FreezeFigures;
    /** Frozen time over the time since each viewer's first frame. */
    readonly frozenShare: number;
    /** The same share, each viewer's own, over those who saw a first frame: whether a shortage is borne evenly. */
    readonly frozenShareOfViewers: Quantiles;
    /** What a shortage of supply forces; 0 where there is enough. */
    readonly frozenShareBound: number | null;
  };
  /** Blocks whose play time came and went without them, over all blocks due. */
  readonly missedRate: number;
  /** What viewers send, per viewer and second of its stay: WebSocket payload and frame headers, without TCP/IP. */
  readonly uploadBps: {
    readonly data: number;
    readonly control: number;
    /** Over viewers, data and control together. */
    readonly p50: number | null;
    readonly p95: number | null;
    /** Viewers who send more than the stream's rate, over all. */
    readonly shareAboveStream: number;
  };
  /** Control messages per viewer and second. */
  readonly controlBps: { readonly sent: number; readonly received: number };
  /** Control bytes a viewer sends over all bytes it downloads. */
  readonly controlShare: number;
  /** From the moment a frame enters the source to the moment it is due on screen, over viewers and seconds of play. */
  readonly liveLatencyMs: {
    readonly p50: number | null;
    readonly p95: number | null;
    readonly bound: { readonly p50: number | null; readonly p95: number | null } | null;
  };
  /** What all viewers download per second over the total supply, once the crowd is in. */
  readonly efficiency: number;
  /** Demand over supply, at most 1: nobody can download what nobody makes. */
  readonly efficiencyBound: number | null;
  /** 1 − media bytes the source sends / (viewers × stream bytes). */
  readonly offload: number;
  /** How often the source sends each media byte. */
  readonly sourceCopies: number;
  /** Media bytes that viewers got, by who sent them. */
  readonly bytesFrom: BytesByOrigin;
}

export interface FreezeFigures {
  readonly total: number;
  /** Per hour that viewers watched, all together. */
  readonly perPeerHour: number;
  readonly frozenMs: number;
}

export interface Quantiles {
  readonly p50: number | null;
  readonly p95: number | null;
  readonly max: number | null;
}

export interface BytesByOrigin {
  readonly ins: number;
  readonly peers: number;
  readonly source: number;
}

/** What the plots are drawn from. Over several runs: distributions of all viewers of all runs, seconds as means over runs. */
export interface Series {
  /** Of the viewers who started. */
  readonly startupDelayMs: Distribution;
  /** The bound for each viewer, where one is known. */
  readonly startupBoundMs: Distribution | null;
  /** Per viewer, data and control together. */
  readonly uploadBps: Distribution;
  readonly perSecond: PerSecond;
}

/** How values are spread: at most a thousand and one of them, ascending, at even shares from the least to the most. */
export interface Distribution {
  /** How many values there were. */
  readonly count: number;
  readonly sorted: readonly number[];
}

/** One value per second of the run in each list; the second `at` begins at `at` × 1000 ms. */
export interface PerSecond {
  /** Viewers who have joined and not left. */
  readonly viewers: readonly number[];
  /** Of these, those who have not seen a first frame. */
  readonly waitingShare: readonly number[];
  /** Of those who have: those whose playback stands still. */
  readonly frozenShare: readonly number[];
  /** Median over those who play; null while nobody does. */
  readonly bufferMs: readonly (number | null)[];
  readonly latencyP50Ms: readonly (number | null)[];
  readonly latencyP95Ms: readonly (number | null)[];
  /** Media that all viewers together got in this second, by who sent it, in bits. */
  readonly downloadBps: {
    readonly ins: readonly number[];
    readonly peers: readonly number[];
    readonly source: readonly number[];
  };
  /** Freezes that began in this second, all viewers. */
  readonly freezes: readonly number[];
}
