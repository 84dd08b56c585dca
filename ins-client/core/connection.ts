import { Deadlines } from '../../machine/deadlines.ts';
import type { Sink } from '../../machine/machine.ts';
import type { Prng } from '../../machine/prng.ts';
import { RedialPause } from '../../machine/rates.ts';
import { type FromInsServer, helloSigned } from '../../protocol/ins-messages.ts';
import { PROTOCOL_VERSION } from '../../protocol/limits.ts';
import { CLOSE, REPLACED_TEXT } from '../../protocol/reasons.ts';
import type { InsClientInput, InsClientOutput } from './io.ts';

export interface ConnectionOptions {
  /** The server's address, `ws://…` or `wss://…`. */
  readonly url: string;
  /** Our account: an Ed25519 public key. */
  readonly key: Uint8Array;
  /** The application that the account belongs to. */
  readonly application: string;
  /** A provider's sealed word that the account may keep blocks there; for servers that keep only those of invited accounts. */
  readonly invitation?: Uint8Array;
  /** For the pauses between dials. */
  readonly prng: Prng;
}

type Input<Kind extends InsClientInput['kind']> = Extract<InsClientInput, { readonly kind: Kind }>;

/** Ms from the dial to an open connection, and from there to a server that has accepted us. */
const DIAL_MS = 10_000;
const HELLO_MS = 5_000;
/** The longest pause that a server may ask for: with the half that chance adds, a minute. */
const AWAY_MS_MAX = 40_000;
/** The first pause after a connection is lost, and the longest. */
const PAUSE_MS = 250;
const PAUSE_MS_MAX = 10_000;

type Notice = Extract<FromInsServer, { readonly type: 'notice' }>;
type Greeted = Omit<Extract<InsClientOutput, { readonly kind: 'ready' }>, 'kind'>;

/** Dials, proves our key, and dials again when the connection is lost. */
export class Connection {
  private readonly deadlines = new Deadlines<'connect' | 'redial'>();
  private readonly backoff = new RedialPause(PAUSE_MS, PAUSE_MS_MAX);
  private readonly options: ConnectionOptions;
  private readonly outputs: Sink<InsClientOutput>;
  private state: 'idle' | 'dialling' | 'greeting' | 'signing' | 'open' | 'closing' | 'pausing' = 'idle';
  private wanted = false;
  /** Why the server is about to close, and where it sends us. */
  private notice: Notice | undefined;
  private greeted: Greeted | undefined;
  private signRef = 0;

  constructor(options: ConnectionOptions, outputs: Sink<InsClientOutput>) {
    this.options = options;
    this.outputs = outputs;
  }

  /** Requests may be sent: the hello is on its way. */
  get isOpen(): boolean {
    return this.state === 'open';
  }

  start(nowMs: number): void {
    this.wanted = true;
    if (this.state === 'idle') this.dial(nowMs);
  }

  /** @returns False when it was stopped already. */
  stop(): boolean {
    if (!this.wanted) return false;
    this.wanted = false;
    this.close(CLOSE.normal, 'done');
    this.deadlines.clear('redial');
    if (this.state === 'pausing') this.state = 'idle';
    return true;
  }

  opened(nowMs: number): void {
    if (this.state !== 'dialling') return;
    this.state = 'greeting';
    this.deadlines.set('connect', nowMs + HELLO_MS);
  }

  welcome(
    { version, server, nonce, clockMs }: Extract<FromInsServer, { readonly type: 'welcome' }>,
    nowMs: number,
  ): void {
    if (this.state !== 'greeting') return;
    if (version !== PROTOCOL_VERSION) {
      this.close(CLOSE.policy, `the server speaks version ${version}, we speak ${PROTOCOL_VERSION}`);
      return;
    }
    this.state = 'signing';
    this.greeted = { server, nonce, clockOffsetMs: clockMs - nowMs };
    const bytes = helloSigned(nonce, server, this.options.key);
    this.outputs.push({ kind: 'sign', ref: ++this.signRef, bytes });
  }

  /** @returns Whom we have reached, once. */
  signed({ ref, signature }: Input<'signed'>): Greeted | undefined {
    const { greeted } = this;
    if (this.state !== 'signing' || ref !== this.signRef || greeted === undefined) return undefined;
    this.state = 'open';
    const { key, application, invitation = null } = this.options;
    const message = { type: 'hello', version: PROTOCOL_VERSION, key, application, signature, invitation } as const;
    this.outputs.push({ kind: 'send', message });
    return greeted;
  }

  /** The server takes us. */
  accepted(): void {
    this.deadlines.clear('connect');
    this.backoff.succeed();
  }

  /** The server is about to close. */
  noticed(notice: Notice): void {
    if (this.state !== 'idle' && this.state !== 'pausing') this.notice = notice;
  }

  close(code: number, why: string): void {
    this.deadlines.clear('connect');
    if (this.state === 'idle' || this.state === 'pausing' || this.state === 'closing') return;
    this.state = 'closing';
    this.outputs.push({ kind: 'close', code, why });
  }

  /** @returns What the caller has to be told; `undefined` when nothing has changed for it. */
  closed({ code, why }: Input<'closed'>, nowMs: number): Extract<InsClientOutput, { kind: 'lost' }> | undefined {
    if (this.state === 'idle' || this.state === 'pausing') return undefined;
    this.deadlines.clear('connect');
    this.state = 'idle';
    const { kind, retryAfterMs = 0, otherServer = null } = this.notice ?? {};
    this.notice = undefined;
    if (!this.wanted) return undefined;
    if (kind === 'replaced' || code === CLOSE.replaced) {
      this.wanted = false;
      return { kind: 'lost', why: REPLACED_TEXT, final: true, retryAfterMs: 0, otherServer: null };
    }
    this.state = 'pausing';
    const unit = this.options.prng.unit();
    // Those who are sent away together do not come back together.
    const awayMs = Math.min(retryAfterMs, AWAY_MS_MAX) * (1 + unit / 2);
    this.deadlines.set('redial', nowMs + Math.max(this.backoff.fail(unit, nowMs), awayMs));
    return { kind: 'lost', why, final: false, retryAfterMs, otherServer };
  }

  handleTimeout(nowMs: number): void {
    for (let name = this.deadlines.take(nowMs); name !== undefined; name = this.deadlines.take(nowMs)) {
      if (name === 'redial') this.dial(nowMs);
      else this.close(CLOSE.idle, 'the server does not answer');
    }
  }

  nextDeadline(): number | undefined {
    return this.deadlines.next();
  }

  private dial(nowMs: number): void {
    this.state = 'dialling';
    this.deadlines.set('connect', nowMs + DIAL_MS);
    this.outputs.push({ kind: 'dial', url: this.options.url });
  }
}
