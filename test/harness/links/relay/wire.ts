import { connect, type Socket } from 'node:net';
import type { CountedFlow, Place } from './place.ts';
import { type Clockwork, Way } from './way.ts';
import type { Sleeper } from './wheel.ts';

export interface WireDelays {
  /** One way, in ms, from dialler to listener. */
  readonly thereMs: number;
  readonly backMs: number;
}

/** Ms after which TCP sends an unanswered SYN again, then after twice as long; as in `sim/node.ts`. */
const SYN_RETRY_MS = 1_000;
/** Ms after which TCP sends lost bytes again, then after twice as long; as in `sim/link.ts`. */
const RESEND_MS = 200;

/**
 * A connection through the relay: accepted in the listener's name, dialled on in the dialler's, with the delays both ways.
 *
 * The dialler's kernel believes at once that the connection is open, so the round trip of TCP's handshake is added before its first
 * bytes: they leave when they could have, and an upgrade takes two round trips in all, as in the simulator.
 */
export class Wire implements Sleeper {
  readonly dialler: Place;
  readonly listener: Place;
  private readonly delays: WireDelays;
  private readonly clock: Clockwork;
  private readonly there: Way;
  private readonly back: Way;
  private readonly near: Socket;
  private far: Socket | undefined;
  private readonly port: number;
  private readonly ended: (wire: Wire) => void;
  private state: 'dialling' | 'refused' = 'dialling';
  private synAgainMs = SYN_RETRY_MS;
  /** How many partitions are between the two. */
  private cuts = 0;
  private cutAtMs = 0;
  private heldUntilMs = 0;

  /**
   * @param near - As it was accepted.
   * @param ended - Told when neither side has a socket any more.
   */
  constructor(
    near: Socket,
    ends: { readonly dialler: Place; readonly listener: Place; readonly port: number },
    delays: WireDelays,
    flows: { readonly there: CountedFlow; readonly back: CountedFlow },
    clock: Clockwork,
    ended: (wire: Wire) => void,
  ) {
    this.dialler = ends.dialler;
    this.listener = ends.listener;
    this.port = ends.port;
    this.delays = delays;
    this.clock = clock;
    this.near = near;
    this.ended = ended;
    this.there = new Way(this.dialler, this.listener, delays.thereMs, flows.there, clock);
    this.back = new Way(this.listener, this.dialler, delays.backMs, flows.back, clock);
    this.attend(near, this.there, this.back);
    clock.plan(this, clock.nowMs() + delays.thereMs);
  }

  /** Two steps of the handshake: the SYN is there, or that nobody listens is known here. */
  wake(nowMs: number): void {
    // A dialler who is cut off hears nothing.
    if (this.near.destroyed || this.dialler.isCutOff) return;
    if (this.state === 'refused') this.near.resetAndDestroy();
    else if (this.cuts > 0 || this.heldUntilMs > nowMs) {
      this.clock.plan(this, nowMs + this.synAgainMs);
      this.synAgainMs = Math.min(this.synAgainMs * 2, 16_000);
    } else if (this.listener.isCutOff) this.refuse(nowMs);
    else this.dial(nowMs, this.near.remotePort);
  }

  /** It is half open from now on: nothing comes, and nobody is told. */
  lose(): void {
    this.there.swallow();
    this.back.swallow();
  }

  /** All is over between the two, which one of them does not hear. What that one still sends goes nowhere. */
  cutOff(place: Place): void {
    const [out, inward] = place === this.dialler ? [this.there, this.back] : [this.back, this.there];
    out.breakOff(this.clock.nowMs());
    inward.swallow();
  }

  /** It breaks at this end at once, and at the other as soon as the net tells it. */
  drop(place: Place): void {
    this.cutOff(place);
    this.end(place);
  }

  /** The program at this end has ended, and what its kernel had to say for it was said. */
  gone(place: Place): void {
    const out = place === this.dialler ? this.there : this.back;
    out.fail(this.clock.nowMs());
    this.end(place);
  }

  /** This end of it is no more. */
  end(place: Place): void {
    const socket = place === this.dialler ? this.near : this.far;
    if (socket?.destroyed === false) socket.resetAndDestroy();
  }

  /** Nothing gets through before that time. */
  holdUntil(ms: number): void {
    this.setHeld(Math.max(this.heldUntilMs, ms));
  }

  /** Nothing gets through until {@link heal}. */
  part(nowMs: number): void {
    if (this.cuts++ > 0) return;
    this.cutAtMs = nowMs;
    this.setHeld(this.heldUntilMs);
  }

  /** What was under way comes when TCP sends it again. */
  heal(nowMs: number): void {
    if (--this.cuts > 0) return;
    const isIdle = this.there.line.isEmpty && this.back.line.isEmpty;
    this.setHeld(Math.max(this.heldUntilMs, isIdle ? nowMs : this.cutAtMs + resentAfterMs(nowMs - this.cutAtMs)));
  }

  private setHeld(untilMs: number): void {
    this.heldUntilMs = untilMs;
    const heldMs = this.cuts > 0 ? Number.POSITIVE_INFINITY : untilMs;
    this.there.hold(heldMs);
    this.back.hold(heldMs);
  }

  /** @param fromPort - The dialler's own, so that both ends name the connection alike. */
  private dial(nowMs: number, fromPort: number | undefined): void {
    const far = connect({
      host: this.listener.address,
      port: this.port,
      localAddress: this.dialler.address,
      ...(fromPort === undefined ? {} : { localPort: fromPort }),
      allowHalfOpen: true,
      noDelay: true,
    });
    let isOpen = false;
    far.once('connect', () => {
      isOpen = true;
      this.open(far, nowMs);
    });
    far.on('error', (error: NodeJS.ErrnoException) => {
      if (isOpen) return;
      // A connection that has just ended between the two may still have the port.
      const isTaken = error.code === 'EADDRINUSE' || error.code === 'EADDRNOTAVAIL';
      if (isTaken && fromPort !== undefined) this.dial(nowMs, undefined);
      else this.refuse(this.clock.nowMs());
    });
    this.far = far;
  }

  private open(far: Socket, synMs: number): void {
    if (this.near.destroyed) {
      // The dialler has lost patience.
      far.resetAndDestroy();
      this.ended(this);
      return;
    }
    this.attend(far, this.back, this.there);
    const { thereMs, backMs } = this.delays;
    this.there.open(synMs + backMs);
    this.back.open(synMs + backMs + thereMs);
  }

  private refuse(nowMs: number): void {
    this.state = 'refused';
    this.far = undefined;
    if (this.near.destroyed) this.ended(this);
    else this.clock.plan(this, nowMs + this.delays.backMs);
  }

  private attend(socket: Socket, from: Way, to: Way): void {
    socket.on('error', ignore);
    from.from(socket);
    to.to(socket);
    socket.on('close', () => {
      if (this.near.destroyed && this.far?.destroyed !== false) this.ended(this);
    });
  }
}

/** When TCP sends again what was lost, so long after. */
export function resentAfterMs(sinceMs: number): number {
  let ms = RESEND_MS;
  while (ms < sinceMs) ms = ms * 2 + RESEND_MS;
  return ms;
}

/** `close` follows. */
function ignore(): void {}
