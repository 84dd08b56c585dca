import type { Arrivals, SessionLength, Sessions } from '../plan/arrivals.ts';
import { UPLINK_MIXES, type UplinkMix } from '../plan/bandwidth.ts';
import type { FaultPlan } from '../plan/faults.ts';
import {
  type Happening,
  MBPS,
  SCENARIO_DEFAULTS,
  type Scenario,
  type ScenarioMode,
  STREAM,
  type StreamShape,
} from '../plan/scenario.ts';
import type { Supply } from '../plan/supply.ts';
import { type Field, list, needed, optionally, record, scalar, usually, variants, Wrong, word } from './field.ts';
import { duration, number, rate, share, wholeNumber, wholeSeconds } from './quantities.ts';
import { regionName, regions } from './regions.ts';

/**
 * The format of scenario files: every field, its bounds, and what holds where it is left out. A file has the fields of {@link Scenario}
 * with names and units for people.
 */

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** No machine stands still, and no partition lasts, longer: connections would end before. */
const PAUSE_MS_MAX = 20_000;
const RATE_MIN = 8_000;
const RATE_MAX = 1_000_000 * MBPS;
export const INS_SERVERS_MAX = 1_000;
const HAPPENINGS_MAX = 1_000;
const SUMMARY_CHARS_MAX = 300;
/** Beside the best picture and the sound. */
const RENDITIONS_MAX = 8;

export const MODES = ['ins', 'native', 'hybrid', 'mixed'] as const satisfies readonly ScenarioMode[];

const name: Field<string> = scalar({
  what: 'a name',
  example: 'my-event',
  parse: (text) =>
    /^[a-z0-9][a-z0-9-]{0,62}$/.test(text)
      ? text
      : new Wrong('is no name: lower-case letters, digits and - are possible, such as my-event'),
  format: (value) => value,
});

const summary: Field<string> = scalar({
  what: 'a sentence',
  example: 'all join within 10 s',
  parse(text) {
    if (text.length > SUMMARY_CHARS_MAX) return new Wrong(`is too long; at most ${SUMMARY_CHARS_MAX} characters`);
    return text.includes('\n') ? new Wrong('has several lines; one is expected') : text;
  },
  format: (value) => value,
});

const time = duration(0, DAY_MS);

const stream: Field<StreamShape> = record<StreamShape>(
  {
    bps: usually('rate', rate(RATE_MIN, 1_000 * MBPS, '1 Mbit/s'), STREAM.bps),
    partMs: usually('part', duration(100, 60_000, '250 ms'), STREAM.partMs),
    partsPerSegment: usually('parts-per-segment', wholeNumber(1, 100, '4'), STREAM.partsPerSegment),
    renditions: optionally('renditions', list(rate(RATE_MIN, 1_000 * MBPS, '300 kbit/s'), 0, RENDITIONS_MAX)),
  },
  '{rate: 1 Mbit/s}',
);

const { fromMs } = SCENARIO_DEFAULTS.arrivals;

const arrivals: Field<Arrivals> = variants<'kind', Arrivals>(
  'kind',
  {
    crowd: {
      fromMs: usually('from', time, fromMs),
      withinMs: needed('within', time),
      shape: usually('shape', word('shape', ['even', 'ramp']), 'even'),
    },
    poisson: { fromMs: usually('from', time, fromMs), withinMs: needed('within', time) },
    waves: {
      fromMs: usually('from', time, fromMs),
      count: needed('count', wholeNumber(1, 1_000, '3')),
      everyMs: needed('every', time),
      withinMs: needed('within', time),
    },
  },
  '{kind: crowd, within: 10 s}',
);

const length: Field<SessionLength> = variants<'law', SessionLength>(
  'law',
  {
    exponential: { meanMs: needed('mean', duration(1_000, DAY_MS)) },
    lognormal: {
      medianMs: needed('median', duration(1_000, DAY_MS)),
      spread: needed('spread', number(0, 10, '1.4')),
    },
  },
  '{law: exponential, mean: 60 s}',
);

const sessions: Field<Sessions> = variants<'kind', Sessions>(
  'kind',
  {
    stay: {},
    churn: {
      length: needed('length', length),
      returning: needed('returning', share('50 %')),
      awayMs: needed('away', time),
      crashing: needed('crashing', share('20 %')),
    },
  },
  '{kind: stay}',
);

const supply: Field<Supply> = variants<'kind', Supply>(
  'kind',
  {
    fair: {
      times: needed('times', number(0.01, 1_000, '1.5')),
      sourceStreams: usually('source-streams', number(1, 100_000, '20'), SCENARIO_DEFAULTS.supply.sourceStreams),
    },
    links: {
      sourceBps: needed('source', rate(RATE_MIN, RATE_MAX, '20 Mbit/s')),
      insBps: needed('ins', rate(RATE_MIN, RATE_MAX, '100 Mbit/s')),
      peerBps: needed('viewer', rate(RATE_MIN, RATE_MAX, '4 Mbit/s')),
    },
  },
  '{kind: fair, times: 1.5}',
);

