import type { Prng } from '../../machine/prng.ts';

/** A set from which random members are drawn in constant time. */
export class Pool<T> {
  private readonly items: T[] = [];
  private readonly places = new Map<T, number>();

  get size(): number {
    return this.items.length;
  }

  add(item: T): void {
    if (this.places.has(item)) return;
    this.places.set(item, this.items.length);
    this.items.push(item);
  }

  delete(item: T): void {
    const place = this.places.get(item);
    if (place === undefined) return;
    const last = this.items.pop()!;
    this.places.delete(item);
    if (last === item) return;
    this.items[place] = last;
    this.places.set(last, place);
  }

  at(place: number): T {
    return this.items[place]!;
  }
}

/** Draws at most `count` items of several pools, each once and each as likely, that `accept` likes. */
export function draw<T>(pools: readonly Pool<T>[], count: number, prng: Prng, accept: (item: T) => boolean): T[] {
  const total = pools.reduce((sum, pool) => sum + pool.size, 0);
  const at = (place: number): T => {
    for (const pool of pools) {
      if (place < pool.size) return pool.at(place);
      place -= pool.size;
    }
    throw new RangeError('beyond the pools');
  };
  // Few are looked at one by one; of many, most of those drawn will do.
  const looks = Math.max(count * 4, 64);
  if (total <= looks) {
    const all = Array.from({ length: total }, (_, place) => at(place)).filter(accept);
    return prng.sample(all, count);
  }
  const out = new Set<T>();
  for (let tries = looks; tries > 0 && out.size < count; tries--) {
    const item = at(prng.int(0, total));
    if (accept(item)) out.add(item);
  }
  return [...out];
}
