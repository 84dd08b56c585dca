import { FRAME_BLOCK } from '../../protocol/frames.ts';
import { BLOCK_FRAME_BYTES_MAX, CONTROL_BYTES_MAX } from '../../protocol/limits.ts';
import { CLOSE } from '../../protocol/reasons.ts';

/** One WebSocket as a page's shells use it: control messages and block frames both ways, counted and bounded. */
export interface Link {
  readonly counters: LinkCounters;
  /** Bytes handed over that the browser has not sent yet. */
  readonly bufferedBytes: number;
  sendControl(bytes: Uint8Array): void;
  sendBlock(header: Uint8Array, block: Uint8Array): void;
  /** Closes after what is buffered, within a second; `closed` follows. Nothing that arrives from now on is told. */
  close(code: number, why: string): void;
}

export interface LinkEvents {
  opened(): void;
  /** One MessagePack message, not looked into. */
  control(bytes: Uint8Array): void;
  /** One block frame, header and block, not looked into. */
  block(frame: Uint8Array): void;
  /** Of what was sent, only so many bytes still wait: told while there are any, and when there are none left. */
  drained(leftBytes: number): void;
  /** Always comes, once, also when a dial fails. */
  closed(code: number, why: string): void;
}

/** WebSocket payload and frame headers as far as a page can know them, without TCP/IP. */
export interface LinkCounters {
  controlIn: number;
  controlOut: number;
  dataIn: number;
  dataOut: number;
}

const DIAL_MS = 10_000;
const CLOSE_MS = 1_000;
const DRAIN_LOOK_MS = 50;
/** Waiting bytes at which a reader is too slow to be kept, and ms in which none leaves after which it is, too. */
const BUFFERED_BYTES_MAX = 8 * 1024 * 1024;
const STALL_MS = 5_000;
const WHY_CHARS_MAX = 100;

/** Dials. Never throws: an address that the browser refuses is a link that closes. */
export function dialLink(url: string, events: LinkEvents): Link {
  try {
    return new BrowserLink(new WebSocket(url), url, events);
  } catch (error) {
    const why = `${url} cannot be dialled: ${(error as Error).message}`;
    queueMicrotask(() => events.closed(CLOSE.policy, why));
    return deadLink;
  }
}

const deadLink: Link = {
  counters: { controlIn: 0, controlOut: 0, dataIn: 0, dataOut: 0 },
  bufferedBytes: 0,
  sendControl() {},
  sendBlock() {},
  close() {},
};

class BrowserLink implements Link {
  readonly counters: LinkCounters = { controlIn: 0, controlOut: 0, dataIn: 0, dataOut: 0 };
  private readonly socket: WebSocket;
  private readonly url: string;
  private readonly events: LinkEvents;
  private readonly dialTimer: number;
  private looking = false;
  /** Something was sent since it was last looked at what has left. */
  private sentMore = false;
  private closing: { readonly code: number; readonly why: string } | undefined;
  private over = false;
  private wasOpen = false;

  constructor(socket: WebSocket, url: string, events: LinkEvents) {
    this.socket = socket;
    this.url = url;
    this.events = events;
    this.dialTimer = window.setTimeout(() => this.giveUp(CLOSE.idle, `${url} does not answer`), DIAL_MS);
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => this.opened();
    socket.onmessage = ({ data }) => this.received(data);
    socket.onclose = ({ code, reason }) => this.end(code, reason);
  }

  get bufferedBytes(): number {
    return this.socket.bufferedAmount;
  }

  sendControl(bytes: Uint8Array): void {
    if (!this.ready()) return;
    this.counters.controlOut += bytes.length + frameHeaderBytes(bytes.length, true);
    this.socket.send(bytes as Uint8Array<ArrayBuffer>);
  }

  sendBlock(header: Uint8Array, block: Uint8Array): void {
    if (!this.ready()) return;
    const frame = new Uint8Array(header.length + block.length);
    frame.set(header);
    frame.set(block, header.length);
    this.counters.dataOut += frame.length + frameHeaderBytes(frame.length, true);
    this.socket.send(frame);
    this.sentMore = true;
    this.watchDrain();
  }

