import type { LinkId } from '../../machine/machine.ts';
import type { Decoded } from '../../protocol/codec.ts';
import { type BlockHeader, decodeBlockFrame, encodeBlockHeader } from '../../protocol/frames.ts';
import { type FromInsClient, type FromInsServer, insClientCodec, insServerCodec } from '../../protocol/ins-messages.ts';
import { CONTROL_BYTES_MAX } from '../../protocol/limits.ts';
import { peerCodec } from '../../protocol/peer-messages.ts';
import { CLOSE } from '../../protocol/reasons.ts';
import { fromTrackerCodec, toTrackerCodec } from '../../protocol/tracker-messages.ts';
import type { SwarmInput, SwarmOutput } from '../../swarm/io.ts';
import type { Log } from '../log.ts';
import type { Transport } from './transport.ts';
import { type Connection, dialLink, type Link, type LinkCounters, type LinkEvents, makeCounters } from './ws-link.ts';

/** What links tell a core, and what a core asks of them: the same for sources and peers. */
export type LinkInput =
  | SwarmInput
  | { readonly kind: 'ins-message'; readonly link: LinkId; readonly message: FromInsServer }
  | { readonly kind: 'ins-block'; readonly link: LinkId; readonly header: BlockHeader; readonly body: Uint8Array };

export type LinkOutput =
  | SwarmOutput
  | { readonly kind: 'send-ins'; readonly link: LinkId; readonly message: FromInsClient }
  | Send<'send-ins-block'>;

type Send<Kind> = Omit<Extract<SwarmOutput, { kind: 'send-block' }>, 'kind'> & { readonly kind: Kind };

/** Whom a link leads to. */
export type LinkKind = 'tracker' | 'ins' | 'peer';

interface OpenLink {
  readonly to: LinkKind;
  readonly link: Link;
  /** Block bytes handed to the link that the core does not know to have left. */
  waitingBytes: number;
}

const CLOSE_WITHIN_MS = 1_500;
/** Dials of a tracker that fail in a row before a word on it: one that is just being started is no news. */
const FAILURES_TOLD = 3;

/**
 * The WebSockets of one source or peer, numbered as its core knows them: dialled links by the core's numbers, accepted ones
 * from -1 downwards. Encodes, decodes and counts; decides nothing.
 */
export class SwarmLinks {
  /** Sums over all dialled links since the start; the accepted ones are counted where they are accepted. */
  readonly counters: Readonly<Record<LinkKind, LinkCounters>> = {
    tracker: makeCounters(),
    ins: makeCounters(),
    peer: makeCounters(),
  };
  private readonly open = new Map<LinkId, OpenLink>();
  private readonly input: (input: LinkInput) => void;
  private readonly log: Log;
  private readonly transport: { readonly transport?: Transport };
  private lastAccepted = 0;
  private trackerFailures = 0;
  private allClosed: (() => void) | undefined;

  /** @param transport - What links are dialled over; TCP by default. */
  constructor(input: (input: LinkInput) => void, log: Log, transport?: Transport) {
    this.input = input;
    this.log = log;
    this.transport = transport === undefined ? {} : { transport };
  }

  /** Carries out what a core asks of its links. */
  perform(output: LinkOutput): void {
    if (output.kind === 'dial') {
      this.dial(output.link, output.to, output.url);
      return;
    }
    const open = this.open.get(output.link);
    if (open === undefined) return;
    switch (output.kind) {
      case 'close':
        open.link.close(output.code, output.why);
        return;
      case 'send-peer':
        this.send(open, () => peerCodec.encode(output.message));
        return;
      case 'send-tracker':
        this.send(open, () => toTrackerCodec.encode(output.message));
        return;
      case 'send-ins':
        this.send(open, () => insClientCodec.encode(output.message));
        return;
      default:
        open.waitingBytes += output.body.byteLength;
        open.link.sendBlock(encodeBlockHeader(output.header), output.body as Uint8Array);
    }
  }

  /** A neighbour has dialled us. */
  accept(link: Link): LinkEvents {
    const id = --this.lastAccepted;
    this.open.set(id, { to: 'peer', link, waitingBytes: 0 });
    this.input({ kind: 'link-accepted', link: id });
    return this.events(id, 'peer');
  }

