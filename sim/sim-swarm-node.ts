import type { LinkId } from '../machine/machine.ts';
import type { PeerInput, PeerOutput } from '../peer/core/io.ts';
import { insClientCodec, insServerCodec } from '../protocol/ins-messages.ts';
import { peerCodec } from '../protocol/peer-messages.ts';
import { fromTrackerCodec, toTrackerCodec } from '../protocol/tracker-messages.ts';
import type { SourceInput, SourceOutput } from '../source-server/core/io.ts';
import type { SwarmInput } from '../swarm/io.ts';
import { type LinkEnd, linkEnd } from './links.ts';
import { SimNode } from './node.ts';

type Common = SwarmInput | Extract<PeerInput & SourceInput, { kind: 'ins-message' | 'ins-block' }>;

/** What the source and a peer have in common: links to tracker, neighbours and INS servers. */
export abstract class SimSwarmNode<Input, Output> extends SimNode<Input, Output> {
  protected override acceptEnd(): LinkEnd {
    return this.ends.accepted;
  }

  /** Carries out what both roles may ask for. @returns False when it is something of the role's own. */
  protected performCommon(output: PeerOutput | SourceOutput): boolean {
    switch (output.kind) {
      case 'dial':
        this.dial(output.link, output.url, this.ends[output.to]);
        return true;
      case 'close':
        this.close(output.link, output.code, output.why);
        return true;
      case 'send-peer':
        this.send(output.link, peerCodec, output.message);
        return true;
      case 'send-block':
      case 'send-ins-block':
        this.sendBlock(output.link, output.header, output.body);
        return true;
      case 'send-tracker':
        this.send(output.link, toTrackerCodec, output.message);
        return true;
      case 'send-ins':
        this.send(output.link, insClientCodec, output.message);
        return true;
      default:
        return false;
    }
  }

  private readonly common = {
    input: (input: Common) => this.input(input as Input),
    opened: (link: LinkId) => this.common.input({ kind: 'link-opened', link }),
    violation: (link: LinkId, why: string) => this.common.input({ kind: 'violation', link, why }),
    closed: (link: LinkId, code: number, why: string) => this.common.input({ kind: 'link-closed', link, code, why }),
  };

  private readonly ends = {
    ins: linkEnd(insServerCodec, {
      ...this.common,
      message: (link, message) => this.common.input({ kind: 'ins-message', link, message }),
      block: (link, header, body) => this.common.input({ kind: 'ins-block', link, header, body }),
    }),
    tracker: linkEnd(fromTrackerCodec, {
      ...this.common,
      message: (link, message) => this.common.input({ kind: 'tracker-message', link, message }),
      block: (link) => this.common.input({ kind: 'violation', link, why: 'a block' }),
    }),
    peer: this.peerEnd(false),
    accepted: this.peerEnd(true),
  };

  private peerEnd(accepted: boolean): LinkEnd {
    return linkEnd(peerCodec, {
      ...this.common,
      opened: (link) => this.common.input({ kind: accepted ? 'link-accepted' : 'link-opened', link }),
      message: (link, message) => this.common.input({ kind: 'peer-message', link, message }),
      block: (link, header, body) => this.common.input({ kind: 'peer-block', link, header, body }),
      sent: (link, bytes) => this.common.input({ kind: 'sent', link, bytes }),
    });
  }
}
