/**
 * The process in the middle of all links: it takes every connection between hosts, in the namespace that {@link openLab} gives it, and
 * carries the bytes on with the delays between the regions. It is told what to do over the channel to its parent, and ends with that.
 */
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { constants, setPriority } from 'node:os';
import { performance } from 'node:perf_hooks';
import { Exchange } from './exchange.ts';
import type { FromRelay, RelayAnswer, RelayAsk, RelayHealth, ToRelay } from './messages.ts';
import type { Clockwork } from './way.ts';
import { type Sleeper, Wheel } from './wheel.ts';

/** Timers go off in whole ms after they were set: what is due within so much counts as due, and comes as much too early as too late. */
const EARLY_MS = 0.5;

/** The wheel, turned by a timer. */
class Clock implements Clockwork {
  private readonly wheel = new Wheel(performance.now());
  private timer: NodeJS.Timeout | undefined;
  private timerMs = Number.POSITIVE_INFINITY;
  private lateSumMs = 0;
  private lateMaxMs = 0;
  private lateCount = 0;

  nowMs(): number {
    return performance.now();
  }

  plan(sleeper: Sleeper, atMs: number): void {
    this.wheel.plan(sleeper, atMs, performance.now());
    if (atMs < this.timerMs) this.arm();
  }

  late(ms: number): void {
    this.lateSumMs += ms;
    this.lateCount++;
    this.lateMaxMs = Math.max(this.lateMaxMs, ms);
  }

  /** Since the last call. */
  takeLate(): { readonly lateMeanMs: number; readonly lateMaxMs: number } {
    const late = { lateMeanMs: this.lateSumMs / Math.max(1, this.lateCount), lateMaxMs: this.lateMaxMs };
    this.lateSumMs = 0;
    this.lateMaxMs = 0;
    this.lateCount = 0;
    return late;
  }

  private arm(): void {
    const { nextMs } = this.wheel;
    if (nextMs >= this.timerMs) return;
    clearTimeout(this.timer);
    this.timerMs = nextMs;
    if (nextMs === Number.POSITIVE_INFINITY) return;
    this.timer = setTimeout(
      () => {
        this.timerMs = Number.POSITIVE_INFINITY;
        this.wheel.turn(performance.now() + EARLY_MS);
        this.arm();
      },
      Math.round(nextMs - performance.now()),
    );
  }
}

const clock = new Clock();
let exchange: Exchange | undefined;

/** Connections that come at once. */
const BACKLOG = 4_096;

async function begin({ delaysMs, ports }: Extract<RelayAsk, { ask: 'begin' }>): Promise<void> {
  const made = new Exchange(delaysMs, clock);
  exchange = made;
  for (const port of ports) {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => made.accept(socket));
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host: '0.0.0.0', port, backlog: BACKLOG }, resolve);
    });
    // Such as too many open files: whoever dials then finds no answer, the others go on.
    server.on('error', (error) => console.error(`a connection cannot be taken: ${error.message}`));
  }
}

async function answer(ask: RelayAsk): Promise<RelayAnswer | null> {
  if (ask.ask === 'begin') {
    await begin(ask);
    return null;
  }
  if (exchange === undefined) throw new Error('the relay was not begun');
  switch (ask.ask) {
    case 'hosts':
      for (const { address, region } of ask.hosts) exchange.add(address, region);
      return null;
    case 'gone':
      for (const address of ask.addresses) exchange.gone(address);
      return null;
    case 'order':
      exchange.order(ask.order);
      return null;
    case 'counts':
      return { counts: exchange.counts(), health: health(exchange) };
  }
}

function health({ connections }: Exchange): RelayHealth {
  const { user, system } = process.cpuUsage();
  return { cpuSeconds: (user + system) / 1e6, ...clock.takeLate(), connections };
}

function tell(message: FromRelay): void {
  // The lab may be gone by now.
  if (process.connected) process.send?.(message);
}

// The network does not wait for its hosts: neither within the session nor, where the kernel shares by sessions, among them.
try {
  setPriority(constants.priority.PRIORITY_HIGHEST);
  writeFileSync('/proc/self/autogroup', String(constants.priority.PRIORITY_HIGHEST));
} catch {
  // Then it is one of all.
}

process.on('message', (message: ToRelay) => {
  const { id } = message;
  answer(message).then(
    (said) => tell({ id, answer: said }),
    (error: unknown) => tell({ id, error: error instanceof Error ? error.message : String(error) }),
  );
});
process.on('disconnect', () => process.exit(0));
