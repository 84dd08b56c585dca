import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Door } from '../../ins-server/core/admission/door.ts';
import type { InsServerOutput } from '../../ins-server/core/io.ts';
import { Prng } from '../../machine/prng.ts';
import { pack, unpack } from '../../protocol/codec.ts';
import { decodeBlockFrame, encodeBlockHeader } from '../../protocol/frames.ts';
import {
  ACCESS_KINDS,
  EMPTY_BATCH,
  EMPTY_GET,
  type FromInsClient,
  insClientCodec,
  insServerCodec,
  PRIORITIES,
} from '../../protocol/ins-messages.ts';
import { BATCH_ITEMS_MAX, REQUESTS_OPEN_MAX, SEND_QUEUE_BLOCKS_MAX, TOKEN_ALIASES_MAX } from '../../protocol/limits.ts';
import { bytesKey } from '../../protocol/text.ts';
import { OPERATION } from '../../protocol/token.ts';
import { conversations } from '../protocol/samples.ts';
import { CoreClient, CoreNet, type CoreServer } from './core-net.ts';
import { blockOf, bytesOf, collectionOf, keysOf, putOf } from './helpers.ts';

/** The same in every run; and others in each, whose seed is told when they find something. */
const SEEDS: readonly (readonly [name: string, seed: number])[] = [
  ['the same inputs as always', 20_262],
  ['new ones', Date.now() & 0x7fff_ffff],
];
const SECRETS = [0, 1, 2, 3, 4];
const owner = keysOf(1);

/** What is otherwise nobody's business. */
interface Insides {
  readonly door: Door;
  readonly remotes: { readonly upstreams: { readonly all: ReadonlyMap<number, unknown> } };
}

function insidesOf({ core }: CoreServer): Insides {
  return core as unknown as Insides;
}

/** From `min` to `max`, both included. */
function int(prng: Prng, min: number, max: number): number {
  return prng.int(min, max + 1);
}

function pick<T>(prng: Prng, values: readonly T[]): T {
  return values[prng.int(0, values.length)]!;
}

/** Values that no field or another one takes. */
const ODD: readonly unknown[] = [
  null,
  true,
  -1,
  1.5,
  2 ** 53,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  0xffff_ffff,
  65_536,
  '',
  'x'.repeat(60_000),
  new Uint8Array(0),
  new Uint8Array(33),
  new Uint8Array(60_000),
  [],
  [[[[[[[[[]]]]]]]]],
  Array.from({ length: BATCH_ITEMS_MAX + 1 }, () => 0),
  Array.from({ length: 10_000 }, () => null),
];

/** A message with something changed in it, or nothing. */
function bend(value: unknown, prng: Prng): unknown {
  if (!Array.isArray(value) || value.length === 0) return int(prng, 0, 3) === 0 ? pick(prng, ODD) : value;
  const at = int(prng, 0, value.length - 1);
  switch (int(prng, 0, 9)) {
    case 0:
      return value.slice(0, at);
    case 1:
      return [...value, pick(prng, ODD)];
    case 2:
      return value.flatMap((each, place) => (place === at ? Array.from({ length: 70 }, () => each) : [each]));
    case 3:
      return value.map((each, place) => (place === at ? pick(prng, ODD) : each));
    default:
      return value.map((each, place) => (place === at ? bend(each, prng) : each));
  }
}

/** The bytes of a message: as they should be, bent, cut, flipped, or of another conversation. */
function wireOf(message: FromInsClient, prng: Prng): Uint8Array {
  const other = pick(prng, conversations);
  const bytes = int(prng, 0, 20) === 0 ? other.codec.encode(pick(prng, other.samples)) : insClientCodec.encode(message);
  switch (int(prng, 0, 24)) {
    case 0:
      return bytes.subarray(0, int(prng, 0, bytes.length));
    case 1: {
      const flipped = new Uint8Array(bytes);
      flipped[int(prng, 0, bytes.length - 1)] = int(prng, 0, 255);
      return flipped;
    }
    case 2:
    case 3:
      return pack(bend(unpack(bytes), prng));
    default:
      return bytes;
  }
}

