import type { Body, LinkId, Machine } from '../../machine/machine.ts';
import type { BlockHeader } from '../../protocol/frames.ts';
import { type PeerMessage, peerCodec } from '../../protocol/peer-messages.ts';
import { EventQueue } from '../../sim/event-queue.ts';
import type { Host, HostOptions } from '../../sim/host.ts';
import { type LinkEnd, linkEnd } from '../../sim/links.ts';
import { Network } from '../../sim/network.ts';
import { SimNode, type World } from '../../sim/node.ts';
import { Trace } from '../../sim/trace.ts';

type Heard = { readonly kind: string; readonly atMs: number; readonly what: string };

/** A program that does nothing by itself and notes what it hears. */
export class Toy extends SimNode<Heard, never> {
  readonly heardAll: Heard[];
  private calls = 0;

  constructor(world: World, id: number, host: Host) {
    const heardAll: Heard[] = [];
    const machine: Machine<Heard, never> = {
      handleInput: (input) => void heardAll.push({ ...input, atMs: world.events.nowMs }),
      handleTimeout: () => {},
      pollOutput: () => undefined,
      nextDeadline: () => undefined,
    };
    super(world, id, host, machine);
    this.heardAll = heardAll;
  }

  call(url: string): LinkId {
    const link = ++this.calls;
    this.dial(link, url, this.end);
    return link;
  }

  say(link: LinkId, request: number): void {
    this.send(link, peerCodec, { type: 'cancel', request });
  }

  give(link: LinkId, byteLength: number, request = 0): void {
    this.sendBlock(link, { request, item: 0, kept: false, labelled: null }, { byteLength });
  }

  hangUp(link: LinkId, code = 1000, why = 'bye'): void {
    this.close(link, code, why);
  }

  /** What was heard of a kind, such as `message 7`. */
  of(kind: string): string[] {
    return this.heardAll.filter((heard) => heard.kind === kind).map(({ what }) => what);
  }

  /** When it was heard, in ms after the beginning; undefined when it was not. */
  atMs(kind: string, what?: string): number | undefined {
    return this.heardAll.find((heard) => heard.kind === kind && (what === undefined || heard.what === what))?.atMs;
  }

  protected override acceptEnd(): LinkEnd {
    return this.end;
  }

  protected override perform(): void {}

  private readonly end = linkEnd(peerCodec, {
    opened: (link) => this.note('opened', link),
    message: (_link, message: PeerMessage) => this.note('message', (message as { request: number }).request),
    violation: (_link, why) => this.note('violation', why),
    block: (_link, header: BlockHeader, body: Body) => this.note('block', `${header.request}:${body.byteLength}`),
    closed: (_link, code, why) => this.note('closed', `${code} ${why}`),
    sent: (_link, bytes, leftBytes) => this.note('sent', `${bytes} ${leftBytes}`),
  });

  private note(kind: string, what: unknown): void {
    this.input({ kind, atMs: 0, what: String(what) });
  }
}

export const MBPS = 1_000_000;
/** One way from region 0 to itself 1 ms, to region 1 25 ms, to region 2 50 ms. */
const DELAYS_MS = [
  [1, 25, 50],
  [25, 1, 50],
  [50, 50, 1],
];

/** A net that begins at 0 ms. */
export class Net {
  readonly events = new EventQueue(0);
  readonly network = new Network(this.events, DELAYS_MS);
  readonly world: World;
  private made = 0;

  constructor(checksWire = false) {
    this.world = { events: this.events, network: this.network, trace: new Trace(), listeners: new Map(), checksWire };
  }

  /** A program on a machine of its own, that can be called by its name. */
  toy(name: string, options: Partial<HostOptions> = {}): Toy {
    const host = this.network.host({ region: 0, upBps: 8 * MBPS, downBps: 80 * MBPS, dialable: true, ...options });
    const toy = new Toy(this.world, ++this.made, host);
    this.world.listeners.set(name, toy as never);
    return toy;
  }

  until(atMs: number): void {
    this.events.runUntil(atMs);
  }
}
