import { FRAME_BLOCK } from '../../../../protocol/frames.ts';
import type { KindCounts } from '../links.ts';

/** {@link KindCounts} while they are counted. */
export type Tally = { -readonly [K in keyof KindCounts]: KindCounts[K] };

export function makeTally(): Tally {
  return { dataBytes: 0, controlBytes: 0, otherBytes: 0, dataMessages: 0, controlMessages: 0 };
}

/** Bytes of an HTTP head beyond which it is none of an upgrade of ours. */
const HEAD_BYTES_MAX = 16 * 1024;
const FRAME_HEADER_BYTES_MAX = 14;
/** A frame that says it is longer is no frame: messages of ours are a hundred times smaller. */
const FRAME_BYTES_MAX = 256 * 1024 * 1024;

const CONTINUATION = 0x0;
const BINARY = 0x2;
const CLOSE = 0x8;
const PONG = 0xa;

type Kind = 'data' | 'control';

/**
 * Reads along on one direction of a TCP connection, whatever the chunks, and counts what passes: the WebSocket messages (RFC 6455
 * section 5.2) behind the HTTP head of an upgrade by their first byte, payload and frame headers; ping, pong and close as
 * control; whatever else as other bytes. What is no WebSocket is other to its end.
 */
export class FrameReader {
  /** The last byte of each block that passes is made wrong, in the chunk itself. */
  spoils = false;
  private state: 'head' | 'frames' | 'other' = 'head';
  private head = '';
  private readonly header = new Uint8Array(FRAME_HEADER_BYTES_MAX);
  private headerHave = 0;
  /** Bytes of the frame under way that have not come. */
  private payloadLeft = 0;
  private isLast = false;
  /** The frame under way is ping, pong or close, which come amid the fragments of a message. */
  private isAside = false;
  private maskFirst = 0;
  /** Of the message under way, as soon as its first byte is there. */
  private kind: Kind | undefined;
  private inMessage = false;
  /** Bytes of frame headers of a message whose kind is not known yet. */
  private unknownBytes = 0;

  /** @param tally - What is in the chunk is added to it. */
  read(chunk: Uint8Array, tally: Tally): void {
    let at = 0;
    if (this.state === 'head') at = this.readHead(chunk, tally);
    if (this.state === 'frames') at = this.readFrames(chunk, at, tally);
    tally.otherBytes += chunk.length - at;
  }

  /** @returns Where the frames begin, or may begin with the next chunk. */
  private readHead(chunk: Uint8Array, tally: Tally): number {
    const before = this.head.length;
    this.head += Buffer.from(chunk.buffer, chunk.byteOffset, Math.min(chunk.length, HEAD_BYTES_MAX)).toString('latin1');
    const end = this.head.indexOf('\r\n\r\n');
    if (end >= 0) {
      this.state = upgrades(this.head.slice(0, end)) ? 'frames' : 'other';
      this.head = '';
      const at = end + 4 - before;
      tally.otherBytes += at;
      return at;
    }
    if (this.head.length >= HEAD_BYTES_MAX) {
      this.state = 'other';
      this.head = '';
    }
    return 0;
  }

  /** @returns How far it was frames. */
  private readFrames(chunk: Uint8Array, from: number, tally: Tally): number {
    let at = from;
    while (at < chunk.length) {
      if (this.payloadLeft > 0) at = this.readPayload(chunk, at, tally);
      else {
        this.header[this.headerHave++] = chunk[at++]!;
        if (this.headerHave < 2 || this.headerHave < headerBytes(this.header)) continue;
        if (!this.beginFrame(tally)) {
          this.state = 'other';
          return at;
        }
      }
      if (this.payloadLeft === 0 && this.headerHave === 0) this.endFrame(tally);
    }
    return at;
  }

  /** The header is whole. @returns Whether it is one. */
  private beginFrame(tally: Tally): boolean {
    const { header, headerHave } = this;
    const opcode = header[0]! & 0x0f;
    const payload = payloadBytes(header);
    this.headerHave = 0;
    this.isLast = (header[0]! & 0x80) !== 0;
    this.isAside = opcode >= CLOSE;
    this.payloadLeft = payload;
    this.maskFirst = (header[1]! & 0x80) === 0 ? 0 : header[headerHave - 4]!;
    const isKnown = opcode <= BINARY || (opcode >= CLOSE && opcode <= PONG);
    const fits = this.isAside ? this.isLast && payload <= 125 : (opcode === CONTINUATION) === this.inMessage;
    if ((header[0]! & 0x70) !== 0 || !isKnown || !fits || payload > FRAME_BYTES_MAX) {
      tally.otherBytes += headerHave + this.unknownBytes;
      return false;
    }
    if (this.isAside) tally.controlBytes += headerHave;
    else {
      this.inMessage = true;
      if (this.kind === undefined) this.unknownBytes += headerHave;
      else count(tally, this.kind, headerHave);
    }
    return true;
  }

  private readPayload(chunk: Uint8Array, at: number, tally: Tally): number {
    const bytes = Math.min(this.payloadLeft, chunk.length - at);
    if (this.isAside) tally.controlBytes += bytes;
    else {
      if (this.kind === undefined) {
        this.kind = (chunk[at]! ^ this.maskFirst) === FRAME_BLOCK ? 'data' : 'control';
        count(tally, this.kind, this.unknownBytes);
        this.unknownBytes = 0;
      }
      count(tally, this.kind, bytes);
    }
    this.payloadLeft -= bytes;
    const end = at + bytes;
    const isBlocksEnd = this.payloadLeft === 0 && this.isLast && !this.isAside && this.kind === 'data';
    // The block is at the end of its message, behind the block header, so this is none of that.
    if (isBlocksEnd && this.spoils) chunk[end - 1]! ^= 0x01;
    return end;
  }

  private endFrame(tally: Tally): void {
    if (this.isAside) {
      tally.controlMessages++;
      return;
    }
    if (!this.isLast) return;
    const kind = this.kind ?? 'control';
    count(tally, kind, this.unknownBytes);
    if (kind === 'data') tally.dataMessages++;
    else tally.controlMessages++;
    this.unknownBytes = 0;
    this.kind = undefined;
    this.inMessage = false;
  }
}

function count(tally: Tally, kind: Kind, bytes: number): void {
  if (kind === 'data') tally.dataBytes += bytes;
  else tally.controlBytes += bytes;
}

/** A request that asks for WebSocket, or the answer that grants it. */
function upgrades(head: string): boolean {
  if (head.startsWith('HTTP/')) return /^HTTP\/1\.1 101\b/.test(head);
  return /^upgrade:[ \t]*websocket[ \t]*$/im.test(head);
}

/** Of a frame, from its first two bytes. */
function headerBytes(header: Uint8Array): number {
  const length = header[1]! & 0x7f;
  return 2 + (length === 127 ? 8 : length === 126 ? 2 : 0) + ((header[1]! & 0x80) === 0 ? 0 : 4);
}

function payloadBytes(header: Uint8Array): number {
  const length = header[1]! & 0x7f;
  if (length < 126) return length;
  const bytes = length === 126 ? 2 : 8;
  let value = 0;
  for (let at = 2; at < 2 + bytes; at++) value = value * 256 + header[at]!;
  return value;
}