/** What a client could say here, of every type that this server knows. */
function messageOf(prng: Prng, tokens: readonly Uint8Array[]): FromInsClient {
  const request = int(prng, 1, 40);
  const alias = int(prng, 1, 4);
  const item = (): number => pick(prng, [0, 1, 2, 3, 4, 9]);
  const name = (): Uint8Array => blockOf(int(prng, 0, 12), 50).item.name;
  const label = () => ({ track: int(prng, 0, 1), part: int(prng, 0, 12), index: 0 });
  const collection = collectionOf(int(prng, 1, 2));
  const many = <T>(make: () => T): T[] => Array.from({ length: int(prng, 0, 3) }, make);
  const pickFrom: readonly (() => FromInsClient)[] = [
    () => ({ type: 'token', alias, token: pick(prng, tokens) }),
    () => ({ type: 'forget-token', alias }),
    () => ({ type: 'cancel', request }),
    () => ({ type: 'range-token', token: pick(prng, tokens) }),
    () => ({
      type: 'follow',
      request,
      keep: true,
      token: item(),
      collection,
      tracks: [],
      from: int(prng, 0, 5),
      priority: pick(prng, PRIORITIES),
    }),
    // Not those who keep what they read: what they open is theirs to give.
    () => ({ type: 'open', alias, owner: keysOf(pick(prng, [1, 1, 9])).publicKey }),
    () => ({ type: 'access', request, collection, access: pick(prng, ACCESS_KINDS) }),
    () => ({ type: 'revoke', request, ids: many(() => new Uint8Array(16).fill(7)), epoch: pick(prng, [null, 1]) }),
    () => {
      const gets = many(() => ({ ...EMPTY_GET, token: item(), name: name(), deadlineMs: int(prng, 0, 500) }));
      const waits = many(() => ({ ...EMPTY_GET, token: item(), label: label(), wait: int(prng, 0, 1) === 0 }));
      const puts = many(() => {
        const reference = pick(prng, [null, null, { token: item(), proof: pick(prng, [null, new Uint8Array(32)]) }]);
        return { ...putOf(blockOf(int(prng, 0, 12), 50).item, item()), ...label(), reference, mediaType: 'a/b' };
      });
      return {
        ...EMPTY_BATCH,
        request,
        keep: int(prng, 0, 1) === 0,
        deliver: int(prng, 0, 3) > 0,
        collection: pick(prng, [null, collection, collection]),
        ttlSeconds: int(prng, 0, 20),
        gets: [...gets, ...waits],
        puts,
        deletes: many(() => ({ token: item(), name: name() })),
        statuses: many(() => ({ token: item() })),
        describes: many(() => ({
          token: item(),
          name: name(),
          set: pick(prng, [null, { ttlSeconds: 9, mediaType: 'c/d' }]),
        })),
      };
    },
  ];
  return pick(prng, pickFrom)();
}

/** What the shell does with the bytes of a control message or a frame. */
function hear(server: CoreServer, client: CoreClient, bytes: Uint8Array): void {
  const { link } = client;
  if (bytes[0] === 1) {
    const frame = decodeBlockFrame(bytes);
    if (frame === undefined) server.input({ kind: 'violation', link, why: 'malformed block frame' });
    else server.input({ kind: 'block', link, header: frame.header, body: frame.block });
    return;
  }
  const decoded = insClientCodec.decode(bytes);
  if (!decoded.ok) server.input({ kind: 'violation', link, why: decoded.violation });
  else if (decoded.message !== undefined) server.input({ kind: 'message', link, message: decoded.message });
}

function frameOf(prng: Prng): Uint8Array {
  const { item, body } = blockOf(int(prng, 9, 12), 50);
  const { track, part, index, start, name, companion } = item;
  const labelled = pick(prng, [
    null,
    null,
    { track, part, index, start, name, companion, ...(int(prng, 0, 1) === 0 ? {} : { lifeSeconds: 5 }) },
  ]);
  const header = { request: int(prng, 1, 6), item: int(prng, 0, 8), kept: int(prng, 0, 1) === 0, labelled };
  const frame = Buffer.concat([encodeBlockHeader(header), body.subarray(0, pick(prng, [1, 49, 50, 50, 50, 50]))]);
  if (int(prng, 0, 20) === 0) frame[int(prng, 0, frame.length - 1)] = int(prng, 0, 255);
  return frame;
}

