import type { WantedBlock } from '../../ins-client/core/io.ts';
import type { Sink } from '../../machine/machine.ts';
import { FROM_NEWEST_START } from '../../protocol/ins-messages.ts';
import type { Mode } from '../../protocol/swarm-fields.ts';
import { type Catalogue, isWhole } from '../../swarm/catalogue.ts';
import type { InsFeed } from './ins-feed.ts';
import type { Asked } from './ins-gets.ts';
import { insStart } from './ins-start.ts';
import type { Intake } from './intake.ts';
import type { PeerOutput } from './io.ts';
import type { Lockers } from './lockers.ts';
import type { Lacking, Mesh } from './mesh.ts';
import type { Playhead } from './playhead.ts';
import type { Taken } from './rendition-choice.ts';

/** Ms before a part is due from which the INS server counts as late with it. */
const LATE_MS = 300;
/** Ms after the start within which an INS server is to have sent something. */
const INS_START_MS = 1_000;
/** Ms before a part is due from which a hybrid viewer asks its INS server for what no neighbour has been asked for. */
const RESCUE_MS = 1_000;
/** The same for a server that had no room: it feeds others, and what it gives twice it gives instead of something. */
const RESCUE_FROM_FULL_MS = 500;
/** Ms without a word after which an INS server counts as silent where neighbours announce what it would have brought. */
const SILENT_MS = 700;
/** Parts beyond the newest record, and beyond where playback begins, that are believed to exist when a neighbour says so. */
const AHEAD_MAX = 8;
/** Parts looked at in one decision. */
const SPAN_MAX = 96;
const AGAIN_MS = 100;
/** Parts that the place lies behind at most where a decoder can begin. */
const START_WITHIN_PARTS = 32;
/** Decisions are at least so far apart: a burst of messages is looked at once. */
const PAUSE_MS = 4;
/** What a viewer whom neighbours feed begins with is wanted within this: whoever plays already comes first. */
const BEGIN_MS = 1_500;
/** Ms after which a server that has no room for a viewer without neighbours is asked again. */
const NO_ROOM_MS = 1_000;
/** Media from the first part on that an INS server begins with: what is to be in hand, and a part that comes late. */
const BEGIN_WITH_MS = 750;
/** The same, where neighbours may have to take over: they need longer. */
const BEGIN_WITH_HYBRID_MS = 3_250;
/** Where bitmaps, once a second from one to the next, are the only news of what there is. */
const BEGIN_WITHOUT_FOLLOW_MS = 4_500;
/** Where nobody watches yet, news of what there is comes once in so many ms. */
const NEWS_EVERY_MS = 1_000;
/** A place that is so far behind the newest start has not led to a beginning. */
const BEGIN_AGAIN_MS = 3_000;
/** Of what neighbours are asked for before the start, each part is due by so much later than the one before. */
const BEGIN_STEP_MS = 60;
/** Who lacks no more parts than this to the newest has neighbours push it what comes; who lacks so many more does not. */
const PUSH_WITHIN_PARTS = 40;
const PUSH_UNTIL_PARTS = 60;
/** A follow that begins again after a longer break begins at the newest part. */
const RESUME_WITHIN_PARTS = 24;
/** Who follows the live edge, waits, and is so far behind it goes on at the newest start: what lies between is over. */
const SKIP_MS = 4_000;

/**
 * The one decision of a peer: which parts are missing, and who is asked for each.
 *
 * Invariants: nothing before the play-head is fetched; in INS mode neighbours are never asked, in native mode INS servers
 * never; what a follow is going to bring is not asked for until it is late; nobody is asked twice for what is on its way.
 */
export class Evaluation {
  /** Where neighbours are asked, once there is one: until then INS servers alone are. */
  mesh: Mesh | undefined;
  private nextAtMs: number | undefined;
  private ranAtMs = Number.NEGATIVE_INFINITY;
  private firstWanted = -1;
  private heardAtMs = Number.NEGATIVE_INFINITY;
  /** Whether there is a place to begin at, where neighbours feed. */
  private placed = true;
  private readonly delivered = new Map<number, Set<number>>();
  private readonly mode: Mode;
  private readonly beginWithMs: number | undefined;
  private readonly catalogue: Catalogue;
  private readonly intake: Intake;
  private readonly ins: InsFeed;
  private readonly lockers: Lockers;
  private readonly playhead: Playhead;
  private readonly outputs: Sink<PeerOutput>;
  /** What the last decision was about. */
  private readonly looked = {
    tracks: [] as readonly number[],
    earlier: [] as readonly number[],
    changeAt: -1,
    partMs: 250,
    partsPerSegment: 4,
    from: 0,
    to: -1,
  };
  /** It found something missing. */
  private missing = true;
  /** By track: the first part that is looked at. */
  private readonly starts: number[] = [];

