import { LiveParts } from '../../hls/live-parts.ts';
import { GATHERED } from '../../hls/live-window.ts';
import { Prng } from '../../machine/prng.ts';
import type { Description } from '../../protocol/media.ts';
import { streamIdToText } from '../../protocol/names.ts';
import type { InsServerEntry, Mode, StreamState } from '../../protocol/swarm-fields.ts';
import { sameBytes } from '../../protocol/text.ts';
import { type Driven, drive } from '../../runtime/drive.ts';
import { type Log, silentLog } from '../../runtime/log.ts';
import { announcedUrl } from '../../runtime/node/announced-url.ts';
import { nodeClock, nowMs } from '../../runtime/node/clock.ts';
import { type KeyPair, makeKeyPair, randomSeed, verifySignature } from '../../runtime/node/crypto.ts';
import { hashOf, hasName } from '../../runtime/node/hash.ts';
import { serveHls } from '../../runtime/node/hls-http.ts';
import { createHttpServer, type HttpServer } from '../../runtime/node/http.ts';
import { addCounters, type LinkKind, SwarmLinks } from '../../runtime/node/swarm-links.ts';
import type { Transport } from '../../runtime/node/transport.ts';
import { type Connection, type LinkCounters, makeCounters } from '../../runtime/node/ws-link.ts';
import { listenWebSockets, type WebSocketListener } from '../../runtime/node/ws-server.ts';
import type { PeerEvent, PeerInput, PeerOutput } from '../core/io.ts';
import { neighbourMesh } from '../core/neighbour-mesh.ts';
import { PeerCore } from '../core/peer.ts';
import type { PeerStats } from '../core/peer-stats.ts';
import { chooseTracks } from '../core/quality.ts';
import type { Quality } from '../core/rendition-choice.ts';
import { renditionRule } from '../core/rendition-rule.ts';

export interface PeerConfig {
  /** `ws://HOST:PORT`. */
  readonly tracker: string;
  /** The stream's id, 32 bytes. */
  readonly stream: Uint8Array;
  readonly mode: Mode;
  /** Address to listen on; loopback by default. */
  readonly host?: string;
  /** Where neighbours dial; 0, the default, is any free port. */
  readonly listenPort?: number;
  /** False: it listens nowhere, and nobody can dial it, as with a browser. */
  readonly dialable?: boolean;
  /** Where the stream is served as HLS; 0 is any free port, none when left out. */
  readonly httpPort?: number;
  readonly region?: string;
  /** A provider's, for INS servers that keep blocks only for those who are invited. */
  readonly invitation?: Uint8Array;
  /** Which rendition is taken, and served with `httpPort`; all by default. */
  readonly quality?: Quality;
  /** Let the INS server send the live edge unasked (the default); false asks for every block, as the drafts do. */
  readonly follow?: boolean;
  /** INS servers known from an earlier visit, first choice first: one is dialled while the join is under way. */
  readonly insServers?: readonly InsServerEntry[];
  /** What its connections are made over, dialled and accepted ones; TCP by default. */
  readonly transport?: Transport;
  /** Checks Ed25519 signatures; many peers in one process may share what one of them has found out. */
  readonly verify?: (key: Uint8Array, signed: Uint8Array, signature: Uint8Array) => boolean;
  readonly log?: Log;
  readonly onEvent?: (event: PeerEvent) => void;
}

/** Bytes at the sockets: WebSocket payload and frame headers, without TCP/IP. */
export interface Traffic {
  readonly data: number;
  readonly control: number;
}

export interface PeerShellStats extends PeerStats {
  readonly sentBytes: Traffic;
  readonly receivedBytes: Traffic;
  /** Media that was handed on, each part of a track once: what came twice is not in it. */
  readonly usefulBytes: number;
  /** Sent and received by whom it went to or came from. */
  readonly links: Readonly<Record<LinkKind, LinkCounters>>;
}

export interface RunningPeer {
  /** Where neighbours dial; empty where nobody can. */
  readonly url: string;
  /** The gateway's master playlist; undefined without `httpPort`. */
  readonly gatewayUrl: string | undefined;
  stats(): PeerShellStats;
  /** Its open connections. */
  connections(): readonly Connection[];
  /** Leaves the swarm and ends everything. */
  close(): Promise<void>;
}

/** Ms that the last parts of a broadcast may come after the word that it is over. */
const LAST_PARTS_MS = 3_000;

/**
 * Starts a peer that plays a stream into the player model, passes blocks on, and with `httpPort` serves the stream to
 * players on this machine. Its key is new with each start.
 *
 * @throws Error with one sentence for people: a port that is taken.
 */
export async function startPeer(config: PeerConfig): Promise<RunningPeer> {
  const peer = new PeerShell(config);
  try {
    await peer.start();
  } catch (error) {
    await peer.close();
    throw error;
  }
  return peer;
}

class PeerShell implements RunningPeer {
  url = '';
  gatewayUrl: string | undefined;
  private readonly config: PeerConfig;
  private readonly over: { readonly transport?: Transport };
  private readonly key: KeyPair = makeKeyPair();
  private live = new LiveParts(GATHERED);
  private endTimer: NodeJS.Timeout | undefined;
  private readonly links: SwarmLinks;
  private core: PeerCore | undefined;
  private driven: Driven<PeerInput> | undefined;
  private listener: WebSocketListener | undefined;
  private http: HttpServer | undefined;
  private closing: Promise<void> | undefined;
  private usefulBytes = 0;

