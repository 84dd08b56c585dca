import { unreachable } from '../machine/machine.ts';
import { fromTrackerCodec, toTrackerCodec } from '../protocol/tracker-messages.ts';
import type { TrackerInput, TrackerOutput } from '../tracker/core/io.ts';
import type { Tracker } from '../tracker/core/tracker.ts';
import { simHash, simVerify } from './crypto.ts';
import type { Host } from './host.ts';
import { LINK_LIMITS } from './link.ts';
import { type LinkEnd, linkEnd } from './links.ts';
import { SimNode, type World } from './node.ts';

export class SimTracker extends SimNode<TrackerInput, TrackerOutput> {
  override readonly limits = { ...LINK_LIMITS, bufferedBytesMax: 1_048_576 };
  private nonces = 0;

  constructor(world: World, id: number, host: Host, core: Tracker) {
    super(world, id, host, core);
  }

  protected override acceptEnd(): LinkEnd {
    return linkEnd(toTrackerCodec, {
      opened: (link) => {
        const nonce = simHash(Uint8Array.of(this.id, ++this.nonces & 0xff, (this.nonces >> 8) & 0xff));
        // Members come from addresses of their own, so that per-address rules see many.
        this.input({
          kind: 'link-opened',
          link,
          address: `10.${(-link >> 16) & 255}.${(-link >> 8) & 255}.${-link & 255}`,
          nonce,
        });
      },
      message: (link, message) => this.input({ kind: 'message', link, message }),
      violation: (link, why) => this.input({ kind: 'violation', link, why }),
      block: (link) => this.input({ kind: 'violation', link, why: 'a block' }),
      closed: (link) => this.input({ kind: 'link-closed', link }),
    });
  }

  protected override perform(output: TrackerOutput): void {
    switch (output.kind) {
      case 'send':
        this.send(output.link, fromTrackerCodec, output.message);
        return;
      case 'close':
        this.close(output.link, output.code, output.why);
        return;
      case 'hash':
        this.answer(this.hashMs(output.bytes.length), { kind: 'hashed', ref: output.ref, hash: simHash(output.bytes) });
        return;
      case 'verify':
        this.answer(this.verifyMs, {
          kind: 'verified',
          ref: output.ref,
          ok: simVerify(output.key, output.signed, output.signature),
        });
        return;
      case 'stream':
      case 'turned-away':
        return;
      default:
        unreachable(output);
    }
  }
}
