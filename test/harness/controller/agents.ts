import { nowMs } from '../../../runtime/node/clock.ts';
import type { Link } from '../../../runtime/node/ws-link.ts';
import { listenWebSockets, type WebSocketListener } from '../../../runtime/node/ws-server.ts';
import { decode, encode, type FromAgent, type MachineInfo, type ToAgent } from '../agent/messages.ts';
import { isProof, makeNonce, proofOf } from '../agent/proof.ts';

/** An agent that has shown the key. */
export interface AgentLink {
  readonly number: number;
  readonly machine: MachineInfo;
  /** How far its clock is ahead of ours, in ms. */
  readonly clockMs: number;
  send(message: ToAgent): void;
  close(): void;
}

export interface AgentListener {
  joined(agent: AgentLink): void;
  heard(agent: AgentLink, message: FromAgent): void;
  gone(agent: AgentLink, why: string): void;
}

const AGENTS_MAX = 64;
/** Whoever connects shows the key at once or is closed. */
const PROVE_WITHIN_MS = 5_000;

/** Where agents connect. Nobody is heard who has not shown the key, and each hears nothing else before. */
export class Agents {
  readonly url: string;
  private readonly listener: WebSocketListener;

  private constructor(listener: WebSocketListener) {
    this.listener = listener;
    this.url = listener.url;
  }

  /** @throws ListenError */
  static async listen(host: string, port: number, key: string, told: AgentListener): Promise<Agents> {
    let last = 0;
    const listener = await listenWebSockets({ host, port }, { linksMax: AGENTS_MAX }, (link) => {
      return greet(link, ++last, key, told);
    });
    return new Agents(listener);
  }

  close(): Promise<void> {
    return this.listener.close();
  }
}

function greet(link: Link, number: number, key: string, told: AgentListener) {
  const nonce = makeNonce();
  const sentAtMs = nowMs();
  let agent: AgentLink | undefined;
  const late = setTimeout(() => link.close(1008, 'nobody showed the key'), PROVE_WITHIN_MS);
  const enter = (message: Extract<FromAgent, { say: 'hello' }>): void => {
    clearTimeout(late);
    if (!isProof(message.proof, proofOf(key, 'agent', nonce, String(message.nonce)))) {
      link.close(1008, 'another key');
      return;
    }
    const send = (order: ToAgent) => link.sendControl(encode(order));
    const tripMs = nowMs() - sentAtMs;
    const { machine } = message;
    // Halfway between question and answer; on one machine there is one clock.
    const clockMs = machine.host === null ? 0 : machine.clockMs - (sentAtMs + tripMs / 2);
    agent = { number, machine, clockMs, send, close: () => link.close(1000, 'the run is over') };
    send({ say: 'welcome', proof: proofOf(key, 'controller', nonce, message.nonce) });
    told.joined(agent);
  };
  queueMicrotask(() => link.sendControl(encode({ say: 'challenge', nonce })));
  return {
    control(bytes: Uint8Array) {
      const message = decode<FromAgent>(bytes);
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
