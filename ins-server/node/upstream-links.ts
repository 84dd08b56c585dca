import { InsDialler } from '../../ins-client/node/ins-dialler.ts';
import { BLOCK_FRAME_BYTES_MAX } from '../../protocol/limits.ts';
import type { Log } from '../../runtime/log.ts';
import type { Transport } from '../../runtime/node/transport.ts';
import type { InsServerInput, InsServerOutput, StoredBody } from '../core/io.ts';
import type { DialRules } from './remotes-policy.ts';
import type { StoreDesk } from './store-desk.ts';

type UpstreamOutput = Extract<InsServerOutput, { readonly kind: 'upstream' }>;

export interface UpstreamLinksOptions {
  readonly input: (input: InsServerInput) => void;
  readonly sign: (bytes: Uint8Array) => Uint8Array;
  readonly rules: DialRules;
  readonly desk: StoreDesk;
  readonly log: Log;
  /** What they are dialled over; TCP by default. */
  readonly transport?: Transport;
}

/** The connections to other servers, by the core's numbers. */
export class UpstreamLinks {
  private readonly open = new Map<number, InsDialler>();
  private readonly ending = new Set<Promise<void>>();
  private readonly options: UpstreamLinksOptions;

  constructor(options: UpstreamLinksOptions) {
    this.options = options;
  }

  perform({ upstream, output }: UpstreamOutput): void {
    if (output.kind !== 'send-block') {
      this.dialler(upstream).perform(output);
      return;
    }
    // The block of a put: its message is out already, and where it is lost the other server says that it never came.
    this.options.desk.load((output.body as StoredBody).block, (body) => {
      if (body !== undefined) this.open.get(upstream)?.perform({ ...output, body });
    });
  }

  /** The core has closed it and forgets it. */
  end(upstream: number): void {
    const ended = this.open.get(upstream)?.ended();
    this.open.delete(upstream);
    if (ended === undefined) return;
    this.ending.add(ended);
    ended.then(() => this.ending.delete(ended));
  }

  /** Resolves when those that were ended have closed. */
  async closed(): Promise<void> {
    await Promise.all(this.ending);
  }

  private dialler(upstream: number): InsDialler {
    const known = this.open.get(upstream);
    if (known !== undefined) return known;
    const { input, sign, rules, log, transport } = this.options;
    const dialler = new InsDialler({
      input: (given) => {
        if (given.kind === 'closed') log.debug('the connection to another server ended', { why: given.why });
        input({ kind: 'upstream', upstream, input: given });
      },
      sign,
      link: {
        limits: { messageBytesMax: BLOCK_FRAME_BYTES_MAX },
        mayReach: rules.mayReach,
        ...(transport === undefined ? {} : { transport }),
      },
    });
    this.open.set(upstream, dialler);
    return dialler;
  }
}
