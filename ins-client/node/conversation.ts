import { Prng } from '../../machine/prng.ts';
import { drive } from '../../runtime/drive.ts';
import { nodeClock } from '../../runtime/node/clock.ts';
import { type KeyPair, randomSeed } from '../../runtime/node/crypto.ts';
import { type LinkCounters, makeCounters } from '../../runtime/node/ws-link.ts';
import { InsConversation } from '../core/conversation.ts';
import type { InsClientInput, InsClientOutput } from '../core/io.ts';
import { ownerCalls } from '../core/owner-calls.ts';
import { type InsCallerInput, type InsCallerOutput, isWorldOutput } from '../core/world.ts';
import { InsDialler } from './ins-dialler.ts';

export interface ConversationOptions {
  /** The server's address, `ws://…` or `wss://…`. */
  readonly url: string;
  /** Our account. */
  readonly keys: KeyPair;
  /** The application that the account belongs to. */
  readonly application: string;
  /** A provider's sealed word that the account may keep blocks there. */
  readonly invitation?: Uint8Array;
  /** Takes what the conversation tells; bodies are `Uint8Array`s. May call {@link RunningConversation.input}. */
  readonly output: (output: InsCallerOutput) => void;
}

/** A conversation with an INS server over the network, with nothing around it: inputs go in, outputs come out. */
export interface RunningConversation {
  readonly counters: LinkCounters;
  input(input: InsCallerInput): void;
  /** Closes within about a second. */
  close(): Promise<void>;
}

/** Connects, and stays connected until closed. Applications use `connectIns` of `ins-client/node/index.ts`. */
export function runConversation({
  url,
  keys,
  application,
  invitation,
  output,
}: ConversationOptions): RunningConversation {
  const counters = makeCounters();
  const conversation = new InsConversation({
    url,
    key: keys.publicKey,
    application,
    ...(invitation === undefined ? {} : { invitation }),
    prng: new Prng(randomSeed()),
    owner: ownerCalls,
  });
  const driven = drive<InsClientInput, InsClientOutput>(
    conversation,
    (next) => {
      if (isWorldOutput(next)) dialler.perform(next);
      else output(next);
    },
    nodeClock,
  );
  const dialler = new InsDialler({
    input: (input) => driven.input(input),
    sign: keys.sign,
    link: { counters },
  });
  driven.input({ kind: 'start' });
  return {
    counters,
    input: (input) => driven.input(input),
    async close() {
      driven.input({ kind: 'stop' });
      await dialler.ended();
      driven.stop();
    },
  };
}
