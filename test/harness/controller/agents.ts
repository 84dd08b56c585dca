import { nowMs } from '../../../runtime/node/clock.ts';
import type { Link } from '../../../runtime/node/ws-link.ts';
import { listenWebSockets, type WebSocketListener } from '../../../runtime/node/ws-server.ts';
import type { Challenge, FromAgent, MachineInfo, ToAgent } from '../agent/messages.ts';
import { MESSAGE_BYTES_MAX, MessageReader, sendMessage } from '../agent/pieces.ts';
import { isProof, makeNonce, proofOf, readNonce } from '../agent/proof.ts';

/** An agent that has shown the key. */
export interface AgentLink {
  readonly number: number;
  readonly machine: MachineInfo;
  /** One that the controller has started itself, on its own machine. */
  readonly isOwn: boolean;
  /** How far its clock is ahead of ours, in ms. */
  readonly clockMs: number;
  send(message: ToAgent): void;
  /** @param why - One sentence, which it tells its people. */
  close(why?: string): void;
}

export interface AgentListener {
  joined(agent: AgentLink): void;
  heard(agent: AgentLink, message: FromAgent): void;
  gone(agent: AgentLink, why: string): void;
}

/** Whoever connects shows the key soon or is closed: it has to look first what its kernel can do. */
const PROVE_WITHIN_MS = 10_000;
/** Strangers who wait for that shall not keep agents out. */
const LINKS_MAX = 256;

export interface AgentsDoor {
  readonly host: string;
  readonly port: number;
  readonly key: string;
  /** Who comes in here was started by the controller itself. */
  readonly isOwn: boolean;
  /** Default 10 s. */
  readonly proveWithinMs?: number;
}

/** Where agents connect. Nobody is heard who has not shown the key, and each hears nothing else before. */
export class Agents {
  readonly url: string;
  private readonly listener: WebSocketListener;

  private constructor(listener: WebSocketListener) {
    this.listener = listener;
    this.url = listener.url;
  }

  /** @throws ListenError */
  static async listen(door: AgentsDoor, told: AgentListener): Promise<Agents> {
    const listener = await listenWebSockets(door, { linksMax: LINKS_MAX }, (link) => greet(link, door, told));
    return new Agents(listener);
  }

  close(): Promise<void> {
    return this.listener.close();
  }
}

let last = 0;

function greet(link: Link, { key, isOwn, proveWithinMs = PROVE_WITHIN_MS }: AgentsDoor, told: AgentListener) {
  const nonce = makeNonce();
  const reader = new MessageReader<FromAgent>();
  const sentAtMs = nowMs();
  let agent: AgentLink | undefined;
  const late = setTimeout(() => link.close(1008, 'nobody showed the key'), proveWithinMs);
  const enter = (message: Extract<FromAgent, { say: 'hello' }>): void => {
    clearTimeout(late);
    const said = readNonce(message.nonce);
    if (said === undefined || !isProof(message.proof, proofOf(key, 'agent', nonce, said))) {
      link.close(1008, 'the agent holds another key');
      return;
    }
    const send = (order: ToAgent) => sendMessage(link, order);
    const tripMs = nowMs() - sentAtMs;
    const { machine } = message;
    // Halfway between question and answer; on one machine there is one clock.
    const clockMs = isOwn ? 0 : machine.clockMs - (sentAtMs + tripMs / 2);
    const close = (why = 'the run is over') => link.close(1000, why);
    agent = { number: ++last, machine, isOwn, clockMs, send, close };
    reader.bytesMax = MESSAGE_BYTES_MAX;
    send({ say: 'welcome', proof: proofOf(key, 'controller', nonce, said) });
    told.joined(agent);
  };
  const challenge: Challenge = { say: 'challenge', nonce };
  queueMicrotask(() => sendMessage(link, challenge));
  return {
    control(bytes: Uint8Array) {
      const message = reader.take(bytes);
      if (message === 'more') return;
      if (message === undefined) link.close(1008, 'no message that is understood');
      else if (agent !== undefined) told.heard(agent, message);
      else if (message.say === 'hello') enter(message);
      else link.close(1008, 'the key comes first');
    },
    block() {
      link.close(1008, 'agents send no blocks');
    },
    closed(_code: number, why: string) {
      clearTimeout(late);
      if (agent !== undefined) told.gone(agent, why);
    },
  };
}