  constructor(
    mode: Mode,
    catalogue: Catalogue,
    intake: Intake,
    ins: InsFeed,
    lockers: Lockers,
    playhead: Playhead,
    outputs: Sink<PeerOutput>,
    beginWithMs?: number,
  ) {
    this.beginWithMs = beginWithMs;
    this.mode = mode;
    this.catalogue = catalogue;
    this.intake = intake;
    this.ins = ins;
    this.lockers = lockers;
    this.playhead = playhead;
    this.outputs = outputs;
    ins.follow.from = (nowMs) => this.resumeFrom(nowMs);
    if (mode === 'hybrid') {
      ins.follow.mayFollowAtMs = (refused, nowMs) => {
        const feeding = this.mesh?.feeding;
        if (refused === 'by none') return feeding?.mayAskAtMs(nowMs) ?? nowMs;
        return feeding?.refusedAtMs(refused === 'by one', nowMs) ?? nowMs + NO_ROOM_MS;
      };
    }
  }

  nextDeadline(): number | undefined {
    return this.nextAtMs;
  }

  /** Who feeds us; undefined before that is known. */
  get fedBy(): 'ins' | 'native' | undefined {
    const from = this.mode === 'hybrid' ? (this.mesh?.feeding.from ?? 'ins') : this.mode;
    return from === 'ins' && !this.ins.brings ? undefined : from;
  }

  /** Marks a part of a track as handed on. @returns False when it was before. */
  deliver(track: number, part: number): boolean {
    const set = this.delivered.get(track) ?? new Set<number>();
    this.delivered.set(track, set);
    if (set.has(part)) return false;
    set.add(part);
    // Two windows' worth is enough to know what was handed on; older parts are out of the catalogue.
    if (set.size > 1_024) for (const old of set) if (set.size > 512) set.delete(old);
    return true;
  }

  /** A new record is known. */
  recorded(nowMs: number): void {
    this.heardAtMs = nowMs;
  }

  /** Whether somebody who has this part could be asked for something of it. */
  seeks(track: number, part: number): boolean {
    if (part < this.looked.from) return false;
    const entry = this.catalogue.get(track, part);
    return (entry === undefined || !isWhole(entry)) && this.mesh?.seeks(track, part, entry) === true;
  }

  /** Whether to hear of this part may lead to another decision than the last one. */
  looksBeyond(part: number): boolean {
    return this.missing || part > this.looked.to;
  }

  /** @param partsPerSegment - How far apart starts are, as far as the description tells. */
  run(
    taken: Taken,
    all: readonly number[],
    partMs: number,
    partsPerSegment: number,
    nowMs: number,
    startedAtMs: number,
  ): void {
    if (nowMs - this.ranAtMs < PAUSE_MS) {
      this.nextAtMs = this.ranAtMs + PAUSE_MS;
      return;
    }
    this.ranAtMs = nowMs;
    this.nextAtMs = undefined;
    const tracks = taken.tracks ?? all;
    this.looked.partMs = partMs;
    this.looked.partsPerSegment = partsPerSegment;
    const native = this.usesNative(nowMs, startedAtMs);
    const from = this.position(native ? (tracks[0] ?? 0) : undefined, partsPerSegment, partMs, nowMs);
    const announced = this.newestAnnounced();
    let to = Math.min(this.horizon(announced, from), from + SPAN_MAX);
    // What is asked for at once comes at once, the newest first where only its records are known: a viewer would begin there.
    if (!this.playhead.started && !this.ins.follows && !native) to = Math.min(to, from + partsPerSegment - 1);
    this.looked.tracks = tracks;
    this.looked.earlier = taken.earlier ?? all;
    this.looked.changeAt = taken.atPart;
    this.looked.from = from;
    this.looked.to = to;
    const want: WantedBlock[] = [];
    const places: Asked[] = [];
    const lacking: Lacking[] = [];
    // Once a hybrid viewer plays, neighbours bring what no follow is going to.
    const shares =
      this.mode === 'hybrid' &&
      this.mesh !== undefined &&
      (native || (this.playhead.started && (this.ins.asked || !this.ins.up)));
    // One that says nothing while neighbours announce what it would have brought by now brings it late, if at all.
    const isSilent = shares && !this.ins.answers(nowMs, SILENT_MS) && this.newestAnnounced() > this.ins.newestBrought;
    let firstMissing = -1;
    const { starts } = this;
    let first = from;
    for (const track of this.looked.earlier) starts[track] = from;
    for (const track of tracks) {
      const start = this.startOf(track, tracks, from);
      starts[track] = start;
      if (start < first) first = start;
    }
    for (let part = first; part <= to; part++) {
      const here = part < taken.atPart ? this.looked.earlier : tracks;
      for (let at = 0; at < here.length; at++) {
        const track = here[at]!;
        if (this.catalogue.holds(track, part) || part < starts[track]!) continue;
        if (this.intake.busy(track, part)) continue;
        if (firstMissing < 0) firstMissing = part;
        const dueAtMs = this.playhead.dueAtMs(part, partMs, nowMs);
        const due = this.playhead.started ? dueAtMs - nowMs < LATE_MS : nowMs - startedAtMs > INS_START_MS;
        // With little in hand every part is due soon: while the follow keeps its pace, none of them is late.
        const late = due && !this.ins.keepsPace(partMs, nowMs);
        const expected = !isSilent && this.ins.expects(track, part);
        if (!native && !shares && this.ins.up && (late || !expected)) {
          this.ins.fetch(track, part, dueAtMs, want, places, nowMs);
        }
        if (shares ? (late || !expected) && this.placed : native && this.placed) {
          const beginAtMs = nowMs + BEGIN_MS + (part - from) * BEGIN_STEP_MS;
          lacking.push({ track, part, dueAtMs: this.playhead.started ? dueAtMs : beginAtMs });
        }
      }
    }
    const rest = shares && this.playhead.started ? this.rescue(lacking, want, places, nowMs) : lacking;
    this.mesh?.fetch(rest, nowMs);
    this.ins.flush(want, places, nowMs);
    this.wantPushes(native, firstMissing < 0 ? 0 : to - firstMissing, taken.tracks);
    this.missing = firstMissing >= 0;
    if (this.missing || this.mode === 'hybrid') this.nextAtMs = nowMs + AGAIN_MS;
  }

