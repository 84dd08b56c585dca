import { InsConversation } from '../../../ins-client/core/conversation.ts';
import type { InsClientInput } from '../../../ins-client/core/io.ts';
import { ownerCalls } from '../../../ins-client/core/owner-calls.ts';
import { type InsCallerOutput, type InsWorldInput, isWorldOutput } from '../../../ins-client/core/world.ts';
import { earlier } from '../../../machine/deadlines.ts';
import type { Sink } from '../../../machine/machine.ts';
import type { Prng } from '../../../machine/prng.ts';
import { SERVER_APPLICATION } from '../../../protocol/ins-messages.ts';
import type { Reason } from '../../../protocol/reasons.ts';
import { bytesKey, sameBytes } from '../../../protocol/text.ts';
import type { InsServerOutput } from '../io.ts';
import { REMOTE_MS, UPSTREAM_BAN_MS, UPSTREAM_FAILURES_MAX, UPSTREAM_IDLE_MS, UPSTREAM_PAUSE_MS } from '../limits.ts';
import type { KnownToken } from '../tokens/tokens.ts';

/** A connection to another server. */
export interface Upstream {
  readonly id: number;
  /** Its key and address, together: a token that names a wrong address for a server spoils nothing for others. */
  readonly place: string;
  readonly server: Uint8Array;
  readonly conversation: InsConversation;
  ready: boolean;
  /** Since when there is no connection; undefined while there is one. */
  lostAtMs: number | undefined;
  usedAtMs: number;
  failures: number;
  lastHandle: number;
}

export interface UpstreamsOptions {
  /** Our own key. */
  readonly key: Uint8Array;
  readonly prng: Prng;
  readonly mayDial: (url: string, key: Uint8Array) => boolean;
  readonly upstreamsMax: number;
  readonly outputs: Sink<InsServerOutput>;
}

/** Who has asked for something there, and hears what comes of it. */
export interface UpstreamUser {
  isUsing(upstream: Upstream): boolean;
  /** What came on it, but for what is about the connection itself. */
  came(upstream: Upstream, output: InsCallerOutput, nowMs: number): void;
  /** The connection broke; it is dialled again. True when there is something to wait for. */
  lost(upstream: Upstream, nowMs: number): boolean;
  /** It is given up. */
  ended(upstream: Upstream, nowMs: number): void;
}

interface Place {
  readonly key: Uint8Array;
  readonly url: string;
}

const NONE: ReadonlySet<string> = new Set();

/** Servers that are not dialled for a while, at most. */
const PAUSED_MAX = 256;

/** The conversations with other servers: one with each, as long as somebody needs it and it behaves. */
export class Upstreams {
  private readonly all = new Map<number, Upstream>();
  /** Servers not to be dialled, and until when. */
  private readonly paused = new Map<string, number>();
  private lastId = 0;
  private readonly options: UpstreamsOptions;
  private readonly user: UpstreamUser;

  constructor(options: UpstreamsOptions, user: UpstreamUser) {
    this.options = options;
    this.user = user;
  }

  get count(): number {
    return this.all.size;
  }

  /**
   * The server to ask: one that is connected, else the first that may be dialled; or why there is none.
   *
   * @param tried - Keys, as text, of those not to be asked again.
   */
  choose({ token }: KnownToken, nowMs: number, tried: ReadonlySet<string> = NONE): Upstream | Reason {
    let reason: Reason = 'POLICY_DENIED';
    let free: Place | undefined;
    for (const server of token.servers) {
      if (sameBytes(server.key, this.options.key) || !this.options.mayDial(server.url, server.key)) continue;
      if (tried.has(bytesKey(server.key))) continue;
      reason = 'REMOTE_FAIL';
      const upstream = this.at(server);
      if (upstream?.ready === true) return upstream;
      if ((this.paused.get(placeKey(server)) ?? 0) <= nowMs) free ??= server;
    }
    return free === undefined ? reason : (this.at(free) ?? this.dial(free, nowMs));
  }

  isReady({ id, ready }: Upstream): boolean {
    return ready && this.all.has(id);
  }

  /** Something from the network. */
  input(id: number, input: InsWorldInput, nowMs: number): void {
    const upstream = this.all.get(id);
    if (upstream !== undefined) this.tell(upstream, input, nowMs);
  }

  tell(upstream: Upstream, input: InsClientInput, nowMs: number): void {
    upstream.conversation.handleInput(input, nowMs);
    this.drain(upstream, nowMs);
  }

