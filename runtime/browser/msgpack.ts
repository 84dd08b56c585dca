/**
 * MessagePack for pages: what `protocol/codec.ts` needs of msgpackr and no more, a twentieth of its size, and nothing that a
 * Content-Security-Policy without `unsafe-eval` would refuse. Builds for pages put it in msgpackr's place; the bytes are the same.
 *
 * Knows nil, booleans, numbers, texts, bytes and arrays. Reads only what `protocol/scan.ts` has passed.
 */
export class Packr {
  private bytes = new Uint8Array(1_024);
  private view = new DataView(this.bytes.buffer);
  private at = 0;

  /** A copy of its own. @throws TypeError for a value that no message has. */
  pack(value: unknown): Uint8Array {
    this.at = 0;
    this.write(value);
    return this.bytes.slice(0, this.at);
  }

  /** Bytes in it are views of what was given, as with msgpackr. @throws RangeError for bytes that are cut short. */
  unpack(bytes: Uint8Array): unknown {
    return new Reader(bytes).value();
  }

  private write(value: unknown): void {
    if (typeof value === 'number') this.number(value);
    else if (typeof value === 'string') this.text(value);
    else if (value instanceof Uint8Array) this.binary(value);
    else if (Array.isArray(value)) {
      this.head(value.length, 0x90, 16, undefined, 0xdc);
      for (const item of value) this.write(item);
    } else if (value === null) this.byte(0xc0);
    else if (typeof value === 'boolean') this.byte(value ? 0xc3 : 0xc2);
    else throw new TypeError(`no message has a value of type ${typeof value}`);
  }

  private number(value: number): void {
    if (value >>> 0 === value) {
      if (value < 0x80) this.byte(value);
      else if (value < 0x100) this.put(0xcc, 1, value);
      else if (value < 0x1_0000) this.put(0xcd, 2, value);
      else this.put(0xce, 4, value);
    } else if (value >> 0 === value) {
      if (value >= -0x20) this.byte(value & 0xff);
      else if (value >= -0x80) this.put(0xd0, 1, value);
      else if (value >= -0x8000) this.put(0xd1, 2, value);
      else this.put(0xd2, 4, value);
    } else {
      this.room(9);
      this.bytes[this.at] = 0xcb;
      this.view.setFloat64(this.at + 1, value);
      this.at += 9;
    }
  }

  private text(value: string): void {
    const bytes = UTF8.encode(value);
    this.head(bytes.length, 0xa0, 32, 0xd9, 0xda);
    this.raw(bytes);
  }

  private binary(value: Uint8Array): void {
    this.head(value.length, 0, 0, 0xc4, 0xc5);
    this.raw(value);
  }

  /** The opcode and length before a text, bytes or an array: in one byte below `shortMax`, else with 8, 16 or 32 bits. */
  private head(length: number, short: number, shortMax: number, op8: number | undefined, op16: number): void {
    if (length < shortMax) this.byte(short | length);
    else if (op8 !== undefined && length < 0x100) this.put(op8, 1, length);
    else if (length < 0x1_0000) this.put(op16, 2, length);
    else this.put(op16 + 1, 4, length);
  }

  private byte(value: number): void {
    this.room(1);
    this.bytes[this.at++] = value;
  }

  private put(op: number, width: 1 | 2 | 4, value: number): void {
    this.room(1 + width);
    this.bytes[this.at++] = op;
    for (let shift = (width - 1) * 8; shift >= 0; shift -= 8) this.bytes[this.at++] = value >>> shift;
  }

  private raw(bytes: Uint8Array): void {
    this.room(bytes.length);
    this.bytes.set(bytes, this.at);
    this.at += bytes.length;
  }

  private room(more: number): void {
    if (this.at + more <= this.bytes.length) return;
    const bigger = new Uint8Array(2 * (this.at + more));
    bigger.set(this.bytes);
    this.bytes = bigger;
    this.view = new DataView(bigger.buffer);
  }
}

const UTF8 = new TextEncoder();
// A byte order mark is a character like others: what is read and written again must not change.
const FROM_UTF8 = new TextDecoder('utf-8', { ignoreBOM: true });

class Reader {
  private readonly bytes: Uint8Array;
  private readonly view: DataView;
  private at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  value(): unknown {
    const op = this.uint(1);
    if (op < 0x80) return op;
    if (op >= 0xe0) return op - 0x100;
    if (op >= 0xa0 && op < 0xc0) return this.text(op & 0x1f);
    if (op >= 0x90 && op < 0xa0) return this.array(op & 0x0f);
    switch (op) {
      case 0xc0:
        return null;
      case 0xc2:
        return false;
      case 0xc3:
        return true;
      case 0xc4:
      case 0xc5:
        return this.take(this.uint(op === 0xc4 ? 1 : 2));
      case 0xca:
        return this.view.getFloat32(this.skip(4));
      case 0xcb:
        return this.view.getFloat64(this.skip(8));
      case 0xcc:
        return this.uint(1);
      case 0xcd:
        return this.uint(2);
      case 0xce:
        return this.uint(4);
      case 0xcf:
        return Number(this.view.getBigUint64(this.skip(8)));
      case 0xd0:
        return this.view.getInt8(this.skip(1));
      case 0xd1:
        return this.view.getInt16(this.skip(2));
      case 0xd2:
        return this.view.getInt32(this.skip(4));
      case 0xd3:
        return Number(this.view.getBigInt64(this.skip(8)));
      case 0xd9:
      case 0xda:
        return this.text(this.uint(op === 0xd9 ? 1 : 2));
      case 0xdc:
        return this.array(this.uint(2));
      default:
        throw new RangeError(`no message has the opcode ${op}`);
    }
  }

  private array(length: number): unknown[] {
    const items: unknown[] = [];
    for (let at = 0; at < length; at++) items.push(this.value());
    return items;
  }

  private text(length: number): string {
    return FROM_UTF8.decode(this.take(length));
  }

  private take(length: number): Uint8Array {
    const from = this.skip(length);
    return this.bytes.subarray(from, this.at);
  }

  private uint(width: 1 | 2 | 4): number {
    const from = this.skip(width);
    if (width === 1) return this.bytes[from]!;
    return width === 2 ? this.view.getUint16(from) : this.view.getUint32(from);
  }

  /** Goes on by so many bytes. @returns Where they begin. */
  private skip(length: number): number {
    const from = this.at;
    if (from + length > this.bytes.length) throw new RangeError('cut short');
    this.at += length;
    return from;
  }
}