const server = needed('server', wholeNumber(0, INS_SERVERS_MAX - 1, '0'));
const ofViewers = needed('share', share('10 %'));
const atMs = needed('at', duration(0, DAY_MS, '25 s'));
const pauseMs = needed('for', duration(1, PAUSE_MS_MAX, '8 s'));
/** Of nothing a link would never be rid of what it has begun to send. */
const throttledTo = needed('to', share('25 %', 0.001));
const between = list(regionName, 2, 2) as unknown as Field<readonly [number, number]>;

const happening: Field<Happening> = variants<'what', Happening>(
  'what',
  {
    'ins-dies': { atMs, server },
    'ins-back': { atMs, server },
    'ins-drops-links': { atMs, server },
    'ins-stalls': { atMs, server, forMs: pauseMs },
    'tracker-dies': { atMs },
    'tracker-back': { atMs },
    'source-drops-links': { atMs },
    'viewers-drop-links': { atMs, share: ofViewers },
    'viewers-lose-links': { atMs, share: ofViewers },
    'viewers-stall': { atMs, share: ofViewers, forMs: pauseMs },
    'ins-throttled': { atMs, server, to: throttledTo },
    'viewers-throttled': { atMs, share: ofViewers, to: throttledTo },
    'viewers-lie': { atMs, share: ofViewers },
    'viewers-crash': { atMs, share: ofViewers },
    partition: { atMs, regions: needed('regions', between), forMs: pauseMs },
  },
  '{at: 25 s, what: ins-dies, server: 0}',
);

const faultPlan: Field<FaultPlan> = record<FaultPlan>(
  {
    fromMs: needed('from', time),
    untilMs: needed('until', time),
    everyMs: needed('every', duration(10, DAY_MS, '1500 ms')),
    recoveredWithinMs: needed('recovered-within', time),
  },
  '{from: 6 s, until: 24 s, every: 1500 ms, recovered-within: 34 s}',
);

/** A plan, or the word none. */
const faults: Field<{ readonly plan: FaultPlan | null }> = {
  example: 'none',
  read(tree, path, reading) {
    if (tree.kind === 'text' && tree.text === 'none') return { plan: null };
    const plan = faultPlan.read(tree, path, reading);
    return plan === undefined ? undefined : { plan };
  },
  write: ({ plan }, names) => (plan === null ? 'none' : faultPlan.write(plan, names)),
};

/** A scenario as its file has it: what may be null is not. */
export type InFile = Omit<Scenario, 'faults'> & {
  readonly version: 1;
  readonly faults: { readonly plan: FaultPlan | null };
};

const version: Field<1> = scalar({
  what: 'the version of the format',
  example: '1',
  parse: (text) => (text === '1' ? 1 : new Wrong('is no version that this program knows; it knows 1')),
  format: String,
});

const D = SCENARIO_DEFAULTS;

/** Regions come before what names them. */
export const SCENARIO_FILE: Field<InFile> = record<InFile>(
  {
    version: needed('version', version),
    name: needed('name', name),
    summary: needed('summary', summary),
    mode: usually('mode', word('mode', MODES), D.mode),
    seconds: usually('duration', wholeSeconds(1, 86_400, '60 s'), D.seconds),
    stream: usually('stream', stream, D.stream),
    arrivals: usually('arrivals', arrivals, D.arrivals),
    sessions: usually('sessions', sessions, D.sessions),
    supply: usually('supply', supply, D.supply),
    insServers: usually('ins-servers', wholeNumber(0, INS_SERVERS_MAX, '4'), D.insServers),
    insFed: usually('ins-fed', wholeNumber(0, INS_SERVERS_MAX, '1'), D.insFed),
    uplinks: usually('uplinks', word('mix of uplinks', Object.keys(UPLINK_MIXES) as UplinkMix[]), D.uplinks),
    downBps: usually('downlink', rate(RATE_MIN, RATE_MAX, '20 Mbit/s'), D.downBps),
    browsers: usually('browsers', share('70 %'), D.browsers),
    clocksOffMs: usually('clocks-off', duration(0, HOUR_MS, '2 s'), D.clocksOffMs),
    regions: usually('regions', regions, D.regions),
    happenings: usually('happenings', list(happening, 0, HAPPENINGS_MAX), D.happenings),
    faults: usually('faults', faults, { plan: D.faults }),
  },
  'version: 1',
);
