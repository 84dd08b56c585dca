import type { InsWorldOutput } from '../ins-client/core/world.ts';
import type { InsServerInput, InsServerOutput, StoredBody } from '../ins-server/core/io.ts';
import { type Body, type LinkId, type Machine, unreachable } from '../machine/machine.ts';
import { insClientCodec, insServerCodec } from '../protocol/ins-messages.ts';
import { concatBytes, sameBytes } from '../protocol/text.ts';
import { simHash, simName, simSign, simVerify } from './crypto.ts';
import type { Host } from './host.ts';
import { LINK_LIMITS } from './link.ts';
import { type LinkEnd, linkEnd } from './links.ts';
import { SimNode, type World } from './node.ts';

/** Ms between two looks at what waits in a send buffer, as at real sockets. */
const LOOK_MS = 1_000;

export class SimInsServer extends SimNode<InsServerInput, InsServerOutput> {
  override readonly limits = { ...LINK_LIMITS, bufferedBytesMax: 8 * 1024 * 1024 };
  private nonces = 0;
  private dialled = 0;
  private readonly key: Uint8Array;
  private readonly bodies = new Map<string, Body>();
  private readonly upstreams = new Map<number, LinkId>();

  constructor(world: World, id: number, host: Host, core: Machine<InsServerInput, InsServerOutput>, key: Uint8Array) {
    super(world, id, host, core);
    this.key = key;
  }

  get storedBlocks(): number {
    return this.bodies.size;
  }

  protected override acceptEnd(): LinkEnd {
    let lookAtMs = 0;
    return linkEnd(insClientCodec, {
      opened: (link) => {
        const nonce = simHash(Uint8Array.of(this.id, ++this.nonces & 0xff, (this.nonces >> 8) & 0xff));
        this.input({ kind: 'link-opened', link, nonce });
      },
      message: (link, message) => this.input({ kind: 'message', link, message }),
      violation: (link, why) => this.input({ kind: 'violation', link, why }),
      block: (link, header, body) => this.input({ kind: 'block', link, header, body }),
      closed: (link) => this.input({ kind: 'link-closed', link }),
      sent: (link, _bytes, leftBytes) => {
        // A buffer that is never empty still shrinks: who looks at it now and then sees that.
        if (leftBytes > 0 && this.nowMs < lookAtMs) return;
        lookAtMs = this.nowMs + LOOK_MS;
        this.input({ kind: 'drained', link, leftBytes });
      },
    });
  }

  protected override perform(output: InsServerOutput): void {
    switch (output.kind) {
      case 'send':
        this.send(output.link, insServerCodec, output.message);
        return;
      case 'send-block': {
        const body = this.bodies.get(output.block.key);
        if (body !== undefined) this.sendBlock(output.link, output.header, body);
        else this.input({ ...output, kind: 'load-failed' });
        return;
      }
      case 'close':
        this.close(output.link, output.code, output.why);
        return;
      case 'verify': {
        const ok = simVerify(output.key, output.signed, output.signature);
        this.answer(this.verifyMs, { kind: 'verified', ref: output.ref, ok });
        return;
      }
      case 'check-name': {
        const ok = sameBytes(simName(output.body), output.name);
        this.answer(this.hashMs(output.body.byteLength), { kind: 'named', ref: output.ref, ok });
        return;
      }
      case 'check-proof': {
        const { ref, prefix, proof, block } = output;
        const body = block === null ? undefined : this.bodies.get(block.key);
        const ok = body !== undefined && sameBytes(simHash(concatBytes(prefix, simName(body))), proof);
        this.answer(this.hashMs(body?.byteLength ?? 0), { kind: 'proved', ref, ok });
        return;
      }
      case 'store':
        this.bodies.set(output.block.key, output.body);
        this.input({ kind: 'stored', ref: output.ref, ok: true });
        return;
      case 'file':
      case 'unfile':
        // Its store does not outlive it.
        return;
      case 'drop':
        this.bodies.delete(output.block.key);
        return;
      case 'upstream':
        this.upstream(output.upstream, output.output);
        return;
      case 'upstream-end': {
        const link = this.upstreams.get(output.upstream);
        if (link !== undefined) this.close(link, 1000, 'no longer wanted');
        return;
      }
      case 'turned-away':
      // Nobody here speaks HTTP.
      case 'placed':
        return;
      default:
        unreachable(output);
    }
  }

  private upstream(upstream: number, output: InsWorldOutput): void {
    const link = this.upstreams.get(upstream);
    switch (output.kind) {
      case 'dial': {
        const dialled = ++this.dialled;
        this.upstreams.set(upstream, dialled);
        this.dial(dialled, output.url, this.upstreamEnd(upstream));
        return;
      }
      case 'send':
        if (link !== undefined) this.send(link, insClientCodec, output.message);
        return;
      case 'send-block':
        {
          const body = this.bodies.get((output.body as StoredBody).block.key);
          if (link !== undefined && body !== undefined) this.sendBlock(link, output.header, body);
        }
        return;
      case 'close':
        if (link !== undefined) this.close(link, output.code, output.why);
        return;
      case 'sign': {
        const signature = simSign(this.key, output.bytes);
        const input = { kind: 'signed', ref: output.ref, signature } as const;
        this.answer(this.signMs, { kind: 'upstream', upstream, input });
        return;
      }
      default:
        unreachable(output);
    }
  }

  private upstreamEnd(upstream: number): LinkEnd {
    return linkEnd(insServerCodec, {
      opened: () => this.input({ kind: 'upstream', upstream, input: { kind: 'opened' } }),
      message: (_link, message) => this.input({ kind: 'upstream', upstream, input: { kind: 'message', message } }),
      violation: (_link, why) => this.input({ kind: 'upstream', upstream, input: { kind: 'violation', why } }),
      block: (_link, header, body) =>
        this.input({ kind: 'upstream', upstream, input: { kind: 'block', header, body } }),
      closed: (_link, code, why) => this.input({ kind: 'upstream', upstream, input: { kind: 'closed', code, why } }),
    });
  }
}
