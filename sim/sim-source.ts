import { unreachable } from '../machine/machine.ts';
import type { Track } from '../protocol/media.ts';
import { partBytes, type StreamShape } from '../scenarios/plan/scenario.ts';
import type { SourceChunk, SourceEvent, SourceInput, SourceOutput } from '../source-server/core/io.ts';
import type { SourceCore } from '../source-server/core/source.ts';
import { type SimBody, simHash, simName, simSign } from './crypto.ts';
import type { Host } from './host.ts';
import type { World } from './node.ts';
import { SimSwarmNode } from './sim-swarm-node.ts';

/** A source whose camera makes parts of a given rate: key frames are four times as large as the rest. */
export class SimSource extends SimSwarmNode<SourceInput, SourceOutput> {
  readonly events: SourceEvent[] = [];
  /** Every part made, announced or about to be: `track:part` to the content of its blocks. */
  readonly parts = new Map<string, string>();
  /** Media bytes made so far, all tracks. */
  mediaBytes = 0;
  readonly core: SourceCore;
  private readonly keys: { readonly root: Uint8Array; readonly signing: Uint8Array };
  private readonly stream: StreamShape;
  /** The best picture, the sound, then the other pictures. */
  private readonly tracks: readonly Track[];
  private part = 0;
  private filming = false;

  constructor(
    world: World,
    id: number,
    host: Host,
    core: SourceCore,
    keys: { readonly root: Uint8Array; readonly signing: Uint8Array },
    stream: StreamShape,
  ) {
    super(world, id, host, core);
    this.core = core;
    this.keys = keys;
    this.stream = stream;
    this.tracks = tracksOf(stream);
  }

  /** The newest part that was filmed; -1 for none. */
  get newestPart(): number {
    return this.part - 1;
  }

  /** The key of its lockers. */
  get account(): Uint8Array {
    return this.keys.signing;
  }

  start(): void {
    this.input({ kind: 'start' });
    const { partMs, partsPerSegment } = this.stream;
    this.input({
      kind: 'tracks',
      tracks: this.tracks,
      partTargetMs: partMs,
      segmentTargetMs: partMs * partsPerSegment,
    });
    this.filming = true;
    this.film();
  }

  stopFilming(): void {
    this.filming = false;
  }

  private film(): void {
    const { partMs, partsPerSegment } = this.stream;
    const capturedAtMs = this.nowMs;
    // A part is there once its last frame is.
    this.world.events.at(this.world.events.nowMs + partMs, () => {
      if (!this.alive || !this.filming) return;
      const part = this.part++;
      const indexInSegment = part % partsPerSegment;
      this.input({
        kind: 'part',
        part: {
          part,
          segment: Math.floor(part / partsPerSegment),
          indexInSegment,
          independent: indexInSegment === 0,
          discontinuity: false,
          capturedAtMs,
          chunks: this.tracks.map((track) => this.chunk(track, part, indexInSegment)),
        },
      });
      this.film();
    });
  }

  private chunk(track: Track, part: number, indexInSegment: number): SourceChunk {
    const { partMs } = this.stream;
    const bytes = partBytes(this.stream, indexInSegment)[track.kind === 'video' ? 'video' : 'audio'];
    const ofBest = track.id < TRACKS.length ? 1 : track.bandwidthBps / this.stream.bps;
    const byteLength = Math.round(bytes * ofBest);
    const body: SimBody = { byteLength, content: `${track.id}.${part}` };
    this.mediaBytes += body.byteLength;
    return { track: track.id, timeUs: part * partMs * 1000, durationUs: partMs * 1000, body };
  }

  protected override perform(output: SourceOutput): void {
    if (this.performCommon(output)) return;
    switch (output.kind) {
      case 'cut': {
        const whole = (output.body ?? { byteLength: 8, content: 'free' }) as SimBody;
        const blocks = [];
        for (let at = 0; at < whole.byteLength; at += output.blockBytes) {
          const byteLength = Math.min(output.blockBytes, whole.byteLength - at);
          const body: SimBody = { byteLength, content: `${whole.content}.${at}` };
          blocks.push({ name: simName(body), body });
        }
        this.parts.set(whole.content.replace('.', ':'), blocks.map(({ body }) => body.content).join());
        this.answer(this.hashMs(whole.byteLength), { kind: 'cut', ref: output.ref, blocks });
        return;
      }
      case 'sign': {
        const signature = simSign(this.keys[output.with], output.bytes);
        this.answer(this.signMs, { kind: 'signed', ref: output.ref, signature, digest: simHash(output.bytes) });
        return;
      }
      case 'description':
      case 'part':
        return;
      case 'event':
        this.world.trace.add(this.nowMs, this.id, output.event.kind);
        this.events.push(output.event);
        return;
      case 'dial':
      case 'close':
      case 'send-peer':
      case 'send-block':
      case 'send-ins-block':
      case 'send-tracker':
      case 'send-ins':
        return;
      default:
        unreachable(output);
    }
  }
}

/** As long as the headers of a real film: every viewer gets them with the description. */
const INIT = new Uint8Array(650);
const TRACKS: readonly Track[] = [
  {
    id: 0,
    kind: 'video',
    codecs: 'avc1.64001f',
    name: '720p',
    bandwidthBps: 1_000_000,
    width: 1280,
    height: 720,
    frameRate: 30,
    channels: 0,
    language: '',
    init: INIT,
  },
  {
    id: 1,
    kind: 'audio',
    codecs: 'mp4a.40.2',
    name: 'Audio',
    bandwidthBps: 64_000,
    width: 0,
    height: 0,
    frameRate: 0,
    channels: 2,
    language: '',
    init: INIT,
  },
];

function tracksOf({ bps, renditions = [] }: StreamShape): readonly Track[] {
  if (renditions.length === 0) return TRACKS;
  const [picture, sound] = [TRACKS[0]!, TRACKS[1]!];
  const others = renditions.map((bandwidthBps, at) => {
    return { ...picture, id: TRACKS.length + at, name: `${bandwidthBps / 1000}k`, bandwidthBps };
  });
  return [{ ...picture, bandwidthBps: bps }, sound, ...others];
}