  /** What is due soon and no neighbour has been asked for, or is late with, the INS server is asked for. @returns The rest. */
  private rescue(lacking: Lacking[], want: WantedBlock[], places: Asked[], nowMs: number): Lacking[] {
    if (!this.ins.up) return lacking;
    // One that has gone without a word is up as far as anybody knows: neighbours are asked, too.
    const answers = this.ins.answers(nowMs);
    const withinMs = this.ins.full ? RESCUE_FROM_FULL_MS : RESCUE_MS;
    return lacking.filter(({ track, part, dueAtMs }) => {
      if (dueAtMs - nowMs > withinMs) return true;
      const isLate = dueAtMs - nowMs < LATE_MS;
      const unasked = this.mesh?.seeks(track, part, this.catalogue.get(track, part));
      if (unasked || isLate) this.ins.fetch(track, part, dueAtMs, want, places, nowMs);
      return isLate || !unasked || !answers;
    });
  }

  private wantPushes(native: boolean, lacking: number, tracks: readonly number[] | null): void {
    const within = this.mesh?.isPushed ? PUSH_UNTIL_PARTS : PUSH_WITHIN_PARTS;
    this.mesh?.wantPushes(native && this.playhead.started && lacking <= within, tracks);
  }

  /** The first part that is of use: the play-head, or before the start the newest part to start at. */
  private position(nativeTrack: number | undefined, partsPerSegment: number, partMs: number, nowMs: number): number {
    if (this.playhead.started) {
      this.placed = true;
      if (this.stands && this.catalogue.newestIndependent - this.playhead.part > SKIP_MS / partMs)
        return this.catalogue.newestIndependent;
      // A viewer who pauses falls behind what is kept.
      return Math.max(this.playhead.part, this.catalogue.oldestPart);
    }
    const fed =
      nativeTrack === undefined ? -1 : (this.mesh?.startAt(nativeTrack, partsPerSegment, partMs, nowMs) ?? -1);
    this.placed = nativeTrack === undefined || fed >= 0;
    if (fed >= 0) return fed;
    return Math.max(0, this.insPosition(nowMs));
  }

  /** Somebody who follows the live edge waits for the part on screen, or, the last frame of that being shown, for the next one. */
  private get stands(): boolean {
    const { playhead, catalogue, looked } = this;
    const { tracks } = looked;
    const { part } = playhead;
    if (!playhead.live || tracks.length === 0) return false;
    return !catalogue.holdsAll(tracks, part) || !catalogue.holdsAll(tracks, part + 1);
  }

