import { describe, expect, it } from 'vitest';
import { Queue } from '../../machine/machine.ts';
import type { Mode } from '../../protocol/swarm-fields.ts';
import { Announcer } from '../../swarm/announcer.ts';
import type { SwarmOutput } from '../../swarm/io.ts';
import { Neighbours } from '../../swarm/neighbours.ts';

const STREAM = new Uint8Array(32);
const key = (fill: number) => new Uint8Array(32).fill(fill);

/** An announcer in `mode` with one neighbour in native mode (link 1) and one in INS mode (link 2). */
function announcer(mode: Mode) {
  const outputs = new Queue<SwarmOutput>();
  const self = { stream: STREAM, key: key(1), mode, source: false, gives: true, url: null };
  const neighbours = new Neighbours(self, 8, outputs);
  for (const [link, other] of [
    [1, 'native'],
    [2, 'ins'],
  ] as const) {
    neighbours.opened(link, true, 0);
    const introduction = { version: 1, stream: STREAM, key: key(link + 1), mode: other, source: false, gives: true };
    neighbours.hello(link, { type: 'hello', ...introduction, url: null });
  }
  const table = new Announcer(mode, neighbours, outputs);
  const told = () => {
    const out: string[] = [];
    for (let output = outputs.shift(); output !== undefined; output = outputs.shift()) {
      if (output.kind !== 'send-peer' || output.message.type === 'hello') continue;
      const { message } = output;
      const token = message.type === 'bitmap' && message.token !== null ? ' token' : '';
      const parts = message.type === 'have' ? ` ${message.parts.map(({ part }) => part).join()}` : '';
      const blocks =
        message.type === 'have-blocks' ? ` ${message.blocks.map(({ part, index }) => `${part}.${index}`).join()}` : '';
      out.push(`${output.link}: ${message.type}${parts}${blocks}${token}`);
    }
    return out;
  };
  told();
  return { table, neighbours, told };
}

describe('announcing', () => {
  it('tells neighbours that take blocks of both tracks in one delta, and those in INS mode by bitmap', () => {
    const { table, told } = announcer('native');
    table.add(0, 7, 1_000);
    table.add(1, 7, 1_010);
    table.timeout(1_029, () => []);
    expect(told()).toEqual([]);
    table.timeout(1_030, () => []);
    expect(told()).toEqual(['1: have 7,7']);
  });

  it('tells one neighbour at once, if need be, what the others hear of in a moment', () => {
    const { table, neighbours, told } = announcer('native');
    table.add(0, 7, 1_000);
    table.addBlock(0, 8, 1, 1_000);
    for (const link of [1, 2]) table.tell(neighbours.get(link)!);
    expect(told()).toEqual(['1: have 7', '1: have-blocks 8.1']);
  });

  it('never tells a neighbour what it has announced itself', () => {
    const { table, neighbours, told } = announcer('native');
    neighbours.get(1)!.availability.add(0, 7);
    table.add(0, 7, 1_000);
    table.add(0, 8, 1_000);
    table.timeout(1_030, () => []);
    expect(told()).toEqual(['1: have 8']);
  });

  it('sends at most four deltas a second, and loses nothing by it', () => {
    const { table, told } = announcer('native');
    const heard: string[] = [];
    for (let ms = 0; ms < 1_000; ms += 10) {
      if (ms % 50 === 0) table.add(0, ms / 50, 10_000 + ms);
      if ((table.nextDeadline() ?? Number.POSITIVE_INFINITY) <= 10_000 + ms) table.timeout(10_000 + ms, () => []);
      heard.push(...told().filter((text) => text.startsWith('1: have')));
    }
    expect(heard.length).toBeLessThanOrEqual(8);
    const parts = heard.flatMap((text) => text.slice('1: have '.length).split(','));
    expect(new Set(parts).size).toBe(parts.length);
    expect(parts.length).toBeGreaterThanOrEqual(15);
  });

  it('SW4: tells of blocks of a part until the part is whole, and nobody in INS mode', () => {
    const { table, neighbours, told } = announcer('native');
    neighbours.get(1)!.availability.addBlock(0, 7, 1);
    for (const index of [0, 1, 2]) table.addBlock(0, 7, index, 1_000);
    table.addBlock(0, 8, 0, 1_000);
    table.add(0, 8, 1_000);
    table.timeout(1_030, () => []);
    expect(told()).toEqual(['1: have 8', '1: have-blocks 7.0,7.2']);
    expect(table.nextDeadline()).toBe(2_000);
  });

  it('in INS mode: one bitmap a second to everybody, and nothing when nothing changed', () => {
    const { table, told } = announcer('ins');
    table.add(0, 7, 1_000);
    table.add(0, 8, 1_500);
    expect(table.nextDeadline()).toBe(2_000);
    table.timeout(2_000, () => []);
    expect(told()).toEqual(['1: bitmap', '2: bitmap']);
    expect(table.nextDeadline()).toBeUndefined();
  });

  it('a new token rides on the next bitmap, once, and goes to nobody in native mode', () => {
    const { table, told } = announcer('ins');
    table.setToken(key(9), 1_000);
    table.timeout(1_000, () => []);
    expect(told()).toEqual(['1: bitmap', '2: bitmap token']);
    table.add(0, 7, 1_500);
    table.timeout(2_500, () => []);
    expect(told()).toEqual(['1: bitmap', '2: bitmap']);
  });
});
