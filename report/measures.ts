import type { Figures } from './report.ts';

/** A figure as tables and pages show it. */
export interface Measure {
  /** The path in the report, as {@link ColumnReport.confidence} knows it. */
  readonly key: string;
  readonly label: string;
  /** In the middle of a sentence. */
  readonly name: string;
  /** What it is, for people who have not read the definitions. */
  readonly what: string;
  readonly unit: Unit;
  readonly better: 'less' | 'more';
  readonly pick: (figures: Figures) => number | null;
  /** What no system can beat. */
  readonly bound: (figures: Figures) => number | null;
}

export type Unit = 'ms' | 'share' | 'bps' | 'count' | 'times';

const none = (): null => null;

export const MEASURES: readonly Measure[] = [
  {
    key: 'startupDelayMs.p50',
    label: 'Startup, median',
    name: 'median startup',
    what: 'from the first dial to the first frame; half of the viewers waited no longer',
    unit: 'ms',
    better: 'less',
    pick: (figures) => figures.startupDelayMs.p50,
    bound: (figures) => figures.startupDelayMs.bound?.p50 ?? null,
  },
  {
    key: 'startupDelayMs.p95',
    label: 'Startup, 95\u00a0%',
    name: 'the startup of 95\u00a0%',
    what: '95 of 100 viewers waited no longer',
    unit: 'ms',
    better: 'less',
    pick: (figures) => figures.startupDelayMs.p95,
    bound: (figures) => figures.startupDelayMs.bound?.p95 ?? null,
  },
  {
    key: 'startupDelayMs.max',
    label: 'Startup, longest',
    name: 'the longest startup',
    what: 'of those who saw a first frame',
    unit: 'ms',
    better: 'less',
    pick: (figures) => figures.startupDelayMs.max,
    bound: (figures) => figures.startupDelayMs.bound?.max ?? null,
  },
  {
    key: 'started',
    label: 'Viewers who started',
    name: 'the share who started',
    what: 'of those who joined',
    unit: 'share',
    better: 'more',
    pick: ({ viewers }) => (viewers.joined === 0 ? null : viewers.started / viewers.joined),
    bound: () => 1,
  },
  {
    key: 'freezes.perPeerHour',
    label: 'Freezes per viewer-hour',
    name: 'freezes per viewer-hour',
    what: 'playback stood still for more than 100 ms',
    unit: 'count',
    better: 'less',
    pick: (figures) => figures.freezes.perPeerHour,
    bound: none,
  },
  {
    key: 'freezes.afterCrowd.perPeerHour',
    label: '… after the crowd was in',
    name: 'later freezes per viewer-hour',
    what: 'freezes per viewer-hour that began later',
    unit: 'count',
    better: 'less',
    pick: (figures) => figures.freezes.afterCrowd.perPeerHour,
    bound: none,
  },
  {
    key: 'freezes.frozenShare',
    label: 'Time frozen',
    name: 'time frozen',
    what: 'of the time since the first frame',
    unit: 'share',
    better: 'less',
    pick: (figures) => figures.freezes.frozenShare,
    bound: (figures) => figures.freezes.frozenShareBound,
  },
  {
    key: 'freezes.frozenShareOfViewers.p95',
    label: '… of the worst off',
    name: 'time frozen of the worst off',
    what: '95 of 100 viewers were frozen for no larger a share of their time',
    unit: 'share',
    better: 'less',
    pick: (figures) => figures.freezes.frozenShareOfViewers.p95,
    bound: (figures) => figures.freezes.frozenShareBound,
  },
  {
    key: 'missedRate',
    label: 'Pieces missed',
    name: 'the missed share',
    what: 'blocks whose play time came and went without them',
    unit: 'share',
    better: 'less',
    pick: (figures) => figures.missedRate,
    bound: none,
  },
  {
    key: 'liveLatencyMs.p50',
    label: 'Live latency, median',
    name: 'median live latency',
    what: 'from the camera to the screen',
    unit: 'ms',
    better: 'less',
    pick: (figures) => figures.liveLatencyMs.p50,
    bound: (figures) => figures.liveLatencyMs.bound?.p50 ?? null,
  },
  {
    key: 'liveLatencyMs.p95',
    label: 'Live latency, 95\u00a0%',
    name: 'the live latency of 95\u00a0%',
    what: '95 % of all watched seconds were no later',
    unit: 'ms',
    better: 'less',
    pick: (figures) => figures.liveLatencyMs.p95,
    bound: (figures) => figures.liveLatencyMs.bound?.p95 ?? null,
  },
  {
    key: 'uploadBps.data',
    label: 'Video uploaded',
    name: 'the video that a viewer uploads',
    what: 'blocks that a viewer sends, on average',
    unit: 'bps',
    better: 'less',
    pick: (figures) => figures.uploadBps.data,
    bound: none,
  },
  {
    key: 'controlBps.sent',
    label: 'Control uploaded',
    name: 'the control that a viewer uploads',
    what: 'messages that a viewer sends, on average',
    unit: 'bps',
    better: 'less',
    pick: (figures) => figures.controlBps.sent,
    bound: none,
  },
  {
    key: 'controlShare',
    label: 'Control over download',
    name: 'control over download',
    what: 'control bytes sent over all bytes got',
    unit: 'share',
    better: 'less',
    pick: (figures) => figures.controlShare,
    bound: none,
  },
  {
    key: 'uploadBps.shareAboveStream',
    label: 'Upload above the stream rate',
    name: 'viewers who send more than they watch',
    what: 'viewers who send more than they watch',
    unit: 'share',
    better: 'less',
    pick: (figures) => figures.uploadBps.shareAboveStream,
    bound: none,
  },
  {
    key: 'efficiency',
    label: 'Network efficiency',
    name: 'efficiency',
    what: 'what all viewers download over the total supply',
    unit: 'share',
    better: 'more',
    pick: (figures) => figures.efficiency,
    bound: (figures) => figures.efficiencyBound,
  },
  {
    key: 'offload',
    label: 'Offload',
    name: 'offload',
    what: '1 − what the source sends over what is watched',
    unit: 'share',
    better: 'more',
    pick: (figures) => figures.offload,
    bound: none,
  },
  {
    key: 'sourceCopies',
    label: 'Copies the source sends',
    name: 'copies the source sends',
    what: 'how often each byte leaves the source',
    unit: 'times',
    better: 'less',
    pick: (figures) => figures.sourceCopies,
    bound: none,
  },
];

export function measureOf(key: string): Measure {
  return MEASURES.find((measure) => measure.key === key)!;
}
