import { type LinkId, Queue } from '../../machine/machine.ts';
import type { FromTracker } from '../../protocol/tracker-messages.ts';
import type { TrackerOutput } from './io.ts';

/** What the tracker has to say and do, oldest first. */
export class Outbox {
  private readonly outputs = new Queue<TrackerOutput>();

  send(link: LinkId, message: FromTracker): void {
    this.outputs.push({ kind: 'send', link, message });
  }

  push(output: TrackerOutput): void {
    this.outputs.push(output);
  }

  poll(): TrackerOutput | undefined {
    return this.outputs.shift();
  }
}