  close(code: number, why: string): void {
    if (this.over || this.closing !== undefined) return;
    this.closing = { code, why };
    window.setTimeout(() => this.end(code, why), CLOSE_MS);
    // Pages may say 1000 and codes of applications only; the words tell the rest.
    const sayable = code === CLOSE.normal || (code >= 3000 && code <= 4999) ? code : CLOSE.normal;
    this.socket.close(sayable, ascii(why));
  }

  private opened(): void {
    window.clearTimeout(this.dialTimer);
    this.wasOpen = true;
    if (this.closing === undefined) this.events.opened();
  }

  private received(data: unknown): void {
    if (this.closing !== undefined || this.over) return;
    if (!(data instanceof ArrayBuffer)) {
      this.close(CLOSE.violation, 'only binary messages are understood');
      return;
    }
    const bytes = new Uint8Array(data);
    const isBlock = bytes[0] === FRAME_BLOCK;
    this.counters[isBlock ? 'dataIn' : 'controlIn'] += bytes.length + frameHeaderBytes(bytes.length, false);
    // A page cannot refuse a message before the browser holds it whole; it is not looked into, and is the last one.
    if (bytes.length > (isBlock ? BLOCK_FRAME_BYTES_MAX : CONTROL_BYTES_MAX)) {
      this.close(CLOSE.violation, `a message of ${bytes.length} bytes`);
    } else if (isBlock) this.events.block(bytes);
    else this.events.control(bytes);
  }

  private ready(): boolean {
    if (this.closing !== undefined || this.socket.readyState !== WebSocket.OPEN) return false;
    if (this.bufferedBytes <= BUFFERED_BYTES_MAX) return true;
    this.giveUp(CLOSE.slow, `${BUFFERED_BYTES_MAX} bytes wait to be read`);
    return false;
  }

  /** Browsers do not tell when bytes have left: looked after as long as any wait. */
  private watchDrain(): void {
    if (this.looking) return;
    this.looking = true;
    let lastBytes = 0;
    let movedAtMs = performance.now();
    const look = (): void => {
      if (this.over) return;
      const leftBytes = this.bufferedBytes;
      const atMs = performance.now();
      if (this.sentMore || leftBytes !== lastBytes) {
        this.sentMore = false;
        lastBytes = leftBytes;
        movedAtMs = atMs;
        // Whoever is told sends more: that is looked after, too, also where it has left by then.
        this.events.drained(leftBytes);
      } else if (atMs - movedAtMs > STALL_MS) {
        this.giveUp(CLOSE.slow, `took nothing for ${STALL_MS / 1000} s`);
        return;
      }
      this.looking = this.sentMore || this.bufferedBytes > 0;
      if (this.looking) window.setTimeout(look, this.sentMore ? 0 : DRAIN_LOOK_MS);
    };
    window.setTimeout(look, 0);
  }

  /** Ends a link whose other side does not answer: the browser's own closing may take a minute. */
  private giveUp(code: number, why: string): void {
    this.close(code, why);
    this.end(code, why);
  }

  private end(code: number, why: string): void {
    if (this.over) return;
    this.over = true;
    window.clearTimeout(this.dialTimer);
    const { closing } = this;
    if (closing !== undefined) this.events.closed(closing.code, closing.why);
    else this.events.closed(code, why || (this.wasOpen ? 'the connection broke' : `${this.url} cannot be reached`));
  }
}

/** Bytes of a frame's header (RFC 6455 section 5.2), if the message is one frame. */
function frameHeaderBytes(payloadBytes: number, masked: boolean): number {
  return (payloadBytes < 126 ? 2 : payloadBytes < 65_536 ? 4 : 10) + (masked ? 4 : 0);
}

/** A close frame carries 123 bytes; characters beyond ASCII would take more than one each. */
function ascii(why: string): string {
  return why.replace(/[^\x20-\x7e]/g, '?').slice(0, WHY_CHARS_MAX);
}