  /** All that are open. */
  connections(): Connection[] {
    return [...this.open.values()].flatMap(({ link }) => link.connection() ?? []);
  }

  /** Closes what is still open; resolves when all links are gone. */
  async close(): Promise<void> {
    for (const { link } of this.open.values()) link.close(CLOSE.goingAway, 'leaving');
    if (this.open.size === 0) return;
    await new Promise<void>((resolve) => {
      const late = setTimeout(resolve, CLOSE_WITHIN_MS);
      this.allClosed = () => {
        clearTimeout(late);
        resolve();
      };
    });
  }

  private dial(id: LinkId, to: LinkKind, url: string): void {
    this.log.debug('dialling', { to, link: id, url });
    const limits = to === 'tracker' ? { messageBytesMax: CONTROL_BYTES_MAX } : {};
    const link = dialLink(url, this.events(id, to), { counters: this.counters[to], limits, ...this.transport });
    this.open.set(id, { to, link, waitingBytes: 0 });
  }

  /** A message too long to be sent is a fault of ours; a live stream goes on without it. */
  private send(open: OpenLink, encode: () => Uint8Array): void {
    try {
      open.link.sendControl(encode());
    } catch (error) {
      this.log.error('a message could not be written', { to: open.to, why: (error as Error).message });
    }
  }

  private events(id: LinkId, to: LinkKind): LinkEvents {
    return {
      opened: () => {
        if (to === 'tracker') this.trackerFailures = 0;
        this.input({ kind: 'link-opened', link: id });
      },
      control: (bytes) => this.control(id, to, bytes),
      block: (frame) => this.block(id, to, frame),
      drained: (leftBytes) => this.drained(id, leftBytes),
      closed: (code, why) => {
        this.log.debug('link closed', { to, link: id, code, why });
        if (to === 'tracker' && ++this.trackerFailures === FAILURES_TOLD) {
          this.log.warn('the tracker cannot be reached; dialling it again and again', { why });
        }
        this.open.delete(id);
        this.input({ kind: 'link-closed', link: id, code, why });
        if (this.open.size === 0) this.allClosed?.();
      },
    };
  }

  private control(id: LinkId, to: LinkKind, bytes: Uint8Array): void {
    if (to === 'tracker') {
      const message = this.read(id, fromTrackerCodec.decode(bytes));
      if (message !== undefined) this.input({ kind: 'tracker-message', link: id, message });
    } else if (to === 'ins') {
      const message = this.read(id, insServerCodec.decode(bytes));
      if (message !== undefined) this.input({ kind: 'ins-message', link: id, message });
    } else {
      const message = this.read(id, peerCodec.decode(bytes));
      if (message !== undefined) this.input({ kind: 'peer-message', link: id, message });
    }
  }

  private read<M>(id: LinkId, decoded: Decoded<M>): M | undefined {
    if (decoded.ok) return decoded.message;
    this.input({ kind: 'violation', link: id, why: decoded.violation });
    return undefined;
  }

  private block(id: LinkId, to: LinkKind, frame: Uint8Array): void {
    const decoded = to === 'tracker' ? undefined : decodeBlockFrame(frame);
    if (decoded === undefined) {
      this.input({ kind: 'violation', link: id, why: to === 'tracker' ? 'a block from a tracker' : 'malformed block' });
      return;
    }
    const { header, block } = decoded;
    this.input({ kind: to === 'ins' ? 'ins-block' : 'peer-block', link: id, header, body: block });
  }

  private drained(id: LinkId, leftBytes: number): void {
    const open = this.open.get(id);
    if (open === undefined) return;
    const bytes = open.waitingBytes - Math.min(open.waitingBytes, leftBytes);
    if (bytes === 0) return;
    open.waitingBytes -= bytes;
    if (open.to === 'peer') this.input({ kind: 'sent', link: id, bytes });
  }
}

/** The sum of two. */
export function addCounters(a: LinkCounters, b: LinkCounters): LinkCounters {
  return {
    controlIn: a.controlIn + b.controlIn,
    controlOut: a.controlOut + b.controlOut,
    dataIn: a.dataIn + b.dataIn,
    dataOut: a.dataOut + b.dataOut,
  };
}
