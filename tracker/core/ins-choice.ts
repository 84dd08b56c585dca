import type { InsServerEntry } from '../../protocol/swarm-fields.ts';
import { INS_SERVERS_GIVEN } from './limits.ts';

/**
 * Which INS servers a member is told of: the nearest first, among equally near ones the one that is the first choice of
 * the fewest members. So viewers of one region are spread evenly over its servers. One that the source feeds is always among them:
 * the others have from there what they give.
 */
export class InsChoice {
  private readonly own: readonly InsServerEntry[];
  /** Members whose first choice a server is, by its URL. */
  private readonly loads = new Map<string, number>();

  /** @param own - Servers that the tracker recommends for every stream. */
  constructor(own: readonly InsServerEntry[]) {
    this.own = own;
  }

  /**
   * @param announced - Those that the stream's source feeds.
   * @param keep - The member's first choice so far: it stays that, so that nobody moves without need.
   */
  choose(announced: readonly InsServerEntry[], region: string | undefined, keep: string | undefined): InsServerEntry[] {
    const byUrl = new Map<string, InsServerEntry>();
    for (const server of [...announced, ...this.own]) {
      const known = byUrl.get(server.url);
      if (known === undefined || known.region === '') byUrl.set(server.url, server);
    }
    const rank = (server: InsServerEntry): number =>
      server.url === keep ? Number.POSITIVE_INFINITY : nearness(server.region, region);
    const all = [...byUrl.values()].sort((a, b) => rank(b) - rank(a) || this.load(a.url) - this.load(b.url));
    const given = all.slice(0, INS_SERVERS_GIVEN);
    const isFed = ({ url }: InsServerEntry): boolean => announced.some((server) => server.url === url);
    const fed = given.some(isFed) ? undefined : all.find(isFed);
    return fed === undefined ? given : [...given.slice(0, -1), fed];
  }

  /** Counts a member's first choice. */
  take(url: string): void {
    this.loads.set(url, this.load(url) + 1);
  }

  release(url: string): void {
    const load = this.load(url) - 1;
    if (load > 0) this.loads.set(url, load);
    else this.loads.delete(url);
  }

  load(url: string): number {
    return this.loads.get(url) ?? 0;
  }
}

/** How many leading words two regions share (`eu-west` and `eu-north`: 1); a whole match counts most. */
export function nearness(a: string, b: string | undefined): number {
  if (a === '' || b === undefined || b === '') return 0;
  if (a === b) return Number.MAX_SAFE_INTEGER;
  const [as, bs] = [a.split('-'), b.split('-')];
  let shared = 0;
  while (shared < as.length && as[shared] === bs[shared]) shared++;
  return shared;
}
