import type { Queue } from '../../machine/machine.ts';
import type { SwarmOutput } from '../../swarm/io.ts';
import { Neighbours } from '../../swarm/neighbours.ts';

const STREAM = new Uint8Array(32);

export const key = (fill: number) => new Uint8Array(32).fill(fill);

/** Neighbours 1 to `count`, viewers that give, of somebody in native mode. What was told them is in `outputs`. */
export function givenNeighbours(count: number, outputs: Queue<SwarmOutput>, source = false): Neighbours {
  const self = { stream: STREAM, key: key(255), mode: 'native', source, gives: true, url: null } as const;
  const neighbours = new Neighbours(self, 64, outputs);
  for (let link = 1; link <= count; link++) add(neighbours, link, false);
  return neighbours;
}

/** The source becomes a neighbour, too. */
export function givenSource(neighbours: Neighbours, link: number): void {
  add(neighbours, link, true);
}

function add(neighbours: Neighbours, link: number, source: boolean): void {
  neighbours.opened(link, true, 0);
  const who = { stream: STREAM, key: key(link), mode: 'native', source, gives: true, url: null } as const;
  neighbours.hello(link, { type: 'hello', version: 1, ...who });
}
