import type { Player } from '../../machine/player.ts';
import type { Catalogue, PartEntry } from '../../swarm/catalogue.ts';
import type { BytesFrom } from './io.ts';

/** What a peer counts about itself: blocks due and missed, and where bytes came from. */
export class Account {
  startupDelayMs: number | null = null;
  dueBlocks = 0;
  missedBlocks = 0;
  /** Wrong records and blocks that were dropped. */
  bad = 0;
  readonly bytesFrom: Record<BytesFrom, number> = { ins: 0, peers: 0, source: 0 };
  /** Blocks of the parts that are still to come on screen. */
  private readonly ahead = new Map<number, number>();
  private advancedTo = -1;

  recorded({ record }: PartEntry): void {
    this.ahead.set(record.part, (this.ahead.get(record.part) ?? 0) + record.blocks.length);
  }

  /** Counts as due what lies behind the play-head. */
  advance(player: Player): void {
    if (!player.started || player.playhead === this.advancedTo) return;
    this.advancedTo = player.playhead;
    for (const [part, blocks] of this.ahead) {
      if (part >= player.playhead) continue;
      this.dueBlocks += blocks;
      this.ahead.delete(part);
    }
  }

  /** Parts whose play time came and went without them. */
  missed(from: number, to: number, tracks: readonly number[], catalogue: Catalogue): void {
    // What lies before the window was never here: it is counted, not walked.
    const first = Math.min(Math.max(from, catalogue.oldestPart), to + 1);
    this.dueBlocks += (first - from) * tracks.length;
    this.missedBlocks += (first - from) * tracks.length;
    for (let part = first; part <= to; part++) {
      for (const track of tracks) {
        const entry = catalogue.get(track, part);
        // Of a part that never got here at all, nobody knows the blocks: it counts as one a track.
        if (entry === undefined) this.dueBlocks++;
        this.missedBlocks += entry === undefined ? 1 : entry.bodies.length - entry.heldBlocks;
      }
    }
  }
}
