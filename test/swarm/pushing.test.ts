import { describe, expect, it } from 'vitest';
import { Queue } from '../../machine/machine.ts';
import { bitmapOf } from '../../protocol/bitmap.ts';
import { LANES, PUSHED } from '../../protocol/limits.ts';
import { nameOfHash } from '../../protocol/names.ts';
import { Catalogue } from '../../swarm/catalogue.ts';
import type { SwarmOutput } from '../../swarm/io.ts';
import { laneOf, NOT_PUSHED } from '../../swarm/lanes.ts';
import { Pushing } from '../../swarm/pushing.ts';
import { Serving } from '../../swarm/serve.ts';
import { givenNeighbours, key } from './given-neighbours.ts';

const ALL = 0xff;

/** Somebody who pushes parts of one block of 12,500 bytes, each 100 ms long: a stream of 1 Mbit/s, 125 kbit/s a lane. */
function pusher(source: boolean, uploadBpsMax: number) {
  const outputs = new Queue<SwarmOutput>();
  const neighbours = givenNeighbours(3, outputs, source);
  const catalogue = new Catalogue(64);
  const serving = new Serving(catalogue, neighbours, outputs, uploadBpsMax);
  const pushing = new Pushing(source, neighbours, serving, outputs);
  const make = (part: number) => {
    const block = { name: nameOfHash(key(part)), sizeBytes: 12_500 };
    const times = { timeUs: part * 100_000, durationUs: 100_000, capturedAtMs: 0 };
    const place = { track: 0, part, segment: part, indexInSegment: 0, independent: true, discontinuity: false };
    const entry = catalogue.addRecord({ ...place, ...times, revision: 1, blocks: [block], previous: key(0) }, key(1))!;
    catalogue.addBlock(entry, 0, { byteLength: 12_500 });
    pushing.recorded(entry);
    return entry;
  };
  const told = () => {
    const out: string[] = [];
    for (let output = outputs.shift(); output !== undefined; output = outputs.shift()) {
      if (output.kind === 'send-block') {
        expect(output.header.request).toBe(PUSHED);
        out.push(`${output.link}: block ${output.header.labelled!.part}`);
      } else if (output.kind === 'send-peer' && output.message.type === 'subscribed') {
        out.push(`${output.link}: ${output.message.lanes.toString(2)}`);
      } else if (output.kind === 'send-peer' && output.message.type === 'lanes') {
        out.push(`${output.link}: free ${output.message.free} depth ${output.message.depths[0]}`);
      }
    }
    return out;
  };
  make(0);
  told();
  return { pushing, neighbours, make, told };
}

describe('pushing along lanes (SW11 to SW13)', () => {
  it('deals the blocks of a stream evenly over the lanes', () => {
    const counts = new Array<number>(LANES).fill(0);
    for (let part = 0; part < 800; part++) {
      for (let index = 0; index < (part % 4 === 0 ? 3 : 1); index++) counts[laneOf(0, part, index)]!++;
    }
    for (const count of counts) expect(Math.abs(count - 150)).toBeLessThanOrEqual(50);
  });

  it('grants lanes as far as the uplink carries them, and says which', () => {
    // Nine tenths of 1.5 Mbit/s carry ten lanes.
    const { pushing, told } = pusher(true, 1_500_000);
    pushing.subscribe(1, ALL, null, 0);
    pushing.subscribe(2, ALL, null, 0);
    expect(told()).toEqual(['1: 11111111', '2: 11']);
    expect(pushing.lanes).toBe(10);
    pushing.subscribe(1, 0, null, 0);
    pushing.subscribe(2, ALL, null, 0);
    expect(told()).toEqual(['1: 0', '2: 11111111']);
  });

  it('grants no lane that nobody pushes to itself', () => {
    const { pushing, told } = pusher(false, 10_000_000);
    pushing.subscribe(1, ALL, null, 0);
    expect(told()).toEqual(['1: 0']);
    pushing.depths.fill(NOT_PUSHED);
    pushing.depths[2] = 3;
    pushing.subscribe(1, ALL, null, 0);
    expect(told()).toEqual(['1: 100']);
  });

  it('pushes a block once to those who are subscribed to its lane, take its track and have not announced it', () => {
    const { pushing, neighbours, make, told } = pusher(true, 10_000_000);
    const entry = make(1);
    const lane = 1 << laneOf(0, 1, 0);
    pushing.subscribe(1, lane, null, 0);
    pushing.subscribe(2, ALL & ~lane, null, 0);
    pushing.subscribe(3, ALL, [1], 0);
    told();
    pushing.block(entry, 0, 1, 0);
    pushing.block(entry, 0, 1, 0);
    expect(told()).toEqual(['1: block 1']);
    const next = make(9);
    neighbours.get(1)!.availability.replace([bitmapOf(0, [9])]);
    pushing.block(next, 0, 9, 0);
    expect(told()).toEqual([]);
  });

  it('pushes nothing that is old news', () => {
    const { pushing, make, told } = pusher(true, 10_000_000);
    pushing.subscribe(1, ALL, null, 0);
    const entry = make(1);
    told();
    pushing.block(entry, 0, 40, 0);
    expect(told()).toEqual([]);
  });

  it('tells neighbours what there is to be had, again only when it has changed', () => {
    const { pushing, told } = pusher(true, 1_500_000);
    pushing.timeout(0);
    expect(told()).toEqual(['1: free 10 depth 0', '2: free 10 depth 0', '3: free 10 depth 0']);
    pushing.timeout(5_000);
    expect(told()).toEqual([]);
    pushing.subscribe(1, ALL, null, 5_000);
    told();
    pushing.timeout(6_000);
    expect(told()).toEqual(['1: free 2 depth 0', '2: free 2 depth 0', '3: free 2 depth 0']);
  });

  it('takes promises back when the stream grows beyond what the uplink carries', () => {
    const { pushing, make, told } = pusher(true, 1_500_000);
    pushing.subscribe(1, 0b1111, null, 0);
    pushing.subscribe(2, 0b1111, null, 0);
    told();
    // A second track of the same weight halves what can be promised.
    for (let part = 1; part < 40; part++) {
      const { record } = make(part);
      pushing.recorded({ record: { ...record, track: 1 }, sealed: key(1), bodies: [], heldBlocks: 0 });
    }
    pushing.timeout(1_000);
    expect(told().filter((line) => !line.includes('free'))).toEqual(['2: 1']);
    expect(pushing.lanes).toBe(5);
  });
});
