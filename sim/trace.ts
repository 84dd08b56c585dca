/** A rolling hash over everything that happened: two runs of one seed end with the same. */
export class Trace {
  private a = 0x811c9dc5 | 0;
  private b = 0x9e3779b9 | 0;
  private readonly number = new Float64Array(1);
  private readonly words = new Int32Array(this.number.buffer);

  add(atMs: number, where: number, what: string): void {
    this.number[0] = atMs;
    this.mix(this.words[0]!);
    this.mix(this.words[1]!);
    this.mix(where);
    for (let at = 0; at < what.length; at++) this.mix(what.charCodeAt(at));
  }

  /** 16 hexadecimal digits. */
  get hash(): string {
    const hex = (word: number) => (word >>> 0).toString(16).padStart(8, '0');
    return hex(this.a) + hex(this.b);
  }

  private mix(value: number): void {
    this.a = Math.imul(this.a ^ value, 0x01000193);
    this.b = Math.imul((this.b << 5) | (this.b >>> 27), 0x85ebca6b) ^ value;
  }
}
