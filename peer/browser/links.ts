import type { LinkId } from '../../machine/machine.ts';
import type { Codec } from '../../protocol/codec.ts';
import { type BlockHeader, decodeBlockFrame, encodeBlockHeader } from '../../protocol/frames.ts';
import { type FromInsClient, insClientCodec, insServerCodec } from '../../protocol/ins-messages.ts';
import type { PeerMessage } from '../../protocol/peer-messages.ts';
import type { Mode } from '../../protocol/swarm-fields.ts';
import { fromTrackerCodec, type ToTracker, toTrackerCodec } from '../../protocol/tracker-messages.ts';
import { dialLink, type Link, type LinkCounters } from '../../runtime/browser/ws-link.ts';
import type { PeerInput } from '../core/io.ts';

export type LinkTo = 'tracker' | 'peer' | 'ins';

/** One connection of the peer, for people: to whom, and what went over it. */
export interface LinkReport {
  readonly to: LinkTo;
  readonly url: string;
  /** `opening` until the other side has answered. */
  readonly state: 'opening' | 'open';
  /** Of a neighbour that has said hello: how it takes blocks, and whether it is the source. */
  readonly neighbour: { readonly mode: Mode; readonly source: boolean; readonly gives: boolean } | null;
  /** Bytes on the wire since the connection opened. */
  readonly bytes: Readonly<LinkCounters>;
}

interface Entry {
  readonly to: LinkTo;
  readonly url: string;
  readonly link: Link;
  open: boolean;
  neighbour: LinkReport['neighbour'];
  /** Block bytes handed to the link that have not left it. */
  unsentBytes: number;
}

export interface LinksEvents {
  input(input: PeerInput): void;
  /** The tracker's clock, when it has said what it is. */
  clock(trackerMs: number): void;
  /** Anything has come. */
  heard(): void;
  /** A block of a part has come. */
  arrived(track: number, part: number, bytes: number): void;
}

/** The connections of one peer: dials, codes and decodes, counts. */
export class Links {
  private readonly entries = new Map<LinkId, Entry>();
  private readonly past = { tracker: noBytes(), ins: noBytes(), peer: noBytes() };
  private readonly events: LinksEvents;
  /** How neighbours speak; undefined before any is dialled. */
  peerCodec: Codec<PeerMessage> | undefined;

  constructor(events: LinksEvents) {
    this.events = events;
  }

  dial(id: LinkId, to: LinkTo, url: string): void {
    const link = dialLink(url, {
      opened: () => {
        const entry = this.entries.get(id);
        if (entry !== undefined) entry.open = true;
        this.events.input({ kind: 'link-opened', link: id });
      },
      control: (bytes) => {
        this.events.heard();
        this.control(id, to, bytes);
      },
      block: (frame) => {
        this.events.heard();
        this.block(id, to, frame);
      },
      drained: (leftBytes) => this.drained(id, leftBytes),
      closed: (code, why) => {
        this.forget(id);
        this.events.input({ kind: 'link-closed', link: id, code, why });
      },
    });
    this.entries.set(id, { to, url, link, open: false, neighbour: null, unsentBytes: 0 });
  }

  sendTracker(id: LinkId, message: ToTracker): void {
    this.entries.get(id)?.link.sendControl(toTrackerCodec.encode(message));
  }

  sendIns(id: LinkId, message: FromInsClient): void {
    this.entries.get(id)?.link.sendControl(insClientCodec.encode(message));
  }

  sendPeer(id: LinkId, message: PeerMessage): void {
    if (this.peerCodec !== undefined) this.entries.get(id)?.link.sendControl(this.peerCodec.encode(message));
  }

  sendBlock(id: LinkId, header: BlockHeader, block: Uint8Array): void {
    const entry = this.entries.get(id);
    if (entry === undefined) return;
    entry.unsentBytes += block.length;
    entry.link.sendBlock(encodeBlockHeader(header), block);
  }

  close(id: LinkId, code: number, why: string): void {
    this.entries.get(id)?.link.close(code, why);
  }

  closeAll(code: number, why: string): void {
    for (const { link } of this.entries.values()) link.close(code, why);
  }

  reports(): LinkReport[] {
    return [...this.entries.values()].map(({ to, url, link, open, neighbour }) => {
      return { to, url, state: open ? 'open' : 'opening', neighbour, bytes: { ...link.counters } };
    });
  }

  /** Over all connections there were, by whom they were to. */
  totals(): Record<LinkTo, LinkCounters> {
    const { tracker, ins, peer } = this.past;
    const sums = { tracker: { ...tracker }, ins: { ...ins }, peer: { ...peer } };
    for (const { to, link } of this.entries.values()) add(sums[to], link.counters);
    return sums;
  }

  private control(id: LinkId, to: LinkTo, bytes: Uint8Array): void {
    if (to === 'tracker') {
      const message = this.decode(id, fromTrackerCodec, bytes);
      if (message?.type === 'joined') this.events.clock(message.clockMs);
      if (message !== undefined) this.events.input({ kind: 'tracker-message', link: id, message });
    } else if (to === 'ins') {
      const message = this.decode(id, insServerCodec, bytes);
      if (message !== undefined) this.events.input({ kind: 'ins-message', link: id, message });
    } else if (this.peerCodec !== undefined) {
      const message = this.decode(id, this.peerCodec, bytes);
      const entry = this.entries.get(id);
      if (message?.type === 'hello' && entry !== undefined) {
        entry.neighbour = { mode: message.mode, source: message.source, gives: message.gives };
      }
      if (message !== undefined) this.events.input({ kind: 'peer-message', link: id, message });
    }
  }

  private block(id: LinkId, to: LinkTo, frame: Uint8Array): void {
    const decoded = to === 'tracker' ? undefined : decodeBlockFrame(frame);
    if (decoded === undefined) {
      this.events.input({ kind: 'violation', link: id, why: 'a malformed block frame' });
      return;
    }
    const { header, block } = decoded;
    if (header.labelled !== null) this.events.arrived(header.labelled.track, header.labelled.part, block.length);
    this.events.input({ kind: to === 'ins' ? 'ins-block' : 'peer-block', link: id, header, body: block });
  }

  /** @returns `undefined` for a message of a later version, and for what breaks the protocol, which the core is told. */
  private decode<M>(id: LinkId, codec: Codec<M>, bytes: Uint8Array): M | undefined {
    const decoded = codec.decode(bytes);
    if (decoded.ok) return decoded.message;
    this.events.input({ kind: 'violation', link: id, why: decoded.violation });
    return undefined;
  }

  private drained(id: LinkId, leftBytes: number): void {
    const entry = this.entries.get(id);
    const bytes = (entry?.unsentBytes ?? 0) - leftBytes;
    if (entry === undefined || bytes <= 0) return;
    entry.unsentBytes -= bytes;
    this.events.input({ kind: 'sent', link: id, bytes });
  }

  private forget(id: LinkId): void {
    const entry = this.entries.get(id);
    if (entry === undefined) return;
    add(this.past[entry.to], entry.link.counters);
    this.entries.delete(id);
  }
}

export function noBytes(): LinkCounters {
  return { controlIn: 0, controlOut: 0, dataIn: 0, dataOut: 0 };
}

export function add(sum: LinkCounters, counters: LinkCounters): void {
  sum.controlIn += counters.controlIn;
  sum.controlOut += counters.controlOut;
  sum.dataIn += counters.dataIn;
  sum.dataOut += counters.dataOut;
}
