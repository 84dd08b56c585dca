/** Grows as it is written to; for headers of a few hundred bytes. Big-endian, as ISO BMFF has it. */
export class ByteWriter {
  private bytes = new Uint8Array(512);
  private length = 0;

  u8(value: number): this {
    this.room(1)[this.length++] = value;
    return this;
  }

  u16(value: number): this {
    return this.u8(value >>> 8).u8(value & 0xff);
  }

  u32(value: number): this {
    return this.u16(value >>> 16).u16(value & 0xffff);
  }

  /** A whole number below 2^53. */
  u64(value: number): this {
    return this.u32(Math.floor(value / 0x100000000)).u32(value >>> 0);
  }

  zeros(count: number): this {
    this.room(count).fill(0, this.length, this.length + count);
    this.length += count;
    return this;
  }

  ascii(text: string): this {
    for (let i = 0; i < text.length; i++) this.u8(text.charCodeAt(i));
    return this;
  }

  raw(part: Uint8Array): this {
    this.room(part.length).set(part, this.length);
    this.length += part.length;
    return this;
  }

  /** Writes a box around what `body` writes. */
  box(type: string, body: () => void): this {
    const start = this.length;
    this.u32(0).ascii(type);
    body();
    return this.patchU32(start, this.length - start);
  }

  /** A box with version and flags. */
  fullBox(type: string, version: number, flags: number, body: () => void): this {
    return this.box(type, () => {
      this.u32((version << 24) | flags);
      body();
    });
  }

  /** Where the next byte goes. */
  position(): number {
    return this.length;
  }

  patchU32(at: number, value: number): this {
    for (let i = 0; i < 4; i++) this.bytes[at + i] = (value >>> (24 - 8 * i)) & 0xff;
    return this;
  }

  finish(): Uint8Array {
    return this.bytes.slice(0, this.length);
  }

  private room(count: number): Uint8Array {
    if (this.length + count > this.bytes.length) {
      const larger = new Uint8Array(Math.max(this.bytes.length * 2, this.length + count));
      larger.set(this.bytes.subarray(0, this.length));
      this.bytes = larger;
    }
    return this.bytes;
  }
}