/** What the server keeps for each client stays within the bounds. */
function expectBounds(server: CoreServer, memoryBytes: number): void {
  const stats = server.core.stats();
  expect(stats.memoryBytes).toBeGreaterThanOrEqual(0);
  // Labels are counted when a block is filed, which its reservation does not know of.
  expect(stats.memoryBytes).toBeLessThanOrEqual(memoryBytes + 15_000);
  for (const link of insidesOf(server).door.links.values()) {
    expect(link.requests.size).toBeLessThanOrEqual(REQUESTS_OPEN_MAX);
    expect(link.queue.size + link.waits.size).toBeLessThanOrEqual(SEND_QUEUE_BLOCKS_MAX);
    expect(link.aliases.size).toBeLessThanOrEqual(TOKEN_ALIASES_MAX);
    expect(link.held.length).toBe(0);
  }
}

type SentBlock = Extract<InsServerOutput, { readonly kind: 'send-block' }>;

describe('a server whose clients say anything at all', () => {
  const memoryBytes = 60_000;

  it.each(SEEDS)(
    'answers or closes, keeps its bounds, and sends nothing without a token: %s',
    (_name, seed) => {
      const reached = { blocks: 0, violations: 0, answers: 0, refused: 0 };
      fc.assert(
        fc.property(fc.nat(0xffff_ffff), (chance) => {
          const prng = new Prng(chance);
          const net = new CoreNet();
          const limits = { memoryBytes, quotaBytes: 1_000, sendWindowBytes: 200, upstreamsMax: 1 };
          const server = net.server(7, { limits });
          const far = net.server(8);
          for (const at of [server, far]) at.connect(owner).put(SECRETS.map((part) => blockOf(part, 50)));
          const range = { from: 2, to: 3 };
          const tokens = {
            reader: [
              server.token(owner, range),
              server.token(owner, { ...range, operations: OPERATION.status | OPERATION.get }),
              far.token(owner, range),
              new Uint8Array(90),
            ],
            writer: [
              server.token(owner, { operations: OPERATION.put | OPERATION.delete | OPERATION.status, from: 6 }),
              server.token(owner, { notBefore: 1, expires: 9 }),
              far.token(owner, { operations: OPERATION.put, from: 6 }),
            ],
            stranger: [new Uint8Array(90), server.token(keysOf(30)), far.token(keysOf(30))],
          };
          const allowed = new Map<number, ReadonlySet<number>>();
          const join = (who: keyof typeof tokens, number: number): CoreClient => {
            const client = new CoreClient(server, keysOf(number));
            if (int(prng, 0, 9) > 0) {
              client.hello('test');
              for (const token of tokens[who]) if (token.length > 90) client.token(token);
            }
            allowed.set(client.link, new Set(who === 'reader' ? [2, 3] : []));
            return client;
          };
          const roles = ['reader', 'writer', 'stranger'] as const;
          const clients = roles.map((who, at) => join(who, 10 + at));
          for (let step = 0; step < 80; step++) {
            const at = int(prng, 0, 2);
            const client = clients[at]!;
            if (client.closed !== undefined) clients[at] = join(roles[at]!, 10 + at);
            else if (int(prng, 0, 5) === 0) client.get([0, 2, 3, 4], { token: int(prng, 1, 3), keep: true });
            else if (int(prng, 0, 3) === 0) hear(server, client, frameOf(prng));
            else hear(server, client, wireOf(messageOf(prng, tokens[roles[at]!]), prng));
            if (int(prng, 0, 20) === 0) net.pass(int(prng, 1, 4_000));
            if (int(prng, 0, 20) === 0) client.reads = !client.reads;
            expectBounds(server, memoryBytes);
          }
          net.pass(40_000);
          // Every block that left was covered: of the owner's, readers get what their tokens open and nobody else gets any.
          const secret = new Map(SECRETS.map((part) => [bytesKey(blockOf(part, 50).item.name), part]));
          for (const output of server.outputs) {
            if (output.kind === 'turned-away') reached.violations++;
            if (output.kind !== 'send-block') continue;
            reached.blocks++;
            const part = secret.get((output as SentBlock).block.key);
            if (part !== undefined) expect(allowed.get(output.link)?.has(part), `part ${part}`).toBe(true);
          }
          for (const client of clients) {
            reached.answers += client.messages.length;
            reached.refused += client.of('refused').length;
            client.leave();
          }
          net.pass(60_000);
          const { waits, follows } = server.core.stats();
          expect({ waits, follows }).toEqual({ waits: 0, follows: 0 });
        }),
        { seed, numRuns: 40 },
      );
      expect(Math.min(...Object.values(reached)), JSON.stringify(reached)).toBeGreaterThan(60);
    },
    60_000,
  );

  it.each(SEEDS)(
    'takes nothing wrong from another server that says anything at all: %s',
    (_name, seed) => {
      let taken = 0;
      fc.assert(
        fc.property(fc.nat(0xffff_ffff), (chance) => {
          const prng = new Prng(chance);
          const net = new CoreNet();
          const near = net.server(7, { limits: { memoryBytes } });
          const far = net.server(8);
          far.connect(owner).put(SECRETS.map((part) => blockOf(part, 50)));
          const client = near.connect(keysOf(2));
          const read = client.token(far.token(owner));
          const write = client.token(far.token(owner, { operations: OPERATION.put }));
          for (let step = 0; step < 40; step++) {
            far.silent = int(prng, 0, 1) === 0;
            if (int(prng, 0, 2) === 0) client.get([int(prng, 0, 6)], { token: read, wait: int(prng, 0, 1) === 0 });
            if (int(prng, 0, 3) === 0) client.follow(int(prng, 0, 4), { token: read });
            if (int(prng, 0, 3) === 0) client.put([blockOf(int(prng, 9, 12), 50)], { token: write });
            if (int(prng, 0, 3) === 0)
              far.tamper = (body) => (int(prng, 0, 2) === 0 ? bytesOf(99, body.byteLength) : body);
            for (const upstream of insidesOf(near).remotes.upstreams.all.keys()) {
              const { codec, samples } = pick(prng, conversations);
              const wire = pack(bend(unpack(codec.encode(pick(prng, samples))), prng));
              const decoded = insServerCodec.decode(wire);
              const { item, body } = blockOf(int(prng, 0, 4), 50);
              const header = { request: int(prng, 1, 9), item: int(prng, 0, 2), kept: false, labelled: item };
              if (int(prng, 0, 2) === 0) {
                near.input({
                  kind: 'upstream',
                  upstream,
                  input: { kind: 'block', header, body: pick(prng, [body, bytesOf(9, 50)]) },
                });
              } else if (!decoded.ok) {
                if (int(prng, 0, 9) === 0)
                  near.input({ kind: 'upstream', upstream, input: { kind: 'violation', why: decoded.violation } });
              } else if (decoded.message !== undefined) {
                near.input({ kind: 'upstream', upstream, input: { kind: 'message', message: decoded.message } });
              }
            }
            if (int(prng, 0, 4) === 0) far.wake();
            expectBounds(near, memoryBytes);
            expect(insidesOf(near).remotes.upstreams.all.size).toBeLessThanOrEqual(16);
          }
          // Whatever came, it has the name that it was asked for by, or that its label says.
          for (const output of near.outputs) {
            if (output.kind !== 'send-block') continue;
            taken++;
            expect(near.bodies.get(output.block.key) ?? blockOf(0, 50).body).toHaveLength(50);
          }
          for (const { header, body } of client.blocks) {
            const whole = [...SECRETS, 9, 10, 11, 12].some((part) => {
              const block = blockOf(part, 50);
              return (
                Buffer.compare(block.body, body as Uint8Array) === 0 &&
                (header.labelled === null || bytesKey(header.labelled.name) === bytesKey(block.item.name))
              );
            });
            expect(whole).toBe(true);
          }
          client.leave();
          far.silent = true;
          net.pass(60_000);
          expect(near.core.stats()).toMatchObject({ upstreams: 0, waits: 0, follows: 0 });
          expect(insidesOf(near).door.accounts.get(bytesKey(keysOf(2).publicKey))?.errands ?? 0).toBe(0);
          expect(insidesOf(near).door.accounts.get(bytesKey(keysOf(2).publicKey))?.putBytes ?? 0).toBe(0);
        }),
        { seed, numRuns: 30 },
      );
      expect(taken).toBeGreaterThan(40);
    },
    60_000,
  );
});
