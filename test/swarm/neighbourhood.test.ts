import { expect, it } from 'vitest';
import { Queue } from '../../machine/machine.ts';
import { PROTOCOL_VERSION } from '../../protocol/limits.ts';
import { nameOfHash } from '../../protocol/names.ts';
import { Catalogue } from '../../swarm/catalogue.ts';
import type { SwarmOutput } from '../../swarm/io.ts';
import { Neighbourhood } from '../../swarm/neighbourhood.ts';
import { key } from './given-neighbours.ts';

const STREAM = key(0);
const BYTES = 100_000;

function record(part: number) {
  const times = { timeUs: part * 250_000, durationUs: 250_000, capturedAtMs: 0 };
  const place = { track: 0, part, revision: 1, segment: part, indexInSegment: 0 };
  const blocks = [{ name: nameOfHash(key(part)), sizeBytes: BYTES }];
  return { ...place, ...times, independent: true, discontinuity: false, blocks, previous: key(0) };
}

/** A native viewer that holds two parts, with neighbours 1 and 2. */
function viewer() {
  const outputs = new Queue<SwarmOutput>();
  const catalogue = new Catalogue(64);
  for (const part of [0, 1]) catalogue.addBlock(catalogue.addRecord(record(part), STREAM)!, 0, { byteLength: BYTES });
  const who = { stream: STREAM, mode: 'native', source: false, gives: true, url: null } as const;
  const neighbourhood = new Neighbourhood({
    self: { ...who, key: key(255) },
    ...{ catalogue, acceptedMax: 8, outputs },
    availability: () => [],
    token: () => null,
  });
  for (const link of [1, 2]) {
    neighbourhood.neighbours.opened(link, false, 0);
    neighbourhood.greet(link, { type: 'hello', version: PROTOCOL_VERSION, ...who, key: key(link) });
  }
  const ask = (link: number, part: number, nowMs: number): void => {
    const items = [{ track: 0, part, index: 0, deadlineMs: 2_000 }];
    const neighbour = neighbourhood.neighbours.get(link)!;
    neighbourhood.peerMessage(neighbour, { type: 'request', request: 1, items }, nowMs);
  };
  const given = (): number[] => {
    const links: number[] = [];
    for (let output = outputs.shift(); output !== undefined; output = outputs.shift())
      if (output.kind === 'send-block') links.push(output.link);
    return links;
  };
  return { neighbourhood, ask, given };
}

it('what waits goes on when the link is gone whose socket was full', () => {
  const { neighbourhood, ask, given } = viewer();
  ask(1, 0, 0);
  ask(2, 1, 0);
  expect(given()).toEqual([1]);
  neighbourhood.closed(1, 100);
  expect(given()).toEqual([2]);
});
