import type { Scenario, ScenarioMode } from '../scenarios/plan/scenario.ts';
import type { RunOptions } from './run.ts';

/** What a column changes in a run; what is not named is as it ships. */
export interface Changes {
  /** Bitmaps, range tokens and batches instead of follows. */
  readonly follow?: false;
  /** Largest block. */
  readonly blockBytes?: number;
  readonly partMs?: number;
  /** A token is asked of a neighbour for every block. */
  readonly rangeTokens?: false;
  /** One block is asked for at a time. */
  readonly batches?: false;
  /** Connections of a viewer to its INS server. */
  readonly insConnections?: number;
  /** INS servers pass on what they have of a block. */
  readonly cutThrough?: true;
}

/** One way to run a scenario, to be set beside others. */
export interface SimColumn {
  readonly key: string;
  readonly label: string;
  /** What is different here, after which figures can follow: begins in lower case, ends without a full stop. */
  readonly what: string;
  readonly mode: ScenarioMode;
  /** The column of which this is a variation. */
  readonly base: string | null;
  readonly changes: Changes;
}

const DRAFTS = { mode: 'ins', changes: { follow: false } } as const;

/** The columns that stand for themselves. */
const MAIN: readonly SimColumn[] = [
  { key: 'native', label: 'Native', what: 'viewers feed one another', mode: 'native', base: null, changes: {} },
  {
    key: 'ins',
    label: 'INS',
    what: 'blocks come from INS servers, which send new ones as they are put',
    mode: 'ins',
    base: null,
    changes: {},
  },
  { key: 'ins-drafts', label: 'INS as drafted', what: 'bitmaps, range tokens and batches', base: null, ...DRAFTS },
  {
    key: 'hybrid',
    label: 'Hybrid',
    what: 'INS servers first, other viewers where they are slow',
    mode: 'hybrid',
    base: null,
    changes: {},
  },
  {
    key: 'mixed',
    label: 'Mixed',
    what: 'half of the viewers in INS mode, half native',
    mode: 'mixed',
    base: null,
    changes: {},
  },
];

/** The column of a run in which nothing is changed but whether INS servers send unasked. */
export function mainColumn(mode: ScenarioMode, follow: boolean): SimColumn {
  const own = MAIN.find((column) => column.mode === mode && (column.changes.follow ?? true) === follow);
  return own ?? MAIN.find((column) => column.mode === mode)!;
}

/** What runs where nobody says otherwise. */
export const USUAL_COLUMNS: readonly string[] = ['native', 'ins', 'ins-drafts'];

const KIB = 1024;
const BLOCK_SIZES_KIB = [16, 64, 256, 1024];

/** All columns that a scenario can be run in: those that stand for themselves, then the drafts' way with one thing changed each. */
export function columnsOf(scenario: Scenario): readonly SimColumn[] {
  return [...MAIN, ...VARIED, ...BLOCK_SIZES_KIB.map((kib) => blockSize(kib, scenario)), CUT_THROUGH];
}

/** The drafts' way with one thing changed. */
function varied(key: string, label: string, what: string, changes: Changes): SimColumn {
  return { key, label, what, base: 'ins-drafts', mode: DRAFTS.mode, changes: { ...DRAFTS.changes, ...changes } };
}

const VARIED: readonly SimColumn[] = [
  varied('no-range-tokens', 'No range tokens', 'a token is asked of a neighbour for every block, and waited for', {
    rangeTokens: false,
  }),
  varied('no-batches', 'No batches', 'one block is asked for at a time', { batches: false }),
  ...[2, 4].map((count) =>
    varied(`connections-${count}`, `${count} connections`, `${count} connections to the INS server instead of one`, {
      insConnections: count,
    }),
  ),
];

const CUT_THROUGH = varied(
  'cut-through',
  'Forwarding inside blocks',
  'INS servers pass a block on from its first packet, not verified before forwarding, as nothing that ships does',
  { cutThrough: true },
);

/**
 * A part is cut where it is larger than a block, so blocks are never larger than parts: for large blocks parts have to last as long as the stream
 * takes to fill one, in whole parts of the scenario.
 */
function blockSize(kib: number, { stream }: Scenario): SimColumn {
  const fillMs = (kib * KIB * 8000) / stream.bps;
  const partMs = Math.max(1, Math.round(fillMs / stream.partMs)) * stream.partMs;
  const size = kib < 1024 ? `${kib} KiB` : '1 MiB';
  const longer = partMs === stream.partMs ? '' : ', about as long as the stream takes to fill one';
  const what = `blocks of at most ${size}, in parts of ${partMs / 1000} s${longer}`;
  const key = `blocks-${kib < 1024 ? `${kib}k` : '1m'}`;
  return varied(key, `Blocks of ${size}`, what, {
    blockBytes: kib * KIB,
    ...(partMs === stream.partMs ? {} : { partMs }),
  });
}

/** The scenario with what a column changes in it. */
export function scenarioOf({ changes: { partMs } }: { readonly changes: Changes }, scenario: Scenario): Scenario {
  return partMs === undefined ? scenario : { ...scenario, stream: withParts(scenario.stream, partMs) };
}

/** Parts of another length, in segments as long as before, or of one part where that is longer. */
function withParts(stream: Scenario['stream'], partMs: number): Scenario['stream'] {
  const segmentMs = stream.partMs * stream.partsPerSegment;
  return { ...stream, partMs, partsPerSegment: Math.max(1, Math.round(segmentMs / partMs)) };
}

/** What the simulator is to run. */
export function optionsOf(
  column: SimColumn,
  { scenario, peers, seed, seconds }: Pick<RunOptions, 'scenario' | 'peers' | 'seed'> & { readonly seconds: number },
): RunOptions {
  const { partMs: _, ...changes } = column.changes;
  return { scenario: scenarioOf(column, scenario), peers, seed, seconds, mode: column.mode, ...changes };
}

/** The changes as further options of the command that replays a run. */
export function furtherOptionsOf({ changes }: SimColumn): Record<string, string | number | true> {
  const { follow, blockBytes, partMs, rangeTokens, batches, insConnections, cutThrough } = changes;
  return {
    ...(follow === false ? { 'no-follow': true } : {}),
    ...(blockBytes === undefined ? {} : { 'block-size': blockBytes }),
    ...(partMs === undefined ? {} : { part: partMs }),
    ...(rangeTokens === false ? { 'no-range-tokens': true } : {}),
    ...(batches === false ? { 'no-batches': true } : {}),
    ...(insConnections === undefined ? {} : { 'ins-connections': insConnections }),
    ...(cutThrough === undefined ? {} : { 'cut-through': true }),
  };
}
