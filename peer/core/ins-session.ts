import { InsConversation, type InsConversationOptions } from '../../ins-client/core/conversation.ts';
import type { InsClientInput } from '../../ins-client/core/io.ts';
import { type InsCallerOutput, type InsWorldOutput, isWorldOutput } from '../../ins-client/core/world.ts';
import { type LinkId, type Sink, unreachable } from '../../machine/machine.ts';
import { FROM_NEWEST_START, type Priority } from '../../protocol/ins-messages.ts';
import type { LinkNumbers } from '../../swarm/io.ts';
import { InsPace } from './ins-pace.ts';
import type { PeerOutput } from './io.ts';

/** A running follow: its handle, the owner of the followed locker, the token it began with, the tracks (none is all) and first part it brings. */
export interface LiveFollow {
  readonly handle: number;
  readonly owner: string;
  readonly sealed: Uint8Array;
  readonly tracks: readonly number[];
  readonly from: number;
  readonly askedAtMs: number;
}

/** What goes between us and one INS server: the conversation, the link it runs on, and the follow of the live edge. */
export class InsSession {
  readonly url: string;
  readonly dialledAtMs: number;
  /** The server's key, while it is up. */
  server: Uint8Array | undefined;
  /** Add to our time to get the server's, by which tokens are judged. */
  clockOffsetMs = 0;
  upAtMs = 0;
  /** When something came last that we had asked for, or when we asked. */
  heardAtMs = 0;
  follow: LiveFollow | undefined;
  /** When a follow may begin; undefined while it waits for a token. */
  followAtMs: number | undefined;
  followFailures = 0;
  /** It has no room for a follow of ours that may be refused. */
  full = false;
  /** By the source's clock, until when the newest part lasts that the follow has brought whole. */
  broughtUntilMs: number | undefined;
  /** The follow waits for the first records, which say where to begin. */
  awaitsRecords = false;
  readonly pace = new InsPace();
  link: LinkId | undefined;
  /** Newest part that the follow has brought, by track. */
  private readonly brought = new Map<number, number>();
  private readonly conversation: InsConversation;
  private readonly numbers: LinkNumbers;
  private readonly outputs: Sink<PeerOutput>;
  private readonly sign: (session: InsSession, conversationRef: number, bytes: Uint8Array) => void;

  constructor(
    options: InsConversationOptions,
    numbers: LinkNumbers,
    outputs: Sink<PeerOutput>,
    sign: (session: InsSession, conversationRef: number, bytes: Uint8Array) => void,
    nowMs: number,
  ) {
    this.url = options.url;
    this.dialledAtMs = nowMs;
    this.numbers = numbers;
    this.outputs = outputs;
    this.sign = sign;
    this.conversation = new InsConversation(options);
    this.input({ kind: 'start' }, nowMs);
  }

  get up(): boolean {
    return this.server !== undefined;
  }

  owns(link: LinkId): boolean {
    return link === this.link;
  }

  input(input: InsClientInput, nowMs: number): void {
    if (input.kind === 'closed') this.link = undefined;
    this.conversation.handleInput(input, nowMs);
  }

  nextDeadline(): number | undefined {
    return this.conversation.nextDeadline();
  }

  timeout(nowMs: number): void {
    this.conversation.handleTimeout(nowMs);
  }

  /** The next thing that the server said, or happened to it; what is for the network has gone there. */
  poll(): InsCallerOutput | undefined {
    for (;;) {
      const output = this.conversation.pollOutput();
      if (output === undefined || !isWorldOutput(output)) return output;
      this.perform(output);
    }
  }

  /** Ends the conversation; nothing is heard of it any more. */
  end(nowMs: number): void {
    this.conversation.handleInput({ kind: 'stop' }, nowMs);
    while (this.poll() !== undefined);
    this.link = undefined;
    this.lost();
  }

  /** The connection is gone; what ran on it begins anew on the next. */
  lost(): void {
    this.server = undefined;
    this.full = false;
    this.follow = undefined;
    this.brought.clear();
  }

  /** Has the live edge sent from `follow.from` on. */
  begin(follow: LiveFollow, collection: Uint8Array, priority: Priority, nowMs: number): void {
    this.follow = follow;
    this.heardAtMs = nowMs;
    this.full = false;
    this.broughtUntilMs = undefined;
    const { handle, sealed: token, tracks, from } = follow;
    this.input({ kind: 'follow', handle, keep: true, token, collection, tracks, from, priority }, nowMs);
  }

  /** The follow has brought something. */
  get brings(): boolean {
    return this.up && this.follow !== undefined && this.brought.size > 0;
  }

  get newestBrought(): number {
    return Math.max(-1, ...this.brought.values());
  }

  cancelFollow(nowMs: number): void {
    const running = this.follow;
    if (running === undefined) return;
    this.follow = undefined;
    this.brought.clear();
    this.input({ kind: 'cancel', handle: running.handle }, nowMs);
  }

  followed(track: number, part: number): void {
    this.followFailures = 0;
    this.brought.set(track, Math.max(part - 1, this.brought.get(track) ?? -1));
  }

  /** Whether the follow is going to bring this part of a track without being asked. */
  expects(track: number, part: number): boolean {
    if (this.follow === undefined || !this.up) return false;
    const { tracks, from } = this.follow;
    const isAsked = tracks.length === 0 || tracks.includes(track);
    return isAsked && (from === FROM_NEWEST_START || part >= from) && part > (this.brought.get(track) ?? -1);
  }

  private perform(output: InsWorldOutput): void {
    switch (output.kind) {
      case 'dial':
        this.link = this.numbers.next();
        this.outputs.push({ kind: 'dial', link: this.link, to: 'ins', url: output.url });
        return;
      case 'send':
        if (this.link !== undefined) this.outputs.push({ kind: 'send-ins', link: this.link, message: output.message });
        return;
      case 'send-block':
        // A viewer puts nothing: its locker fills by `keep`.
        return;
      case 'close':
        if (this.link !== undefined) this.outputs.push({ ...output, link: this.link });
        return;
      case 'sign':
        this.sign(this, output.ref, output.bytes);
        return;
      default:
        unreachable(output);
    }
  }
}
