import type { Sink } from '../../machine/machine.ts';
import type { Track } from '../../protocol/media.ts';
import type { PeerOutput } from './io.ts';
import { hasChoice, ladderOf, withOtherSounds, withSound } from './ladder.ts';
import type {
  ChoiceParts,
  HeldParts,
  MakeRenditionChoice,
  PlayheadNow,
  Quality,
  RenditionChoice,
  Taken,
} from './rendition-choice.ts';
import { sameNumbers } from './selection.ts';

/** What is remembered of what came before there was a choice: how playback began says most about a line. */
const EARLY_MAX = 256;

/**
 * Which tracks a peer takes. Without a choice: what a player has selected, at once; else the least rendition, which starts soonest.
 * With one, what that says.
 */
export class TracksTaken {
  change: Taken = always(null);
  private choice: RenditionChoice | undefined;
  private quality: Quality;
  private heard: readonly number[] = [];
  private known: readonly Track[] = [];
  private hasChoice = false;
  private isWanted = false;
  private early: ((choice: RenditionChoice) => void)[] = [];
  private readonly outputs: Sink<PeerOutput>;
  private readonly changed: ChoiceParts['changed'];

  constructor(
    quality: Quality,
    make: MakeRenditionChoice | undefined,
    outputs: Sink<PeerOutput>,
    changed: ChoiceParts['changed'],
  ) {
    this.quality = quality;
    this.outputs = outputs;
    this.changed = changed;
    if (make !== undefined) this.setChoice(make, 0);
  }

  /** From now on it is asked; what was wished for before there was one is its first task. */
  setChoice(make: MakeRenditionChoice, nowMs: number): void {
    if (this.choice !== undefined) return;
    const { quality, heard, known, outputs, changed, early } = this;
    const choice = make({ quality, heard, known, tracks: this.change.tracks, outputs, changed });
    this.choice = choice;
    this.change = choice.change;
    for (const tell of early) tell(choice);
    this.early = [];
    if (this.hasChoice && quality !== 'all') choice.prefer(quality, nowMs);
  }

  select(tracks: readonly number[] | null, started: boolean, nowMs: number): void {
    this.quality = 'all';
    if (this.choice !== undefined) this.choice.select(tracks, started, nowMs);
    else this.set(tracks, nowMs);
  }

  /** The sounds among these are taken with every picture. */
  hear(tracks: readonly number[], nowMs: number): void {
    this.heard = tracks;
    if (this.choice !== undefined) this.choice.hear(tracks);
    else if (this.quality !== 'all' && this.change.tracks !== null)
      this.set(withOtherSounds(this.known, this.change.tracks, tracks), nowMs);
  }

  describe(tracks: readonly Track[], nowMs: number): void {
    if (this.choice !== undefined) {
      this.choice.describe(tracks, nowMs);
      return;
    }
    const isNew = !sameNumbers(ids(tracks), ids(this.known));
    this.known = tracks;
    this.hasChoice = hasChoice(tracks);
    if (isNew && this.quality !== 'all') this.takeLeast(nowMs);
  }

  prefer(quality: Quality, nowMs: number): void {
    this.quality = quality;
    if (this.choice !== undefined) this.choice.prefer(quality, nowMs);
    else if (this.change.tracks === null) this.takeLeast(nowMs);
  }

  came(bytes: number, nowMs: number): void {
    this.tell((choice) => choice.came(bytes, nowMs));
  }

  whole(lagMs: number, nowMs: number): void {
    this.tell((choice) => choice.whole(lagMs, nowMs));
  }

  settle(playhead: PlayheadNow, partsPerSegment: number, ahead: boolean, held: HeldParts, nowMs: number): void {
    this.choice?.settle(playhead, partsPerSegment, ahead, held, nowMs);
    // Not before: what it takes to load delays no first picture.
    if (this.isWanted || this.choice !== undefined || !this.hasChoice || !playhead.started) return;
    this.isWanted = true;
    this.outputs.push({ kind: 'want-choice' });
  }

  private tell(what: (choice: RenditionChoice) => void): void {
    if (this.choice !== undefined) what(this.choice);
    else if (this.hasChoice && this.early.length < EARLY_MAX) this.early.push(what);
  }

  /** Or what is taken already: the player is told of no change. */
  private takeLeast(nowMs: number): void {
    const ladder = ladderOf(this.known);
    const taken = ladder.find(({ id }) => this.change.tracks?.includes(id)) ?? ladder[0];
    this.set(this.hasChoice ? withSound(this.known, taken, this.heard) : null, nowMs);
  }

  private set(tracks: readonly number[] | null, nowMs: number): void {
    if (sameNumbers(tracks, this.change.tracks)) return;
    this.change = always(tracks);
    this.changed(tracks, nowMs);
  }
}

/** The same of every part. */
function always(tracks: readonly number[] | null): Taken {
  return { tracks, earlier: tracks, atPart: -1, of: () => tracks };
}

function ids(tracks: readonly Track[]): readonly number[] {
  return tracks.map(({ id }) => id);
}
