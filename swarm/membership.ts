import { earlier } from '../machine/deadlines.ts';
import type { Sink } from '../machine/machine.ts';
import type { Prng } from '../machine/prng.ts';
import type { Bitmap } from '../protocol/bitmap.ts';
import { Catalogue } from './catalogue.ts';
import type { LinkNumbers, SwarmOutput } from './io.ts';
import { RangeTokens } from './range-tokens.ts';
import { type Join, type Joined, TrackerSession } from './tracker-session.ts';

export interface MembershipOptions {
  readonly join: Join;
  readonly trackerUrl: string;
  /** Parts kept in memory for neighbours. */
  readonly windowParts: number;
  readonly numbers: LinkNumbers;
  readonly prng: Prng;
  readonly outputs: Sink<SwarmOutput>;
  /** Has our key sign; answers the reference under which `signed` will bring the signature. */
  readonly sign: (bytes: Uint8Array) => number;
  /** What we can give, as bitmaps. */
  readonly availability: () => Bitmap[];
  /** The oldest part that our lockers still hold, where that is not the oldest in memory. */
  readonly storedFrom?: () => number | undefined;
}

/** How a member is doing, for the tracker. */
export interface Standing {
  readonly bufferMs: number;
  readonly latencyMs: number;
  /** What its uplink carries, in bits per second; 0 where nobody has measured it. */
  readonly uploadBps: number;
  /** An INS server feeds it. */
  readonly insFed: boolean;
}

type Welcome = Parameters<TrackerSession['welcome']>[0];

/**
 * A member of a swarm, source or viewer, as the tracker knows it: what it holds, its range token, and its session there. Speaks to the
 * tracker alone, and knows of no neighbour.
 */
export class Membership {
  readonly catalogue: Catalogue;
  readonly tokens: RangeTokens;
  readonly tracker: TrackerSession;
  private readonly options: MembershipOptions;
  private readonly signs = new Map<number, 'token' | 'join'>();
  private tokenTold: Uint8Array | null = null;

  constructor(options: MembershipOptions) {
    this.options = options;
    const { join, trackerUrl, windowParts, numbers, prng, outputs } = options;
    this.catalogue = new Catalogue(windowParts);
    this.tokens = new RangeTokens(join.key, join.stream);
    this.tracker = new TrackerSession(trackerUrl, join, numbers, prng.fork('tracker'), outputs);
  }

  nextDeadline(): number | undefined {
    return earlier(this.tokens.nextDeadline(), this.tracker.nextDeadline());
  }

  /** @returns True when the tracker wants a heartbeat. */
  timeout(nowMs: number): boolean {
    return this.tracker.timeout(nowMs);
  }

  welcomed(message: Welcome): void {
    this.signs.set(this.options.sign(this.tracker.welcome(message)), 'join');
  }

  joined(message: Joined, nowMs: number): void {
    this.tracker.answered(message, nowMs);
    this.tokenTold = null;
  }

  /** Tells the tracker how we are doing; our range token goes along when it is news there. */
  heartbeat({ bufferMs, latencyMs, uploadBps, insFed }: Standing): void {
    if (!this.tracker.up) return;
    const { current } = this.tokens;
    const token = current === this.tokenTold ? null : current;
    this.tokenTold = current;
    const figures = { bufferMs: Math.max(0, Math.round(bufferMs)), latencyMs: Math.max(0, Math.round(latencyMs)) };
    const availability = this.options.availability();
    this.tracker.send({ type: 'state', availability, token, ...figures, uploadBps, insFed });
  }

  /** Makes a new range token when one is due. */
  renewToken(nowMs: number): void {
    if (!this.tokens.isDue(nowMs)) return;
    const bytes = this.tokens.make(
      () => this.options.prng.bytes(16),
      this.options.storedFrom?.() ?? this.catalogue.oldestPart,
      nowMs,
    );
    if (bytes !== undefined) this.signs.set(this.options.sign(bytes), 'token');
  }

  /**
   * Answer to `sign`.
   *
   * @returns The new range token, null when the signature was for something else of ours, `undefined` when it was not ours.
   */
  signed(ref: number, signature: Uint8Array): Uint8Array | null | undefined {
    const purpose = this.signs.get(ref);
    if (purpose === undefined) return undefined;
    this.signs.delete(ref);
    if (purpose === 'token') return this.tokens.signed(signature) ?? null;
    this.tracker.signed(signature);
    return null;
  }
}
