import { beforeEach, describe, expect, it } from 'vitest';
import { Queue } from '../../machine/machine.ts';
import { Rendition } from '../../peer/browser/rendition.ts';
import type { PeerOutput } from '../../peer/core/io.ts';
import type { HeldParts } from '../../peer/core/rendition-choice.ts';
import { renditionRule } from '../../peer/core/rendition-rule.ts';
import { TracksTaken } from '../../peer/core/tracks-taken.ts';
import { audioTrack, makeDescription, videoTrack } from '../hls/made-stream.ts';

const [HIGH, LOW, SOUND] = [1, 2, 3];
const PARTS_PER_SEGMENT = 4;
const ladder = [
  { ...videoTrack, id: HIGH, bandwidthBps: 2_000_000 },
  { ...videoTrack, id: LOW, bandwidthBps: 500_000 },
  { ...audioTrack, id: SOUND },
];

/** A viewer who follows the live edge and holds what was taken up to a part, the newest there is. */
class Viewer {
  readonly rendition = new Rendition();
  private readonly outputs = new Queue<PeerOutput>();
  readonly taken = new TracksTaken('lowest', renditionRule, this.outputs, () => undefined);
  private nowMs = 0;

  constructor() {
    this.taken.describe(ladder, 0);
    this.rendition.describe(makeDescription({ tracks: ladder }));
  }

  /** The picture is in `part`, and the player has been given all that is held. */
  plays(part: number, heldTo: number, stalled = false): void {
    this.rendition.gave(this.rendition.next!, heldTo);
    const held: HeldParts = {
      newestIndependent: heldTo - (heldTo % PARTS_PER_SEGMENT),
      isStart: (one) => one <= heldTo && one % PARTS_PER_SEGMENT === 0,
      knows: (one) => one <= heldTo,
      holdsAll: (_, one) => one <= heldTo,
    };
    this.taken.settle({ started: true, part, stalled }, PARTS_PER_SEGMENT, false, held, this.nowMs++);
    for (let output = this.outputs.shift(); output !== undefined; output = this.outputs.shift())
      if (output.kind === 'begin' && output.track !== null) this.rendition.begin(output.track, output.part);
  }
}

describe('a player is led to the rendition that is taken', () => {
  it('when a change takes effect at the same part as the one before', () => {
    const viewer = new Viewer();
    viewer.taken.prefer('best', 0);
    viewer.plays(14, 19);
    expect([viewer.taken.change.atPart, viewer.rendition.next]).toEqual([20, HIGH]);
    // The line does not carry it: the segment on screen, the first of the better one, is that to begin anew with.
    viewer.taken.prefer('auto', 0);
    viewer.plays(20, 22, true);
    expect([viewer.taken.change.tracks, viewer.taken.change.atPart]).toEqual([[LOW, SOUND], 20]);
    expect(viewer.rendition.next).toBe(LOW);
  });

  it('which a viewer has named, from where what he has ends, and by the rule again where the stream has no such track any more', () => {
    const viewer = new Viewer();
    viewer.taken.prefer({ track: HIGH }, 0);
    viewer.plays(14, 19);
    expect([viewer.taken.change.atPart, viewer.rendition.next]).toEqual([20, HIGH]);
    expect([viewer.taken.change.of(19), viewer.taken.change.of(20)]).toEqual([
      [LOW, SOUND],
      [HIGH, SOUND],
    ]);
    viewer.taken.describe(ladder.slice(1), 0);
    expect(viewer.taken.change.tracks).toEqual(null);
    viewer.taken.describe([...ladder.slice(1), { ...videoTrack, id: 9, bandwidthBps: 900_000 }], 0);
    expect(viewer.taken.change.tracks).toEqual([LOW, SOUND]);
  });

  it('and is told of each change once', () => {
    const outputs = new Queue<PeerOutput>();
    const taken = new TracksTaken('lowest', renditionRule, outputs, () => undefined);
    taken.describe(ladder, 0);
    taken.prefer('best', 0);
    const held = { newestIndependent: 16, isStart: () => false, knows: () => false, holdsAll: () => true };
    const until = (part: number) => ({ ...held, holdsAll: (_: readonly number[], one: number) => one <= part });
    for (const part of [14, 15, 16]) taken.settle({ started: true, part, stalled: false }, 4, true, until(19), 0);
    const told: PeerOutput[] = [];
    for (let output = outputs.shift(); output !== undefined; output = outputs.shift()) told.push(output);
    expect(told.filter(({ kind }) => kind === 'begin')).toEqual([{ kind: 'begin', part: 20, track: HIGH }]);
  });
});

