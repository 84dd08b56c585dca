import type { LinkId, Sink } from '../machine/machine.ts';
import { BATCH_ITEMS_MAX, PEER_REQUESTS_MAX, WHOLE_PART } from '../protocol/limits.ts';
import type { PeerMessage, RequestItem } from '../protocol/peer-messages.ts';
import type { Reason } from '../protocol/reasons.ts';
import { type Catalogue, isWhole } from './catalogue.ts';
import type { SwarmOutput } from './io.ts';

type Request = Extract<PeerMessage, { type: 'request' }>;

/** Bytes handed to one link's socket that have not left it yet: enough to keep it busy, little enough to stay fair. */
const IN_SOCKET_BYTES_MAX = 262_144;

const NOTHING = new Uint8Array(0);

interface Job {
  readonly request: number;
  readonly item: number;
  readonly want: RequestItem;
  readonly deadlineAtMs: number;
}

interface Line {
  readonly jobs: Job[];
  inSocketBytes: number;
}

/**
 * Gives blocks to neighbours that ask: for each link a short queue in deadline order, links served in turn, never more in
 * a socket than it drains. What cannot be in time is refused, so that the asker turns elsewhere.
 */
export class Serving {
  /** Block bytes given so far. */
  givenBytes = 0;
  private readonly lines = new Map<LinkId, Line>();
  private readonly catalogue: Catalogue;
  private readonly outputs: Sink<SwarmOutput>;

  constructor(catalogue: Catalogue, outputs: Sink<SwarmOutput>) {
    this.catalogue = catalogue;
    this.outputs = outputs;
  }

  request(link: LinkId, { request, items }: Request, nowMs: number): void {
    const line = this.lines.get(link) ?? { jobs: [], inSocketBytes: 0 };
    this.lines.set(link, line);
    for (const [item, want] of items.entries()) {
      if (line.jobs.length >= PEER_REQUESTS_MAX + BATCH_ITEMS_MAX) this.refuse(link, request, item, 'OVERLOAD', 500);
      else insert(line.jobs, { request, item, want, deadlineAtMs: nowMs + (want.deadlineMs || 60_000) });
    }
    this.pump(nowMs);
  }

  cancel(link: LinkId, request: number): void {
    const line = this.lines.get(link);
    if (line === undefined) return;
    for (let at = line.jobs.length - 1; at >= 0; at--) if (line.jobs[at]!.request === request) line.jobs.splice(at, 1);
  }

  sent(link: LinkId, bytes: number, nowMs: number): void {
    const line = this.lines.get(link);
    if (line === undefined) return;
    line.inSocketBytes = Math.max(0, line.inSocketBytes - bytes);
    this.pump(nowMs);
  }

  closed(link: LinkId): void {
    this.lines.delete(link);
  }

  private pump(nowMs: number): void {
    for (let busy = true; busy; ) {
      busy = false;
      for (const [link, line] of this.lines) {
        if (line.jobs.length === 0 || line.inSocketBytes >= IN_SOCKET_BYTES_MAX) continue;
        this.serve(link, line, line.jobs.shift()!, nowMs);
        busy = true;
      }
    }
  }

  private serve(link: LinkId, line: Line, { request, item, want, deadlineAtMs }: Job, nowMs: number): void {
    const all = want.index === WHOLE_PART;
    const entry = this.catalogue.get(want.track, want.part);
    const there = entry !== undefined && (all ? isWhole(entry) : entry.bodies[want.index] !== undefined);
    if (deadlineAtMs < nowMs || !there) {
      this.refuse(link, request, item, there ? 'DEADLINE' : 'NO_OBJECT', 0);
      return;
    }
    const { record, sealed, bodies } = entry;
    for (const [index, body] of bodies.entries()) {
      if (body === undefined || (!all && index !== want.index)) continue;
      // The record goes with the first block it is needed for: a receiver verifies nothing without it.
      const companion = index === 0 || !all ? sealed : NOTHING;
      const label = { track: want.track, part: want.part, index, name: record.blocks[index]!.name };
      const labelled = { ...label, start: record.independent, companion };
      this.outputs.push({ kind: 'send-block', link, header: { request, item, kept: false, labelled }, body });
      line.inSocketBytes += body.byteLength;
      this.givenBytes += body.byteLength;
    }
  }

  private refuse(link: LinkId, request: number, item: number, reason: Reason, retryAfterMs: number): void {
    this.outputs.push({ kind: 'send-peer', link, message: { type: 'refused', request, item, reason, retryAfterMs } });
  }
}

/** Keeps the queue in deadline order; equal deadlines keep their order of arrival. */
function insert(jobs: Job[], job: Job): void {
  let at = jobs.length;
  while (at > 0 && jobs[at - 1]!.deadlineAtMs > job.deadlineAtMs) at--;
  jobs.splice(at, 0, job);
}
