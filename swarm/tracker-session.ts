import type { LinkId, Sink } from '../machine/machine.ts';
import type { Prng } from '../machine/prng.ts';
import { RedialPause } from '../machine/rates.ts';
import { type FromTracker, joinSigned, type ToTracker } from '../protocol/tracker-messages.ts';
import type { LinkNumbers, SwarmOutput } from './io.ts';

/** What we join as; the proof is made anew on every connection. */
export type Join = Omit<Extract<ToTracker, { type: 'join' }>, 'proof'>;
type Welcome = Extract<FromTracker, { type: 'welcome' }>;
export type Joined = Extract<FromTracker, { type: 'joined' }>;
export type State = Omit<Extract<ToTracker, { type: 'state' }>, 'type'>;

/** Ms within which a tracker has to answer the join. */
const ANSWER_WITHIN_MS = 8_000;

/**
 * The one connection to the tracker: joins, keeps up the heartbeat, and joins again after a pause when it is lost. A
 * swarm that plays goes on without a tracker.
 */
export class TrackerSession {
  private link: LinkId | undefined;
  private joined = false;
  private heartbeatMs = 2_000;
  private wakeAtMs: number | undefined;
  private readonly backoff = new RedialPause(500, 5_000);
  private readonly url: string;
  private readonly join: Join;
  private readonly numbers: LinkNumbers;
  private readonly prng: Prng;
  private readonly outputs: Sink<SwarmOutput>;

  constructor(url: string, join: Join, numbers: LinkNumbers, prng: Prng, outputs: Sink<SwarmOutput>) {
    this.url = url;
    this.join = join;
    this.numbers = numbers;
    this.prng = prng;
    this.outputs = outputs;
  }

  /** Whether the tracker has answered and the link is up. */
  get up(): boolean {
    return this.joined;
  }

  owns(link: LinkId): boolean {
    return link === this.link;
  }

  start(nowMs: number): void {
    this.link = this.numbers.next();
    this.wakeAtMs = nowMs + ANSWER_WITHIN_MS;
    this.outputs.push({ kind: 'dial', link: this.link, to: 'tracker', url: this.url });
  }

  /**
   * The tracker's first message.
   *
   * @returns What our key has to sign, so that nobody else can take our place.
   */
  welcome({ nonce }: Welcome): Uint8Array {
    return joinSigned(nonce, this.join.stream, this.join.key);
  }

  signed(proof: Uint8Array): void {
    this.send({ ...this.join, proof });
  }

  answered({ heartbeatMs }: Joined, nowMs: number): void {
    this.joined = true;
    this.backoff.succeed();
    this.heartbeatMs = Math.max(500, heartbeatMs);
    this.wakeAtMs = nowMs + this.heartbeatMs;
  }

  closed(nowMs: number): void {
    this.link = undefined;
    this.joined = false;
    this.wakeAtMs = nowMs + this.backoff.fail(this.prng.unit(), nowMs);
  }

  /** The link is dead though nobody has said so. */
  redial(why: string, nowMs: number): void {
    if (this.link !== undefined) this.outputs.push({ kind: 'close', link: this.link, code: 1000, why });
    this.joined = false;
    this.start(nowMs);
  }

  send(message: ToTracker): void {
    if (this.link !== undefined) this.outputs.push({ kind: 'send-tracker', link: this.link, message });
  }

  leave(): void {
    if (this.joined) this.send({ type: 'leave' });
    if (this.link !== undefined) this.outputs.push({ kind: 'close', link: this.link, code: 1000, why: 'leaving' });
    this.link = undefined;
    this.joined = false;
    this.wakeAtMs = undefined;
  }

  nextDeadline(): number | undefined {
    return this.wakeAtMs;
  }

  /** @returns True when a heartbeat is due: the caller sends its `state`. */
  timeout(nowMs: number): boolean {
    if (this.wakeAtMs === undefined || this.wakeAtMs > nowMs) return false;
    if (this.joined) {
      this.wakeAtMs = nowMs + this.heartbeatMs;
      return true;
    }
    if (this.link === undefined) this.start(nowMs);
    else {
      this.outputs.push({ kind: 'close', link: this.link, code: 4408, why: 'the tracker does not answer' });
      this.wakeAtMs = undefined;
    }
    return false;
  }
}
