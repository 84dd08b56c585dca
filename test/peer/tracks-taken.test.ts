import { describe, expect, it } from 'vitest';
import { Queue } from '../../machine/machine.ts';
import { Rendition } from '../../peer/browser/rendition.ts';
import type { PeerOutput } from '../../peer/core/io.ts';
import type { HeldParts } from '../../peer/core/track-change.ts';
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
  readonly taken = new TracksTaken('lowest', this.outputs, () => undefined);
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

  it('and is told of each change once', () => {
    const outputs = new Queue<PeerOutput>();
    const taken = new TracksTaken('lowest', outputs, () => undefined);
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
