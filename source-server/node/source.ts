import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { LiveParts } from '../../hls/live-parts.ts';
import { Prng } from '../../machine/prng.ts';
import { TITLE_CHARS_MAX } from '../../protocol/limits.ts';
import { streamIdToText } from '../../protocol/names.ts';
import type { InsServerEntry, StreamState } from '../../protocol/swarm-fields.ts';
import { type Driven, drive } from '../../runtime/drive.ts';
import { type Log, silentLog } from '../../runtime/log.ts';
import { announcedUrl } from '../../runtime/node/announced-url.ts';
import { nodeClock } from '../../runtime/node/clock.ts';
import { loadOrMakeKeyFile, makeKeyPair, randomSeed } from '../../runtime/node/crypto.ts';
import { hashOf } from '../../runtime/node/hash.ts';
import { serveHls } from '../../runtime/node/hls-http.ts';
import { createHttpServer, type HttpServer } from '../../runtime/node/http.ts';
import { onlyOne } from '../../runtime/node/only-one.ts';
import { addCounters, type LinkKind, SwarmLinks } from '../../runtime/node/swarm-links.ts';
import type { Transport } from '../../runtime/node/transport.ts';
import type { LinkCounters } from '../../runtime/node/ws-link.ts';
import { listenWebSockets, type WebSocketListener } from '../../runtime/node/ws-server.ts';
import type { SourceEvent, SourceInput, SourceOutput } from '../core/io.ts';
import { parseInput } from '../core/media/input.ts';
import { SourceCore, type SourceStats } from '../core/source.ts';
import { cutChunk } from './cut.ts';
import { checkMediaOptions, type MediaEvent, type MediaOptions, openMedia } from './media/open-media.ts';
import { PartFeed } from './part-feed.ts';
import { NumbersFile } from './stream-state.ts';

export interface SourceConfig {
  /** `ws://HOST:PORT`. */
  readonly tracker: string;
  /** INS servers to feed, first choice first. */
  readonly ins: readonly InsServerEntry[];
  /** As `--input` takes it: see `parseInput`. */
  readonly input: string;
  readonly transcode?: boolean;
  /** Renditions, such as `['720p', '360p']`. */
  readonly ladder?: readonly string[];
  /** Default 250 and 1000. */
  readonly partMs?: number;
  readonly segmentMs?: number;
  readonly blockBytes?: number;
  /** Seconds for which INS servers keep what they are given: how far back viewers can seek. 30 to 86,400, default 120. */
  readonly keepSeconds?: number;
  /** The root key: made when there is none. The stream's numbers are kept beside it. */
  readonly keyFile: string;
  readonly title?: string;
  /** Address to listen on; loopback by default. */
  readonly host?: string;
  /** Where neighbours dial; 0, the default, is any free port. */
  readonly listenPort?: number;
  /** Where the plain HLS is served; 0, the default, is any free port. */
  readonly httpPort?: number;
  readonly region?: string;
  /** A provider's, for INS servers that keep only what those put who are invited. */
  readonly invitation?: Uint8Array;
  /** False lets a file run as fast as it can: for tests. */
  readonly paced?: boolean;
  /** What its connections are made over, dialled and accepted ones; TCP by default. */
  readonly transport?: Transport;
  readonly log?: Log;
  readonly onEvent?: (event: SourceShellEvent) => void;
}

export type SourceShellEvent =
  | SourceEvent
  /** The first description is signed: viewers may come. */
  | { readonly kind: 'ready'; readonly stream: string }
  /** What is passed through and what is transcoded, and why. */
  | { readonly kind: 'input'; readonly decisions: readonly string[] }
  | { readonly kind: 'notice'; readonly text: string }
  | { readonly kind: 'stream-state'; readonly state: StreamState; readonly why: string }
  /** Nothing more comes: the input cannot be used. */
  | { readonly kind: 'failed'; readonly why: string };

export interface SourceShellStats extends SourceStats {
  /** Media that was cut so far, all tracks, each byte once. */
  readonly madeBytes: number;
  /** Bytes at the sockets, by whom they went to or came from. */
  readonly links: Readonly<Record<LinkKind, LinkCounters>>;
}

export interface RunningSource {
  /** The stream's id as text. */
  readonly stream: string;
  /** Where neighbours dial. */
  readonly url: string;
  readonly hlsUrl: string;
  stats(): SourceShellStats;
  /** Tells the swarm that the broadcast is over, and ends everything, child processes too. */
  close(): Promise<void>;
}

