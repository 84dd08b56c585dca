import type { LiveParts } from '../../hls/live-parts.ts';
import type { Sought } from '../../hls/live-source.ts';
import { PastParts } from '../../hls/past-parts.ts';
import type { PeerInput } from '../core/io.ts';
import { pastFeed } from '../core/past-feed.ts';

/** What a page needs to seek back beyond the window, and else not: a file of its own, imported when a player asks for what is over, and by nobody else. */
export class PastSide extends PastParts {
  private readonly input: (input: PeerInput) => void;

  constructor(live: LiveParts, input: (input: PeerInput) => void) {
    super(live);
    this.input = input;
  }

  /** A player waits for these. */
  seek(track: number, parts: readonly number[]): Sought {
    const lacking = this.lacking(track, parts);
    if (lacking === undefined) return 'gone';
    if (lacking.length > 0)
      this.input({ kind: 'past', make: pastFeed, parts: lacking.map((part) => ({ track, part })) });
    return 'coming';
  }
}
