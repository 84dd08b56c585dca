import { describe, expect, it } from 'vitest';
import { Queue } from '../../machine/machine.ts';
import type { SwarmOutput } from '../../swarm/io.ts';
import { type Hello, Neighbours } from '../../swarm/neighbours.ts';

const STREAM = new Uint8Array(32).fill(9);
const key = (fill: number) => new Uint8Array(32).fill(fill);

function hello(fill: number, change: Partial<Hello> = {}): Hello {
  return {
    type: 'hello',
    version: 1,
    stream: STREAM,
    key: key(fill),
    mode: 'native',
    source: false,
    gives: true,
    url: null,
    ...change,
  };
}

function neighbours(own: number, acceptedMax = 4) {
  const outputs = new Queue<SwarmOutput>();
  const self = { stream: STREAM, key: key(own), mode: 'native', source: false, gives: true, url: null } as const;
  const all = () => {
    const out: SwarmOutput[] = [];
    for (let output = outputs.shift(); output !== undefined; output = outputs.shift()) out.push(output);
    return out;
  };
  return { table: new Neighbours(self, acceptedMax, outputs), all };
}

describe('neighbours', () => {
  it('SW1: each side says hello first', () => {
    const { table, all } = neighbours(5);
    table.opened(1, true, 0);
    table.opened(-1, false, 0);
    expect(all().map((output) => output.kind === 'send-peer' && output.message.type)).toEqual(['hello', 'hello']);
    expect(table.size).toBe(0);
    expect(table.hello(1, hello(6))?.link).toBe(1);
    expect(table.size).toBe(1);
  });

  it('turns away another stream, another version, a second hello, and itself', () => {
    const { table, all } = neighbours(5);
    const wrong = [hello(6, { stream: key(1) }), hello(6, { version: 2 }), hello(5)];
    for (const [at, message] of wrong.entries()) {
      table.opened(at + 1, true, 0);
      all();
      expect(table.hello(at + 1, message)).toBeUndefined();
      expect(all()).toMatchObject([{ kind: 'close', link: at + 1 }]);
    }
    table.opened(9, true, 0);
    table.hello(9, hello(7));
    all();
    expect(table.hello(9, hello(7))).toBeUndefined();
    expect(all()).toMatchObject([{ kind: 'close', link: 9 }]);
  });

  it('of two links between the same peers both sides keep the one that the smaller key dialled', () => {
    // We are 5, it is 6: the link we dialled stays, whichever hello comes first.
    for (const order of [
      [1, -1],
      [-1, 1],
    ]) {
      const { table, all } = neighbours(5);
      table.opened(1, true, 0);
      table.opened(-1, false, 0);
      all();
      for (const link of order) table.hello(link, hello(6));
      expect(all()).toMatchObject([{ kind: 'close', link: -1 }]);
      table.closed(-1);
      expect([...table.all()].map((neighbour) => neighbour.link)).toEqual([1]);
    }
    const { table, all } = neighbours(7);
    table.opened(1, true, 0);
    table.opened(-1, false, 0);
    all();
    table.hello(1, hello(6));
    table.hello(-1, hello(6));
    expect(all()).toMatchObject([{ kind: 'close', link: 1 }]);
  });

  it('accepts so many strangers and no more; links it dialled itself do not count', () => {
    const { table, all } = neighbours(5, 2);
    table.opened(1, true, 0);
    for (const link of [-1, -2, -3]) table.opened(link, false, 0);
    expect(all().filter((output) => output.kind === 'close')).toMatchObject([{ link: -3, code: 1013 }]);
  });

  it('closes a link without a hello when its time is up', () => {
    const { table, all } = neighbours(5);
    table.opened(-1, false, 1_000);
    all();
    expect(table.nextDeadline()).toBe(6_000);
    table.expire(5_999);
    expect(all()).toEqual([]);
    table.expire(6_000);
    expect(all()).toMatchObject([{ kind: 'close', link: -1, code: 4401 }]);
  });

  it('a peer in INS mode is asked for nothing, whatever it says of itself', () => {
    const { table } = neighbours(5);
    table.opened(1, true, 0);
    expect(table.hello(1, hello(6, { mode: 'ins', gives: true }))?.gives).toBe(false);
  });
});
