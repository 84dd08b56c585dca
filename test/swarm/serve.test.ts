import { describe, expect, it } from 'vitest';
import { Queue } from '../../machine/machine.ts';
import { WHOLE_PART } from '../../protocol/limits.ts';
import { nameOfHash } from '../../protocol/names.ts';
import { Catalogue } from '../../swarm/catalogue.ts';
import type { SwarmOutput } from '../../swarm/io.ts';
import { Serving } from '../../swarm/serve.ts';
import { givenNeighbours } from './given-neighbours.ts';

function record(part: number, blocks: number) {
  const entries = Array.from({ length: blocks }, (_, index) => ({
    name: nameOfHash(new Uint8Array(32).fill(part * 8 + index)),
    sizeBytes: 100_000,
  }));
  return {
    track: 0,
    part,
    revision: 1,
    segment: part >> 2,
    indexInSegment: part & 3,
    independent: (part & 3) === 0,
    discontinuity: false,
    timeUs: part * 250_000,
    durationUs: 250_000,
    capturedAtMs: 0,
    blocks: entries,
    previous: new Uint8Array(32),
  };
}

/** @param neighbours - How many know of us; only then something can be rare among them. */
function serving(parts: number, blocks: number, uploadBpsMax?: number, neighbours = 0) {
  const catalogue = new Catalogue(64);
  for (let part = 0; part < parts; part++) {
    const entry = catalogue.addRecord(record(part, blocks), Uint8Array.of(part))!;
    for (let index = 0; index < blocks; index++) catalogue.addBlock(entry, index, { byteLength: 100_000 });
  }
  const outputs = new Queue<SwarmOutput>();
  const refusals: number[] = [];
  const told = () => {
    const out: string[] = [];
    for (let output = outputs.shift(); output !== undefined; output = outputs.shift()) {
      if (output.kind === 'send-block') {
        const { labelled } = output.header;
        out.push(
          `${output.link}: ${labelled!.part}.${labelled!.index}${labelled!.companion.length > 0 ? ' record' : ''}`,
        );
      } else if (output.kind === 'send-peer' && output.message.type === 'refused') {
        out.push(`${output.link}: ${output.message.reason}`);
        refusals.push(output.message.retryAfterMs);
      }
    }
    return out;
  };
  const others = givenNeighbours(neighbours, outputs);
  told();
  const entryOf = (part: number) => catalogue.get(0, part)!;
  return { serving: new Serving(catalogue, others, outputs, uploadBpsMax), others, told, refusals, entryOf };
}

/** Six parts of one block to give, over an uplink that is known to carry 100 kB in 100 ms. */
function measured(neighbours = 0) {
  const all = serving(6, 1, undefined, neighbours);
  all.serving.request(8, ask(0, 0), 0);
  all.serving.sent(8, 100_000, 100);
  all.told();
  return all;
}

const ask = (request: number, part: number, deadlineMs = 1_000, index = WHOLE_PART) =>
  ({ type: 'request', request, items: [{ track: 0, part, index, deadlineMs }] }) as const;

