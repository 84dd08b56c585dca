import type { Session } from '../playback/session.ts';

/** Something that happened, without the addresses that it happened at. */
export interface LoggedEvent {
  /** Unix ms. */
  readonly atMs: number;
  readonly kind: string;
  readonly [detail: string]: unknown;
}

const EVENTS_MAX = 200;
/** What tells of other people's machines. */
const ADDRESSES: readonly string[] = ['url', 'from', 'by'];

/** What happened lately, for a report. */
export class EventLog {
  private readonly kept: LoggedEvent[] = [];

  follow(session: Session): void {
    session.onEvent((event) => this.add(event));
    session.onPeerEvent((event) => this.add(event));
  }

  get events(): readonly LoggedEvent[] {
    return this.kept;
  }

  private add(event: { readonly kind: string }): void {
    const details = Object.entries(event).filter(([name]) => !ADDRESSES.includes(name));
    this.kept.push({ atMs: Date.now(), kind: event.kind, ...Object.fromEntries(details) });
    if (this.kept.length > EVENTS_MAX) this.kept.shift();
  }
}
