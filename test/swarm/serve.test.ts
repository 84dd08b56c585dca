import { describe, expect, it } from 'vitest';
import { Queue } from '../../machine/machine.ts';
import { WHOLE_PART } from '../../protocol/limits.ts';
import { nameOfHash } from '../../protocol/names.ts';
import { Catalogue } from '../../swarm/catalogue.ts';
import type { SwarmOutput } from '../../swarm/io.ts';
import { Serving } from '../../swarm/serve.ts';

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

function serving(parts: number, blocks: number) {
  const catalogue = new Catalogue(64);
  for (let part = 0; part < parts; part++) {
    const entry = catalogue.addRecord(record(part, blocks), Uint8Array.of(part))!;
    for (let index = 0; index < blocks; index++) catalogue.addBlock(entry, index, { byteLength: 100_000 });
  }
  const outputs = new Queue<SwarmOutput>();
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
      }
    }
    return out;
  };
  return { serving: new Serving(catalogue, outputs), told };
}

const ask = (request: number, part: number, deadlineMs = 1_000, index = WHOLE_PART) =>
  ({ type: 'request', request, items: [{ track: 0, part, index, deadlineMs }] }) as const;

describe('serving neighbours', () => {
  it('gives all blocks of a part, the record with the first of them', () => {
    const { serving: line, told } = serving(1, 2);
    line.request(1, ask(1, 0), 0);
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

  it('hands a socket no more than it drains, and then goes on in deadline order', () => {
    const { serving: line, told } = serving(6, 1);
    for (const [part, deadlineMs] of [
      [0, 900],
      [1, 900],
      [2, 900],
      [3, 800],
      [4, 100],
    ] as const) {
      line.request(1, ask(part, part, deadlineMs), 0);
    }
    expect(told()).toEqual(['1: 0.0 record', '1: 1.0 record', '1: 2.0 record']);
    line.sent(1, 100_000, 50);
    expect(told()).toEqual(['1: 4.0 record']);
    line.sent(1, 100_000, 60);
    expect(told()).toEqual(['1: 3.0 record']);
  });

  it('refuses what can no longer be in time', () => {
    const { serving: line, told } = serving(6, 1);
    for (const part of [0, 1, 2]) line.request(1, ask(part, part, 900), 0);
    line.request(1, ask(3, 3, 100), 0);
    told();
    line.sent(1, 100_000, 500);
    expect(told()).toEqual(['1: DEADLINE']);
  });

  it('forgets what is cancelled, and lets no link stand in another one’s way', () => {
    const { serving: line, told } = serving(6, 1);
    for (const part of [0, 1, 2, 3]) line.request(1, ask(part, part), 0);
    line.request(2, ask(9, 0), 0);
    expect(told()).toEqual(['1: 0.0 record', '1: 1.0 record', '1: 2.0 record', '2: 0.0 record']);
    line.cancel(1, 3);
    line.sent(1, 300_000, 10);
    expect(told()).toEqual([]);
  });

  it('bounds the queue of each link', () => {
    const { serving: line, told } = serving(1, 1);
    for (let request = 0; request < 400; request++) line.request(1, ask(request, 0), 0);
    expect(told().filter((text) => text.endsWith('OVERLOAD')).length).toBeGreaterThan(150);
  });
});