/** Ms after which the last parts are announced at the latest, stored or not. */
const STORED_WITHIN_MS = 1_500;

/**
 * Starts a source: takes a stream in, cuts, names and signs it, feeds INS servers and neighbours, and serves it as LL-HLS.
 *
 * @returns Once it listens; the event `ready` comes with the first description.
 * @throws Error with one sentence for people: bad options, a port that is taken, a key that cannot be read or is in use.
 */
export async function startSource(config: SourceConfig): Promise<RunningSource> {
  const media = mediaOptions(config);
  const problem = checkMediaOptions(media) ?? missingFile(media.input);
  if (problem !== undefined) throw new Error(problem);
  const source = new SourceShell(config, media);
  try {
    await source.start();
  } catch (error) {
    await source.close();
    throw error;
  }
  return source;
}

/** Looked at before anything is started: a mistyped name is the most common mistake. */
function missingFile(input: string): string | undefined {
  const parsed = parseInput(input);
  if (!parsed.ok || parsed.value.kind !== 'file' || existsSync(parsed.value.path)) return undefined;
  return `--input ${input}: there is no such file`;
}

/** What goes over the wire is bounded. */
function shortened(why: string): string {
  return why.slice(0, TITLE_CHARS_MAX);
}

function mediaOptions(config: SourceConfig): MediaOptions {
  const { input, transcode = false, ladder = [], partMs = 250, segmentMs = 1000, paced = true } = config;
  return { input, transcode, ladder, partMs, segmentMs, paced };
}

class SourceShell implements RunningSource {
  stream = '';
  url = '';
  hlsUrl = '';
  private readonly config: SourceConfig;
  private readonly over: { readonly transport?: Transport };
  private readonly mediaOptions: MediaOptions;
  private readonly log: Log;
  private readonly live = new LiveParts();
  private readonly links: SwarmLinks;
  private letGo: (() => void) | undefined;
  private numbers: NumbersFile | undefined;
  private parts: PartFeed | undefined;
  private core: SourceCore | undefined;
  private driven: Driven<SourceInput> | undefined;
  private listener: WebSocketListener | undefined;
  private http: HttpServer | undefined;
  private media: { close(): Promise<void> } | undefined;
  private ready = false;
  private decisions = '';
  private madeBytes = 0;
  private endTimer: NodeJS.Timeout | undefined;
  private closing: Promise<void> | undefined;

  constructor(config: SourceConfig, media: MediaOptions) {
    const { log = silentLog, transport } = config;
    this.config = config;
    this.mediaOptions = media;
    this.log = log;
    this.over = transport === undefined ? {} : { transport };
    this.links = new SwarmLinks((input) => this.driven?.input(input), log, transport);
  }

  async start(): Promise<void> {
    const { keyFile, host = '127.0.0.1', tracker } = this.config;
    mkdirSync(dirname(keyFile), { recursive: true });
    const root = loadOrMakeKeyFile(keyFile);
    const signing = makeKeyPair();
    const stream = hashOf(root.publicKey);
    this.stream = streamIdToText(stream);
    this.letGo = await onlyOne(`source-${this.stream}`);
    if (this.letGo === undefined) {
      throw new Error(
        `another source runs with the key ${keyFile}; end it, or give this one a key of its own with --key`,
      );
    }
    this.numbers = new NumbersFile(`${keyFile}.numbers`, (text) => this.log.warn(text));
    this.listener = await listenWebSockets({ host, port: this.config.listenPort ?? 0 }, this.over, (link) =>
      this.links.accept(link),
    );
    this.url = this.listener.url;
    const hlsPort = await this.serve(host);
    const announced = announcedUrl(host, this.listener.port, tracker);
    if (announced === null) this.log.warn(`no neighbour can dial ${host}: say with --host where to listen`);
    this.core = new SourceCore({
      stream,
      rootKey: root.publicKey,
      signingKey: signing.publicKey,
      title: this.config.title ?? '',
      trackerUrl: tracker,
      insServers: this.config.ins,
      url: announced,
      hlsUrl: announced === null ? null : `:${hlsPort}/${this.stream}/master.m3u8`,
      region: this.config.region ?? null,
      ...(this.config.invitation === undefined ? {} : { invitation: this.config.invitation }),
      ...(this.config.keepSeconds === undefined ? {} : { ttlSeconds: this.config.keepSeconds }),
      ...(this.config.blockBytes === undefined ? {} : { blockBytes: this.config.blockBytes }),
      prng: new Prng(randomSeed()),
    });
    const keys = { root, signing };
    this.driven = drive(this.core, (output) => this.perform(output, keys), nodeClock);
    this.driven.input({ kind: 'start' });
    this.parts = new PartFeed(this.numbers);
    const { part, segment, timeUs } = this.numbers.start;
    const from = { startPart: part, startSegment: segment, startTimeUs: timeUs };
    this.media = openMedia({ ...this.mediaOptions, ...from }, (event) => this.mediaEvent(event));
  }

