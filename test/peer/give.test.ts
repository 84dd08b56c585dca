import { describe, expect, it } from 'vitest';
import { Prng } from '../../machine/prng.ts';
import type { PeerInput } from '../../peer/core/io.ts';
import { neighbourMesh } from '../../peer/core/neighbour-mesh.ts';
import { PeerCore } from '../../peer/core/peer.ts';
import type { PeerMessage } from '../../protocol/peer-messages.ts';

const stream = new Uint8Array(32).fill(1);

/** A viewer, and a neighbour of its that asks for a block; what it is answered. */
class Made {
  readonly answers: PeerMessage[] = [];
  private readonly core: PeerCore;

  constructor(gives: boolean) {
    const trackerUrl = 'ws://tracker/';
    const options = { stream, key: new Uint8Array(32).fill(2), trackerUrl, mode: 'native', url: null, gives } as const;
    this.core = new PeerCore({ ...options, mesh: neighbourMesh, prng: new Prng('gives') });
    this.feed({ kind: 'start' });
    this.feed({ kind: 'link-accepted', link: 9 });
    const key = new Uint8Array(32).fill(3);
    const is = { version: 1, stream, mode: 'native', source: false, gives: true, url: null } as const;
    this.feed({ kind: 'peer-message', link: 9, message: { type: 'hello', key, ...is } });
  }

  give(gives: boolean): void {
    this.feed({ kind: 'give', gives });
  }

  /** Of a block that is not there: who gives says that, who does not says that it gives nothing. */
  ask(): string | undefined {
    this.answers.length = 0;
    const items = [{ track: 0, part: 0, index: 0, deadlineMs: 1_000, urgent: false }];
    this.feed({ kind: 'peer-message', link: 9, message: { type: 'request', request: 1, items } as PeerMessage });
    return this.answers.flatMap((answer) => (answer.type === 'refused' ? answer.reason : []))[0];
  }

  private feed(input: PeerInput): void {
    this.core.handleInput(input, 1_000);
    for (let output = this.core.pollOutput(); output !== undefined; output = this.core.pollOutput()) {
      if (output.kind === 'send-peer') this.answers.push(output.message);
    }
  }
}

describe('a viewer who saves data', () => {
  it('gives nothing, whoever asks, from when it does', () => {
    expect(new Made(false).ask()).toBe('NOT_ALLOWED');
    const made = new Made(true);
    expect(made.ask()).not.toBe('NOT_ALLOWED');
    made.give(false);
    expect(made.ask()).toBe('NOT_ALLOWED');
    made.give(true);
    expect(made.ask()).not.toBe('NOT_ALLOWED');
  });

  it('gives nothing later either, where it said at the beginning that it does not', () => {
    const made = new Made(false);
    made.give(true);
    expect(made.ask()).toBe('NOT_ALLOWED');
  });
});