describe('the sound that a player asks for', () => {
  const OTHER = 4;
  const both = [...ladder, { ...audioTrack, id: OTHER }];
  const outputs = new Queue<PeerOutput>();
  const told = (): PeerOutput[] => Array.from({ length: outputs.length }, () => outputs.shift()!);
  const held: HeldParts = {
    newestIndependent: 16,
    isStart: (part) => part % PARTS_PER_SEGMENT === 0 && part <= 19,
    knows: (part) => part <= 19,
    holdsAll: (_, part) => part <= 19,
  };
  let taken: TracksTaken;
  const settle = (part: number): void =>
    taken.settle({ started: true, part, stalled: false }, PARTS_PER_SEGMENT, true, held, 0);

  beforeEach(() => {
    taken = new TracksTaken('lowest', renditionRule, outputs, () => undefined);
    taken.describe(both, 0);
    settle(14);
    told();
  });

  it('is taken of every part, and the player is told from which segment on: the one on screen', () => {
    taken.hear([LOW, SOUND, OTHER], 0);
    settle(14);
    expect(told()).toEqual([{ kind: 'begin', part: 12, track: OTHER }]);
    expect([taken.change.of(12), taken.change.of(30)]).toEqual([
      [LOW, SOUND, OTHER],
      [LOW, SOUND, OTHER],
    ]);
  });

  it('takes the place of the one before once the player has left that, also in what is chosen afterwards', () => {
    for (const heard of [[SOUND, OTHER], [OTHER]]) {
      taken.hear(heard, 0);
      settle(14);
    }
    expect(taken.change.of(14)).toEqual([LOW, OTHER]);
    taken.prefer('best', 0);
    settle(14);
    expect([taken.change.tracks, told().filter(({ kind }) => kind === 'begin')]).toEqual([
      [HIGH, OTHER],
      [
        { kind: 'begin', part: 12, track: OTHER },
        { kind: 'begin', part: 20, track: HIGH },
      ],
    ]);
  });

  it('leaves a change of the picture that is under way as it is', () => {
    taken.prefer('best', 0);
    settle(14);
    const { atPart } = taken.change;
    expect(atPart).toBeGreaterThan(14);
    taken.hear([OTHER], 0);
    settle(14);
    expect([taken.change.atPart, taken.change.of(atPart - 1), taken.change.of(atPart)]).toEqual([
      atPart,
      [LOW, OTHER],
      [HIGH, OTHER],
    ]);
  });

  it('is what is taken from the beginning on where it was asked for before', () => {
    const early = new TracksTaken('lowest', undefined, outputs, () => undefined);
    early.describe(both, 0);
    expect(early.change.tracks).toEqual([LOW, SOUND]);
    early.hear([OTHER], 0);
    expect(early.change.tracks).toEqual([LOW, OTHER]);
    early.setChoice(renditionRule, 0);
    early.prefer('best', 0);
    early.settle({ started: true, part: 14, stalled: false }, PARTS_PER_SEGMENT, true, held, 0);
    expect(early.change.tracks).toEqual([HIGH, OTHER]);
  });

  it('is at once there where a player chooses all for itself, and no other is added to what it left out', () => {
    taken.select([LOW, SOUND, OTHER], true, 0);
    settle(14);
    expect([taken.change.of(14), taken.change.of(30)]).toEqual([
      [LOW, SOUND, OTHER],
      [LOW, SOUND, OTHER],
    ]);
    taken.select([LOW], true, 0);
    settle(14);
    expect(taken.change.tracks).toEqual([LOW]);
  });
});