  constructor(config: PeerConfig) {
    const { log = silentLog, transport } = config;
    this.config = config;
    this.over = transport === undefined ? {} : { transport };
    this.links = new SwarmLinks((input) => this.driven?.input(input), log, transport);
  }

  async start(): Promise<void> {
    const { host = '127.0.0.1', httpPort, tracker, stream, mode, region, follow, dialable = true } = this.config;
    if (httpPort !== undefined) await this.serve(host, httpPort);
    if (dialable) await this.listen(host);
    this.core = new PeerCore({
      stream,
      key: this.key.publicKey,
      trackerUrl: tracker,
      mode,
      mesh: neighbourMesh,
      url: this.listener === undefined ? null : announcedUrl(host, this.listener.port, tracker),
      region: region ?? null,
      // Who cannot be dialled and is in INS mode shows its address to nobody.
      dialsNeighbours: dialable || mode !== 'ins',
      ...(this.config.invitation === undefined ? {} : { invitation: this.config.invitation }),
      follow: follow ?? true,
      insServers: this.config.insServers ?? [],
      quality: this.config.quality ?? 'all',
      choice: renditionRule,
      prng: new Prng(randomSeed()),
    });
    this.driven = drive(this.core, (output) => this.perform(output), nodeClock);
    this.driven.input({ kind: 'start' });
  }

  stats(): PeerShellStats {
    const { tracker, ins } = this.links.counters;
    const peer = addCounters(this.links.counters.peer, this.listener?.counters ?? makeCounters());
    const all = addCounters(addCounters(tracker, ins), peer);
    return {
      ...this.core!.stats(nowMs()),
      sentBytes: { data: all.dataOut, control: all.controlOut },
      receivedBytes: { data: all.dataIn, control: all.controlIn },
      usefulBytes: this.usefulBytes,
      links: { tracker, ins, peer },
    };
  }

  connections(): readonly Connection[] {
    return this.links.connections();
  }

  close(): Promise<void> {
    this.closing ??= this.end();
    return this.closing;
  }

  private async end(): Promise<void> {
    clearTimeout(this.endTimer);
    this.driven?.input({ kind: 'stop' });
    this.driven?.stop();
    await Promise.all([this.links.close(), this.http?.close()]);
    await this.listener?.close();
  }

  private async listen(host: string): Promise<void> {
    const port = this.config.listenPort ?? 0;
    this.listener = await listenWebSockets({ host, port }, this.over, (link) => this.links.accept(link));
    this.url = this.listener.url;
  }

  private async serve(host: string, port: number): Promise<void> {
    this.http = createHttpServer({ host, port, ...this.over });
    const id = streamIdToText(this.config.stream);
    serveHls(this.http, () => new Map([[id, this.live]]));
    this.gatewayUrl = `${(await this.http.listen()).url}/${id}/master.m3u8`;
  }

  private perform(output: PeerOutput): void {
    const driven = this.driven!;
    switch (output.kind) {
      case 'sign':
        driven.input({ kind: 'signed', ref: output.ref, signature: this.key.sign(output.bytes) });
        return;
      case 'verify': {
        const { ref, key, keyHash, signed, signature } = output;
        const isKey = keyHash === null || sameBytes(hashOf(key), keyHash);
        const { verify = verifySignature } = this.config;
        driven.input({ kind: 'verified', ref, ok: isKey && verify(key, signed, signature) });
        return;
      }
      case 'check-name':
        driven.input({ kind: 'named', ref: output.ref, ok: hasName(output.body as Uint8Array, output.name) });
        return;
      case 'description':
        this.live.setDescription(this.served(output.description));
        return;
      case 'part':
        for (const body of output.bodies) this.usefulBytes += body.byteLength;
        this.live.add(output.record, output.bodies as readonly Uint8Array[]);
        return;
      case 'past-part':
      case 'past-none':
      case 'want-mesh':
      case 'want-choice':
        // The gateway lists what is at hand, and asks for nothing else; the mesh and what chooses are there from the beginning.
        return;
      case 'begin':
        this.live.begin(output.part, output.track ?? undefined);
        return;
      case 'event':
        this.event(output.event);
        return;
      default:
        this.links.perform(output);
    }
  }

  /** Playlists name only what is taken. */
  private served(description: Description): Description {
    const { quality = 'all' } = this.config;
    if (quality === 'all' || quality === 'auto') return description;
    const taken =
      chooseTracks(description.tracks, quality, undefined) ?? chooseTracks(description.tracks, 'best', undefined)!;
    return { ...description, tracks: description.tracks.filter(({ id }) => taken.includes(id)) };
  }

  private event(event: PeerEvent): void {
    // What playback has left behind is no longer fetched.
    if (event.kind === 'missed' || event.kind === 'skipped') this.live.giveUp(event.to + 1);
    if (event.kind === 'stream-state') this.streamState(event.state);
    this.config.onEvent?.(event);
  }

  /** A broadcast that is over may begin again: playlists that have ended never go on, so there are new ones then. */
  private streamState(state: StreamState): void {
    clearTimeout(this.endTimer);
    if (state === 'ended') this.endTimer = setTimeout(() => this.live.end(), LAST_PARTS_MS);
    if (state !== 'live' || !this.live.window.ended) return;
    const { description } = this.live.window;
    this.live = new LiveParts(GATHERED);
    if (description !== undefined) this.live.setDescription(description);
    const { part } = this.core!.stats(nowMs());
    if (part >= 0) this.live.begin(part);
  }
}
