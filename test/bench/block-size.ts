import { parseArgs } from 'node:util';
import { runConversation } from '../../ins-client/node/conversation.ts';
import { startInsServer } from '../../ins-server/node/ins-server.ts';
import { FROM_NEWEST_START, type PutBlock } from '../../protocol/ins-messages.ts';
import { quantileOf } from '../../report/distribution.ts';
import { makeKeyPair, randomBytes } from '../../runtime/node/crypto.ts';
import { nameOf } from '../../runtime/node/hash.ts';
import { SCENARIO_DEFAULTS } from '../../scenarios/plan/scenario.ts';
import { Simulation } from '../../sim/simulation.ts';
import { sealToken } from '../ins/helpers.ts';
import { comparison, reportJson } from './report.ts';

/**
 * What the size of a block costs: CPU for each GB that a server takes in and passes on to a follower (client, server and
 * source in this process; real sockets), and the latency a viewer sees behind two INS servers (simulated, so that only the
 * size differs). Ratios are to 64 KiB in the same run.
 *
 * `npm run bench:block-size [-- --json]`
 */

const SIZES_KIB = [16, 32, 64, 128, 256, 1024];
const BASELINE_KIB = 64;
/** A part of a stream of 8 Mbit/s. */
const PART_BYTES = 262_144;
const PARTS = 400;
const STREAM_BPS = 8_000_000;
const EMPTY = new Uint8Array(0);

interface Row {
  readonly kib: number;
  readonly cpuSecondsPerGb: number;
  readonly startupP50Ms: number;
  readonly latencyP95Ms: number;
}

const { values } = parseArgs({ options: { json: { type: 'boolean', default: false } } });
// Once for nothing: what is measured first pays for everybody's warm-up.
await cpuPerGb(BASELINE_KIB * 1024);
const rows: Row[] = [];
for (const kib of SIZES_KIB) {
  rows.push({ kib, cpuSecondsPerGb: await cpuPerGb(kib * 1024), ...simulated(kib * 1024) });
  if (!values.json) process.stderr.write(`${kib} KiB measured\n`);
}
print(rows);

/** Puts parts, four under way, and follows them; seconds of CPU per GB that arrived. */
async function cpuPerGb(blockBytes: number): Promise<number> {
  const server = await startInsServer({ port: 0 });
  const owner = makeKeyPair();
  const collection = randomBytes(32);
  const part = randomBytes(PART_BYTES);
  let arrivedBytes = 0;
  const expectedBytes = PARTS * PART_BYTES;
  const started = process.cpuUsage();
  await new Promise<void>((resolve) => {
    const viewer = runConversation({
      url: server.url,
      keys: makeKeyPair(),
      application: 'inswarm/bench',
      output(output) {
        if (output.kind === 'ready') viewer.input(followOf());
        if (output.kind !== 'arrived') return;
        // A viewer checks every block.
        nameOf(output.body as Uint8Array);
        arrivedBytes += output.body.byteLength;
        if (arrivedBytes < expectedBytes) return;
        void Promise.all([viewer.close(), source.close()]).then(() => resolve());
      },
    });
    let next = 0;
    const source = runConversation({
      url: server.url,
      keys: owner,
      application: 'inswarm/bench',
      output(output) {
        if (output.kind === 'ready') for (let open = 0; open < 4; open++) put(next++);
        else if (output.kind === 'done' && next < PARTS) put(next++);
      },
    });
    const put = (number: number): void => {
      // Every part has other bytes, else the server would keep it once.
      part[0] = number & 0xff;
      part[1] = number >> 8;
      const bodies: Uint8Array[] = [];
      for (let at = 0; at < part.length; at += blockBytes) bodies.push(part.slice(at, at + blockBytes));
      const items = bodies.map((body, index): PutBlock => {
        const name = nameOf(body);
        return { track: 0, part: number, index, start: true, name, sizeBytes: body.length, companion: EMPTY };
      });
      source.input({ kind: 'put', handle: number, collection, ttlSeconds: 60, items, bodies });
    };
    const followOf = () => {
      const token = sealToken(owner, [{ key: server.serverKey, url: server.url }], { collection });
      return {
        kind: 'follow',
        handle: 1,
        keep: false,
        token,
        collection,
        tracks: [],
        from: FROM_NEWEST_START,
      } as const;
    };
  });
  const { user, system } = process.cpuUsage(started);
  await server.close();
  return (user + system) / 1e6 / (expectedBytes / 1e9);
}

/** 8 viewers of 20 Mbit/s behind two INS servers, 8 Mbit/s of video. */
function simulated(blockBytes: number): Pick<Row, 'startupP50Ms' | 'latencyP95Ms'> {
  const scenario = {
    ...SCENARIO_DEFAULTS,
    name: 'block-size',
    summary: '',
    stream: { bps: STREAM_BPS, partMs: 250, partsPerSegment: 4 },
    arrivals: { kind: 'crowd', fromMs: 3_000, withinMs: 2_000, shape: 'even' },
    supply: { kind: 'links', sourceBps: 40_000_000, insBps: 200_000_000, peerBps: 4_000_000 },
    insServers: 2,
  } as const;
  const sim = new Simulation({ scenario, seed: 'block-size', peers: 8, seconds: 20, blockBytes });
  sim.run();
  // How late each part was whole at each viewer, after its last frame: what bounds the latency a player can hold.
  const lags = sim.peers.flatMap((peer) => peer.lagsMs);
  const startups = sim.peers.flatMap((peer) => peer.core.stats(0).startupDelayMs ?? []);
  return { startupP50Ms: middle(startups, 0.5), latencyP95Ms: middle(lags, 0.95) };
}

function middle(values: number[], share: number): number {
  return (
    quantileOf(
      values.toSorted((a, b) => a - b),
      share,
    ) ?? Number.NaN
  );
}

function print(all: readonly Row[]): void {
  const base = all.find((row) => row.kib === BASELINE_KIB)!;
  if (values.json) {
    const result = (row: Row, name: 'cpuSecondsPerGb' | 'startupP50Ms' | 'latencyP95Ms', unit: string) =>
      comparison(`${row.kib} KiB ${name}`, [row[name]], unit, `${BASELINE_KIB} KiB`, [base[name]]);
    const results = all.flatMap((row) => [
      result(row, 'cpuSecondsPerGb', 's/GB'),
      result(row, 'startupP50Ms', 'ms'),
      result(row, 'latencyP95Ms', 'ms'),
    ]);
    console.log(reportJson('block-size', results));
    return;
  }
  const cell = (value: number, baseline: number) => `${value.toFixed(2).padStart(9)} ${(value / baseline).toFixed(2)}x`;
  console.log('block      CPU s/GB        startup p50 ms    part late p95 ms   (ratios to 64 KiB)');
  for (const row of all) {
    const cells = [
      cell(row.cpuSecondsPerGb, base.cpuSecondsPerGb),
      cell(row.startupP50Ms, base.startupP50Ms),
      cell(row.latencyP95Ms, base.latencyP95Ms),
    ];
    console.log(`${String(row.kib).padStart(4)} KiB ${cells.join('    ')}`);
  }
}
