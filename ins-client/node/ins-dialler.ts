import { decodeBlockFrame, encodeBlockHeader } from '../../protocol/frames.ts';
import { insClientCodec, insServerCodec } from '../../protocol/ins-messages.ts';
import { dialLink, type Link, type LinkOptions } from '../../runtime/node/ws-link.ts';
import type { InsWorldInput, InsWorldOutput } from '../core/world.ts';

export interface InsDiallerOptions {
  /** Takes what comes from the network. */
  readonly input: (input: InsWorldInput) => void;
  /** Signs with the key of the conversation. */
  readonly sign: (bytes: Uint8Array) => Uint8Array;
  readonly link?: LinkOptions;
}

/** The network side of one INS conversation: dials, encodes, decodes. Bodies are the blocks' bytes. */
export class InsDialler {
  private link: Link | undefined;
  private whenEnded: (() => void)[] = [];
  private readonly options: InsDiallerOptions;

  constructor(options: InsDiallerOptions) {
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
        this.options.input({ kind: 'signed', ref: output.ref, signature: this.options.sign(output.bytes) });
        return;
    }
  }

  /** Resolves when there is no connection, or none any more. */
  ended(): Promise<void> {
    if (this.link === undefined) return Promise.resolve();
    return new Promise((resolve) => this.whenEnded.push(resolve));
  }

  private dial(url: string): void {
    const { input, link } = this.options;
    this.link = dialLink(
      url,
      {
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
        closed: (code, why) => {
          this.link = undefined;
          for (const resolve of this.whenEnded.splice(0)) resolve();
          input({ kind: 'closed', code, why });
        },
      },
      link,
    );
  }
}
