import type { InsServerInput, InsServerOutput } from '../ins-server/core/io.ts';
import type { Machine } from '../machine/machine.ts';
import { FROM_NEWEST_START, type FromInsClient, type FromInsServer } from '../protocol/ins-messages.ts';
import { BLOCK_TTL_SECONDS_DEFAULT } from '../protocol/limits.ts';
import { bytesKey } from '../protocol/text.ts';

type Batch = Extract<FromInsClient, { type: 'batch' }>;

/** Puts that a request asks for, until all of it is answered. */
interface OpenPuts {
  readonly names: readonly string[];
  /** Items before the puts. */
  readonly offset: number;
  readonly ttlMs: number;
}

/**
 * Stands between an INS server's core and its world and writes down what was acknowledged: a put that was is to be there until it expires,
 * unless somebody deletes it. It hears and changes nothing.
 */
export class PutLedger implements Machine<InsServerInput, InsServerOutput> {
  /** Acknowledged puts, by name: until when they are to be there. */
  readonly untilMs = new Map<string, number>();
  /** What was wrong, in words. */
  readonly broken: string[] = [];
  /** How often what came about: refusals by reason, resumed follows, renewed tokens, questions to other servers. */
  readonly counts = new Map<string, number>();
  private readonly core: Machine<InsServerInput, InsServerOutput>;
  private readonly open = new Map<string, OpenPuts>();
  private nowMs = 0;

  constructor(core: Machine<InsServerInput, InsServerOutput>) {
    this.core = core;
  }

  handleInput(input: InsServerInput, nowMs: number): void {
    this.nowMs = nowMs;
    if (input.kind === 'message') this.heard(input.link, input.message);
    else if (input.kind === 'load-failed') this.broken.push('a block was to be sent that the store does not have');
    this.core.handleInput(input, nowMs);
  }

  handleTimeout(nowMs: number): void {
    this.nowMs = nowMs;
    this.core.handleTimeout(nowMs);
  }

  pollOutput(): InsServerOutput | undefined {
    const output = this.core.pollOutput();
    if (output?.kind === 'send') this.said(output.link, output.message);
    else if (output?.kind === 'drop') this.dropped(output.block.name);
    else if (output?.kind === 'upstream' && output.output.kind === 'send') this.count('asked another server');
    return output;
  }

  nextDeadline(): number | undefined {
    return this.core.nextDeadline();
  }

  private heard(link: number, message: FromInsClient): void {
    if (message.type === 'batch') {
      if (message.puts.length > 0) this.open.set(`${link}/${message.request}`, openPuts(message));
      for (const { name } of message.deletes) this.untilMs.delete(bytesKey(name));
    } else if (message.type === 'follow' && message.from !== FROM_NEWEST_START) this.count('follow resumed');
  }

  private said(link: number, message: FromInsServer): void {
    switch (message.type) {
      case 'stored': {
        const puts = this.open.get(`${link}/${message.request}`);
        if (puts === undefined) return;
        for (const item of message.items) {
          const name = puts.names[item - puts.offset];
          if (name !== undefined)
            this.untilMs.set(name, Math.max(this.untilMs.get(name) ?? 0, this.nowMs + puts.ttlMs));
        }
        return;
      }
      case 'done':
        this.open.delete(`${link}/${message.request}`);
        return;
      case 'refused':
        this.count(`refused ${message.reason}`);
        return;
      case 'renewed':
        this.count('token renewed');
        return;
      case 'notice':
        this.count(`notice ${message.kind}`);
        return;
      default:
        return;
    }
  }

  private dropped(name: Uint8Array): void {
    const key = bytesKey(name);
    const untilMs = this.untilMs.get(key);
    this.untilMs.delete(key);
    if (untilMs !== undefined && untilMs > this.nowMs)
      this.broken.push(`an acknowledged put was dropped ${Math.round(untilMs - this.nowMs)} ms before it expires`);
  }

  private count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }
}

function openPuts({ gets, puts, ttlSeconds }: Batch): OpenPuts {
  const ttlMs = (ttlSeconds === 0 ? BLOCK_TTL_SECONDS_DEFAULT : ttlSeconds) * 1000;
  return { names: puts.map(({ name }) => bytesKey(name)), offset: gets.length, ttlMs };
}