  stats(): SourceShellStats {
    const { tracker, ins, peer } = this.links.counters;
    const { madeBytes } = this;
    return {
      ...this.core!.stats(),
      madeBytes,
      links: { tracker, ins, peer: addCounters(peer, this.listener!.counters) },
    };
  }

  close(): Promise<void> {
    this.closing ??= this.end();
    return this.closing;
  }

  private async end(): Promise<void> {
    clearTimeout(this.endTimer);
    const mediaClosed = this.media?.close();
    this.numbers?.close();
    this.driven?.input({ kind: 'stop' });
    this.driven?.stop();
    this.live.end();
    await Promise.all([mediaClosed, this.links.close(), this.http?.close()]);
    await this.listener?.close();
    this.letGo?.();
  }

  private async serve(host: string): Promise<number> {
    this.http = createHttpServer({ host, port: this.config.httpPort ?? 0, ...this.over });
    const streams = new Map([[this.stream, this.live]]);
    serveHls(this.http, () => streams);
    const { url, port } = await this.http.listen();
    this.hlsUrl = `${url}/${this.stream}/master.m3u8`;
    return port;
  }

  private perform(
    output: SourceOutput,
    keys: Readonly<Record<'root' | 'signing', { sign(b: Uint8Array): Uint8Array }>>,
  ) {
    switch (output.kind) {
      case 'cut':
        this.driven!.input({ kind: 'cut', ref: output.ref, blocks: cutChunk(output.body, output.blockBytes) });
        return;
      case 'sign': {
        const { ref, bytes } = output;
        this.driven!.input({ kind: 'signed', ref, signature: keys[output.with].sign(bytes), digest: hashOf(bytes) });
        return;
      }
      case 'description':
        this.live.setDescription(output.description);
        if (!this.ready) this.tell({ kind: 'ready', stream: this.stream });
        this.ready = true;
        return;
      case 'part':
        for (const body of output.bodies) this.madeBytes += body.byteLength;
        this.live.add(output.record, output.bodies as readonly Uint8Array[]);
        return;
      case 'event':
        this.tell(output.event);
        return;
      default:
        this.links.perform(output);
    }
  }

  private mediaEvent(event: MediaEvent): void {
    switch (event.kind) {
      case 'tracks': {
        const { tracks, partTargetMs, segmentTargetMs, decisions } = event;
        this.parts!.setTracks(tracks.map((track) => track.id));
        if (this.decisions !== decisions.join()) this.tell({ kind: 'input', decisions });
        this.decisions = decisions.join();
        this.driven!.input({ kind: 'tracks', tracks, partTargetMs, segmentTargetMs });
        return;
      }
      case 'part':
        this.driven!.input({ kind: 'part', part: this.parts!.take(event.part) });
        return;
      case 'notice':
        this.tell(event);
        return;
      case 'interrupted':
        this.streamState('interrupted', event.why);
        return;
      case 'resumed':
        this.streamState('live', '');
        return;
      case 'ended':
        this.endTimer = setTimeout(() => this.live.end(), STORED_WITHIN_MS);
        this.streamState('ended', 'the input is over');
        return;
      case 'failed':
        this.driven!.input({ kind: 'stream-state', state: 'ended', why: shortened(event.why) });
        this.tell({ kind: 'failed', why: event.why });
    }
  }

  private streamState(state: StreamState, why: string): void {
    this.driven!.input({ kind: 'stream-state', state, why: shortened(why) });
    this.tell({ kind: 'stream-state', state, why });
  }

  private tell(event: SourceShellEvent): void {
    this.config.onEvent?.(event);
  }
}
