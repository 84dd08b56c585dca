import { Prng } from '../../machine/prng.ts';
import { proofPrefix } from '../../protocol/proof.ts';
import { type Driven, drive } from '../../runtime/drive.ts';
import { InsConversation } from '../core/conversation.ts';
import type { InsClientInput, InsClientOutput } from '../core/io.ts';
import { ownerCalls } from '../core/owner-calls.ts';
import { type InsCallerOutput, isWorldOutput } from '../core/world.ts';
import { Budget } from './budget.ts';
import { type CancelSignal, onAbort } from './cancel.ts';
import { Dialler } from './dialler.ts';
import { InsError } from './errors.ts';
import { OpenCalls } from './open-calls.ts';
import type { InsClientOptions, InsState, ServerInfo } from './options.ts';
import type { Hash, Platform } from './platform.ts';
import { invitationBytes, keyText } from './texts.ts';
import { type Call, isLast, type RequestOutput, type Wire } from './wire.ts';

const GIVE_UP_MS = 30_000;
/** Blocks that all calls together have asked for, and bytes they have put, at most; the conversation would refuse more. */
const GETS_OPEN = 8_192;
const PUT_BYTES_OPEN = 32 * 1024 * 1024;

/** What runs below the calls of one client: its conversation, the state of its connection, and how all of it ends. It touches the platform that it is given. */
export class ClientConnection {
  /** What calls ask by. */
  readonly wire: Wire;
  /** Known from the first connection on. */
  server: Omit<ServerInfo, 'quotaBytes'> | undefined;
  private readonly options: InsClientOptions;
  private readonly platform: Platform;
  private readonly driven: Driven<InsClientInput>;
  private readonly dialler: Dialler;
  private readonly takers = new Map<number, (output: RequestOutput) => void>();
  private readonly calls: OpenCalls;
  private readonly listeners = new Set<(state: InsState) => void>();
  private hash: Hash | undefined;
  private now: InsState = { kind: 'connecting' };
  private lastWhy = '';
  private sentTo: string | null = null;
  private proofPrefix: Uint8Array | undefined;
  private lastHandle = 0;
  private closing: Promise<void> | undefined;

  constructor(options: InsClientOptions, platform: Platform) {
    const { url, keys, application } = options;
    const { clock } = platform;
    this.options = options;
    this.platform = platform;
    this.calls = new OpenCalls({
      clock,
      giveUpAfterMs: options.giveUpAfterMs ?? GIVE_UP_MS,
      isReady: () => this.now.kind === 'ready',
      unreachable: () => {
        const refusal = { reason: 'UNREACHABLE', retryAfterMs: 1_000, otherServer: this.sentTo } as const;
        return new InsError(refusal, `${url}: ${this.lastWhy}`);
      },
    });
    const prng = new Prng(keyText(platform.randomBytes(16)));
    const invitation = options.invitation === undefined ? {} : { invitation: invitationBytes(options.invitation) };
    const conversation = new InsConversation({
      ...{ url, key: keys.publicKey, application, prng, owner: ownerCalls },
      ...invitation,
    });
    this.driven = drive<InsClientInput, InsClientOutput>(
      conversation,
      (output) => {
        if (isWorldOutput(output)) this.dialler.perform(output);
        else this.told(output);
      },
      clock,
    );
    this.dialler = new Dialler({
      input: (input) => this.driven.input(input),
      sign: (bytes) => keys.sign(bytes),
      dial: platform.dial,
    });
    this.wire = this.makeWire();
    platform.loadHash().then(
      (hash) => this.start(hash),
      (error: unknown) => this.finish({ kind: 'closed' }, error),
    );
  }

  get state(): InsState {
    return this.now;
  }

  /** @returns Stops telling. */
  onState(listener: (state: InsState) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Says something to the conversation that has no answer. */
  input(input: InsClientInput): void {
    this.driven.input(input);
  }

  /**
   * A call is under way: it begins as soon as it can.
   *
   * @returns To be called when the call is over.
   */
  add(
    call: Call,
    signal: CancelSignal | undefined,
    abort: (reason: unknown) => void,
    ended: () => void = () => {},
  ): () => void {
    this.mustBeOpen();
    const stopListening = onAbort(signal, abort);
    this.calls.add(call);
    // What the caller gets back has to be there before anything is told.
    if (this.hash !== undefined) queueTask(() => this.calls.has(call) && call.begin());
    return () => {
      stopListening();
      this.calls.delete(call);
      ended();
    };
  }

  /** Ends all calls with CLOSED. */
  close(): Promise<void> {
    return this.finish({ kind: 'closed' }, new InsError({ reason: 'CLOSED' }));
  }

  private makeWire(): Wire {
    const connection = this;
    return {
      get hash() {
        return connection.hash!;
      },
      get proofPrefix() {
        return connection.proofPrefix;
      },
      clock: this.platform.clock,
      gets: new Budget(GETS_OPEN),
      putBytes: new Budget(PUT_BYTES_OPEN),
      open(make, take) {
        const handle = ++connection.lastHandle;
        connection.takers.set(handle, take);
        connection.driven.input(make(handle));
        return handle;
      },
      cancel(handle) {
        if (connection.takers.delete(handle)) connection.driven.input({ kind: 'cancel', handle });
      },
    };
  }

  private start(hash: Hash): void {
    if (this.isOver()) return;
    this.hash = hash;
    this.driven.input({ kind: 'start' });
    this.calls.begin();
  }

  private mustBeOpen(): void {
    if (this.now.kind === 'replaced') throw new InsError({ reason: 'REPLACED' });
    if (this.now.kind === 'closed') throw new InsError({ reason: 'CLOSED' });
  }

  private isOver(): boolean {
    return this.now.kind === 'closed' || this.now.kind === 'replaced';
  }

  private told(output: InsCallerOutput): void {
    if (output.kind === 'ready') {
      const { server, nonce, clockOffsetMs } = output;
      this.proofPrefix = proofPrefix(nonce, this.options.keys.publicKey);
      this.server = { key: keyText(server), url: this.options.url, clockOffsetMs };
    } else if (output.kind === 'accepted') {
      this.set({ kind: 'ready', server: { ...this.server!, quotaBytes: output.quotaBytes } });
    } else if (output.kind === 'lost') {
      if (this.isOver()) return;
      if (output.final) void this.finish({ kind: 'replaced' }, new InsError({ reason: 'REPLACED' }));
      else this.lost(output);
    } else {
      const take = this.takers.get(output.handle);
      if (isLast(output)) this.takers.delete(output.handle);
      take?.(output);
    }
  }

  private lost({ why, retryAfterMs, otherServer }: Omit<Extract<InsState, { readonly kind: 'lost' }>, 'kind'>): void {
    this.lastWhy = why;
    this.sentTo = otherServer;
    if (this.now.kind === 'ready') this.calls.disconnected();
    this.set({ kind: 'lost', why, retryAfterMs, otherServer });
    this.calls.watch();
  }

  private set(state: InsState): void {
    this.now = state;
    for (const listener of [...this.listeners]) listener(state);
  }

  /** Ends everything, once. */
  private finish(state: InsState, error: unknown): Promise<void> {
    this.closing ??= this.end(state, error);
    return this.closing;
  }

  private async end(state: InsState, error: unknown): Promise<void> {
    this.now = state;
    this.calls.end(error);
    this.driven.input({ kind: 'stop' });
    // A listener may close the client.
    await Promise.resolve();
    this.set(state);
    await this.dialler.ended();
    this.driven.stop();
  }
}

function queueTask(task: () => void): void {
  void Promise.resolve().then(task);
}
