import type { PeerOutput } from '../peer/core/io.ts';
import { quantileOf } from '../report/distribution.ts';

/** What a startup consists of, in the usual order. */
export const STARTUP_STAGES = ['joined', 'insDialled', 'insUp', 'asked', 'firstBlock', 'firstPart', 'started'] as const;
export type StartupStage = (typeof STARTUP_STAGES)[number];

/**
 * By stage: ms after a viewer's first dial, over all viewers who came so far. `joined`: the tracker's answer was there, with tokens and the INS
 * servers. `insDialled`: an INS server was dialled; `insUp`: it had shown who it is. `asked`: blocks were asked for, or the live edge. `firstBlock`: the first
 * block was there; `firstPart`: the first part was whole and verified; `started`: the first frame.
 */
export type StartupStages = Readonly<
  Record<StartupStage, { readonly p50: number | null; readonly p95: number | null }>
>;

/** When one viewer came to each stage. */
export class StartupClock {
  readonly atMs = new Map<StartupStage, number>();
  private startedAtMs: number | undefined;

  /** What the viewer says or does, until it has started. */
  note(output: PeerOutput, nowMs: number): void {
    if (this.atMs.has('started')) return;
    this.startedAtMs ??= nowMs;
    const stage = stageOf(output);
    if (stage !== undefined && !this.atMs.has(stage)) this.atMs.set(stage, nowMs - this.startedAtMs);
  }
}

export function startupStages(clocks: readonly StartupClock[]): StartupStages {
  const of = (stage: StartupStage) => {
    const times = clocks.flatMap(({ atMs }) => atMs.get(stage) ?? []).sort((a, b) => a - b);
    if (times.length === 0) return { p50: null, p95: null };
    return { p50: quantileOf(times, 0.5), p95: quantileOf(times, 0.95) };
  };
  return Object.fromEntries(STARTUP_STAGES.map((stage) => [stage, of(stage)])) as StartupStages;
}

function stageOf(output: PeerOutput): StartupStage | undefined {
  switch (output.kind) {
    case 'dial':
      return output.to === 'ins' ? 'insDialled' : undefined;
    case 'send-ins':
      return output.message.type === 'follow' || output.message.type === 'batch' ? 'asked' : undefined;
    case 'send-peer':
      return output.message.type === 'request' ? 'asked' : undefined;
    case 'check-name':
      return 'firstBlock';
    case 'part':
      return 'firstPart';
    case 'event':
      if (output.event.kind === 'joined' || output.event.kind === 'started') return output.event.kind;
      return output.event.kind === 'ins-up' ? 'insUp' : undefined;
    default:
      return undefined;
  }
}
