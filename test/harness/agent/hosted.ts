import { startInsServer } from '../../../ins-server/node/ins-server.ts';
import type { PeerEvent } from '../../../peer/core/io.ts';
import { startPeer } from '../../../peer/node/peer.ts';
import { streamIdFromText } from '../../../protocol/names.ts';
import { createLog, type Log } from '../../../runtime/log.ts';
import { nowMs } from '../../../runtime/node/clock.ts';
import type { Transport } from '../../../runtime/node/transport.ts';
import type { Connection } from '../../../runtime/node/ws-link.ts';
import { startSource } from '../../../source-server/node/source.ts';
import { startTracker } from '../../../tracker/node/tracker.ts';
import { PlayersHost } from '../browser/hosted-player.ts';
import { BesidePlayer } from './beside-player.ts';
import { playerFolder } from './player-folder.ts';
import { type FreezeEvent, type ProcessSample, type ProgramFigures, type ProgramSpec, placeOf } from './programs.ts';
import { sharedVerifier } from './shared-verifier.ts';

/** A program that runs in this process. */
export interface Hosted {
  /** Unix ms of its begin: of a viewer, when it first dialled, or somebody pressed play. */
  readonly atMs: number;
  /** The stream that it broadcasts. */
  readonly stream: string | null;
  /** Comes before figures where they are in another process: asks for them, for a short while. */
  refresh?(): Promise<void>;
  figures(): ProgramFigures;
  /** Of viewers; nobody asks the others. */
  connections(): readonly Connection[];
  close(): Promise<void>;
  /** Is gone without a word, as far as a program can: its links have to be cut, too. */
  crash?(): Promise<void>;
}

type Spec<Kind> = Extract<ProgramSpec, { kind: Kind }>;

/** Takes what people should know. */
export type Notice = (text: string) => void;

/**
 * Starts a program.
 *
 * @param transport - Of its host.
 * @param pressed - Resolves when a person is to press play, for programs that are loaded before.
 * @throws Error with one sentence.
 */
export function host(
  program: ProgramSpec,
  transport: Transport,
  pressed: () => Promise<void>,
  notice: Notice,
): Promise<Hosted> {
  switch (program.kind) {
    case 'tracker':
      return hostTracker(program, transport, logTo(notice));
    case 'ins':
      return hostIns(program, transport, logTo(notice));
    case 'source':
      return hostSource(program, transport, notice);
    case 'viewer':
      return pressed().then(() => hostViewer(program, transport, notice));
    case 'browser':
      return hostBrowser(program, transport, pressed);
  }
}

function none(): readonly Connection[] {
  return [];
}

function logTo(notice: Notice): Log {
  return createLog({ write: notice, nowMs, level: 'error' });
}

async function hostTracker({ host, ins }: Spec<'tracker'>, transport: Transport, log: Log): Promise<Hosted> {
  // All addresses are ours: nobody is to be turned away for coming with many others.
  const atMs = nowMs();
  const { port, host: at } = placeOf(host);
  const tracker = await startTracker({ host: at, port, ins, playerFolder: playerFolder(), transport, log });
  return { atMs, stream: null, figures: () => ({ kind: 'tracker' }), connections: none, close: () => tracker.close() };
}

async function hostIns(program: Spec<'ins'>, transport: Transport, log: Log): Promise<Hosted> {
  const { host, bandwidthBps, keyFile, known: remotes } = program;
  const limits = { bandwidthBps, closesWhenOverloaded: false };
  const atMs = nowMs();
  const { port, host: at } = placeOf(host);
  const server = await startInsServer({ host: at, port, keyFile, limits, remotes, transport, log });
  return { atMs, stream: null, figures: () => ({ kind: 'ins' }), connections: none, close: () => server.close() };
}

async function hostSource(program: Spec<'source'>, transport: Transport, notice: Notice): Promise<Hosted> {
  const { kind: _, host: address, ...config } = program;
  const { host, port, httpPort } = placeOf(address);
  const atMs = nowMs();
  const source = await startSource({
    ...config,
    transport,
    host,
    listenPort: port,
    httpPort,
    title: 'A measured run',
    onEvent(event) {
      if (event.kind === 'failed') notice(event.why);
    },
  });
  return {
    atMs,
    stream: source.stream,
    figures() {
      const { part, madeBytes, links } = source.stats();
      const dataSentBytes = links.tracker.dataOut + links.ins.dataOut + links.peer.dataOut;
      return { kind: 'source', part, mediaBytes: madeBytes, dataSentBytes };
    },
    connections: none,
    close: () => source.close(),
  };
}

const verify = sharedVerifier();

async function hostViewer(program: Spec<'viewer'>, transport: Transport, notice: Notice): Promise<Hosted> {
  const { host, tracker, stream, mode, region, dialable, witnessed } = program;
  const id = streamIdFromText(stream);
  if (id === undefined) throw new Error(`${stream} is no id of a stream`);
  let events: FreezeEvent[] = [];
  const onEvent = (event: PeerEvent): void => {
    if (event.kind === 'freeze') events.push({ kind: 'freeze', atMs: event.atMs });
    if (event.kind === 'resumed') events.push({ kind: 'resumed', atMs: event.atMs, frozenMs: event.frozenMs });
  };
  const { host: at, port: listenPort, httpPort } = placeOf(host);
  const place = { host: at, listenPort, dialable, ...(witnessed ? { httpPort } : {}) };
  const atMs = nowMs();
  const peer = await startPeer({ ...place, tracker, stream: id, mode, region, transport, verify, onEvent });
  const beside = witnessed ? new BesidePlayer(peer.gatewayUrl!, notice) : undefined;
  return {
    atMs,
    stream: null,
    figures() {
      const { sentBytes, receivedBytes, ...stats } = peer.stats();
      const { state, part, bufferMs, latencyMs, startupDelayMs, dueBlocks, missedBlocks } = stats;
      const { bytesFrom, usefulBytes, bad, neighbours } = stats;
      const told = events;
      events = [];
      const seen = beside?.seen;
      return {
        ...{ kind: 'viewer', state, part, bufferMs, latencyMs, startupDelayMs, dueBlocks, missedBlocks },
        ...{ bytesFrom, usefulBytes, bad, neighbours, sent: sentBytes, received: receivedBytes, events: told },
        ...(seen === undefined ? {} : { witness: seen }),
      };
    },
    connections: () => peer.connections(),
    async close() {
      await Promise.all([beside?.close(), peer.close()]);
    },
  };
}

/** All players of this process share a browser. */
const players = new PlayersHost();

/** A process with what the browser takes that its players are in. */
export function withBrowser(process: ProcessSample): ProcessSample {
  const { cpuMs, memoryBytes } = players.usage;
  return { ...process, cpuMs: process.cpuMs + cpuMs, rssBytes: process.rssBytes + memoryBytes };
}

async function hostBrowser(
  { trackerUrl, stream, mode }: Spec<'browser'>,
  transport: Transport,
  pressed: () => Promise<void>,
): Promise<Hosted> {
  const player = await players.load({ trackerUrl, stream, mode }, transport);
  await pressed();
  const atMs = await player.play();
  return {
    atMs,
    stream: null,
    refresh: () => player.refresh(),
    // Play was pressed, so there are figures.
    figures: () => player.figures()!,
    connections: none,
    close: () => player.close(),
    crash: () => player.crash(),
  };
}
