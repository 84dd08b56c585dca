import type { Sink } from '../../machine/machine.ts';
import type { FromInsServer } from '../../protocol/ins-messages.ts';
import type { Reason } from '../../protocol/reasons.ts';
import type { InsServerOutput } from './io.ts';
import type { Link } from './links.ts';

/** What the server says on its links. */
export class Replies {
  refused = 0;
  readonly refusedFor = new Map<Reason, number>();
  private readonly outputs: Sink<InsServerOutput>;

  constructor(outputs: Sink<InsServerOutput>) {
    this.outputs = outputs;
  }

  send(link: Link, message: FromInsServer): void {
    if (!link.closed) this.outputs.push({ kind: 'send', link: link.id, message });
  }

  /** Refuses one item of a request, or (null) the whole of it. `retryAfterMs` 0: asking again does not help. */
  refuse(
    link: Link,
    request: number,
    item: number | null,
    reason: Reason,
    retryAfterMs = 0,
    otherServer: string | null = null,
  ): void {
    this.refused++;
    this.refusedFor.set(reason, (this.refusedFor.get(reason) ?? 0) + 1);
    this.send(link, { type: 'refused', request, item, reason, retryAfterMs, otherServer });
  }
}
