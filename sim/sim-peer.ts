import { type Body, unreachable } from '../machine/machine.ts';
import type { PeerEvent, PeerInput, PeerOutput } from '../peer/core/io.ts';
import { neighbourMesh } from '../peer/core/neighbour-mesh.ts';
import type { PeerCore } from '../peer/core/peer.ts';
import { renditionRule } from '../peer/core/rendition-rule.ts';
import type { IndexRecord } from '../protocol/media.ts';
import { sameBytes } from '../protocol/text.ts';
import { type SimBody, simHash, simName, simSign, simVerify } from './crypto.ts';
import type { Host } from './host.ts';
import type { World } from './node.ts';
import { SimSwarmNode } from './sim-swarm-node.ts';
import { StartupClock } from './startup-stages.ts';

/** Ms in which a page has loaded what it takes to ask neighbours, or to choose among renditions. */
const LOADS_MS = 200;

export class SimPeer extends SimSwarmNode<PeerInput, PeerOutput> {
  readonly events: PeerEvent[] = [];
  /** Parts of tracks that were handed on, whole. */
  partsHandedOn = 0;
  /** What playlists are made of, in order, where it is kept: {@link RunOptions.keepsParts}. */
  readonly handed: Extract<PeerOutput, { kind: 'part' | 'begin' }>[] = [];
  keepsParts = false;
  /** What was asked for of the past, in the order in which it came, where parts are kept. */
  pastGone = 0;
  readonly past: Extract<PeerOutput, { kind: 'past-part' }>[] = [];
  /** Their bytes: what came twice is not in them. */
  usefulBytes = 0;
  /** `track:part` of those that were not what the source made. */
  readonly wrongParts: string[] = [];
  /** Of every part handed on: how long after its last frame it was whole here, in ms. */
  readonly lagsMs: number[] = [];
  /** When it came to each stage of its startup. */
  readonly startup = new StartupClock();
  /** What it gives to others is not what it says. */
  lies = false;
  readonly core: PeerCore;
  private readonly key: Uint8Array;
  private readonly made: ReadonlyMap<string, string>;

  /** @param made - What the source made: `track:part` to the content of its blocks. */
  constructor(
    world: World,
    id: number,
    host: Host,
    core: PeerCore,
    key: Uint8Array,
    made: ReadonlyMap<string, string>,
  ) {
    super(world, id, host, core);
    this.core = core;
    this.key = key;
    this.made = made;
  }

  protected override perform(output: PeerOutput): void {
    this.startup.note(output, this.nowMs);
    if (this.performCommon(this.lies && output.kind === 'send-block' ? lieOf(output) : output)) return;
    switch (output.kind) {
      case 'sign':
        this.answer(this.signMs, { kind: 'signed', ref: output.ref, signature: simSign(this.key, output.bytes) });
        return;
      case 'verify': {
        const keyFits = output.keyHash === null || sameBytes(simHash(output.key), output.keyHash);
        const ok = keyFits && simVerify(output.key, output.signed, output.signature);
        this.answer(this.verifyMs, { kind: 'verified', ref: output.ref, ok });
        return;
      }
      case 'check-name': {
        const ok = sameBytes(simName(output.body), output.name);
        this.answer(this.hashMs(output.body.byteLength), { kind: 'named', ref: output.ref, ok });
        return;
      }
      case 'description':
        return;
      case 'want-mesh':
        this.load({ kind: 'mesh', make: neighbourMesh });
        return;
      case 'want-choice':
        this.load({ kind: 'choice', make: renditionRule });
        return;
      case 'past-none':
        this.pastGone++;
        return;
      case 'past-part':
        this.compare(output);
        if (this.keepsParts) this.past.push(output);
        return;
      case 'begin':
        if (this.keepsParts) this.handed.push(output);
        return;
      case 'part': {
        this.compare(output);
        this.partsHandedOn++;
        if (this.keepsParts) this.handed.push(output);
        for (const body of output.bodies) this.usefulBytes += body.byteLength;
        this.lagsMs.push(this.nowMs - output.record.capturedAtMs - output.record.durationUs / 1000);
        return;
      }
      case 'event':
        this.world.trace.add(this.nowMs, this.id, output.event.kind);
        this.events.push(output.event);
        return;
      case 'dial':
      case 'close':
      case 'send-peer':
      case 'send-block':
      case 'send-tracker':
      case 'send-ins':
        return;
      default:
        unreachable(output);
    }
  }

  private load(input: PeerInput): void {
    this.world.events.at(this.world.events.nowMs + LOADS_MS, () => this.input(input));
  }

  /** Whether a part is what the source made. Who gets the very blocks that were compared before need not compare again. */
  private compare({ record, bodies }: Extract<PeerOutput, { kind: 'part' | 'past-part' }>): void {
    const before = compared.get(record);
    if (before !== undefined && bodies.every((body, at) => body === before[at])) return;
    const content = bodies.map((body) => (body as SimBody).content).join();
    const place = `${record.track}:${record.part}`;
    if (content === this.made.get(place)) compared.set(record, bodies);
    else this.wrongParts.push(place);
  }
}

type SendBlock = Extract<PeerOutput, { kind: 'send-block' }>;

/** The same block with other bytes in it. */
function lieOf(output: SendBlock): SendBlock {
  const body: SimBody = { byteLength: output.body.byteLength, content: 'a lie' };
  return { ...output, body };
}

/** By record: the blocks that were found to be what the source made. */
const compared = new WeakMap<IndexRecord, readonly Body[]>();
