import type { InsCallerOutput, InsWorldInput } from '../../../ins-client/core/world.ts';
import { earlier } from '../../../machine/deadlines.ts';
import type { Reason } from '../../../protocol/reasons.ts';
import type { Follow } from '../links.ts';
import type { Sender } from '../sending/sender.ts';
import type { Intake } from '../storage/intake.ts';
import type { Storage } from '../storage/storage.ts';
import type { KnownToken } from '../tokens/tokens.ts';
import { RemoteFetches } from './fetches.ts';
import { RemoteFollows, type TokenCame } from './follows.ts';
import { Mirror } from './mirror.ts';
import type { RemoteParts } from './parts.ts';
import { RemotePuts } from './puts.ts';
import { type Upstream, Upstreams, type UpstreamsOptions, type UpstreamUser } from './upstreams.ts';

export interface RemotesOptions extends UpstreamsOptions {
  readonly storage: Storage;
  readonly sender: Sender;
  readonly intake: Intake;
  /** Ends a follow here, telling why. */
  readonly endFollow: (follow: Follow, reason: Reason, retryMs: number, nowMs: number) => void;
  /** An owner's new token came from its server. */
  readonly tokenCame: TokenCame;
  /** Another server says that a token was revoked. */
  readonly tokenRevoked: (known: KnownToken, nowMs: number) => void;
}

/** What this server does at others on behalf of its clients, over one conversation with each: fetches, follows and puts. */
export class Remotes implements UpstreamUser {
  readonly fetches: RemoteFetches;
  readonly follows: RemoteFollows;
  readonly puts: RemotePuts;
  private readonly upstreams: Upstreams;

  constructor(options: RemotesOptions) {
    const { storage, sender, intake, endFollow, tokenCame, tokenRevoked } = options;
    this.upstreams = new Upstreams(options, this);
    const mirror = new Mirror(storage);
    const parts: RemoteParts = { upstreams: this.upstreams, mirror, storage, sender, intake, tokenRevoked };
    this.fetches = new RemoteFetches(parts);
    this.follows = new RemoteFollows({ ...parts, endFollow, tokenCame });
    this.puts = new RemotePuts(parts);
  }

  get count(): number {
    return this.upstreams.count;
  }

  get remoteBlocks(): number {
    return this.fetches.remoteBlocks + this.follows.remoteBlocks;
  }

  get remoteBytes(): number {
    return this.fetches.remoteBytes + this.follows.remoteBytes;
  }

  /** Something came from the connection to another server. */
  input(id: number, input: InsWorldInput, nowMs: number): void {
    this.upstreams.input(id, input, nowMs);
  }

  /** Sends what has gathered since the last time. */
  flush(nowMs: number): void {
    this.fetches.flush(nowMs);
    this.puts.flush(nowMs);
  }

  nextDeadline(): number | undefined {
    return earlier(this.upstreams.nextDeadline(), this.fetches.nextDeadline());
  }

  timeout(nowMs: number): void {
    this.fetches.timeout(nowMs);
    this.upstreams.timeout(nowMs);
  }

  sweep(nowMs: number): void {
    this.upstreams.sweep(nowMs);
    this.fetches.sweep();
    this.puts.sweep(nowMs);
  }

  stop(nowMs: number): void {
    this.upstreams.stop(nowMs);
  }

  isUsing(upstream: Upstream): boolean {
    return this.fetches.isUsing(upstream) || this.follows.isUsing(upstream) || this.puts.isUsing(upstream);
  }

  came(upstream: Upstream, output: InsCallerOutput, nowMs: number): void {
    if (this.fetches.came(upstream, output, nowMs) || this.follows.came(upstream, output, nowMs)) return;
    this.puts.came(upstream, output, nowMs);
  }

  /** Follows and puts go on when the connection comes back soon. */
  lost(upstream: Upstream, nowMs: number): boolean {
    this.fetches.drop(upstream, nowMs);
    return this.follows.isUsing(upstream) || this.puts.isUsing(upstream);
  }

  ended(upstream: Upstream, nowMs: number): void {
    this.fetches.drop(upstream, nowMs);
    this.follows.ended(upstream, nowMs);
    this.puts.ended(upstream, nowMs);
  }
}
