import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type RunningInsServer, startInsServer } from '../../../ins-server/node/ins-server.ts';
import { type RunningPeer, startPeer } from '../../../peer/node/peer.ts';
import { streamIdFromText } from '../../../protocol/names.ts';
import type { Mode } from '../../../protocol/swarm-fields.ts';
import { silentLog } from '../../../runtime/log.ts';
import { findFfmpeg } from '../../../source-server/node/media/ffmpeg.ts';
import { type RunningSource, startSource } from '../../../source-server/node/source.ts';
import { startTracker, type TrackerServer } from '../../../tracker/node/tracker.ts';
import { PacedHost } from '../../harness/links/buckets/paced-host.ts';
import type { HostCounts } from '../../harness/links/links.ts';

export const MBIT = 1_000_000;
/** What a viewer at home has: 20 Mbit/s, and 40 ms there and back. */
const VIEWER = { downBps: 20 * MBIT, upBps: 5 * MBIT };
const DELAYS = [
  [0.5, 20],
  [20, 20],
];
const [SERVERS, HOMES] = [0, 1];
const PORT = 4_800;
const HLS_PORT = 4_801;
/** Seen from `dist/test/bench/player`. */
const PAGE = join(import.meta.dirname, '../../../web');

export interface TheatreOptions {
  readonly insServers: number;
  /** Of the test pattern, such as `1280x720`. */
  readonly picture: string;
  /** Encoded before instead of live: nothing is to be seen of the clock, and the machine has time for its players. */
  readonly isFilm?: boolean;
  readonly sourceUpBps?: number;
}

/**
 * A broadcast with its servers, whose connections have the rates and delays of links between machines, connects included. Players
 * reach it from hosts of their own ({@link Theatre.home}).
 */
export class Theatre {
  tracker!: TrackerServer;
  source!: RunningSource;
  readonly ins: RunningInsServer[] = [];
  private readonly options: TheatreOptions;
  private readonly folder = mkdtempSync(join(tmpdir(), 'inswarm-bench-'));
  private readonly regions = new Map<string, number>();
  private readonly hosts = new Map<string, PacedHost>();
  private readonly peers: RunningPeer[] = [];
  private homes = 0;

  private constructor(options: TheatreOptions) {
    this.options = options;
  }

  static async open(options: TheatreOptions): Promise<Theatre> {
    if (!existsSync(join(PAGE, 'index.html'))) throw new Error('the player page is not built: run "npm run build"');
    const theatre = new Theatre(options);
    try {
      await theatre.start();
    } catch (error) {
      await theatre.close();
      throw error;
    }
    return theatre;
  }

  get pageUrl(): string {
    return this.tracker.url;
  }

  streamUrl(mode: Mode): string {
    return `${this.tracker.url}/?stream=${this.source.stream}&mode=${mode}`;
  }

  /** A viewer's host; what its browser opens goes through the transport. */
  home(): { readonly host: PacedHost; readonly address: string } {
    const at = this.homes++;
    const address = homeAddress(at);
    return { host: this.host(`viewer ${at}`, address, HOMES, VIEWER), address };
  }

  sent(name: string): HostCounts['sent'] {
    return this.hosts.get(name)!.counts().sent;
  }

  /** What the source's uplink carries from now on. */
  limitSource(upBps: number): void {
    this.named('source').order({ do: 'rates', host: ADDRESS.source, upBps, downBps: 100 * MBIT });
  }

  /** What is made of the stream in so many ms, in bits per second. */
  async streamBps(overMs = 4_000): Promise<number> {
    const before = this.source.stats().madeBytes;
    const startMs = performance.now();
    await new Promise((resolve) => setTimeout(resolve, overMs));
    return ((this.source.stats().madeBytes - before) * 8_000) / (performance.now() - startMs);
  }

  /** A headless peer that others can dial, at a host of its own. */
  async peer(mode: Mode, upBps: number): Promise<RunningPeer> {
    const at = this.homes++;
    const address = homeAddress(at);
    const { transport } = this.host(`peer ${at}`, address, HOMES, { upBps, downBps: VIEWER.downBps });
    const peer = await startPeer({
      tracker: this.tracker.wsUrl,
      stream: streamIdFromText(this.source.stream)!,
      mode,
      host: address,
      listenPort: PORT,
      transport,
    });
    this.peers.push(peer);
    return peer;
  }

  /** Its machine is gone, and nobody hears of it from itself: what it says goes nowhere. {@link startIns} brings it back, with nothing kept. */
  async killIns(at: number): Promise<void> {
    this.named(`INS server ${at}`).order({ do: 'cut-off', host: insAddress(at) });
    await this.ins[at]!.close();
  }

