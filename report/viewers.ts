import type { Mode } from '../protocol/swarm-fields.ts';

/** What came of one viewer's stay. Words as in {@link Figures}; times in ms after the run's start, sizes in bytes. */
export interface ViewerFigures {
  /** The viewer's number, from 0. */
  readonly viewer: number;
  /** Its first stay is 0; who comes back is a new peer with the same number. */
  readonly stay: number;
  readonly region: string;
  readonly mode: Mode;
  readonly isBrowser: boolean;
  readonly joinedAtMs: number;
  /** Null: it stayed to the end. */
  readonly leftAtMs: number | null;
  /** Null: it never saw a first frame. */
  readonly startupDelayMs: number | null;
  readonly freezes: number;
  readonly frozenMs: number;
  readonly dueBlocks: number;
  readonly missedBlocks: number;
  /** Media that it got, by who sent it. */
  readonly bytesFrom: { readonly ins: number; readonly peers: number; readonly source: number };
  readonly dataSentBytes: number;
  readonly controlSentBytes: number;
  readonly controlReceivedBytes: number;
  /** Mean over the seconds that it played; null where it played in none. */
  readonly liveLatencyMs: number | null;
}

/** A column of the file: its name, and what stands in it. */
export interface ViewerColumn {
  readonly name: string;
  readonly pick: (viewer: ViewerFigures) => string | number | null;
}

/** Beside the column of the report (`column`), which comes first. None of these ever gets another meaning; more may come, at the end. */
export const VIEWER_COLUMNS: readonly ViewerColumn[] = [
  { name: 'viewer', pick: ({ viewer }) => viewer },
  { name: 'stay', pick: ({ stay }) => stay },
  { name: 'region', pick: ({ region }) => region },
  { name: 'mode', pick: ({ mode }) => mode },
  { name: 'browser', pick: ({ isBrowser }) => (isBrowser ? 1 : 0) },
  { name: 'joined_ms', pick: ({ joinedAtMs }) => joinedAtMs },
  { name: 'left_ms', pick: ({ leftAtMs }) => leftAtMs },
  { name: 'startup_ms', pick: ({ startupDelayMs }) => startupDelayMs },
  { name: 'freezes', pick: ({ freezes }) => freezes },
  { name: 'frozen_ms', pick: ({ frozenMs }) => frozenMs },
  { name: 'due_blocks', pick: ({ dueBlocks }) => dueBlocks },
  { name: 'missed_blocks', pick: ({ missedBlocks }) => missedBlocks },
  { name: 'ins_bytes', pick: ({ bytesFrom }) => bytesFrom.ins },
  { name: 'peers_bytes', pick: ({ bytesFrom }) => bytesFrom.peers },
  { name: 'source_bytes', pick: ({ bytesFrom }) => bytesFrom.source },
  { name: 'data_sent_bytes', pick: ({ dataSentBytes }) => dataSentBytes },
  { name: 'control_sent_bytes', pick: ({ controlSentBytes }) => controlSentBytes },
  { name: 'control_received_bytes', pick: ({ controlReceivedBytes }) => controlReceivedBytes },
  { name: 'latency_ms', pick: ({ liveLatencyMs }) => liveLatencyMs },
];

/**
 * One line a stay, under a line of names (RFC 4180, with line feeds). What cannot be said is empty; times are rounded to a tenth of a ms.
 *
 * @param columns - The report's, by key, each with its viewers.
 */
export function viewersCsv(columns: Readonly<Record<string, readonly ViewerFigures[]>>): string {
  const lines = [['column', ...VIEWER_COLUMNS.map(({ name }) => name)].join(',')];
  for (const [key, viewers] of Object.entries(columns)) {
    for (const viewer of viewers) lines.push([key, ...VIEWER_COLUMNS.map(({ pick }) => cell(pick(viewer)))].join(','));
  }
  return `${lines.join('\n')}\n`;
}

function cell(value: string | number | null): string {
  if (value === null) return '';
  if (typeof value === 'number') return String(Math.round(value * 10) / 10);
  return /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}
