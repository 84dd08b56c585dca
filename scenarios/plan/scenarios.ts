import { MBPS, SCENARIO_DEFAULTS, type Scenario } from './scenario.ts';

/** The scenarios that ship, by name. */
export const SCENARIOS: readonly Scenario[] = [
  {
    ...SCENARIO_DEFAULTS,
    name: 'flash-crowd',
    summary: 'all join within 10 s; half as much supply again as they need',
  },
  {
    ...SCENARIO_DEFAULTS,
    name: 'flash-crowd-tight',
    summary: 'all join within 10 s; a fifth more supply than they need',
    supply: { kind: 'fair', times: 1.2, sourceStreams: 20 },
  },
  {
    ...SCENARIO_DEFAULTS,
    name: 'flash-crowd-small',
    summary: 'the flash crowd for fewer than sixty, of whose supply the source has most: three times what they need',
    supply: { kind: 'fair', times: 3, sourceStreams: 20 },
  },
  {
    ...SCENARIO_DEFAULTS,
    name: 'flash-crowd-ramp',
    summary: 'the flash crowd, with more and more joining until the tenth second',
    arrivals: { kind: 'crowd', fromMs: 3_000, withinMs: 10_000, shape: 'ramp' },
  },
  {
    ...SCENARIO_DEFAULTS,
    name: 'four-regions',
    summary: 'the flash crowd in four regions, with an INS server in each that the source feeds itself',
    insFed: 4,
  },
  {
    ...SCENARIO_DEFAULTS,
    name: 'shortage',
    summary: 'the flash crowd with four fifths of the supply it needs: everybody has to suffer alike',
    supply: { kind: 'fair', times: 0.8, sourceStreams: 20 },
  },
  {
    ...SCENARIO_DEFAULTS,
    name: 'steady',
    summary: 'viewers come one by one over 40 s',
    arrivals: { kind: 'poisson', fromMs: 3_000, withinMs: 40_000 },
  },
  {
    ...SCENARIO_DEFAULTS,
    name: 'churn',
    summary:
      'a flash crowd of zappers: half stay less than 20 s, half of those come back, a fifth leaves without a word',
    sessions: {
      kind: 'churn',
      length: { law: 'lognormal', medianMs: 20_000, spread: 1.4 },
      returning: 0.5,
      awayMs: 10_000,
      crashing: 0.2,
    },
  },
  {
    ...SCENARIO_DEFAULTS,
    name: 'waves',
    summary: 'three flash crowds of 3 s, one every 15 s',
    arrivals: { kind: 'waves', fromMs: 3_000, count: 3, everyMs: 15_000, withinMs: 3_000 },
  },
  {
    ...SCENARIO_DEFAULTS,
    name: 'ins-lost',
    summary: 'all INS servers but the fed one die, then that one too; they come back 10 s later',
    mode: 'hybrid',
    // Until they are back, what the viewers' uplinks carry has to do.
    supply: { kind: 'fair', times: 2.5, sourceStreams: 20 },
    happenings: [
      { atMs: 25_000, what: 'ins-dies', server: 1 },
      { atMs: 25_000, what: 'ins-dies', server: 2 },
      { atMs: 25_000, what: 'ins-dies', server: 3 },
      { atMs: 30_000, what: 'ins-dies', server: 0 },
      { atMs: 40_000, what: 'ins-back', server: 0 },
      { atMs: 42_000, what: 'ins-back', server: 1 },
      { atMs: 42_000, what: 'ins-back', server: 2 },
      { atMs: 42_000, what: 'ins-back', server: 3 },
    ],
  },
  {
    ...SCENARIO_DEFAULTS,
    name: 'mixed',
    summary: 'a flash crowd of which half is in INS mode and half native',
    mode: 'mixed',
  },
  {
    ...SCENARIO_DEFAULTS,
    name: 'browsers',
    summary: 'a hybrid flash crowd of which 70 % are browsers, which nobody can dial',
    mode: 'hybrid',
    browsers: 0.7,
  },
  {
    ...SCENARIO_DEFAULTS,
    name: 'uneven',
    summary: 'the flash crowd with uplinks as measured among Gnutella hosts: a few carry most',
    mode: 'native',
    uplinks: 'gnutella',
  },
  {
    ...SCENARIO_DEFAULTS,
    name: 'partition',
    summary:
      'the flash crowd; at 25 s Asia cannot be reached for 8 s, then Europe and the western US cannot reach each other',
    happenings: [
      { atMs: 25_000, what: 'partition', regions: [3, 0], forMs: 8_000 },
      { atMs: 25_000, what: 'partition', regions: [3, 1], forMs: 8_000 },
      { atMs: 25_000, what: 'partition', regions: [3, 2], forMs: 8_000 },
      { atMs: 38_000, what: 'partition', regions: [1, 2], forMs: 8_000 },
    ],
  },
  {
    ...SCENARIO_DEFAULTS,
    name: 'faults',
    summary:
      'a small crowd with enough of everything, and faults drawn from the seed; half a minute after the last one all play at the live edge',
    seconds: 60,
    arrivals: { kind: 'crowd', fromMs: 2_000, withinMs: 3_000, shape: 'even' },
    supply: { kind: 'links', sourceBps: 20 * MBPS, insBps: 100 * MBPS, peerBps: 4 * MBPS },
    insServers: 3,
    // A half-open connection is found out after 25 s at the latest.
    faults: { fromMs: 6_000, untilMs: 24_000, everyMs: 1_500, recoveredWithinMs: 34_000 },
    clocksOffMs: 2_000,
  },
];

export function scenarioNamed(name: string): Scenario | undefined {
  return SCENARIOS.find((scenario) => scenario.name === name);
}
