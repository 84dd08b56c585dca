import type { Body, LinkId } from '../machine/machine.ts';
import type { Codec } from '../protocol/codec.ts';
import type { BlockHeader } from '../protocol/frames.ts';

/** How a program hears of what happens on its links of one kind. One for all of them: the link's number comes along. */
export interface LinkEnd {
  opened(link: LinkId): void;
  /** A message, or where {@link World.checksWire} its bytes. */
  message(link: LinkId, message: unknown): void;
  block(link: LinkId, header: BlockHeader, body: Body): void;
  closed(link: LinkId, code: number, why: string): void;
  /** A block left the send buffer; `leftBytes` of blocks are still in it. */
  sent(link: LinkId, bytes: number, leftBytes: number): void;
}

/** The inputs that every machine with links understands, under its own names. */
export interface LinkHandlers<M> {
  opened(link: LinkId): void;
  message(link: LinkId, message: M): void;
  violation(link: LinkId, why: string): void;
  block(link: LinkId, header: BlockHeader, body: Body): void;
  closed(link: LinkId, code: number, why: string): void;
  sent?(link: LinkId, bytes: number, leftBytes: number): void;
}

/**
 * A link's end that takes what comes as the shells do. Messages come as the objects that were sent: they are read-only, and
 * making bytes of them and objects again is most of a simulation's time. What comes as bytes is decoded.
 */
export function linkEnd<M>(codec: Codec<M>, handlers: LinkHandlers<M>): LinkEnd {
  return {
    opened: (link) => handlers.opened(link),
    message(link, message) {
      if (!(message instanceof Uint8Array)) {
        handlers.message(link, message as M);
        return;
      }
      const decoded = codec.decode(message);
      if (!decoded.ok) handlers.violation(link, decoded.violation);
      else if (decoded.message !== undefined) handlers.message(link, decoded.message);
    },
    block: (link, header, body) => handlers.block(link, header, body),
    closed: (link, code, why) => handlers.closed(link, code, why),
    sent: (link, bytes, leftBytes) => handlers.sent?.(link, bytes, leftBytes),
  };
}