  /** It sent what is not right. Too much of that, and it is not asked for a while. */
  blame(upstream: Upstream, nowMs: number): void {
    if (++upstream.failures < UPSTREAM_FAILURES_MAX) return;
    this.pause(upstream, UPSTREAM_BAN_MS, nowMs);
    this.end(upstream, nowMs);
  }

  nextDeadline(): number | undefined {
    let next: number | undefined;
    for (const { conversation } of this.all.values()) next = earlier(next, conversation.nextDeadline());
    return next;
  }

  timeout(nowMs: number): void {
    for (const upstream of [...this.all.values()]) {
      upstream.conversation.handleTimeout(nowMs);
      this.drain(upstream, nowMs);
    }
  }

  /** Gives up those that do not come back, and leaves those that nobody needs. */
  sweep(nowMs: number): void {
    for (const upstream of [...this.all.values()]) {
      const { lostAtMs } = upstream;
      if (lostAtMs !== undefined && nowMs - lostAtMs >= REMOTE_MS) this.end(upstream, nowMs);
      else if (this.user.isUsing(upstream)) upstream.usedAtMs = nowMs;
      else if (nowMs - upstream.usedAtMs >= UPSTREAM_IDLE_MS) this.end(upstream, nowMs);
    }
    for (const [place, untilMs] of this.paused) if (untilMs <= nowMs) this.paused.delete(place);
  }

  stop(nowMs: number): void {
    for (const upstream of [...this.all.values()]) this.end(upstream, nowMs);
  }

  private at(server: Place): Upstream | undefined {
    const place = placeKey(server);
    for (const upstream of this.all.values()) if (upstream.place === place) return upstream;
    return undefined;
  }

  private dial(server: Place, nowMs: number): Upstream | Reason {
    if (this.all.size >= this.options.upstreamsMax) {
      const idle = [...this.all.values()].find((upstream) => !this.user.isUsing(upstream));
      if (idle === undefined) return 'OVERLOAD';
      this.end(idle, nowMs);
    }
    const id = ++this.lastId;
    const { key, prng } = this.options;
    const upstream: Upstream = {
      id,
      place: placeKey(server),
      server: server.key,
      conversation: new InsConversation({
        ...{ url: server.url, key, application: SERVER_APPLICATION, prng: prng.fork(id), owner: ownerCalls },
      }),
      ready: false,
      lostAtMs: nowMs,
      usedAtMs: nowMs,
      failures: 0,
      lastHandle: 0,
    };
    this.all.set(id, upstream);
    this.tell(upstream, { kind: 'start' }, nowMs);
    return upstream;
  }

  private end(upstream: Upstream, nowMs: number): void {
    if (!this.all.delete(upstream.id)) return;
    upstream.conversation.handleInput({ kind: 'stop' }, nowMs);
    this.drain(upstream, nowMs);
    this.options.outputs.push({ kind: 'upstream-end', upstream: upstream.id });
    this.user.ended(upstream, nowMs);
  }

  private pause({ place }: Upstream, forMs: number, nowMs: number): void {
    if (this.paused.size >= PAUSED_MAX) this.paused.delete(this.paused.keys().next().value!);
    this.paused.set(place, nowMs + forMs);
  }

  private drain(upstream: Upstream, nowMs: number): void {
    const { conversation, id } = upstream;
    for (let output = conversation.pollOutput(); output !== undefined; output = conversation.pollOutput()) {
      if (isWorldOutput(output)) this.options.outputs.push({ kind: 'upstream', upstream: id, output });
      // What comes after the end is of no use to anybody.
      else if (this.all.has(id)) this.handle(upstream, output, nowMs);
    }
  }

  private handle(upstream: Upstream, output: InsCallerOutput, nowMs: number): void {
    if (output.kind === 'ready') {
      if (sameBytes(output.server, upstream.server)) {
        this.paused.delete(upstream.place);
        upstream.ready = true;
        upstream.lostAtMs = undefined;
        return;
      }
      this.pause(upstream, UPSTREAM_BAN_MS, nowMs);
      this.end(upstream, nowMs);
    } else if (output.kind === 'lost') {
      upstream.ready = false;
      upstream.lostAtMs ??= nowMs;
      this.pause(upstream, Math.max(UPSTREAM_PAUSE_MS, Math.min(output.retryAfterMs, UPSTREAM_BAN_MS)), nowMs);
      if (!this.user.lost(upstream, nowMs) || output.final) this.end(upstream, nowMs);
    } else this.user.came(upstream, output, nowMs);
  }
}

function placeKey({ key, url }: Place): string {
  return bytesKey(key) + url;
}
