import type { Socket } from 'node:net';
import { Queue } from '../../../../machine/machine.ts';
import { DelayLine, type Parcel } from '../relay/delay-line.ts';
import { WINDOW_BYTES } from '../relay/way.ts';
import { resentAfterMs } from '../relay/wire.ts';
import { Alarm, type Clock } from './clock.ts';
import type { FairLine, Lane } from './fair-line.ts';
import { dataRecord, endRecord } from './records.ts';

/** So long what was under way when a program left may take to arrive. */
const TAIL_MS = 30_000;

type Done = (error?: Error | null) => void;

interface Written {
  bytes: Uint8Array;
  readonly atMs: number;
  /** Told when the last of it has left. */
  readonly done: Done | undefined;
}

/** Bytes; or that no more follow; or that the program is gone. */
interface Load extends Parcel {
  readonly what: Uint8Array | 'end' | 'gone';
}

export interface OutflowOptions {
  readonly target: Socket;
  /** The host's uplink. */
  readonly line: FairLine;
  readonly clock: Clock;
  /** One way, in ms. */
  readonly delayMs: number;
  /** Takes note of bytes that leave. @returns What is sent in their place. */
  readonly note: (bytes: Uint8Array) => Uint8Array;
  /** The other end is being told that nothing follows. */
  readonly ended: () => void;
}

/** What a program sends on a connection: it waits for the uplink, is under way for a while, and goes on over the socket. */
export class Outflow implements Lane {
  /** Written, and not left. */
  waitingBytes = 0;
  /** Left, and not through the other end's downlink as far as is known. */
  private untakenBytes = 0;
  /** The other end has been told that nothing follows, or is about to be. */
  isEnded = false;
  private first: Written | undefined;
  private readonly rest = new Queue<Written>();
  private readonly onWay: DelayLine<Load>;
  private readonly alarm: Alarm;
  private readonly options: OutflowOptions;
  private isOpen = false;
  private isMute = false;
  /** The socket has not taken all that it was given. */
  private isFull = false;
  private whenEnded: (() => void) | undefined;
  private heldUntilMs = 0;
  private partedAtMs: number | undefined;
  private deadlineMs = Number.POSITIVE_INFINITY;

  constructor(options: OutflowOptions) {
    this.options = options;
    this.onWay = new DelayLine(options.delayMs);
    this.onWay.openMs = 0;
    this.alarm = new Alarm(options.clock, (nowMs) => this.pass(nowMs));
    options.target.on('drain', () => {
      this.isFull = false;
      this.pass(options.clock.nowMs());
    });
  }

  /** The connection is there. */
  open(): void {
    this.isOpen = true;
    this.options.line.enter(this);
    this.endIfAll();
  }

  /** Sends in this order. `done` follows when the last piece has left the uplink. */
  write(pieces: readonly { readonly chunk: Uint8Array }[], done: Done): void {
    const atMs = this.options.clock.nowMs();
    for (let at = 0; at < pieces.length; at++) {
      const bytes = pieces[at]!.chunk;
      const written = { bytes, atMs, done: at === pieces.length - 1 ? done : undefined };
      this.waitingBytes += bytes.length;
      if (this.first === undefined) this.first = written;
      else this.rest.push(written);
    }
    if (this.waitingBytes > 0) this.options.line.enter(this);
    else this.take(0, atMs);
  }

  /** Nothing follows. `done` comes when all has left the uplink. */
  end(done: () => void): void {
    this.whenEnded = done;
    this.endIfAll();
  }

  /** So many bytes are through at the other end. */
  taken(sizeBytes: number): void {
    this.untakenBytes = Math.max(0, this.untakenBytes - sizeBytes);
    this.options.line.enter(this);
  }

  /** The program is gone. What is under way arrives; what waits is lost. */
  abandon(): void {
    const { target, clock } = this.options;
    const gone = new Error('the connection was closed before all was sent');
    for (let lost = this.first; lost !== undefined; lost = this.rest.shift()) lost.done?.(gone);
    this.first = undefined;
    this.waitingBytes = 0;
    if (!this.isOpen) target.destroy();
    const nowMs = clock.nowMs();
    this.deadlineMs = nowMs + TAIL_MS;
    if (!this.isMute) this.send('gone', 0, nowMs);
    this.pass(nowMs);
  }

