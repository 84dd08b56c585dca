import type { Socket } from 'node:net';
import { Prng } from '../../../../machine/prng.ts';
import type { Delays, HostCounts, LinkCounts, LinkOrder } from '../links.ts';
import { type CountedFlow, Place } from './place.ts';
import type { Clockwork } from './way.ts';
import { Wire } from './wire.ts';

/** Longest one-way delay, in ms, and longest time for which something stands still: what the wheel reaches is three round trips. */
const DELAY_MS_MAX = 10_000;
const HOLD_MS_MAX = 60_000;
/** What the kernel of a program that has ended still sends comes within this. */
const LAST_WORDS_MS = 1_000;

interface Cut {
  readonly regions: readonly [number, number];
}

/** All hosts and their connections, and what happens to them. */
export class Exchange {
  private readonly places = new Map<string, Place>();
  private readonly wires = new Set<Wire>();
  private readonly flows = new Map<string, CountedFlow>();
  private readonly cuts = new Set<Cut>();
  private readonly delaysMs: Delays;
  private readonly clock: Clockwork;

  /** @throws RangeError for a delay that is none. */
  constructor(delaysMs: Delays, clock: Clockwork) {
    for (const delayMs of delaysMs.flat()) {
      if (!(delayMs >= 0 && delayMs <= DELAY_MS_MAX)) throw new RangeError(`${delayMs} ms is no delay: 0 to 10 s`);
    }
    this.delaysMs = delaysMs;
    this.clock = clock;
  }

  get connections(): number {
    return this.wires.size;
  }

  /** A host is there, or there again: nothing is wrong with it any more. */
  add(address: string, region: number): void {
    if (this.delaysMs[region] === undefined) throw new RangeError(`${address}: there is no region ${region}`);
    const known = this.places.get(address);
    if (known === undefined) this.places.set(address, new Place(address, region));
    else {
      known.isCutOff = false;
      known.lies = false;
      known.heldUntilMs = 0;
    }
  }

  /** A host's program has ended. */
  gone(address: string): void {
    const place = this.places.get(address);
    const wires = [...(place?.wires ?? [])];
    if (place === undefined || wires.length === 0) return;
    const wake = (): void => {
      for (const wire of wires) wire.gone(place);
    };
    this.clock.plan({ wake }, this.clock.nowMs() + LAST_WORDS_MS);
  }

  /** A connection was accepted, in the name of the host that its local address says. */
  accept(near: Socket): void {
    const dialler = this.places.get(near.remoteAddress ?? '');
    const listener = this.places.get(near.localAddress ?? '');
    if (dialler === undefined || listener === undefined || dialler.isCutOff) {
      near.on('error', () => {});
      near.resetAndDestroy();
      return;
    }
    const delays = {
      thereMs: this.delaysMs[dialler.region]![listener.region]!,
      backMs: this.delaysMs[listener.region]![dialler.region]!,
    };
    const flows = {
      there: this.flow(dialler.address, listener.address),
      back: this.flow(listener.address, dialler.address),
    };
    const ends = { dialler, listener, port: near.localPort ?? 0 };
    const wire = new Wire(near, ends, delays, flows, this.clock, (over) => this.forget(over));
    for (const set of [this.wires, dialler.wires, listener.wires]) set.add(wire);
    wire.holdUntil(Math.max(dialler.heldUntilMs, listener.heldUntilMs));
    for (const cut of this.cuts) if (crosses(cut, wire)) wire.part(this.clock.nowMs());
  }

  /** @throws RangeError where there is no such host or region, or a time is out of its bounds. */
  order(order: LinkOrder): void {
    switch (order.do) {
      case 'rates':
        // The kernel's part.
        return;
      case 'part':
        this.part(order.regions, order.forMs);
        return;
    }
    const place = this.places.get(order.host);
    if (place === undefined) throw new RangeError(`there is no host ${order.host}`);
    const wires = [...place.wires];
    switch (order.do) {
      case 'drop':
        for (const wire of wires) wire.drop(place);
        return;
      case 'lose': {
        const prng = new Prng(order.seed);
        for (const wire of wires) if (prng.unit() < order.share) wire.lose();
        return;
      }
      case 'hold':
        place.heldUntilMs = this.clock.nowMs() + holdMs(order.forMs);
        for (const wire of wires) wire.holdUntil(place.heldUntilMs);
        return;
      case 'cut-off':
        place.isCutOff = true;
        for (const wire of wires) wire.cutOff(place);
        return;
      case 'reconnect':
        if (place.isCutOff) for (const wire of wires) wire.end(place);
        place.isCutOff = false;
        place.lies = false;
        return;
      case 'lie':
        place.lies = true;
        return;
    }
  }

  counts(): LinkCounts {
    const hosts: HostCounts[] = [];
    for (const { address, sent, received } of this.places.values()) hosts.push({ address, sent, received });
    return { hosts, flows: [...this.flows.values()].filter(({ dataBytes }) => dataBytes > 0) };
  }

  private part(regions: readonly [number, number], forMs: number): void {
    const cut: Cut = { regions };
    for (const region of regions) {
      if (this.delaysMs[region] === undefined) throw new RangeError(`there is no region ${region}`);
    }
    const untilMs = this.clock.nowMs() + holdMs(forMs);
    this.cuts.add(cut);
    for (const wire of this.wires) if (crosses(cut, wire)) wire.part(this.clock.nowMs());
    const wake = (nowMs: number): void => {
      this.cuts.delete(cut);
      for (const wire of this.wires) if (crosses(cut, wire)) wire.heal(nowMs);
    };
    this.clock.plan({ wake }, untilMs);
  }

  private flow(from: string, to: string): CountedFlow {
    const key = `${from} ${to}`;
    let flow = this.flows.get(key);
    if (flow === undefined) {
      flow = { from, to, dataBytes: 0 };
      this.flows.set(key, flow);
    }
    return flow;
  }

  private forget(wire: Wire): void {
    for (const set of [this.wires, wire.dialler.wires, wire.listener.wires]) set.delete(wire);
  }
}

function crosses({ regions: [a, b] }: Cut, { dialler, listener }: Wire): boolean {
  return (dialler.region === a && listener.region === b) || (dialler.region === b && listener.region === a);
}

function holdMs(forMs: number): number {
  if (!(forMs >= 0 && forMs <= HOLD_MS_MAX)) throw new RangeError(`${forMs} ms is out of its bounds: 0 to 60 s`);
  return forMs;
}
