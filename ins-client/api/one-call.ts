import { InsError } from './errors.ts';
import { type Call, isLast, type RequestInput, type RequestOutput, type Wire } from './wire.ts';

export interface OneCallOptions<T> {
  readonly make: (handle: number) => RequestInput;
  /** Takes what is told; what it throws fails the call. */
  readonly take: (output: RequestOutput) => void;
  /** What the call comes to, when all has been told. */
  readonly result: () => T;
}

/** A call that is one request and one promise. */
export class OneCall<T> implements Call {
  readonly startedAtMs: number;
  readonly result: Promise<T>;
  private readonly wire: Wire;
  private readonly options: OneCallOptions<T>;
  private readonly ended: () => void;
  private handle: number | undefined;
  private over = false;
  private resolve!: (result: T) => void;
  private reject!: (error: unknown) => void;

  /** @param ended - Called once, whatever way it ends. */
  constructor(wire: Wire, options: OneCallOptions<T>, ended: () => void) {
    this.wire = wire;
    this.options = options;
    this.ended = ended;
    this.startedAtMs = wire.clock.nowMs();
    this.result = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
  }

  begin(): void {
    this.handle = this.wire.open(this.options.make, (output) => this.told(output));
  }

  fail(error: unknown): void {
    if (this.over) return;
    this.end();
    this.reject(error);
  }

  private told(output: RequestOutput): void {
    if (this.over) return;
    if (output.kind === 'refused' && output.item === null) {
      this.fail(new InsError(output));
      return;
    }
    try {
      this.options.take(output);
    } catch (error) {
      this.fail(error);
      return;
    }
    if (!isLast(output)) return;
    this.end();
    this.resolve(this.options.result());
  }

  private end(): void {
    this.over = true;
    if (this.handle !== undefined) this.wire.cancel(this.handle);
    this.ended();
  }
}
