import type { Labelled } from '../../protocol/frames.ts';
import { Progress } from '../core/progress.ts';
import { Channel } from './channel.ts';
import { InsError } from './errors.ts';
import { costOf, type GetResult, plain, verified } from './results.ts';
import type { Call, RequestOutput, Wire } from './wire.ts';

export interface FollowSettings {
  readonly keep: boolean;
  readonly token: Uint8Array | null;
  readonly collection: Uint8Array;
  readonly tracks: readonly number[];
  readonly from: number;
  /** Bytes that may wait to be read. */
  readonly bufferBytes: number;
}

/**
 * Brings all blocks of a range as they are put. A reader that falls behind by more than `bufferBytes` pauses it at the server; when it
 * has caught up it goes on behind what has come, with what is still there.
 */
export class FollowCall implements Call {
  readonly startedAtMs: number;
  readonly results: Channel<GetResult>;
  private readonly wire: Wire;
  private readonly settings: FollowSettings;
  private readonly ended: () => void;
  private readonly progress = new Progress();
  private token: Uint8Array | null;
  /** Undefined while paused. */
  private handle: number | undefined;
  private unreadBytes = 0;
  private items = 0;
  private over = false;

  constructor(wire: Wire, settings: FollowSettings, ended: () => void) {
    this.wire = wire;
    this.settings = settings;
    this.ended = ended;
    this.token = settings.token;
    this.startedAtMs = wire.clock.nowMs();
    this.results = new Channel(
      (result) => this.read(result),
      () => this.end(),
    );
  }

  begin(): void {
    if (this.over) return;
    const { keep, collection, tracks, from } = this.settings;
    const { token } = this;
    const goOn = this.progress.resumeFrom(from);
    this.handle = this.wire.open(
      (handle) => ({ kind: 'follow', handle, keep, token, collection, tracks, from: goOn }),
      (output) => this.told(output),
    );
  }

  fail(error: unknown): void {
    if (this.over) return;
    this.results.fail(error);
    this.end();
  }

  abort(reason: unknown): void {
    if (this.over) return;
    this.results.abort(reason);
    this.end();
  }

  private end(): void {
    if (this.over) return;
    this.over = true;
    this.pause();
    this.ended();
  }

  private pause(): void {
    if (this.handle !== undefined) this.wire.cancel(this.handle);
    this.handle = undefined;
  }

  private told(output: RequestOutput): void {
    if (output.kind === 'renewed') this.token = output.token;
    else if (output.kind === 'refused') this.fail(new InsError(output));
    else if (output.kind === 'arrived' && output.labelled !== null)
      this.arrived(output.labelled, plain(output.body as Uint8Array), output.kept);
  }

  private arrived(labelled: Labelled, bytes: Uint8Array, kept: boolean): void {
    if (!this.progress.note(labelled)) return;
    const result = verified(this.wire.hash, this.items++, labelled.name, bytes, labelled, kept);
    this.unreadBytes += costOf(result);
    this.results.push(result);
    if (this.unreadBytes > this.settings.bufferBytes) this.pause();
  }

  private read(result: GetResult): void {
    this.unreadBytes -= costOf(result);
    if (!this.over && this.handle === undefined && this.unreadBytes <= this.settings.bufferBytes / 2) this.begin();
  }
}
