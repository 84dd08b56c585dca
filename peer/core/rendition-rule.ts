import type { Sink } from '../../machine/machine.ts';
import type { Track } from '../../protocol/media.ts';
import type { PeerOutput } from './io.ts';
import { byRate, hasChoice, withOtherSounds } from './ladder.ts';
import { AutoQuality, chooseTracks, unknownRendition } from './quality.ts';
import type {
  ChoiceParts,
  HeldParts,
  MakeRenditionChoice,
  PlayheadNow,
  Quality,
  RenditionChoice,
} from './rendition-choice.ts';
import { sameNumbers } from './selection.ts';
import { type ChangeFrom, lastStart, TrackChange } from './track-change.ts';

/** Makes what chooses: the only way in to the rule of `auto` and to changes from one rendition to the next. */
export const renditionRule: MakeRenditionChoice = (parts) => new RenditionRule(parts);

/** Which tracks a peer takes: what a player has selected, or what the rule says, and the change from one to the next. */
class RenditionRule implements RenditionChoice {
  readonly change = new TrackChange();
  private quality: Quality;
  private heard: readonly number[];
  /** They are not taken yet. */
  private hears = false;
  /** The player, which chose until now, is to be told which picture is taken. */
  private leads = false;
  private known: readonly Track[];
  private readonly auto = new AutoQuality();
  private readonly outputs: Sink<PeerOutput>;
  private readonly changed: ChoiceParts['changed'];

  constructor({ quality, heard, known, tracks, outputs, changed }: ChoiceParts) {
    this.quality = quality;
    this.heard = heard;
    this.known = known;
    this.outputs = outputs;
    this.changed = changed;
    this.change.set(tracks);
    this.auto.describe(known);
  }

  select(tracks: readonly number[] | null, started: boolean, nowMs: number): void {
    this.quality = 'all';
    this.leads = false;
    this.hear(tracks ?? []);
    if (started && tracks !== null && this.change.tracks !== null) this.change.want(tracks, 'screen', true);
    else this.set(tracks, nowMs);
  }

  hear(tracks: readonly number[]): void {
    this.hears ||= !sameNumbers(tracks, this.heard);
    this.heard = tracks;
  }

  describe(tracks: readonly Track[], nowMs: number): void {
    const ids = (list: readonly Track[]) => list.map(({ id }) => id);
    const isNew = !sameNumbers(ids(tracks), ids(this.known));
    this.known = tracks;
    if (this.quality === 'all') return;
    this.auto.describe(tracks);
    if (this.choice === undefined && typeof this.quality === 'object') this.missing(this.quality, tracks);
    if (isNew) this.set(hasChoice(this.known) ? (this.choice ?? null) : null, nowMs);
  }

  /** A viewer chose a track of what the stream was before; the one that is not there by its name was never there. */
  private missing(quality: Quality & object, tracks: readonly Track[]): void {
    this.quality = 'track' in quality ? 'auto' : 'best';
    if ('track' in quality) return;
    this.outputs.push({ kind: 'event', event: { kind: 'no-rendition', why: unknownRendition(quality.name, tracks) } });
  }

  prefer(quality: Quality, nowMs: number): void {
    this.quality = quality;
    this.leads = true;
    this.auto.describe(this.known);
    if (this.change.tracks === null) this.set(hasChoice(this.known) ? (this.choice ?? null) : null, nowMs);
    else this.want('next', true);
  }

  came(bytes: number, nowMs: number): void {
    if (this.quality === 'auto') this.auto.came(bytes, nowMs);
  }

  whole(lagMs: number, nowMs: number): void {
    if (this.quality !== 'auto') return;
    this.auto.whole(lagMs, nowMs);
    this.want();
  }

  settle(playhead: PlayheadNow, partsPerSegment: number, ahead: boolean, held: HeldParts, nowMs: number): void {
    if (playhead.stalled && this.quality === 'auto') {
      this.auto.stalled(nowMs);
      this.want();
    }
    this.changeSounds(playhead, held, nowMs);
    if (!playhead.started) return;
    const { change } = this;
    const { atPart: wasAt, added: wereAdded } = change;
    const hasChanged = change.settle(playhead.part, partsPerSegment, ahead, held);
    const { atPart: part, added } = change;
    // Two changes in a row may take effect at one part: what is on screen is in the middle of the segment that begins there.
    const begun = part === wasAt ? added.filter((track) => !wereAdded.includes(track)) : added;
    if (part >= 0) for (const track of begun) this.outputs.push({ kind: 'begin', part, track });
    this.lead(playhead.part, held, begun);
    if (!hasChanged) return;
    this.changed(change.tracks, nowMs);
    const picture = byRate(this.known, 'video').find(({ id }) => added.includes(id));
    if (picture === undefined || part < 0) return;
    this.outputs.push({ kind: 'event', event: { kind: 'rendition', name: picture.name, from: part } });
  }

  /** Where what a player chose only becomes less, nothing begins: it is led to what is left of that all the same. */
  private lead(playhead: number, held: HeldParts, begun: readonly number[]): void {
    const { change } = this;
    if (!this.leads || change.pending || change.tracks === null) return;
    this.leads = false;
    const pictures = byRate(this.known, 'video').filter(({ id }) => change.tracks!.includes(id));
    if (pictures.length !== 1 || begun.includes(pictures[0]!.id)) return;
    const track = pictures[0]!.id;
    const isAhead = change.atPart > playhead && change.added.includes(track);
    const part = isAhead ? change.atPart : lastStart(playhead, held);
    this.outputs.push({ kind: 'begin', part: part < 0 ? playhead : part, track });
  }

  /**
   * What a player is to hear next it has to have from what is on screen on: it lets go of what it has of another sound, and sounds
   * begin anywhere, and are small. So they are changed of all parts at once, whatever the picture does.
   */
  private changeSounds({ started, part }: PlayheadNow, held: HeldParts, nowMs: number): void {
    const { change, known, heard } = this;
    const was = change.tracks;
    if (!this.hears || was === null || byRate(known, 'video').length === 0) return;
    this.hears = false;
    change.map((tracks) => withOtherSounds(known, tracks, heard));
    const tracks = change.tracks!;
    if (sameNumbers(was, tracks)) return;
    const more = tracks.filter((track) => !was.includes(track));
    const from = lastStart(part, held);
    if (started) for (const track of more) this.outputs.push({ kind: 'begin', part: from < 0 ? part : from, track });
    if (more.length > 0) this.auto.askedForMore(nowMs);
    this.changed(tracks, nowMs);
  }

  /** Undefined where there is nothing to choose, or no such rendition. */
  private get choice(): readonly number[] | undefined {
    return this.quality === 'all' ? undefined : chooseTracks(this.known, this.quality, this.auto.track, this.heard);
  }

  /** @param from - Left out: at once where the new rendition needs less, as what comes now is too much. */
  private want(from?: ChangeFrom, isTold = false): void {
    const choice = this.quality === 'all' ? this.known.map(({ id }) => id) : this.choice;
    if (choice === undefined || this.change.tracks === null) return;
    const least = this.rate(choice) < this.rate(this.change.tracks) ? 'newest' : 'next';
    this.change.want(choice, from ?? least, isTold);
  }

  private rate(tracks: readonly number[]): number {
    return this.known.reduce((sum, { id, bandwidthBps }) => sum + (tracks.includes(id) ? bandwidthBps : 0), 0);
  }

  private set(tracks: readonly number[] | null, nowMs: number): void {
    const was = this.change.tracks;
    this.change.set(tracks);
    if (was === null ? tracks !== null : !sameNumbers(was, tracks)) this.changed(tracks, nowMs);
  }
}
