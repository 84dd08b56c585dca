import type { Body, LinkId } from '../machine/machine.ts';
import type { Codec } from '../protocol/codec.ts';
import type { BlockHeader } from '../protocol/frames.ts';
import type { LinkEnd } from './node.ts';

/** The inputs that every machine with links understands, under its own names. */
export interface LinkHandlers<M> {
  opened(link: LinkId): void;
  message(link: LinkId, message: M): void;
  violation(link: LinkId, why: string): void;
  block(link: LinkId, header: BlockHeader, body: Body): void;
  closed(link: LinkId, code: number, why: string): void;
  sent?(link: LinkId, bytes: number, waitingBytes: number): void;
}

/** A link's end that decodes what comes, as the shells do. */
export function linkEnd<M>(codec: Codec<M>, handlers: LinkHandlers<M>): LinkEnd {
  return {
    opened: (link) => handlers.opened(link),
    control(link, bytes) {
      const decoded = codec.decode(bytes);
      if (!decoded.ok) handlers.violation(link, decoded.violation);
      else if (decoded.message !== undefined) handlers.message(link, decoded.message);
    },
    block: (link, header, body) => handlers.block(link, header, body),
    closed: (link, code, why) => handlers.closed(link, code, why),
    sent: (link, bytes, waitingBytes) => handlers.sent?.(link, bytes, waitingBytes),
  };
}