describe('without what chooses among renditions', () => {
  const outputs = new Queue<PeerOutput>();
  const changes: (readonly number[] | null)[] = [];
  let taken: TracksTaken;
  const held: HeldParts = {
    newestIndependent: 16,
    isStart: (part) => part % PARTS_PER_SEGMENT === 0,
    knows: (part) => part <= 19,
    holdsAll: (_, part) => part <= 19,
  };
  const settle = (part: number, started = true): void =>
    taken.settle({ started, part, stalled: false }, PARTS_PER_SEGMENT, true, held, 0);
  const told = (): PeerOutput[] => Array.from({ length: outputs.length }, () => outputs.shift()!);

  beforeEach(() => {
    told();
    changes.length = 0;
    taken = new TracksTaken('auto', undefined, outputs, (tracks) => changes.push(tracks));
  });

  it('the least picture and the first sound are taken from the beginning on, of every part', () => {
    taken.describe(ladder, 0);
    expect(changes).toEqual([[LOW, SOUND]]);
    expect([taken.change.of(0), taken.change.earlier, taken.change.atPart]).toEqual([[LOW, SOUND], [LOW, SOUND], -1]);
  });

  it('it is asked for once, when the stream plays and has several', () => {
    taken.describe(ladder, 0);
    settle(14, false);
    expect(told()).toEqual([]);
    for (const part of [14, 15]) settle(part);
    expect(told()).toEqual([{ kind: 'want-choice' }]);
  });

  it('nothing is asked for where one picture and one sound are everything', () => {
    taken.describe(ladder.slice(1), 0);
    settle(14);
    expect([told(), taken.change.tracks]).toEqual([[], null]);
  });

  it('a player gets what it selects at once, and what it leaves is no longer taken', () => {
    taken.describe(ladder, 0);
    settle(14);
    taken.select([HIGH, LOW, SOUND], true, 0);
    taken.select([HIGH, SOUND], true, 0);
    expect([taken.change.tracks, taken.change.of(0)]).toEqual([
      [HIGH, SOUND],
      [HIGH, SOUND],
    ]);
  });

  it('what is taken stays when another is wished for, and that is taken as soon as there is what chooses', () => {
    taken.describe(ladder, 0);
    taken.prefer('best', 0);
    settle(14);
    expect([told(), taken.change.tracks]).toEqual([[{ kind: 'want-choice' }], [LOW, SOUND]]);
    taken.setChoice(renditionRule, 0);
    settle(14);
    expect([taken.change.of(19), taken.change.of(20)]).toEqual([
      [LOW, SOUND],
      [HIGH, SOUND],
    ]);
    expect(told()).toContainEqual({ kind: 'begin', part: 20, track: HIGH });
  });

  it('what a player has selected stays when there is what chooses, and a second one changes nothing', () => {
    taken.describe(ladder, 0);
    taken.select([HIGH, SOUND], true, 0);
    taken.setChoice(renditionRule, 0);
    settle(14);
    const { change } = taken;
    taken.setChoice(renditionRule, 0);
    expect([taken.change === change, change.tracks, change.atPart]).toEqual([true, [HIGH, SOUND], -1]);
  });

  it('what the line carried meanwhile counts', () => {
    taken.describe(ladder, 0);
    for (let atMs = 0; atMs < 1_000; atMs += 10) taken.came(10_000, atMs);
    for (let atMs = 1_000; atMs <= 6_000; atMs += 250) taken.whole(50, atMs);
    taken.setChoice(renditionRule, 6_000);
    settle(14);
    expect(taken.change.tracks).toEqual([HIGH, SOUND]);
  });
});

describe('a player that is left to the rule again', () => {
  const outputs = new Queue<PeerOutput>();
  let rendition: Rendition;
  let taken: TracksTaken;
  const settle = (part: number): void => {
    const held: HeldParts = {
      newestIndependent: 16,
      isStart: (one) => one <= 19 && one % PARTS_PER_SEGMENT === 0,
      knows: (one) => one <= 19,
      holdsAll: (_, one) => one <= 19,
    };
    taken.settle({ started: true, part, stalled: false }, PARTS_PER_SEGMENT, true, held, 0);
    for (let output = outputs.shift(); output !== undefined; output = outputs.shift())
      if (output.kind === 'begin' && output.track !== null) rendition.begin(output.track, output.part);
  };
  /** As a page does it: what the player asked for last are the sounds that go on. */
  const leave = (asked: readonly number[]): void => {
    rendition.resume();
    taken.prefer('auto', 0);
    taken.hear(asked, 0);
  };

  beforeEach(() => {
    rendition = new Rendition();
    rendition.describe(makeDescription({ tracks: ladder }));
    taken = new TracksTaken('auto', undefined, outputs, () => undefined);
    taken.describe(ladder, 0);
    settle(14);
  });

  it('before there is what chooses goes on with what it has chosen', () => {
    taken.select([HIGH, SOUND], true, 0);
    rendition.gave(HIGH, 19);
    leave([HIGH, SOUND]);
    expect([taken.change.tracks, rendition.next]).toEqual([[HIGH, SOUND], HIGH]);
    taken.setChoice(renditionRule, 0);
    settle(14);
    rendition.gave(HIGH, 19);
    expect([taken.change.of(20), rendition.next]).toEqual([[LOW, SOUND], LOW]);
  });

  it.each([true, false])('between two renditions is led to the one that is taken (chosen early: %s)', (isEarly) => {
    if (!isEarly) taken.setChoice(renditionRule, 0);
    taken.select([HIGH, SOUND], true, 0);
    settle(14);
    rendition.gave(HIGH, 19);
    settle(20);
    taken.select([HIGH, LOW, SOUND], true, 0);
    settle(20);
    leave([HIGH, LOW, SOUND]);
    if (isEarly) taken.setChoice(renditionRule, 0);
    settle(21);
    rendition.gave(HIGH, 23);
    settle(24);
    expect([taken.change.tracks, rendition.next]).toEqual([[LOW, SOUND], LOW]);
  });

  it('stays with what is taken when the tracks become others before there is what chooses', () => {
    const more = [...ladder, { ...videoTrack, id: 7, bandwidthBps: 100_000 }];
    taken.describe(more, 0);
    rendition.describe(makeDescription({ tracks: more }));
    expect([taken.change.tracks, rendition.next]).toEqual([[LOW, SOUND], LOW]);
  });
});
