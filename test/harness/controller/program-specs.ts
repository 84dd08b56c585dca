import { join } from 'node:path';
import type { InsServerEntry } from '../../../protocol/swarm-fields.ts';
import { toBase64Url } from '../../../protocol/text.ts';
import { loadOrMakeKeyFile } from '../../../runtime/node/crypto.ts';
import type { RunPlan } from '../../../scenarios/plan/plan.ts';
import { type ProgramSpec, placeOf } from '../agent/programs.ts';
import type { Host } from '../links/links.ts';
import type { Placement } from './placement.ts';
import type { Players } from './players.ts';

/** Of what an INS server's link carries, IP and TCP headers included: so much is for blocks. */
const INS_BLOCKS_SHARE = 0.92;

export interface ProgramSpecsOptions {
  readonly plan: RunPlan;
  /** What the source broadcasts, as `--input` takes it. */
  readonly input: string;
  /** For keys. */
  readonly folder: string;
  readonly placement: Placement;
  readonly players: Players;
}

/** The programs of a run, as they are to be started. It touches the folder of the servers' keys alone. */
export class ProgramSpecs {
  /** What viewers join; known once the source is on the air. */
  stream = '';
  private readonly options: ProgramSpecsOptions;

  constructor(options: ProgramSpecsOptions) {
    this.options = options;
  }

  server(host: Host): ProgramSpec {
    const { plan, placement, input, folder } = this.options;
    const { layout } = placement;
    const { scenario } = plan;
    const entries = layout.ins.map((ins) => this.insEntry(ins));
    if (host === layout.tracker) return { kind: 'tracker', host: host.address, ins: entries };
    if (host !== layout.source) {
      // They are of one operator, who lists the keys: a server that fetches for its viewers counts as more than one viewer.
      const known = layout.ins.map((ins) => toBase64Url(loadOrMakeKeyFile(this.keyFile(ins)).publicKey));
      const bandwidthBps = host.upBps * INS_BLOCKS_SHARE;
      return { kind: 'ins', host: host.address, bandwidthBps, keyFile: this.keyFile(host), known };
    }
    const { partMs, partsPerSegment } = scenario.stream;
    return {
      kind: 'source',
      host: host.address,
      tracker: url(layout.tracker),
      ins: entries.slice(0, plan.fed),
      input,
      keyFile: join(folder, 'source.key'),
      partMs,
      segmentMs: partMs * partsPerSegment,
      region: scenario.regions.names[0]!,
    };
  }

  viewer(viewer: number): ProgramSpec {
    const { plan, placement, players } = this.options;
    const { layout } = placement;
    const { address, region } = layout.viewers[viewer]!;
    const tracker = url(layout.tracker);
    const common = { host: address, stream: this.stream, mode: plan.modeOf(viewer) };
    if (players.browsers.has(viewer))
      return { kind: 'browser', ...common, trackerUrl: tracker.replace('ws:', 'http:') };
    return {
      kind: 'viewer',
      ...common,
      tracker,
      region: plan.scenario.regions.names[region]!,
      dialable: !plan.browsers.has(viewer),
      witnessed: players.witnessed.has(viewer),
    };
  }

  /** @param at - Its number among those who rehearse. */
  rehearser(at: number): ProgramSpec {
    const { plan, placement } = this.options;
    const { layout } = placement;
    const { address, region } = layout.rehearsers[at]!;
    return {
      kind: 'viewer',
      host: address,
      mode: plan.modeOf(at),
      tracker: url(layout.tracker),
      stream: this.stream,
      region: plan.scenario.regions.names[region]!,
      dialable: true,
      witnessed: false,
    };
  }

  private keyFile({ name }: Host): string {
    return join(this.options.folder, `${name.replaceAll(' ', '-')}.key`);
  }

  private insEntry(host: Host): InsServerEntry {
    return { url: url(host), region: this.options.plan.scenario.regions.names[host.region]! };
  }
}

function url({ address }: Host): string {
  const { host, port } = placeOf(address);
  return `ws://${host}:${port}`;
}
