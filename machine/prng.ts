/** Seeded random numbers: sfc32 (Chris Doty-Humphrey), 128 bits of state. One stream per purpose, by {@link fork}. */
export class Prng {
  private a: number;
  private b: number;
  private c: number;
  private d = 1;

  /** Equal seeds give equal numbers. */
  constructor(seed: string | number) {
    const text = String(seed);
    this.a = mix(text, 0x9e3779b9);
    this.b = mix(text, 0x243f6a88);
    this.c = mix(text, 0xb7e15162);
    for (let round = 0; round < 12; round++) this.u32();
  }

  /** An independent stream: drawing from one does not shift the other. */
  fork(label: string | number): Prng {
    return new Prng(`${this.a},${this.b},${this.c},${this.d}/${label}`);
  }

  /** 0 … 2^32-1 */
  u32(): number {
    const t = (((this.a + this.b) | 0) + this.d) | 0;
    this.d = (this.d + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = (((this.c << 21) | (this.c >>> 11)) + t) | 0;
    return t >>> 0;
  }

  /** 0 <= x < 1 */
  unit(): number {
    return this.u32() / 0x1_0000_0000;
  }

  /** An integer, `min` <= x < `end`. */
  int(min: number, end: number): number {
    return min + Math.floor(this.unit() * (end - min));
  }

  /** One of `items`; `undefined` of none. */
  pick<T>(items: readonly T[]): T | undefined {
    return items[this.int(0, items.length)];
  }

  /** `count` of `items` without repetition, in random order. */
  sample<T>(items: readonly T[], count: number): T[] {
    const pool = [...items];
    const out: T[] = [];
    while (out.length < count && pool.length > 0) {
      const at = this.int(0, pool.length);
      out.push(pool[at]!);
      pool[at] = pool[pool.length - 1]!;
      pool.pop();
    }
    return out;
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.u32() & 0xff);
  }
}

/** FNV-1a over the text, from a chosen start, with a final avalanche. */
function mix(text: string, start: number): number {
  let hash = start;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  return hash | 0;
}
