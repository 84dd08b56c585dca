import { CONTROL_BYTES_MAX, CONTROL_DEPTH_MAX, CONTROL_ITEMS_MAX } from './limits.ts';

/**
 * Walks the opcodes of one MessagePack value before a decoder sees it, and allocates nothing.
 *
 * Refuses what no message of ours has: extension types (msgpackr turns some into objects and compiles code for records,
 * even with `useRecords: false`), 32-bit containers, maps, deep nesting, too many items, truncated or trailing bytes.
 *
 * @returns Why the bytes are refused, or `undefined` when they are safe to decode.
 */
export function scanControl(bytes: Uint8Array): string | undefined {
  if (bytes.length === 0) return 'empty';
  if (bytes.length > CONTROL_BYTES_MAX) return 'too long';
  const scan = new Scan(bytes);
  while (scan.open > 0) {
    const refused = scan.step();
    if (refused !== undefined) return refused;
  }
  return scan.at === bytes.length ? undefined : 'trailing bytes';
}

class Scan {
  at = 0;
  /** Containers open, and for each the values still to come. */
  open = 1;
  private readonly left = new Int32Array(CONTROL_DEPTH_MAX + 1);
  private items = 0;
  private readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.left[0] = 1;
  }

  step(): string | undefined {
    const { bytes } = this;
    if (this.at >= bytes.length) return 'truncated';
    if (++this.items > CONTROL_ITEMS_MAX) return 'too many items';
    const op = bytes[this.at++]!;
    this.left[this.open - 1]!--;
    let children = 0;
    if (op <= 0x7f || op >= 0xe0) children = 0;
    else if (op <= 0x8f) return 'map';
    else if (op <= 0x9f) children = op & 0x0f;
    else if (op <= 0xbf) this.at += op & 0x1f;
    else if (op === 0xdc) {
      if (this.at + 2 > bytes.length) return 'truncated';
      children = (bytes[this.at]! << 8) | bytes[this.at + 1]!;
      this.at += 2;
    } else {
      const width = scalarWidth(bytes, op, this.at);
      if (width < 0) return 'unexpected type';
      this.at += width;
    }
    if (this.at + children > bytes.length) return 'truncated';
    if (children > 0) {
      if (this.open > CONTROL_DEPTH_MAX) return 'too deep';
      this.left[this.open++] = children;
    }
    while (this.open > 0 && this.left[this.open - 1] === 0) this.open--;
    return undefined;
  }
}

/** Bytes after the opcode of a scalar, string or binary; -1 for a type that no message has. */
function scalarWidth(bytes: Uint8Array, op: number, at: number): number {
  switch (op) {
    case 0xc0: // nil
    case 0xc2: // false
    case 0xc3: // true
      return 0;
    case 0xcc: // uint 8
    case 0xd0: // int 8
      return 1;
    case 0xcd: // uint 16
    case 0xd1: // int 16
      return 2;
    case 0xce: // uint 32
    case 0xd2: // int 32
    case 0xca: // float 32
      return 4;
    case 0xcf: // uint 64
    case 0xd3: // int 64
    case 0xcb: // float 64
      return 8;
    case 0xc4: // bin 8
    case 0xd9: // str 8
      return at < bytes.length ? 1 + bytes[at]! : -1;
    case 0xc5: // bin 16
    case 0xda: // str 16
      return at + 1 < bytes.length ? 2 + ((bytes[at]! << 8) | bytes[at + 1]!) : -1;
    default:
      return -1;
  }
}
