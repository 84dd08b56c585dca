import { bitmapNewest } from '../../protocol/bitmap.ts';
import type { PeerMessage } from '../../protocol/peer-messages.ts';
import type { Mode } from '../../protocol/swarm-fields.ts';
import type { Evaluation } from './evaluate.ts';
import type { PeerInput } from './io.ts';

/** What was looked at in the last decision. */
type Looked = Pick<Evaluation, 'seeks' | 'looksBeyond'>;

/**
 * Whether an input can change what is fetched, or from whom. Most of what neighbours announce cannot: a dozen of them tell
 * of every part, and after the first it is here or on its way.
 */
export function isNews(input: PeerInput, mode: Mode, looked: Looked): boolean {
  if (input.kind === 'sent') return false;
  if (input.kind !== 'peer-message') return true;
  const { message } = input;
  switch (message.type) {
    case 'request':
    case 'cancel':
    case 'want':
      return false;
    case 'have':
    case 'have-blocks': {
      const places = message.type === 'have' ? message.parts : message.blocks;
      for (const { track, part } of places) if (looked.seeks(track, part)) return true;
      return false;
    }
    case 'bitmap':
      if (mode === 'native' || message.token !== null) return true;
      for (const bitmap of message.availability) if (looked.looksBeyond(bitmapNewest(bitmap))) return true;
      return false;
    default:
      return true;
  }
}

/** Whether a neighbour's message tells what it has, and no more. */
export function isAnnouncement({ type }: PeerMessage): boolean {
  return type === 'have' || type === 'have-blocks' || type === 'bitmap';
}
