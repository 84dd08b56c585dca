import { expect, test } from 'vitest';
import { bitmapOf } from '../../protocol/bitmap.ts';
import { type FromTracker, fromTrackerCodec } from '../../protocol/tracker-messages.ts';
import { Encoder } from '../../tracker/node/encoder.ts';
import { key } from './world.ts';

const availability = [bitmapOf(0, [7, 8, 300]), bitmapOf(1, [70_000])];

function neighbour(at: number) {
  const url = at % 3 === 0 ? null : `ws://192.0.2.${at}:7000`;
  const token = at % 2 === 0 ? null : new Uint8Array(200 + at).fill(at);
  return {
    peer: key(`${at}`),
    url,
    mode: at % 2 === 0 ? 'ins' : 'hybrid',
    source: at === 0,
    availability,
    token,
  } as const;
}

const neighbours = Array.from({ length: 32 }, (_, at) => neighbour(at));
const states = neighbours.map(({ peer, token }, at) => ({ peer, availability, token, gone: at === 3 }));
const records = [new Uint8Array(40).fill(1), new Uint8Array(300).fill(2)];
const joined = {
  type: 'joined',
  clockMs: 1_767_225_600_000,
  heartbeatMs: 2_000,
  state: 'live',
  insServers: [{ url: 'ws://ins.example:4801', region: 'eu-west' }],
} as const;

const messages: readonly FromTracker[] = [
  { ...joined, description: null, records: [], neighbours: [] },
  { ...joined, description: new Uint8Array(500), records, neighbours: neighbours.slice(0, 15) },
  { ...joined, description: null, records, neighbours: neighbours.slice(0, 16), insServers: [] },
  { type: 'neighbours', neighbours },
  { type: 'neighbours', neighbours: [] },
  { type: 'digest', neighbours: states, records: [] },
  { type: 'digest', neighbours: states.slice(0, 3), records },
  { type: 'digest', neighbours: [], records: Array.from({ length: 40 }, () => records[0]!) },
  { type: 'stream-state', state: 'ended', why: 'over' },
  { type: 'welcome', version: 1, nonce: key('nonce') },
];

test('GE1: what the tracker writes piece by piece has the same bytes as the codec writes, the second time too', () => {
  const encoder = new Encoder();
  for (const message of [...messages, ...messages]) {
    expect(Buffer.from(encoder.encode(message))).toEqual(Buffer.from(fromTrackerCodec.encode(message)));
    expect(Buffer.from(encoder.encode({ ...message }))).toEqual(Buffer.from(fromTrackerCodec.encode(message)));
  }
});

test('GE3: the tracker writes no message that is too long for its reader', () => {
  const long = { ...neighbour(1), token: new Uint8Array(3_000) };
  const message = { type: 'neighbours', neighbours: Array.from({ length: 30 }, () => long) } as const;
  expect(() => new Encoder().encode(message)).toThrow(RangeError);
});
