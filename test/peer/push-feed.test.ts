import { describe, expect, it } from 'vitest';
import { Queue } from '../../machine/machine.ts';
import { Prng } from '../../machine/prng.ts';
import type { PeerOutput } from '../../peer/core/io.ts';
import { PushFeed } from '../../peer/core/push-feed.ts';
import { LANES } from '../../protocol/limits.ts';
import { Catalogue } from '../../swarm/catalogue.ts';
import type { SwarmOutput } from '../../swarm/io.ts';
import { laneOf, NOT_PUSHED } from '../../swarm/lanes.ts';
import { Pushing } from '../../swarm/pushing.ts';
import { PUSH_WITHIN_MS, Serving } from '../../swarm/serve.ts';
import { givenNeighbours, key } from '../swarm/given-neighbours.ts';

const depth = (of: number) => new Uint8Array(LANES).fill(of);
const ALL = 0xff;

/** A viewer with neighbours 1, 2 and 3 that give. */
function viewer() {
  const outputs = new Queue<SwarmOutput>();
  const neighbours = givenNeighbours(3, outputs);
  const pushing = new Pushing(false, neighbours, new Serving(new Catalogue(64), neighbours, outputs), outputs);
  const out = new Queue<PeerOutput>();
  const feed = new PushFeed(neighbours, pushing, new Prng(1), out);
  const told = () => {
    const lines: string[] = [];
    for (let output = out.shift(); output !== undefined; output = out.shift()) {
      if (output.kind === 'send-peer' && output.message.type === 'subscribe') {
        lines.push(`${output.link}: ${output.message.lanes.toString(2)}`);
      }
    }
    return lines;
  };
  return { feed, pushing, told };
}

/** The same, subscribed to neighbour 1 in all lanes. */
function fed() {
  const all = viewer();
  all.feed.offered(1, depth(2), 100, 0);
  all.feed.settle(true, null, 0);
  all.feed.granted(1, ALL, 10, 50);
  all.told();
  return all;
}

describe('subscribing to lanes (SW11 to SW13)', () => {
  it('subscribes to those nearest to the source, as far as they have lanes free', () => {
    const { feed, told } = viewer();
    feed.offered(1, depth(6), 100, 0);
    feed.offered(2, depth(0), 3, 0);
    feed.offered(3, depth(NOT_PUSHED), 100, 0);
    feed.settle(true, null, 0);
    expect(told()).toEqual(['2: 111', '1: 11111000']);
  });

  it('is one hop deeper than its parent, lane by lane', () => {
    const { pushing } = fed();
    expect([...pushing.depths]).toEqual([...depth(3)]);
  });

  it('expects what is newer than the grant, until nobody pushes it any more or its time is near', () => {
    const { feed } = fed();
    expect(feed.expects(0, 10, 0, 9_000, 100)).toBe(false);
    expect(feed.expects(0, 11, 0, 9_000, 100)).toBe(true);
    expect(feed.expects(0, 11, 0, 9_000, 100 + PUSH_WITHIN_MS)).toBe(true);
    expect(feed.expects(0, 11, 0, 9_000, 200 + PUSH_WITHIN_MS)).toBe(false);
    expect(feed.expects(0, 12, 0, 2_000, 1_800)).toBe(false);
  });

  it('takes pushed blocks from the lane’s parent only', () => {
    const { feed } = fed();
    expect([feed.takes(1, 0, 11, 0, 60), feed.takes(2, 0, 11, 0, 60)]).toEqual([true, false]);
  });

  it('SW13: takes what a lane’s parent had pushed before it heard that it is left: asked for it, it would be silent', () => {
    const { feed } = fed();
    feed.fedByIns(true, 1_000);
    expect([feed.takes(1, 0, 11, 0, 1_500), feed.takes(2, 0, 11, 0, 1_500)]).toEqual([true, false]);
    expect(feed.takes(1, 0, 11, 0, 3_000)).toBe(false);
    const withdrawn = fed();
    withdrawn.feed.granted(1, 0, 10, 1_000);
    expect(withdrawn.feed.takes(1, 0, 11, 0, 1_500)).toBe(true);
  });

  it('leaves a parent that others are faster than, in that lane', () => {
    const { feed, told } = fed();
    const lane = laneOf(0, 11, 0);
    for (let part = 11; part < 11 + 4 * LANES; part += LANES) feed.came(2, false, 0, part, 0, 1_000);
    feed.settle(true, null, 2_000);
    expect(told()).toEqual([`1: ${(ALL & ~(1 << lane)).toString(2)}`]);
    expect(feed.parentOf(0, 11, 0)).toBeUndefined();
  });

  it('keeps a parent that brings what it promised', () => {
    const { feed, told } = fed();
    for (let part = 11; part < 60; part++) feed.came(1, true, 0, part, 0, 1_000 + part);
    feed.settle(true, null, 9_000);
    expect([told(), feed.fed]).toEqual([[], LANES]);
  });

  it('does not turn to somebody deeper before its own descendants know that it is fed no more', () => {
    const { feed, told, pushing } = fed();
    feed.offered(2, depth(3), 100, 1_000);
    feed.closed(1, 1_000);
    expect([...pushing.depths]).toEqual([...depth(NOT_PUSHED)]);
    feed.settle(true, null, 1_500);
    expect(told()).toEqual([]);
    feed.offered(3, depth(2), 1, 1_600);
    feed.settle(true, null, 2_000);
    expect(told()).toEqual(['3: 1']);
    feed.settle(true, null, 3_100);
    expect(told()).toEqual(['2: 11111110']);
  });

  it('never subscribes a lane to somebody it pushes that lane to', () => {
    const { feed, told, pushing } = fed();
    pushing.recorded({
      record: {
        ...{ track: 0, part: 0, revision: 1, segment: 0, indexInSegment: 0, independent: true, discontinuity: false },
        ...{ timeUs: 0, durationUs: 250_000, capturedAtMs: 0, previous: key(0) },
        blocks: [{ name: new Uint8Array(33), sizeBytes: 1_000 }],
      },
      sealed: key(1),
      bodies: [undefined],
      heldBlocks: 0,
    });
    pushing.subscribe(2, 0b1, null, 0);
    expect(pushing.feeds(2, 0)).toBe(true);
    feed.offered(2, depth(1), 100, 100);
    feed.closed(1, 100);
    feed.settle(true, null, 5_000);
    expect(told()).toEqual(['2: 11111110']);
  });

  it('gives all lanes back when pushing is of no use', () => {
    const { feed, told, pushing } = fed();
    feed.settle(false, null, 1_000);
    expect(told()).toEqual(['1: 0']);
    expect([...pushing.depths]).toEqual([...depth(NOT_PUSHED)]);
  });
});

describe('when the lanes are looked after', () => {
  it('asks for no time while pushing is of no use and nobody pushes: a deadline that nothing moves would stop time', () => {
    const { feed } = viewer();
    feed.offered(1, depth(2), 100, 0);
    expect(feed.nextDeadline()).toBeUndefined();
    feed.want(true, null);
    feed.timeout(1_000);
    expect(feed.nextDeadline()).toBeGreaterThan(1_000);
    feed.want(false, null);
    feed.timeout(feed.nextDeadline()!);
    expect(feed.nextDeadline()).toBeUndefined();
  });
});
