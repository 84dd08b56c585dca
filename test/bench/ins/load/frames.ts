/** WebSocket frames (RFC 6455 section 5.2) without a library: enough to ask, and to count what comes. */

const OPCODE_PING = 9;
const OPCODE_CLOSE = 8;
const BINARY = 0x82;
/** Longest header of an unmasked frame. */
const HEADER_BYTES_MAX = 10;
/** Of each payload the first bytes are shown: enough for our block header and a stamp in the companion. */
export const PEEK_BYTES = 64;

/** An unmasked header's payload goes to a client as it is; a client masks, with any key. */
export function clientFrame(payload: Uint8Array, firstByte = BINARY): Buffer {
  const extended = payload.length < 126 ? 0 : payload.length < 65_536 ? 2 : 8;
  const frame = Buffer.allocUnsafe(2 + extended + 4 + payload.length);
  frame[0] = firstByte;
  if (extended === 0) frame[1] = 0x80 | payload.length;
  else if (extended === 2) {
    frame[1] = 0x80 | 126;
    frame.writeUInt16BE(payload.length, 2);
  } else {
    frame[1] = 0x80 | 127;
    frame.writeUInt32BE(0, 2);
    frame.writeUInt32BE(payload.length, 6);
  }
  const mask = [0x37, 0xfa, 0x21, 0x3d];
  const at = 2 + extended;
  for (let n = 0; n < 4; n++) frame[at + n] = mask[n]!;
  for (let n = 0; n < payload.length; n++) frame[at + 4 + n] = payload[n]! ^ mask[n & 3]!;
  return frame;
}

export interface FrameEvents {
  /** A message begins. `bytes` from `at` on holds the first {@link PEEK_BYTES} of the payload, or all of it. */
  began(bytes: Buffer, at: number, payloadBytes: number): void;
  /** All of it has come. */
  ended(payloadBytes: number): void;
  ping(): void;
  /** The other side closes, and says why: code and reason, as text. */
  closed(why: string): void;
}

/** Counts frames in a stream of bytes: looks at headers, skips payloads, copies nothing but a header cut in two. */
export class FrameCounter {
  private left = 0;
  private payload = 0;
  private readonly head = Buffer.allocUnsafe(HEADER_BYTES_MAX + PEEK_BYTES);
  private headBytes = 0;
  private readonly events: FrameEvents;

  constructor(events: FrameEvents) {
    this.events = events;
  }

  push(chunk: Buffer, from: number, to: number): void {
    let at = from;
    while (at < to) {
      if (this.left > 0) {
        const taken = Math.min(this.left, to - at);
        this.left -= taken;
        at += taken;
        if (this.left === 0) this.events.ended(this.payload);
      } else if (this.headBytes === 0) {
        const taken = this.begin(chunk, at, to - at);
        if (taken === 0) {
          // Less than a header and a peek is left.
          this.headBytes = chunk.copy(this.head, 0, at, to);
          return;
        }
        at += taken;
      } else {
        const had = this.headBytes;
        const copied = chunk.copy(this.head, had, at, Math.min(to, at + this.head.length - had));
        const taken = this.begin(this.head, 0, had + copied);
        if (taken === 0) {
          this.headBytes = had + copied;
          return;
        }
        this.headBytes = 0;
        at += taken - had;
      }
    }
  }

  /** @returns Bytes taken: header and peek; 0 when there are not enough of them. */
  private begin(bytes: Buffer, at: number, length: number): number {
    if (length < 2) return 0;
    const short = bytes[at + 1]! & 0x7f;
    const header = short < 126 ? 2 : short === 126 ? 4 : 10;
    if (length < header) return 0;
    const payload = short < 126 ? short : short === 126 ? bytes.readUInt16BE(at + 2) : bytes.readUInt32BE(at + 6);
    const peek = Math.min(PEEK_BYTES, payload);
    if (length < header + peek) return 0;
    const opcode = bytes[at]! & 0x0f;
    if (opcode === OPCODE_PING) this.events.ping();
    else if (opcode === OPCODE_CLOSE) this.events.closed(closeReason(bytes.subarray(at + header, at + header + peek)));
    else {
      this.events.began(bytes, at + header, payload);
      this.payload = payload;
      this.left = payload - peek;
      if (this.left === 0) this.events.ended(payload);
    }
    return header + peek;
  }
}

/** Code and reason of a close frame (RFC 6455 section 5.5.1). */
function closeReason(payload: Buffer): string {
  return payload.length < 2 ? 'no reason' : `${payload.readUInt16BE(0)} ${payload.toString('utf8', 2)}`.trim();
}
