import { describe, expect, it } from 'vitest';
import { Queue } from '../../machine/machine.ts';
import { Evaluation } from '../../peer/core/evaluate.ts';
import type { InsFeed } from '../../peer/core/ins-feed.ts';
import type { Intake } from '../../peer/core/intake.ts';
import type { PeerOutput } from '../../peer/core/io.ts';
import type { Lockers } from '../../peer/core/lockers.ts';
import type { Lacking, Mesh } from '../../peer/core/mesh.ts';
import type { Playhead } from '../../peer/core/playhead.ts';
import type { TrackChange } from '../../peer/core/track-change.ts';
import { nameOfHash } from '../../protocol/names.ts';
import { Catalogue } from '../../swarm/catalogue.ts';

const NOW_MS = 100_000;
const PART_MS = 250;

/** It has part 9, and knows of no other. */
function catalogueToNine(): Catalogue {
  const catalogue = new Catalogue(64);
  const place = { segment: 2, indexInSegment: 1, independent: false, discontinuity: false };
  const times = { timeUs: 2_250_000, durationUs: 250_000, capturedAtMs: 2_250 };
  const blocks = [{ name: nameOfHash(new Uint8Array(32)), sizeBytes: 10 }];
  const record = { track: 0, part: 9, revision: 1, ...place, ...times, blocks, previous: new Uint8Array(32) };
  catalogue.addBlock(catalogue.addRecord(record, new Uint8Array(1))!, 0, { byteLength: 10 });
  return catalogue;
}

/** A hybrid viewer whom neighbours feed and who lacks parts 10 to 13: what it asks of whom, by its INS server's last word. */
function asked(answers: boolean) {
  const [ofServer, ofNeighbours]: [number[], number[]] = [[], []];
  const ins = {
    ...{ up: true, asked: false, follows: true, brings: false, full: false, newestBrought: 9, follow: {} },
    ...{ dialledAtMs: 0, askedAtMs: 0, answers: () => answers, expects: () => false, keepsPace: () => false },
    fetch: (_: number, part: number) => ofServer.push(part),
    ...{ failover: { behindMs: () => 0 }, flush: () => undefined, rest: () => undefined },
  };
  const mesh = {
    feeding: { from: 'native', decide: () => undefined, isVain: () => false },
    ...{ newestPart: 13, isPushed: false, seeks: () => true, fedByIns: () => undefined, wantPushes: () => undefined },
    fetch: (lacking: readonly Lacking[]) => ofNeighbours.push(...lacking.map(({ part }) => part)),
  };
  const playhead = {
    started: true,
    live: true,
    part: 9,
    dueAtMs: (part: number) => NOW_MS + (part - 9) * PART_MS + 150,
  };
  const evaluation = new Evaluation(
    'hybrid',
    catalogueToNine(),
    { busy: () => false } as unknown as Intake,
    ins as unknown as InsFeed,
    { source: undefined } as Lockers,
    playhead as unknown as Playhead,
    new Queue<PeerOutput>(),
  );
  evaluation.mesh = mesh as unknown as Mesh;
  const taken = { tracks: null, earlier: null, atPart: -1 } as unknown as TrackChange;
  evaluation.run(taken, [0], PART_MS, 4, NOW_MS, 0);
  return { ofServer, ofNeighbours };
}

describe('what is due within a second and no neighbour has been asked for', () => {
  it('is asked of the INS server alone while that answers', () => {
    const { ofServer, ofNeighbours } = asked(true);
    expect(ofServer).toEqual([10, 11, 12]);
    expect(ofNeighbours).toEqual([13]);
  });

  it('is asked of neighbours, too, when the server has said nothing lately: it may be gone without a word', () => {
    const { ofServer, ofNeighbours } = asked(false);
    expect(ofServer).toEqual([10, 11, 12]);
    expect(ofNeighbours).toEqual([10, 11, 12, 13]);
  });
});
