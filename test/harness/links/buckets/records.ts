/**
 * What two hosts tell each other on the TCP connection between them: bytes, how many have been taken, and that no more follow. The
 * kernel would hold megabytes between them that neither program knows of; so the receiver says what has come through its downlink, and
 * the sender goes on no further than a window beyond that.
 *
 * A record is its kind and a number of 32 bits (of bytes); behind one of bytes come these.
 */
const DATA = 0x10;
const TAKEN = 0x11;
const END = 0x12;
const HEADER_BYTES = 5;

export function dataRecord(sizeBytes: number): Uint8Array {
  return record(DATA, sizeBytes);
}

export function takenRecord(sizeBytes: number): Uint8Array {
  return record(TAKEN, sizeBytes);
}

export function endRecord(): Uint8Array {
  return record(END, 0);
}

function record(kind: number, value: number): Uint8Array {
  return Uint8Array.of(kind, value >>> 24, value >>> 16, value >>> 8, value);
}

export interface Recorded {
  data(bytes: Uint8Array): void;
  taken(sizeBytes: number): void;
  ended(): void;
}

/** Reads records, whatever the chunks. */
export class RecordReader {
  private readonly to: Recorded;
  private readonly header = new Uint8Array(HEADER_BYTES);
  private have = 0;
  private leftBytes = 0;

  constructor(to: Recorded) {
    this.to = to;
  }

  /** @returns Whether it was records: what is not comes from no host of the run. */
  read(chunk: Uint8Array): boolean {
    for (let at = 0; at < chunk.length; ) {
      if (this.leftBytes > 0) {
        const bytes = chunk.subarray(at, at + this.leftBytes);
        at += bytes.length;
        this.leftBytes -= bytes.length;
        this.to.data(bytes);
      } else {
        this.header[this.have++] = chunk[at++]!;
        if (this.have === HEADER_BYTES && !this.begin()) return false;
      }
    }
    return true;
  }

  private begin(): boolean {
    const [kind, a, b, c, d] = this.header as unknown as [number, number, number, number, number];
    const value = ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
    this.have = 0;
    if (kind === DATA) this.leftBytes = value;
    else if (kind === TAKEN) this.to.taken(value);
    else if (kind === END) this.to.ended();
    else return false;
    return true;
  }
}
