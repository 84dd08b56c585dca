import { decodeBlockFrame, encodeBlockHeader } from '../../protocol/frames.ts';
import { insClientCodec, insServerCodec } from '../../protocol/ins-messages.ts';
import type { InsWorldInput, InsWorldOutput } from '../core/world.ts';

/** One WebSocket as both platforms have it (`runtime/node/ws-link.ts`, `runtime/browser/ws-link.ts`). */
export interface DialledLink {
  sendControl(bytes: Uint8Array): void;
  sendBlock(header: Uint8Array, block: Uint8Array): void;
  close(code: number, why: string): void;
}

export interface DialEvents {
  opened(): void;
  control(bytes: Uint8Array): void;
  block(frame: Uint8Array): void;
  drained(leftBytes: number): void;
  closed(code: number, why: string): void;
}

export type Dial = (url: string, events: DialEvents) => DialledLink;

export interface DiallerOptions {
  /** Takes what comes from the network. */
  readonly input: (input: InsWorldInput) => void;
  /** Signs with the key of the conversation. */
  readonly sign: (bytes: Uint8Array) => Uint8Array | Promise<Uint8Array>;
  readonly dial: Dial;
}

/** The network side of one INS conversation: dials, encodes, decodes. Bodies are the blocks' bytes. */
export class Dialler {
  private link: DialledLink | undefined;
  private whenEnded: (() => void)[] = [];
  private readonly options: DiallerOptions;

  constructor(options: DiallerOptions) {
    this.options = options;
  }

  perform(output: InsWorldOutput): void {
    switch (output.kind) {
      case 'dial':
        this.dial(output.url);
        return;
      case 'send':
        this.link?.sendControl(insClientCodec.encode(output.message));
        return;
      case 'send-block':
        this.link?.sendBlock(encodeBlockHeader(output.header), output.body as Uint8Array);
        return;
      case 'close':
        this.link?.close(output.code, output.why);
        return;
      case 'sign':
        this.sign(output.ref, output.bytes);
        return;
    }
  }

  /** Resolves when there is no connection, or none any more. */
  ended(): Promise<void> {
    if (this.link === undefined) return Promise.resolve();
    return new Promise((resolve) => this.whenEnded.push(resolve));
  }

  private sign(ref: number, bytes: Uint8Array): void {
    const { input, sign } = this.options;
    const signature = sign(bytes);
    if (signature instanceof Uint8Array) {
      input({ kind: 'signed', ref, signature });
      return;
    }
    signature.then(
      (made) => input({ kind: 'signed', ref, signature: made }),
      (error: unknown) => input({ kind: 'violation', why: `the key does not sign: ${String(error)}` }),
    );
  }

  private dial(url: string): void {
    const { input, dial } = this.options;
    this.link = dial(url, {
      opened: () => input({ kind: 'opened' }),
      control: (bytes) => {
        const decoded = insServerCodec.decode(bytes);
        if (!decoded.ok) input({ kind: 'violation', why: decoded.violation });
        else if (decoded.message !== undefined) input({ kind: 'message', message: decoded.message });
      },
      block: (frame) => {
        const decoded = decodeBlockFrame(frame);
        if (decoded === undefined) input({ kind: 'violation', why: 'malformed block frame' });
        else input({ kind: 'block', header: decoded.header, body: decoded.block });
      },
      // What is under way is bounded by what is not acknowledged.
      drained() {},
      closed: (code, why) => {
        this.link = undefined;
        for (const resolve of this.whenEnded.splice(0)) resolve();
        input({ kind: 'closed', code, why });
      },
    });
  }
}
