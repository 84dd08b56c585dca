import { figureText, rateText } from '../../../../../report/text.ts';
import type { LiveHost, LiveViewer } from '../../model.ts';
import type { Picture } from '../../picture.ts';
import { unpackViewer } from '../../told.ts';
import { flowText, msText, shareText } from '../figures.ts';
import { hostsOf, isViewer, regionName, STANDING_WORDS } from '../hosts.ts';

/** A viewer with what the table says of it. */
export interface Row {
  readonly host: LiveHost;
  readonly viewer: LiveViewer;
  readonly region: string;
}

export type ColumnKey =
  | 'name'
  | 'region'
  | 'state'
  | 'buffer'
  | 'latency'
  | 'startup'
  | 'freezes'
  | 'down'
  | 'data'
  | 'control';

export interface Column {
  readonly key: ColumnKey;
  readonly label: string;
  /** What it is, for who points at it. */
  readonly what: string;
  /** What rows are sorted by; null comes last, whichever way. */
  readonly by: (row: Row) => number | string | null;
  readonly text: (row: Row) => string;
}

const STATES: Readonly<Record<LiveViewer['state'], number>> = {
  stalled: 0,
  waiting: 1,
  dead: 2,
  left: 3,
  playing: 4,
  coming: 5,
};

export const COLUMNS: readonly Column[] = [
  {
    key: 'name',
    label: 'Viewer',
    what: 'Its name; a mark says that it is in a browser',
    by: ({ host }) => host.id,
    text: ({ host }) => host.name,
  },
  { key: 'region', label: 'Region', what: 'Where it is', by: ({ region }) => region, text: ({ region }) => region },
  {
    key: 'state',
    label: 'State',
    what: 'Troubled ones first',
    by: ({ viewer }) => STATES[viewer.state],
    text: ({ viewer }) => STANDING_WORDS[viewer.state],
  },
  {
    key: 'buffer',
    label: 'In hand',
    what: 'Seconds of video that it holds ahead of its picture',
    by: ({ viewer }) => (plays(viewer) ? viewer.bufferMs : null),
    text: ({ viewer }) => (plays(viewer) ? msText(viewer.bufferMs) : '–'),
  },
  {
    key: 'latency',
    label: 'Behind',
    what: 'Live latency: from the camera to its screen',
    by: ({ viewer }) => (plays(viewer) ? viewer.latencyMs : null),
    text: ({ viewer }) => (plays(viewer) ? msText(viewer.latencyMs) : '–'),
  },
  {
    key: 'startup',
    label: 'Startup',
    what: 'From its first dial to its first frame',
    by: ({ viewer }) => viewer.startupMs,
    text: ({ viewer }) => msText(viewer.startupMs),
  },
  {
    key: 'freezes',
    label: 'Freezes',
    what: 'How often its picture stood still for more than 100 ms, and how long in all',
    by: ({ viewer }) => viewer.freezes + Math.min(0.99, viewer.frozenMs / 1e7),
    text: ({ viewer: { freezes, frozenMs } }) => (freezes === 0 ? '0' : `${freezes} · ${figureText(frozenMs, 'ms')}`),
  },
  {
    key: 'down',
    label: 'Gets',
    what: 'Video per second; the bar says from whom',
    by: ({ viewer }) => gets(viewer),
    text: ({ viewer }) => flowText(gets(viewer)),
  },
  {
    key: 'data',
    label: 'Uploads',
    what: 'Video that it sends to others, per second',
    by: ({ viewer }) => viewer.upBps.data,
    text: ({ viewer }) => flowText(viewer.upBps.data),
  },
  {
    key: 'control',
    label: 'Control',
    what: 'Messages that it sends, per second',
    by: ({ viewer }) => viewer.upBps.control,
    text: ({ viewer }) => (viewer.upBps.control === 0 ? '–' : rateText(viewer.upBps.control)),
  },
];

function plays({ state }: LiveViewer): boolean {
  return state === 'playing' || state === 'stalled';
}

export function gets({ downBps: { ins, peers, source } }: LiveViewer): number {
  return ins + peers + source;
}

/** All viewers of the run, those too who are still to come. */
export function rowsOfRun(picture: Picture): Row[] {
  const rows: Row[] = [];
  for (const host of hostsOf(picture).values()) {
    if (!isViewer(host)) continue;
    const viewer = picture.viewers.get(host.id) ?? unpackViewer([], [host.id]);
    rows.push({ host, viewer, region: regionName(picture, host) });
  }
  return rows;
}

export interface Wanted {
  /** Words that must all be there: in name, region, state, `browser`, `throttled`. */
  readonly words: string;
  readonly state: LiveViewer['state'] | null;
  readonly by: ColumnKey;
  readonly isDown: boolean;
}

/** The rows that are wanted, in the order that is wanted. */
export function wantedRows(rows: readonly Row[], { words, state, by, isDown }: Wanted): Row[] {
  const all = words.toLowerCase().split(/\s+/).filter(Boolean);
  const found = rows.filter(
    (row) => (state === null || row.viewer.state === state) && all.every((word) => said(row).includes(word)),
  );
  const { by: value } = COLUMNS.find(({ key }) => key === by)!;
  const sign = isDown ? -1 : 1;
  return found
    .map((row) => ({ row, value: value(row) }))
    .sort((a, b) => compared(a.value, b.value, sign) || a.row.host.id - b.row.host.id)
    .map(({ row }) => row);
}

function said({ host, viewer, region }: Row): string {
  const throttled = viewer.throttledTo < 1 ? `throttled ${shareText(viewer.throttledTo)}` : '';
  return `${host.name} ${host.kind} ${region} ${STANDING_WORDS[viewer.state]} ${viewer.state} ${throttled}`.toLowerCase();
}

function compared(a: number | string | null, b: number | string | null, sign: number): number {
  if (a === null || b === null) return Number(a === null) - Number(b === null);
  return (a < b ? -1 : a > b ? 1 : 0) * sign;
}
