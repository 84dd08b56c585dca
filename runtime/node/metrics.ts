import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';

/** Named values of one label. */
type Values = Iterable<readonly [string, number]>;

/**
 * Figures in the form that Prometheus scrapes, read anew for each scrape.
 *
 * @typeParam Look - All that is looked at, taken once for a scrape.
 */
export class Metrics<Look> {
  static readonly contentType: string = Registry.PROMETHEUS_CONTENT_TYPE;
  private readonly registry = new Registry();
  private readonly prefix: string;
  private readonly look: () => Look;
  private seen: Look | undefined;

  /** @param prefix - What the names begin with, such as `inswarm_ins_`. */
  constructor(prefix: string, look: () => Look) {
    this.prefix = prefix;
    this.look = look;
  }

  /** What may rise and fall. */
  gauge(name: string, help: string, read: (look: Look) => number): this {
    const seen = (): Look => this.seen!;
    const collect = function (this: Gauge): void {
      this.set(read(seen()));
    };
    new Gauge({ name: this.prefix + name, help, registers: [this.registry], collect });
    return this;
  }

  /** What only rises; by convention the name ends with `_total`. */
  counter(name: string, help: string, read: (look: Look) => number): this {
    const seen = (): Look => this.seen!;
    const collect = function (this: Counter): void {
      this.reset();
      this.inc(read(seen()));
    };
    new Counter({ name: this.prefix + name, help, registers: [this.registry], collect });
    return this;
  }

  /** One that rises for each value of a label. There may be few values: each is a series for ever. */
  counters(name: string, help: string, label: string, read: (look: Look) => Values): this {
    const seen = (): Look => this.seen!;
    const collect = function (this: Counter): void {
      this.reset();
      for (const [value, count] of read(seen())) this.inc({ [label]: value }, count);
    };
    new Counter({ name: this.prefix + name, help, labelNames: [label], registers: [this.registry], collect });
    return this;
  }

  /** These figures, and those of the process. */
  async text(): Promise<string> {
    this.seen = this.look();
    const texts = await Promise.all([this.registry.metrics(), processRegistry().metrics()]);
    this.seen = undefined;
    return texts.join('\n');
  }
}

let ofProcess: Registry | undefined;

/** Processor, memory, garbage collection, event loop: measured from the first scrape on, for they cost a little. */
function processRegistry(): Registry {
  if (ofProcess === undefined) {
    ofProcess = new Registry();
    collectDefaultMetrics({ register: ofProcess });
  }
  return ofProcess;
}