  /** Where a viewer begins whom an INS server feeds; chosen anew when it has led to nothing for long. */
  private insPosition(nowMs: number): number {
    const { partMs, partsPerSegment } = this.looked;
    const followMs = this.beginWithMs ?? (this.mode === 'hybrid' ? BEGIN_WITH_HYBRID_MS : BEGIN_WITH_MS);
    const withMs = this.ins.follows ? followMs : BEGIN_WITHOUT_FOLLOW_MS;
    const behindMs = (this.catalogue.newestIndependent - this.firstWanted) * partMs;
    if (this.firstWanted < 0 || behindMs > withMs + BEGIN_AGAIN_MS) {
      const unheard = Math.floor(Math.min(nowMs - this.heardAtMs, NEWS_EVERY_MS) / partMs);
      this.firstWanted = insStart(this.catalogue, withMs, partMs, partsPerSegment, unheard);
    }
    return this.firstWanted;
  }

  /** Where a track is taken from: a rendition that was not taken until now begins where a decoder can begin with it. */
  private startOf(track: number, tracks: readonly number[], from: number): number {
    const { catalogue } = this;
    if (!this.playhead.started || catalogue.holds(track, from) || catalogue.holds(track, from - 1)) return from;
    const oldest = Math.max(catalogue.oldestPart, from - START_WITHIN_PARTS);
    for (let part = from; part >= oldest; part--) {
      if (tracks.some((other) => catalogue.get(other, part)?.record.independent === true)) return part;
    }
    return from;
  }

  /** The newest part that is known, or believed, to exist. Who joined long ago may begin far ahead of the records that came with that. */
  private horizon(announced: number, from: number): number {
    const { newest } = this.catalogue;
    return newest < 0 ? -1 : Math.min(Math.max(newest, announced), Math.max(newest, from - 1) + AHEAD_MAX);
  }

  private newestAnnounced(): number {
    return Math.max(this.lockers.source?.availability.newest ?? -1, this.mesh?.newestPart ?? -1);
  }

  /** Where a new follow begins: behind what is held without a gap, or at the newest start after a long break. */
  private resumeFrom(nowMs: number): number {
    const { tracks, earlier, changeAt, from, to } = this.looked;
    // Neighbours have been asked for what there is already.
    const { started } = this.playhead;
    if (this.mode === 'hybrid' && this.mesh?.feeding.from === 'native' && to >= 0 && (started || this.placed))
      return to + 1;
    if (!started) {
      const part = this.insPosition(nowMs);
      return part < 0 ? FROM_NEWEST_START : part;
    }
    // Who heard nothing for long does not know what there is.
    const isOutOfTouch = this.stands && this.ranAtMs - this.heardAtMs > SKIP_MS;
    if (isOutOfTouch || this.newestAnnounced() > this.catalogue.newest + RESUME_WITHIN_PARTS) {
      return FROM_NEWEST_START;
    }
    // A rendition that was not taken until now catches up by batches: nothing of the others comes twice.
    const going = tracks.filter((track) => this.catalogue.holds(track, from));
    let part = from;
    while (part < changeAt && this.catalogue.holdsAll(earlier, part)) part++;
    if (part < changeAt) return part;
    while (going.length > 0 && this.catalogue.holdsAll(going, part)) part++;
    return part;
  }

  /** Whether neighbours feed us: always in native mode, in hybrid mode while no INS server does. */
  private usesNative(nowMs: number, startedAtMs: number): boolean {
    const { ins, playhead, mesh } = this;
    if (mesh === undefined) return false;
    if (this.mode !== 'hybrid') return this.mode === 'native';
    const { feeding } = mesh;
    const { up, dialledAtMs, askedAtMs, brings, full: refused } = ins;
    const { started } = playhead;
    const inHandMs = this.inHandMs(nowMs);
    const behindMs = this.newestAnnounced() > ins.newestBrought ? ins.failover.behindMs(this.looked.partMs, nowMs) : 0;
    const fed = { up, dialledAtMs, askedAtMs, brings, refused, behindMs, started, inHandMs };
    const why = feeding.decide(fed, nowMs, startedAtMs);
    const to = feeding.from;
    mesh.fedByIns(to === 'ins' && brings, nowMs);
    if (why !== undefined) {
      if (to === 'native' && ins.asked) ins.rest(false, nowMs);
      this.outputs.push({ kind: 'event', event: { kind: 'switched', to, why } });
    }
    if (why === undefined && feeding.isVain(fed, this.looked.partMs, nowMs)) ins.rest(true, nowMs);
    return to === 'native';
  }

  /** For how long what we have without a gap lasts. */
  private inHandMs(nowMs: number): number {
    const { playhead, catalogue } = this;
    const { tracks, earlier, changeAt, partMs } = this.looked;
    if (!playhead.started) return 0;
    let part = playhead.part;
    while (tracks.length > 0 && catalogue.holdsAll(part < changeAt ? earlier : tracks, part)) part++;
    return playhead.dueAtMs(part, partMs, nowMs) - nowMs;
  }
}
