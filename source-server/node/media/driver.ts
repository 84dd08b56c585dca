import type { MediaEvent } from './options.ts';
import type { PartSink } from './part-sink.ts';
import type { PlanOptions } from './plan.ts';

/** What every kind of input works with. */
export interface DriverContext {
  readonly ffmpeg: string;
  readonly sink: PartSink;
  readonly planOptions: PlanOptions;
  /** Aborted by `close`. */
  readonly signal: AbortSignal;
  /** Reports at once, ahead of parts that wait for their time. */
  emit(event: MediaEvent): void;
  /** Ends everything with one last event. */
  fail(why: string): void;
}

/** One kind of input at work. */
export interface Driver {
  start(): Promise<void>;
  /** Ends its processes, sockets and timers, and resolves when they are gone. */
  close(): Promise<void>;
}
