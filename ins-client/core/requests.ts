import type { Sink } from '../../machine/machine.ts';
import { OWN_LOCKER } from '../../protocol/ins-messages.ts';
import type { Reason } from '../../protocol/reasons.ts';
import type { Aliases, HeldToken } from './aliases.ts';
import type { InsClientOutput } from './io.ts';

/** A refusal as the server says it, and as the caller is told. */
export interface Refusal {
  readonly reason: Reason;
  readonly retryAfterMs: number;
  readonly otherServer: string | null;
}

/** What the parts of a conversation that ask have in common: the numbers of requests, the tokens, the way out. */
export class Requests {
  readonly outputs: Sink<InsClientOutput>;
  readonly aliases: Aliases;
  /** Requests that may be open at once. */
  readonly max: number;
  /** Requests that are open on the present connection. */
  open = 0;
  private last = 0;

  constructor(outputs: Sink<InsClientOutput>, aliases: Aliases, max: number) {
    this.outputs = outputs;
    this.aliases = aliases;
    this.max = max;
  }

  hasRoom(): boolean {
    return this.open < this.max;
  }

  /** The number of a new request. */
  begin(): number {
    this.open++;
    this.last = this.last === 0xffff_ffff ? 1 : this.last + 1;
    return this.last;
  }

  send(message: Extract<InsClientOutput, { readonly kind: 'send' }>['message']): void {
    this.outputs.push({ kind: 'send', message });
  }

  readonly hold = (token: Uint8Array | null): HeldToken | null => (token === null ? null : this.aliases.hold(token));

  release(token: HeldToken | null): void {
    if (token !== null) this.aliases.release(token);
  }

  /** A token's number on this connection; `undefined` when all numbers are in use. */
  aliasOf(token: HeldToken | null): number | undefined {
    return token === null ? OWN_LOCKER : this.aliases.number(token);
  }

  /** Tells that a whole call is refused. */
  refuse(handle: number, { reason, retryAfterMs, otherServer }: Refusal): void {
    this.outputs.push({ kind: 'refused', handle, item: null, reason, retryAfterMs, otherServer });
  }
}

/** A refusal of our own making. */
export function refusal(reason: Reason, retryAfterMs = 0): Refusal {
  return { reason, retryAfterMs, otherServer: null };
}
