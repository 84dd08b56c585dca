import { REASONS, type Reason } from '../../../protocol/reasons.ts';
import type { HttpReply, HttpRequest } from '../../../runtime/node/http.ts';
import { STATUSES } from './statuses.ts';

/** Bytes of blocks that HTTP has carried, and requests. */
export interface HttpCounters {
  requests: number;
  dataIn: number;
  dataOut: number;
}

type Fields = Readonly<Record<string, string | number>>;

export interface Refusal {
  readonly reason: Reason;
  readonly text?: string;
  readonly status?: number;
  readonly retryAfterMs?: number;
  /** Where else to ask. No redirect: clients drop the token on the way to another server. */
  readonly otherServer?: string | null;
}

/** One HTTP request and its answer; of several answers, the first goes. */
export class Exchange {
  readonly request: HttpRequest;
  private readonly reply: HttpReply;
  private readonly counters: HttpCounters;
  private isAnswered = false;
  private isContinued: boolean;
  private seen = '';

  /** What Fastify knows of the request ends here: the answer is written by this. */
  constructor(request: HttpRequest, reply: HttpReply, counters: HttpCounters) {
    this.request = request;
    this.reply = reply;
    this.counters = counters;
    this.isContinued = request.headers.expect === undefined;
    counters.requests++;
    reply.hijack();
  }

  get answered(): boolean {
    return this.isAnswered;
  }

  /** Calls when the answer has left, or the asker has. Once. */
  onEnd(listener: () => void): void {
    this.reply.raw.once('close', listener);
  }

  /** Whoever has waited to be asked for the body (RFC 9110 section 10.1.1) is asked now. */
  askForBody(): void {
    if (this.isContinued || this.isAnswered) return;
    this.isContinued = true;
    this.reply.raw.writeContinue();
  }

  refuse(refusal: Refusal): void {
    const { reason, text = REASONS[reason].text, status = STATUSES[reason], retryAfterMs = 0 } = refusal;
    const otherServer = refusal.otherServer?.replace(/^ws/, 'http');
    const head: Record<string, string | number> = { 'cache-control': 'no-store' };
    if (retryAfterMs > 0) head['retry-after'] = Math.ceil(retryAfterMs / 1000);
    // RFC 6750 section 3: a request without a token is told no error.
    if (status === 401) {
      head['www-authenticate'] =
        reason === 'TOKEN_REQUIRED' ? 'Bearer realm="ins"' : `Bearer realm="ins", error="invalid_token"`;
    }
    this.json(status, { reason, text, retryAfterMs, ...(otherServer === undefined ? {} : { otherServer }) }, head);
  }

  json(status: number, value: unknown, fields: Fields = {}): void {
    const bytes = Buffer.from(`${JSON.stringify(value)}\n`);
    this.answer(status, { ...fields, 'content-type': 'application/json; charset=utf-8' }, bytes);
  }

  /** Without a body. */
  empty(status: number, fields: Fields = {}): void {
    this.answer(status, fields, undefined);
  }

  block(status: number, fields: Fields, bytes: Uint8Array): void {
    if (!this.isAnswered) this.counters.dataOut += bytes.byteLength;
    this.answer(status, fields, bytes);
  }

  /** Ends it without an answer, or in the middle of one. */
  cut(): void {
    this.isAnswered = true;
    this.reply.raw.destroy();
  }

  /** Bytes of the answer that wait here; undefined when as many as at the last look, so that none has left. */
  progress(): number | undefined {
    const { socket } = this.reply.raw;
    if (!this.isAnswered || socket === null) return undefined;
    // Progress within one large write shows nowhere else.
    const { _handle } = socket as typeof socket & { _handle?: { writeQueueSize?: number } | null };
    const seen = `${socket.writableLength} ${_handle?.writeQueueSize}`;
    if (seen === this.seen) return undefined;
    this.seen = seen;
    return socket.writableLength;
  }

  private answer(status: number, fields: Fields, bytes: Uint8Array | undefined): void {
    if (this.isAnswered) return;
    this.isAnswered = true;
    const { raw } = this.reply;
    const head: Record<string, string | number> = {
      ...(this.reply.getHeaders() as Record<string, string>),
      ...fields,
    };
    // There may be no end to a body without a length, or with one that is too long.
    if (status === 411 || status === 413) head.connection = 'close';
    if (bytes !== undefined) head['content-length'] ??= bytes.byteLength;
    raw.writeHead(status, head);
    if (this.request.method === 'HEAD' || bytes === undefined) raw.end();
    else raw.end(bytes);
  }
}
