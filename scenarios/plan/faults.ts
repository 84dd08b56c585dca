import type { Prng } from '../../machine/prng.ts';
import type { Happening } from './scenario.ts';

/** Faults that chance draws: which, when and for how long is a function of the seed. */
export interface FaultPlan {
  /** The first comes then; at `untilMs` all are healed. In ms after the run's start. */
  readonly fromMs: number;
  readonly untilMs: number;
  /** Mean time between two. */
  readonly everyMs: number;
  /** So long after healing everybody who is there plays at the live edge again. */
  readonly recoveredWithinMs: number;
}

/** How long servers stay away, in ms. */
const OUTAGE_MS = { min: 500, max: 6_000 };

/** What there is to be harmed. */
export interface Harmed {
  readonly insServers: number;
  readonly regions: number;
}

type Draw = (atMs: number, backAtMs: number, prng: Prng, harmed: Harmed) => Happening[];

const KINDS: readonly { readonly weight: number; readonly draw: Draw }[] = [
  {
    weight: 3,
    draw: (atMs, backAtMs, prng, { insServers }) => {
      const server = prng.int(0, Math.max(1, insServers));
      return [
        { atMs, what: 'ins-dies', server },
        { atMs: backAtMs, what: 'ins-back', server },
      ];
    },
  },
  {
    weight: 2,
    draw: (atMs, _, prng, { insServers }) => [
      { atMs, what: 'ins-drops-links', server: prng.int(0, Math.max(1, insServers)) },
    ],
  },
  {
    weight: 1,
    draw: (atMs, backAtMs) => [
      { atMs, what: 'tracker-dies' },
      { atMs: backAtMs, what: 'tracker-back' },
    ],
  },
  { weight: 1, draw: (atMs) => [{ atMs, what: 'source-drops-links' }] },
  { weight: 2, draw: (atMs, _, prng) => [{ atMs, what: 'viewers-drop-links', share: prng.unit() }] },
  { weight: 1, draw: (atMs, _, prng) => [{ atMs, what: 'viewers-lose-links', share: 0.3 * prng.unit() }] },
  {
    weight: 1,
    draw: (atMs, backAtMs, prng, { regions: count }) => {
      const regions = [prng.int(0, count), prng.int(0, count)] as const;
      return [{ atMs, what: 'partition', regions, forMs: backAtMs - atMs }];
    },
  },
  {
    weight: 1,
    draw: (atMs, backAtMs, prng, { insServers }) => {
      const server = prng.int(0, Math.max(1, insServers));
      return [{ atMs, what: 'ins-stalls', server, forMs: backAtMs - atMs }];
    },
  },
  {
    weight: 1,
    draw: (atMs, backAtMs, prng) => [{ atMs, what: 'viewers-stall', share: 0.3 * prng.unit(), forMs: backAtMs - atMs }],
  },
  { weight: 1, draw: (atMs, _, prng) => [{ atMs, what: 'viewers-lie', share: 0.1 * prng.unit() }] },
  { weight: 1, draw: (atMs, _, prng) => [{ atMs, what: 'viewers-crash', share: 0.1 * prng.unit() }] },
];
const WEIGHTS = KINDS.reduce((sum, { weight }) => sum + weight, 0);

/** The faults of a run, in order of time. */
export function drawFaults({ fromMs, untilMs, everyMs }: FaultPlan, harmed: Harmed, prng: Prng): Happening[] {
  const happenings: Happening[] = [];
  const between = () => everyMs * (0.5 + prng.unit());
  for (let atMs = fromMs; atMs < untilMs; atMs += between()) {
    const backAtMs = Math.min(untilMs, atMs + prng.int(OUTAGE_MS.min, OUTAGE_MS.max));
    happenings.push(...drawKind(prng)(atMs, backAtMs, prng, harmed));
  }
  return happenings.sort((a, b) => a.atMs - b.atMs);
}

function drawKind(prng: Prng): Draw {
  let left = prng.unit() * WEIGHTS;
  for (const { weight, draw } of KINDS) {
    if (left < weight) return draw;
    left -= weight;
  }
  return KINDS[0]!.draw;
}
