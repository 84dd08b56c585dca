import type { Prng } from '../../machine/prng.ts';
import type { InsServerEntry } from '../../protocol/swarm-fields.ts';

/** Ms to stay away, 0 where nothing was said, and where to go meanwhile. */
export interface SentAway {
  readonly retryAfterMs: number;
  readonly otherServer: string | null;
}

/** Ms a server that sends us away is left alone: no less, and no more but for the half that chance adds. */
const AWAY_MS_MIN = 5_000;
const AWAY_MS_MAX = 40_000;
/** The same for one that could not be reached beside another: it may be back at any moment. */
const UNREACHED_MS = 1_500;

/** The INS servers that a viewer may use, first choice first, and which of them want to be left alone. */
export class InsServers {
  /** The tracker's list; behind it the one that a server without room has named, as long as we are there. */
  private list: readonly InsServerEntry[] = [];
  private named: InsServerEntry | undefined;
  /** Unix ms until which those servers are left alone that have sent us away. */
  private readonly awayUntilMs = new Map<string, number>();
  private readonly prng: Prng;

  constructor(prng: Prng) {
    this.prng = prng;
  }

  get size(): number {
    return this.list.length;
  }

  get first(): string | undefined {
    return this.list[0]?.url;
  }

  has(url: string): boolean {
    return this.list.some((server) => server.url === url);
  }

  /** The tracker's newest list. @param current - The server in use. */
  set(servers: readonly InsServerEntry[], current: string): void {
    const isListed = servers.some(({ url }) => url === this.named?.url);
    if (isListed || current !== this.named?.url) this.named = undefined;
    this.list = this.named === undefined ? servers : [...servers, this.named];
  }

  /** The next one behind `current` that has not sent us away, or which of them may be asked first, and when. */
  next(current: string, nowMs: number): { readonly url: string; readonly fromMs: number } {
    const { length } = this.list;
    const at = this.list.findIndex(({ url }) => url === current);
    let first = { url: current, fromMs: Number.POSITIVE_INFINITY };
    for (let step = 1; step <= length; step++) {
      const { url } = this.list[(at + step) % length]!;
      const fromMs = Math.max(nowMs, this.awayUntilMs.get(url) ?? nowMs);
      if (fromMs < first.fromMs) first = { url, fromMs };
    }
    return first;
  }

  /** Another one than `current` that may be asked now, by chance: those who leave a busy server together part. */
  other(current: string, nowMs: number): string | undefined {
    const free = this.list.filter(({ url }) => url !== current && (this.awayUntilMs.get(url) ?? nowMs) <= nowMs);
    return free.length === 0 ? undefined : this.prng.sample(free, 1)[0]!.url;
  }

  /** A server wants us elsewhere for a while: the list goes before what it names. @returns When there is one to go to. */
  sentAway(current: string, { retryAfterMs, otherServer }: SentAway, nowMs: number): number {
    this.leave(current, retryAfterMs, nowMs);
    const isUsable = otherServer !== null && /^wss?:\/\//.test(otherServer) && !this.awayUntilMs.has(otherServer);
    if (isUsable && this.next(current, nowMs).fromMs > nowMs) {
      const listed = this.list.filter((server) => server !== this.named);
      this.named = { url: otherServer, region: '' };
      this.list = [...listed, this.named];
    }
    return this.next(current, nowMs).fromMs;
  }

  /** Leaves a server alone for a while. */
  leave(url: string, forMs: number, nowMs: number): void {
    this.letBe(url, Math.min(Math.max(forMs, AWAY_MS_MIN), AWAY_MS_MAX), nowMs);
  }

  /** Leaves a server that did not answer alone for a moment. */
  unreached(url: string, nowMs: number): void {
    this.letBe(url, UNREACHED_MS, nowMs);
  }

  private letBe(url: string, forMs: number, nowMs: number): void {
    const awayMs = forMs * (1 + this.prng.unit() / 2);
    for (const [other, untilMs] of this.awayUntilMs) if (untilMs <= nowMs) this.awayUntilMs.delete(other);
    this.awayUntilMs.set(url, nowMs + awayMs);
  }
}
