import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TransportStream } from './transport.ts';

/**
 * Writes a server's WebSocket frames (RFC 6455 section 5.2) on the socket itself: a server masks nothing, so a frame is some bytes
 * before the payload, and the payload as it is.
 *
 * What is sent in a row goes to the kernel in one call, past `ws`, whose frames go one by one, and past the
 * stream's queue, which costs more than the frame: half of the processor's time outside the kernel, for blocks of 32 KiB. Whoever
 * writes through a FrameWriter sends nothing but whole frames of control (ping, pong, close) through `ws`.
 */
export class FrameWriter {
  /** Bytes handed over that the kernel has not taken. */
  pendingBytes = 0;
  private pieces: { readonly chunk: Uint8Array }[] = [];
  private gatheredBytes = 0;
  private readonly socket: Vectored;
  private readonly taken: () => void;

  /**
   * @param taken - Told when the kernel has taken all that was sent; more may be sent from there.
   * @returns `undefined` for what is neither a socket of the platform's network nor a stream of a transport.
   */
  static on(socket: Duplex, taken: () => void): FrameWriter | undefined {
    const isVectored = socket instanceof Socket || socket instanceof TransportStream;
    return isVectored ? new FrameWriter(socket as Vectored, taken) : undefined;
  }

  private constructor(socket: Vectored, taken: () => void) {
    this.socket = socket;
    this.taken = taken;
  }

  /** One message, which is copied. Returns the bytes of its frame. */
  sendCopy(message: Uint8Array): number {
    const at = frameHeaderBytes(message.length);
    const frame = Buffer.allocUnsafe(at + message.length);
    writeFrameHeader(frame, message.length);
    frame.set(message, at);
    this.gather(frame);
    return frame.length;
  }

  /** One message of two parts, of which the second is sent as it is: it must not change until it has left. */
  send(first: Uint8Array, second: Uint8Array): number {
    const payload = first.length + second.length;
    const at = frameHeaderBytes(payload);
    const head = Buffer.allocUnsafe(at + first.length);
    writeFrameHeader(head, payload);
    head.set(first, at);
    this.gather(head);
    this.gather(second);
    return at + payload;
  }

  /** Hands what has gathered to the kernel. Comes by itself, soon. */
  flush(): void {
    const { pieces, gatheredBytes } = this;
    if (pieces.length === 0) return;
    this.pieces = [];
    this.gatheredBytes = 0;
    const written = (error?: Error | null): void => {
      this.pendingBytes -= gatheredBytes;
      if (error) this.socket.destroy(error);
      else if (this.pendingBytes === 0) this.taken();
    };
    // Says that no piece is text.
    this.socket._writev(Object.assign(pieces, { allBuffers: true }), written);
  }

  private gather(chunk: Uint8Array): void {
    if (this.pieces.length === 0) gatherFor(this);
    this.pieces.push({ chunk });
    this.gatheredBytes += chunk.length;
    this.pendingBytes += chunk.length;
  }
}

/** What streams call on a socket to write several pieces at once (Node's documentation, `writable._writev`). */
interface Vectored extends Duplex {
  _writev(chunks: { readonly chunk: Uint8Array }[], done: (error?: Error | null) => void): void;
}

/** Readers that frames are gathered for at once. */
const GATHERING_MAX = 32;
/** The last ones for whom something was gathered; each place is taken over in turn. */
const gathering: (FrameWriter | undefined)[] = new Array(GATHERING_MAX).fill(undefined);
let place = 0;
let ending = false;

/**
 * What is sent to a reader leaves in one call when 32 others have had their turn after him, or the turn of the event loop ends. So
 * those who share a turn block by block get theirs in few calls all the same, and the first of a thousand readers does not wait
 * until all have been thought of, while each one's state is still near the processor.
 */
function gatherFor(writer: FrameWriter): void {
  const before = gathering[place];
  gathering[place] = writer;
  place = (place + 1) % GATHERING_MAX;
  before?.flush();
  if (ending) return;
  ending = true;
  process.nextTick(endTurn);
}

function endTurn(): void {
  ending = false;
  for (let at = 0; at < GATHERING_MAX; at++) {
    const writer = gathering[at];
    gathering[at] = undefined;
    writer?.flush();
  }
}

/** FIN and opcode 2. */
const FINAL_BINARY = 0x82;

/** Bytes of the header of a frame that is not masked. */
export function frameHeaderBytes(payloadBytes: number): number {
  return payloadBytes < 126 ? 2 : payloadBytes < 65_536 ? 4 : 10;
}

function writeFrameHeader(out: Buffer, payloadBytes: number): void {
  out[0] = FINAL_BINARY;
  if (payloadBytes < 126) out[1] = payloadBytes;
  else if (payloadBytes < 65_536) {
    out[1] = 126;
    out.writeUInt16BE(payloadBytes, 2);
  } else {
    out[1] = 127;
    out.writeUInt32BE(0, 2);
    out.writeUInt32BE(payloadBytes, 6);
  }
}