  /** Nothing comes from it, or gets there, for so long. */
  stallIns(at: number, forMs: number): void {
    this.named(`INS server ${at}`).order({ do: 'hold', host: insAddress(at), forMs });
  }

  /** Its process has ended: connections break, and nobody listens any more. */
  async crashIns(at: number): Promise<void> {
    this.named(`INS server ${at}`).order({ do: 'drop', host: insAddress(at) });
    await this.ins[at]!.close();
  }

  async startIns(at: number): Promise<void> {
    this.named(`INS server ${at}`).order({ do: 'reconnect', host: insAddress(at) });
    this.ins[at] = await startInsServer({
      host: insAddress(at),
      port: PORT,
      keyFile: join(this.folder, `ins-${at}.pem`),
      transport: this.named(`INS server ${at}`).transport,
    });
  }

  async killTracker(): Promise<void> {
    this.named('tracker').order({ do: 'cut-off', host: ADDRESS.tracker });
    await this.tracker.close();
  }

  async startTracker(): Promise<void> {
    this.named('tracker').order({ do: 'reconnect', host: ADDRESS.tracker });
    const { transport } = this.named('tracker');
    const place = { host: ADDRESS.tracker, port: PORT, playerFolder: PAGE };
    this.tracker = await startTracker({ ...place, log: silentLog, transport });
  }

  /** Nothing comes from the source, and nobody is told: its machine has crashed. */
  cutOffSource(): void {
    this.named('source').order({ do: 'cut-off', host: ADDRESS.source });
  }

  reconnectSource(): void {
    this.named('source').order({ do: 'reconnect', host: ADDRESS.source });
  }

  async close(): Promise<void> {
    for (const peer of this.peers) await peer.close();
    await this.source?.close();
    await this.tracker?.close();
    for (const ins of this.ins) await ins.close();
    for (const host of this.hosts.values()) host.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async start(): Promise<void> {
    const { insServers, picture, sourceUpBps = 100 * MBIT } = this.options;
    const fast = { upBps: 1_000 * MBIT, downBps: 1_000 * MBIT };
    this.host('tracker', ADDRESS.tracker, SERVERS, fast);
    await this.startTracker();
    for (let at = 0; at < insServers; at++) {
      this.host(`INS server ${at}`, insAddress(at), SERVERS, fast);
      await this.startIns(at);
    }
    const links = { upBps: sourceUpBps, downBps: 100 * MBIT };
    const input = this.options.isFilm === true ? await this.film(picture) : `testsrc=${picture}`;
    const { transport } = this.host('source', ADDRESS.source, SERVERS, links);
    let told: () => void = () => undefined;
    const ready = new Promise<void>((resolve) => {
      told = resolve;
    });
    this.source = await startSource({
      tracker: this.tracker.wsUrl,
      ins: this.ins.map(({ url }) => ({ url, region: '' })),
      input,
      title: 'Bench',
      keyFile: join(this.folder, 'source.pem'),
      ...{ host: ADDRESS.source, listenPort: PORT, httpPort: HLS_PORT, transport },
      onEvent: (event) => {
        if (event.kind === 'ready') told();
      },
    });
    await ready;
    // Who joins now finds what those find who join later.
    await new Promise((resolve) => setTimeout(resolve, WARM_MS));
  }

  private async film(picture: string): Promise<string> {
    const path = join(this.folder, 'film.mp4');
    const { path: ffmpeg } = await findFfmpeg();
    const inputs = `-f lavfi -i testsrc2=size=${picture}:rate=30 -f lavfi -i sine=frequency=440:sample_rate=48000`;
    const coding = '-t 16 -c:v libx264 -preset veryfast -pix_fmt yuv420p -bf 0 -g 30 -sc_threshold 0 -b:v 2M -c:a aac';
    await promisify(execFile)(ffmpeg, ['-v', 'error', ...inputs.split(' '), ...coding.split(' '), path]);
    return path;
  }

  private host(name: string, address: string, region: number, rates: { upBps: number; downBps: number }): PacedHost {
    this.regions.set(address, region);
    const host = { name, address, region, ...rates };
    const paced = new PacedHost({ host, delays: DELAYS, regionOf: (from) => this.regions.get(from) });
    this.hosts.set(name, paced);
    return paced;
  }

  private named(name: string): PacedHost {
    return this.hosts.get(name)!;
  }
}

const WARM_MS = 4_000;
const ADDRESS = { tracker: '127.78.0.1', source: '127.78.0.2' };

function homeAddress(at: number): string {
  return `127.78.${1 + (at >> 7)}.${1 + (at & 127)}`;
}

function insAddress(at: number): string {
  return `127.78.0.${10 + at}`;
}
