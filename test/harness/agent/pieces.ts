import { CONTROL_BYTES_MAX } from '../../../protocol/limits.ts';
import type { Link } from '../../../runtime/node/ws-link.ts';

/**
 * JSON over a link, whatever its size: what is longer than a control message may be goes in several, each with one byte in front that says whether
 * more follows. Neither is the first byte of a block frame.
 */
const MORE = 0x2b;
const LAST = 0x3d;
const PIECE_BYTES = CONTROL_BYTES_MAX - 1_024;

/** Before anybody has shown a key; and after that: what 10,000 viewers and their neighbours say at once has a tenth of it. */
export const STRANGERS_BYTES_MAX = 16_384;
export const MESSAGE_BYTES_MAX = 64 * 1024 * 1024;

/** Messages say what they are. */
export interface Saying {
  readonly say: string;
}

export function sendMessage(link: Pick<Link, 'sendControl'>, message: Saying): void {
  for (const piece of piecesOf(message)) link.sendControl(piece);
}

export function piecesOf(message: Saying): Uint8Array[] {
  const text = Buffer.from(JSON.stringify(message));
  const pieces: Uint8Array[] = [];
  for (let from = 0; from === 0 || from < text.length; from += PIECE_BYTES) {
    const to = Math.min(text.length, from + PIECE_BYTES);
    pieces.push(Buffer.concat([Buffer.of(to < text.length ? MORE : LAST), text.subarray(from, to)]));
  }
  return pieces;
}

/** Puts messages together again. */
export class MessageReader<M extends Saying> {
  /** Of a message; what is longer is none. */
  bytesMax: number = STRANGERS_BYTES_MAX;
  private pieces: Uint8Array[] = [];
  private sizeBytes = 0;

  /** @returns The message that this is the end of; `more` before; undefined where it is none, as far as that it is an object that says something. */
  take(bytes: Uint8Array): M | 'more' | undefined {
    this.pieces.push(bytes.subarray(1));
    this.sizeBytes += bytes.length - 1;
    const [kind] = bytes;
    if (this.sizeBytes > this.bytesMax || (kind !== MORE && kind !== LAST)) return undefined;
    if (kind === MORE) return 'more';
    const text = Buffer.concat(this.pieces).toString('utf8');
    this.pieces = [];
    this.sizeBytes = 0;
    return parsed(text);
  }
}

function parsed<M extends Saying>(text: string): M | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || !('say' in value)) return undefined;
    return typeof value.say === 'string' ? (value as M) : undefined;
  } catch {
    return undefined;
  }
}
