import { Prng } from '../../machine/prng.ts';
import { distributionOf, quantileOf } from '../../report/distribution.ts';
import { type Column, mergeRuns, type RunWithSeries } from '../../report/merge.ts';
import { type Figures, REPORT_SCHEMA, type Report, type Series } from '../../report/report.ts';

/** A report with made-up figures: nothing in it was ever measured. */

interface Nature {
  readonly middleMs: number;
  readonly spreadMs: number;
  readonly freezes: number;
  readonly uploads: number;
  readonly from: readonly [ins: number, peers: number, source: number];
  readonly boundMs: number;
  readonly latencyMs: number;
}

const SECONDS = 60;
const PEERS = 200;

function figuresOf(series: Series, nature: Nature): Figures {
  const at = (values: readonly number[]) => ({
    p50: quantileOf(values, 0.5),
    p95: quantileOf(values, 0.95),
    max: quantileOf(values, 1),
  });
  const upload = at(series.uploadBps.sorted);
  const hours = (PEERS * 50) / 3600;
  const freezes = { total: nature.freezes, perPeerHour: nature.freezes / hours, frozenMs: nature.freezes * 300 };
  return {
    viewers: { joined: PEERS, started: series.startupDelayMs.count },
    startupDelayMs: { ...at(series.startupDelayMs.sorted), bound: at(series.startupBoundMs!.sorted) },
    freezes: {
      ...freezes,
      afterCrowd: { total: 0, perPeerHour: 0, frozenMs: 0 },
      frozenShare: (nature.freezes * 300) / (PEERS * 50_000),
      frozenShareOfViewers: { p50: 0, p95: 0, max: 0.1 },
      frozenShareBound: 0,
    },
    missedRate: nature.freezes / 1e6,
    uploadBps: { data: nature.uploads, control: 4_000, p50: upload.p50, p95: upload.p95, shareAboveStream: 0.2 },
    controlBps: { sent: 4_000, received: 5_000 },
    controlShare: 0.004,
    liveLatencyMs: { p50: nature.latencyMs, p95: nature.latencyMs * 1.4, bound: { p50: 300, p95: 400 } },
    efficiency: 0.66,
    efficiencyBound: 2 / 3,
    offload: 0.98,
    sourceCopies: nature.from[2],
    bytesFrom: { ins: nature.from[0] * 1e9, peers: nature.from[1] * 1e9, source: nature.from[2] * 1e9 },
  };
}

function seriesOf(nature: Nature, prng: Prng): Series {
  const values = (count: number, make: () => number) => Array.from({ length: count }, make);
  const delays = values(
    PEERS - 1,
    () => nature.middleMs + nature.spreadMs * (prng.unit() + prng.unit() + prng.unit() - 1.5),
  );
  const each = <T>(make: (second: number) => T) => Array.from({ length: SECONDS }, (_, second) => make(second));
  const viewers = each((second) => Math.round(PEERS * Math.min(1, Math.max(0, (second - 3) / 10))));
  const wave = (second: number) => Math.sin(second / 3) * 40 + prng.unit() * 60;
  const rate = (share: number) => each((second) => share * viewers[second]! * 1_000_000);
  return {
    startupDelayMs: distributionOf(delays),
    startupBoundMs: distributionOf(delays.map((_, at) => nature.boundMs * (0.5 + at / PEERS))),
    uploadBps: distributionOf(values(PEERS, () => 4_000 + nature.uploads * 2 * prng.unit())),
    perSecond: {
      viewers,
      waitingShare: each((second) => (second < 13 ? 0.1 : 0)),
      frozenShare: each((second) => (second > 6 && second < 20 ? (nature.freezes / 5000) * prng.unit() : 0)),
      bufferMs: each((second) => (second < 4 ? null : nature.latencyMs * 0.7 + wave(second))),
      latencyP50Ms: each((second) => (second < 4 ? null : nature.latencyMs + wave(second))),
      latencyP95Ms: each((second) => (second < 4 ? null : nature.latencyMs * 1.3 + wave(second) * 2)),
      downloadBps: { ins: rate(nature.from[0]), peers: rate(nature.from[1]), source: rate(nature.from[2]) },
      freezes: each(() => 0),
    },
  };
}

const COLUMNS: readonly (readonly [string, Column, Nature])[] = [
  [
    'native',
    { label: 'Native', mode: 'native', what: 'viewers feed one another', base: null },
    {
      middleMs: 2400,
      spreadMs: 1400,
      freezes: 120,
      uploads: 900_000,
      from: [0, 0.94, 0.06],
      boundMs: 900,
      latencyMs: 2600,
    },
  ],
  [
    'ins',
    { label: 'INS', mode: 'ins', what: 'one request for all blocks as they are put', base: null },
    { middleMs: 620, spreadMs: 260, freezes: 0, uploads: 0, from: [1, 0, 0.01], boundMs: 330, latencyMs: 1150 },
  ],
  [
    'ins-drafts',
    { label: 'INS as drafted', mode: 'ins', what: 'bitmaps, range tokens, batches', base: null },
    { middleMs: 1100, spreadMs: 420, freezes: 2, uploads: 0, from: [1, 0, 0.01], boundMs: 330, latencyMs: 1500 },
  ],
  [
    'ins-drafts-no-batches',
    { label: 'No batches', mode: 'ins', what: 'one request per block, one at a time', base: 'ins-drafts' },
    { middleMs: 1500, spreadMs: 420, freezes: 9, uploads: 0, from: [1, 0, 0.01], boundMs: 330, latencyMs: 1700 },
  ],
];

function runOf(nature: Nature, seed: number, label: string): RunWithSeries {
  const prng = new Prng(`${label} ${seed}`);
  const shaken = { ...nature, middleMs: nature.middleMs * (0.97 + prng.unit() * 0.06) };
  const series = seriesOf(shaken, prng);
  const command = `npx inswarm sim --peers ${PEERS} --seed ${seed}`;
  const supply = { sourceBps: 21_000_000, insBps: 294_000_000, peersBps: 0 };
  return { seed, traceHash: `00c0ffee${seed}`, command, supply, series, figures: figuresOf(series, shaken), rig: null };
}

export function sampleReport(seeds: readonly number[] = [1, 2, 3]): Report {
  return {
    schema: REPORT_SCHEMA,
    scenario: 'flash-crowd',
    engine: 'sim',
    seed: seeds[0]!,
    seeds,
    peers: PEERS,
    supplyBps: 315_000_000,
    streamBps: 1_050_000,
    seconds: SECONDS,
    crowdInAtMs: 13_000,
    made: {
      command: 'npx inswarm sim compare --peers 200',
      version: '0.1.0',
      machine: 'Node 20, 2 CPUs',
      at: '',
      tookMs: 12_000,
    },
    warnings: [],
    modes: Object.fromEntries(
      COLUMNS.map(([key, column, nature]) => [
        key,
        mergeRuns(
          column,
          seeds.map((seed) => runOf(nature, seed, key)),
        ),
      ]),
    ),
  };
}