describe('serving neighbours', () => {
  it('gives all blocks of a part, the record with the first of them', () => {
    const { serving: line, told } = serving(1, 2);
    line.request(1, ask(1, 0), 0);
    line.sent(1, 100_000, 100);
    expect(told()).toEqual(['1: 0.0 record', '1: 0.1']);
    expect(line.givenBytes).toBe(200_000);
  });

  it('gives a single block with its record', () => {
    const { serving: line, told } = serving(1, 2);
    line.request(1, ask(1, 0, 1_000, 1), 0);
    expect(told()).toEqual(['1: 0.1 record']);
  });

  it('refuses what it does not hold', () => {
    const { serving: line, told } = serving(1, 1);
    line.request(1, ask(1, 7), 0);
    line.request(1, ask(2, 0, 1_000, 5), 0);
    expect(told()).toEqual(['1: NO_OBJECT', '1: NO_OBJECT']);
  });

  it('hands sockets one block of a slow uplink, and the rest in deadline order over all links', () => {
    const { serving: line, told } = measured();
    for (const [link, part, deadlineMs] of [
      [1, 1, 900],
      [1, 2, 900],
      [2, 3, 800],
      [1, 4, 450],
    ] as const) {
      line.request(link, ask(part, part, deadlineMs), 100);
    }
    expect(told()).toEqual(['1: 1.0 record']);
    line.sent(1, 100_000, 200);
    expect(told()).toEqual(['1: 4.0 record']);
    line.sent(1, 100_000, 300);
    expect(told()).toEqual(['2: 3.0 record']);
    line.sent(2, 100_000, 400);
    expect(told()).toEqual(['1: 2.0 record']);
  });

  it('gives what hardly a neighbour has before what is due sooner, and after what is overdue', () => {
    const { serving: line, others, told } = measured(10);
    for (const link of [1, 2]) for (const part of [1, 2, 3, 5]) others.get(link)!.availability.add(0, part);
    others.get(1)!.availability.add(0, 4);
    line.request(5, ask(1, 1, 900, 0), 100);
    line.request(6, ask(1, 3, 450, 0), 100);
    line.request(7, ask(1, 4, 3_000, 0), 100);
    line.request(9, ask(1, 5, 350, 0), 100);
    expect(told()).toEqual(['5: 1.0 record']);
    for (const atMs of [200, 300, 400]) line.sent(5, 100_000, atMs);
    expect(told()).toEqual(['9: 5.0 record', '7: 4.0 record', '6: 3.0 record']);
  });

  it('gives what somebody else has got meanwhile when it is due, and first what nobody has', () => {
    const { serving: line, told } = measured(4);
    line.request(1, ask(1, 1, 3_000, 0), 100);
    line.request(2, ask(1, 2, 3_000, 0), 100);
    line.request(3, ask(1, 2, 3_000, 0), 100);
    line.request(3, ask(2, 3, 3_000, 0), 100);
    line.request(4, ask(1, 4, 900, 0), 100);
    expect(told()).toEqual(['1: 1.0 record']);
    for (const [link, atMs] of [
      [1, 200],
      [2, 300],
      [3, 400],
      [4, 500],
    ] as const)
      line.sent(link, 100_000, atMs);
    expect(told()).toEqual(['2: 2.0 record', '3: 3.0 record', '4: 4.0 record', '3: 2.0 record']);
  });

  it('SW13: gives a block once that is asked for while it is on its way unasked, and again when it has not come', () => {
    const { serving: line, others, told, entryOf } = serving(2, 1, undefined, 2);
    line.push(others.get(1)!, entryOf(0), 0, 0);
    line.request(1, ask(1, 0, 1_000, 0), 10);
    line.sent(1, 100_000, 100);
    expect(told()).toEqual(['1: 0.0 record']);
    line.request(1, ask(2, 0, 1_000, 0), 1_000);
    expect(told()).toEqual(['1: 0.0 record']);
  });

  it('gives nothing while the uplink is for something else, and goes on when it is free, or turns out to be', () => {
    const { serving: line, told } = measured();
    let freeAtMs = 200;
    line.freeAtMs = () => freeAtMs;
    line.request(1, ask(1, 1), 100);
    expect(told()).toEqual([]);
    expect(line.nextDeadline()).toBe(200);
    line.timeout(200);
    expect(told()).toEqual(['1: 1.0 record']);
    line.sent(1, 100_000, 300);
    freeAtMs = 900;
    line.request(1, ask(2, 2), 300);
    expect(told()).toEqual([]);
    freeAtMs = 400;
    line.pump(400);
    expect(told()).toEqual(['1: 2.0 record']);
  });

  it('SW10: refuses at once what would have to wait too long, and says for how long', () => {
    const { serving: line, told, refusals } = serving(6, 1);
    // Nothing is measured yet: 100 kB count as 400 ms.
    for (const part of [0, 1, 2]) line.request(1, ask(part, part, 5_000), 0);
    expect(told()).toEqual(['1: 0.0 record', '1: OVERLOAD']);
    expect(refusals).toEqual([400]);
  });

  it('gives sooner to those who gave more than they took', () => {
    const { serving: line, told } = measured();
    line.request(9, ask(1, 1), 100);
    line.request(9, ask(2, 2), 100);
    told();
    line.received(2, 200_000, 100);
    line.request(1, ask(1, 4), 100);
    line.request(2, ask(1, 5), 100);
    line.sent(9, 100_000, 200);
    line.sent(9, 100_000, 300);
    expect(told()).toEqual(['2: 5.0 record', '1: 4.0 record']);
  });

  it('keeps to an upload limit, and says when it may go on', () => {
    const { serving: line, told } = serving(3, 1, 8_000_000);
    for (const part of [0, 1, 2]) {
      line.request(1, ask(part, part), 0);
      line.sent(1, 100_000, 0);
    }
    // 100 kB are 100 ms of 8 Mbit/s, of which 150 may be used up ahead.
    expect(told()).toEqual(['1: 0.0 record', '1: 1.0 record']);
    expect(line.nextDeadline()).toBe(50);
    line.timeout(50);
    expect(told()).toEqual(['1: 2.0 record']);
    expect(line.nextDeadline()).toBeUndefined();
  });

  it('forgets what is cancelled, and what was meant for a neighbour that is gone', () => {
    const { serving: line, told } = measured();
    line.request(3, ask(1, 1), 100);
    line.request(3, ask(2, 2), 100);
    for (const [link, part] of [
      [1, 3],
      [2, 4],
      [3, 5],
    ] as const) {
      line.request(link, ask(9, part), 100);
    }
    told();
    line.cancel(1, 9);
    line.closed(2);
    line.sent(3, 100_000, 200);
    line.sent(3, 100_000, 300);
    expect(told()).toEqual(['3: 2.0 record', '3: 5.0 record']);
  });

  it('bounds the queue of each link', () => {
    const { serving: line, told } = serving(1, 1);
    line.request(1, ask(0, 0), 0);
    line.sent(1, 100_000, 0.001);
    for (let request = 1; request < 400; request++) line.request(1, ask(request, 0), 1);
    expect(told().filter((text) => text.endsWith('OVERLOAD')).length).toBeGreaterThan(150);
  });
});
