import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RunningInsServer, startInsServer } from '../../ins-server/node/ins-server.ts';
import type { PeerEvent } from '../../peer/core/io.ts';
import { type PeerConfig, type RunningPeer, startPeer } from '../../peer/node/peer.ts';
import { nameToText, streamIdFromText } from '../../protocol/names.ts';
import type { InsServerEntry, Mode } from '../../protocol/swarm-fields.ts';
import { silentLog } from '../../runtime/log.ts';
import { nameOf } from '../../runtime/node/hash.ts';
import { type RunningSource, type SourceConfig, startSource } from '../../source-server/node/source.ts';
import { startTracker, type TrackerServer } from '../../tracker/node/tracker.ts';

/** Waits until something is so; fails with what it was after a while. */
export async function until(what: string, isSo: () => boolean, withinMs = 30_000): Promise<void> {
  const endAtMs = performance.now() + withinMs;
  while (!isSo()) {
    if (performance.now() > endAtMs) throw new Error(`waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** A peer with everything it has told. */
export interface WatchedPeer extends RunningPeer {
  readonly mode: Mode;
  readonly events: readonly PeerEvent[];
}

/** The parts of the house in one process, on loopback, ended together. */
export class House {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'inswarm-e2e-'));
  private readonly running: { close(): Promise<void> }[] = [];
  private trackerServer: TrackerServer | undefined;
  private keys = 0;

  get tracker(): TrackerServer {
    return this.trackerServer!;
  }

  async startTracker(ins: readonly InsServerEntry[] = []): Promise<TrackerServer> {
    this.trackerServer = await startTracker({ port: 0, ins, log: silentLog });
    this.running.push(this.trackerServer);
    return this.trackerServer;
  }

  async startIns(port = 0): Promise<RunningInsServer> {
    const ins = await startInsServer({ port });
    this.running.push(ins);
    return ins;
  }

  /** A small test pattern, on the air. */
  async startSource(config: Partial<SourceConfig> = {}): Promise<RunningSource> {
    let ready = false;
    const source = await startSource({
      tracker: this.tracker.wsUrl,
      ins: [],
      input: 'testsrc=160x90',
      keyFile: join(this.folder, `key-${++this.keys}`),
      onEvent: (event) => {
        if (event.kind === 'ready') ready = true;
      },
      ...config,
    });
    this.running.push(source);
    await until('the source is ready', () => ready);
    await until('the source has published', () => source.stats().part >= 4);
    return source;
  }

  async startPeer(source: RunningSource, mode: Mode, config: Partial<PeerConfig> = {}): Promise<WatchedPeer> {
    const events: PeerEvent[] = [];
    const stream = streamIdFromText(source.stream)!;
    const peer = await startPeer({
      ...{ tracker: this.tracker.wsUrl, stream, mode, httpPort: 0 },
      onEvent: (event) => events.push(event),
      ...config,
    });
    this.running.push(peer);
    return Object.assign(peer, { mode, events });
  }

  /** Ends the youngest first. */
  async close(): Promise<void> {
    for (const one of this.running.reverse()) await one.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Names of the parts of a track that a playlist's server hands out, by part number; absent where it has none. */
export async function partNames(
  masterUrl: string,
  track: number,
  from: number,
  to: number,
): Promise<ReadonlyMap<number, string>> {
  const parts = Array.from({ length: Math.max(0, to - from + 1) }, (_, at) => from + at);
  const found = await Promise.all(parts.map(async (part) => [part, await partName(masterUrl, track, part)] as const));
  return new Map(found.flatMap(([part, name]) => (name === undefined ? [] : [[part, name] as const])));
}

async function partName(masterUrl: string, track: number, part: number): Promise<string | undefined> {
  const response = await fetch(masterUrl.replace('master.m3u8', `${track}/part-${part}.m4s`));
  const bytes = new Uint8Array(await response.arrayBuffer());
  return response.status === 200 ? nameToText(nameOf(bytes)) : undefined;
}

/** The part a peer began with. */
export function firstPart(peer: WatchedPeer): number | undefined {
  return peer.events.find((event) => event.kind === 'started')?.part;
}

/** Waits until a peer has played so many parts since its start; those that it jumped over do not count. */
export async function played(peer: WatchedPeer, parts: number): Promise<void> {
  await until(`a peer in ${peer.mode} mode has played ${parts} parts`, () => {
    const first = firstPart(peer);
    return first !== undefined && peer.stats().part >= first + parts + leftOut(peer);
  });
}

/** Parts that a peer has jumped over: on a busy machine playback may fall behind, and goes on nearer to live. */
export function leftOut(peer: WatchedPeer): number {
  return peer.events.reduce((sum, event) => {
    return event.kind === 'missed' || event.kind === 'skipped' ? sum + event.to - event.from + 1 : sum;
  }, 0);
}