  /** From now on all that is sent goes nowhere, and what is under way does not arrive. */
  mute(): void {
    this.isMute = true;
    this.onWay.clear();
    this.options.line.enter(this);
  }

  /** Nothing arrives before that time, but all comes after. */
  hold(untilMs: number): void {
    this.heldUntilMs = Math.max(this.heldUntilMs, untilMs);
  }

  /** Nothing gets through until then; what is under way, or sent meanwhile, comes when TCP sends it again. */
  part(nowMs: number, untilMs: number): void {
    this.partedAtMs ??= nowMs;
    this.hold(untilMs);
  }

  get readyBytes(): number {
    if (this.isMute) return this.waitingBytes;
    if (!this.isOpen || this.isFull) return 0;
    // What is beyond the window waits with the program.
    return Math.min(this.waitingBytes, Math.max(0, WINDOW_BYTES - this.untakenBytes));
  }

  gone(sizeBytes: number, atMs: number): void {
    this.take(sizeBytes, atMs);
    this.endIfAll();
    this.pass(this.options.clock.nowMs());
  }

  /** What is empty goes with what is before it. */
  private take(sizeBytes: number, atMs: number): void {
    let left = sizeBytes;
    for (let first = this.first; first !== undefined; first = this.first) {
      const bytes = first.bytes.subarray(0, left);
      if (bytes.length === 0 && first.bytes.length > 0) return;
      left -= bytes.length;
      this.waitingBytes -= bytes.length;
      const sent = this.options.note(bytes);
      if (!this.isMute && sent.length > 0) {
        this.untakenBytes += sent.length;
        this.send(sent, sent.length, Math.max(atMs, first.atMs));
      }
      if (bytes.length < first.bytes.length) {
        first.bytes = first.bytes.subarray(bytes.length);
        return;
      }
      this.first = this.rest.shift();
      first.done?.();
    }
  }

  private endIfAll(): void {
    const { whenEnded } = this;
    if (whenEnded === undefined || this.waitingBytes > 0 || !this.isOpen) return;
    this.whenEnded = undefined;
    const nowMs = this.options.clock.nowMs();
    if (!this.isMute) this.send('end', 0, nowMs);
    whenEnded();
    this.pass(nowMs);
  }

  private send(what: Load['what'], sizeBytes: number, sentMs: number): void {
    this.onWay.push({ what, sizeBytes, sentMs });
  }

  /** Hands over what has arrived, in one call to the kernel. */
  private pass(nowMs: number): void {
    const { onWay, options } = this;
    const { target, line } = options;
    if (nowMs >= this.deadlineMs) {
      onWay.clear();
      target.destroy();
      return;
    }
    if (nowMs >= this.heldUntilMs) this.heal();
    if (nowMs >= this.heldUntilMs && !this.isFull && onWay.nextMs <= nowMs) {
      target.cork();
      for (let load = onWay.take(nowMs); load !== undefined; load = onWay.take(nowMs)) this.give(load);
      target.uncork();
      this.isFull = target.writableNeedDrain;
    }
    line.enter(this);
    const nextMs = this.isFull ? Number.POSITIVE_INFINITY : Math.max(onWay.nextMs, this.heldUntilMs);
    this.alarm.set(Math.min(onWay.isEmpty ? Number.POSITIVE_INFINITY : nextMs, this.deadlineMs));
  }

  private give({ what }: Load): void {
    const { target, ended } = this.options;
    if (what === 'gone') target.destroySoon();
    else if (!target.writable) return;
    else if (what === 'end') {
      target.write(endRecord());
      this.isEnded = true;
      ended();
    } else {
      target.write(dataRecord(what.length));
      target.write(what);
    }
  }

  private heal(): void {
    const { partedAtMs } = this;
    this.partedAtMs = undefined;
    if (partedAtMs === undefined || this.onWay.isEmpty) return;
    this.heldUntilMs = partedAtMs + resentAfterMs(this.heldUntilMs - partedAtMs);
  }
}
