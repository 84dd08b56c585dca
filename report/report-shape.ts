import {
  type BytesByOrigin,
  type ColumnReport,
  type Distribution,
  type Figures,
  type FreezeFigures,
  type Made,
  type PerSecond,
  type Quantiles,
  REPORT_SCHEMA,
  type Report,
  type Run,
  type Series,
  type Supply,
} from './report.ts';
import type { Check, MachineFigures, ProcessFigures, Rig } from './rig.ts';
import {
  anyNumber,
  atLeastZero,
  byKey,
  flag,
  type JsonSchema,
  list,
  missingAsNull,
  nullable,
  numberFrom,
  object,
  oneOf,
  type Shape,
  share,
  text,
  textOrNumber,
} from './shape.ts';

/** Bounds of what is read from a file: what no run of ours comes near, and no memory is hurt by. */
const COLUMNS_MAX = 64;
const RUNS_MAX = 1_000;
const SECONDS_MAX = 86_400;
const VALUES_MAX = 1_001;
const FIGURES_MAX = 200;
const PROCESSES_MAX = 10_000;
const SENTENCES_MAX = 1_000;
const WORD_CHARS_MAX = 300;
const SENTENCE_CHARS_MAX = 10_000;

const word = text(WORD_CHARS_MAX);
const sentence = text(SENTENCE_CHARS_MAX);
const maybe = nullable(atLeastZero);

const atMostOne = numberFrom(-Number.MAX_VALUE, 1);

const quantiles = object<Quantiles>({ p50: maybe, p95: maybe, max: maybe });
const freezes = { total: atLeastZero, perPeerHour: atLeastZero, frozenMs: atLeastZero };
const bytes = object<BytesByOrigin>({ ins: atLeastZero, peers: atLeastZero, source: atLeastZero });

const figures: { readonly [K in keyof Figures]: Shape<Figures[K]> } = {
  viewers: object({ joined: atLeastZero, started: atLeastZero }),
  startupDelayMs: object({ p50: maybe, p95: maybe, max: maybe, bound: nullable(quantiles) }),
  freezes: object({
    ...freezes,
    afterCrowd: object<FreezeFigures>(freezes),
    frozenShare: atLeastZero,
    frozenShareOfViewers: quantiles,
    frozenShareBound: maybe,
  }),
  missedRate: share,
  uploadBps: object({ data: atLeastZero, control: atLeastZero, p50: maybe, p95: maybe, shareAboveStream: share }),
  controlBps: object({ sent: atLeastZero, received: atLeastZero }),
  controlShare: atLeastZero,
  // Clocks of several machines differ: what is seen may seem to be seen before it was made.
  liveLatencyMs: object({
    p50: nullable(anyNumber),
    p95: nullable(anyNumber),
    bound: nullable(object({ p50: maybe, p95: maybe })),
  }),
  efficiency: atLeastZero,
  efficiencyBound: maybe,
  // Below 0 where the source sends more than is watched.
  offload: atMostOne,
  sourceCopies: atLeastZero,
  bytesFrom: bytes,
};

const check = object<Check>({
  name: word,
  what: sentence,
  own: anyNumber,
  outside: anyNumber,
  unit: oneOf(['bytes', 'count', 'ms']),
  toleratedShare: maybe,
  ok: flag,
});

const rig = object<Rig>({
  links: oneOf(['namespaces', 'buckets', 'as-they-are']),
  linksAre: sentence,
  machines: list(
    object<MachineFigures>({
      name: word,
      cpus: numberFrom(1),
      cpuBusy: object({ mean: atLeastZero, p95: atLeastZero, max: atLeastZero }),
    }),
    PROCESSES_MAX,
  ),
  processes: list(
    object<ProcessFigures>({
      name: word,
      machine: word,
      cpu: object({ mean: atLeastZero, p95: atLeastZero, max: atLeastZero }),
      loopDelayMs: nullable(object({ p50: atLeastZero, p95: atLeastZero, max: atLeastZero })),
      rssBytes: maybe,
    }),
    PROCESSES_MAX,
  ),
  saturatedBy: list(sentence, SENTENCES_MAX),
  checks: list(check, SENTENCES_MAX),
});

const run = object<Run>({
  seed: textOrNumber(WORD_CHARS_MAX),
  traceHash: word,
  command: sentence,
  figures: object<Figures>(figures),
  rig: missingAsNull(nullable(rig)),
});

const distribution = object<Distribution>({ count: atLeastZero, sorted: list(anyNumber, VALUES_MAX) });
const aSecond = list(atLeastZero, SECONDS_MAX);
const maybeASecond = list(nullable(anyNumber), SECONDS_MAX);

const series = object<Series>({
  startupDelayMs: distribution,
  startupBoundMs: nullable(distribution),
  uploadBps: distribution,
  perSecond: object<PerSecond>({
    viewers: aSecond,
    waitingShare: aSecond,
    frozenShare: aSecond,
    bufferMs: maybeASecond,
    latencyP50Ms: maybeASecond,
    latencyP95Ms: maybeASecond,
    downloadBps: object({ ins: aSecond, peers: aSecond, source: aSecond }),
    freezes: aSecond,
  }),
});

const column = object<ColumnReport>({
  ...figures,
  label: word,
  mode: oneOf(['ins', 'native', 'hybrid', 'mixed']),
  what: sentence,
  supply: object<Supply>({ sourceBps: atLeastZero, insBps: atLeastZero, peersBps: atLeastZero }),
  base: nullable(word),
  confidence: byKey(maybe, FIGURES_MAX),
  series,
  runs: list(run, RUNS_MAX, 1),
});

const made = object<Made>({ command: sentence, version: word, machine: sentence, at: word, tookMs: atLeastZero });

/** The shape of a report in a file. */
export const REPORT_SHAPE: Shape<Report> = object<Report>({
  schema: oneOf([REPORT_SCHEMA]),
  scenario: word,
  engine: oneOf(['sim', 'processes']),
  seed: textOrNumber(WORD_CHARS_MAX),
  seeds: list(textOrNumber(WORD_CHARS_MAX), RUNS_MAX, 1),
  peers: atLeastZero,
  supplyBps: atLeastZero,
  streamBps: atLeastZero,
  seconds: atLeastZero,
  crowdInAtMs: atLeastZero,
  made,
  warnings: list(sentence, SENTENCES_MAX),
  modes: byKey(column, COLUMNS_MAX, 1),
});

/** {@link REPORT_SHAPE} as a document of its own: `docs/report.schema.json`. */
export function reportJsonSchema(): JsonSchema {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: REPORT_SCHEMA,
    description:
      'A report of inswarm measure, inswarm sim compare and inswarm sim; docs/report.md says what each field means.',
    ...REPORT_SHAPE.schema,
  };
}
