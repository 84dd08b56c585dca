import { describe, expect, test } from 'vitest';
import { pack, unpack } from '../../protocol/codec.ts';
import { decodeBlockFrame, encodeBlockHeader } from '../../protocol/frames.ts';
import { decodeInvitation, encodeInvitation } from '../../protocol/invitation.ts';
import {
  BATCH_ITEMS_MAX,
  BITMAP_BITS_MAX,
  BLOCK_BYTES_MAX,
  BLOCK_TTL_SECONDS_MAX,
  BLOCKS_PER_PART_MAX,
  COMPANION_BYTES_MAX,
  CONTROL_BYTES_MAX,
  DELEGATED_TOKEN_BYTES_MAX,
  DESCRIPTION_BYTES_MAX,
  INIT_BYTES_MAX,
  INS_SERVERS_MAX,
  INVITATION_BYTES_MAX,
  MEDIA_TYPE_CHARS_MAX,
  NEIGHBOURS_ANSWER_MAX,
  PART_NUMBER_MAX,
  RECORD_BYTES_MAX,
  RECORDS_MESSAGE_MAX,
  REVOKE_IDS_MAX,
  TITLE_CHARS_MAX,
  TOKEN_BYTES_MAX,
  TOKEN_SERVERS_MAX,
  TRACKS_MAX,
  URL_CHARS_MAX,
  WORD_CHARS_MAX,
} from '../../protocol/limits.ts';
import { decodeDescription, decodeRecord, encodeDescription, encodeRecord } from '../../protocol/records.ts';
import { concatBytes } from '../../protocol/text.ts';
import { decodeToken, encodeToken } from '../../protocol/token.ts';
import { conversations, description, frames, fullToken, invitation, record, run } from './samples.ts';

/** A place in a message (indices of nested arrays), the largest value allowed there, and one that is too large. */
type Bound = readonly [place: readonly number[], most: unknown, tooMuch: unknown];

const bytes = (length: number): Uint8Array => new Uint8Array(length);
const text = (length: number): string => 'x'.repeat(length);
const many = (value: unknown, count: number): unknown[] => Array.from({ length: count }, () => value);
const blob = (place: readonly number[], max: number): Bound => [place, bytes(max), bytes(max + 1)];
const string = (place: readonly number[], max: number): Bound => [place, text(max), text(max + 1)];
const number = (place: readonly number[], max: number): Bound => [place, max, max + 1];
const list = (place: readonly number[], item: unknown, max: number): Bound => [
  place,
  many(item, max),
  many(item, max + 1),
];

const name = Uint8Array.of(0x1e, ...run(1, 32));
const bitmap = [0, 0, bytes(1)];
const neighbour = [run(1, 32), null, 'ins', false, [], null];
const server = ['ws://a', ''];

const u32 = 0xffff_ffff;
const availability = (at: number): Bound[] => [
  list([at], bitmap, TRACKS_MAX),
  number([at, 0, 0], 0xff),
  number([at, 0, 1], u32),
  blob([at, 0, 2], BITMAP_BITS_MAX / 8),
];
const records = (at: number): Bound[] => [list([at], bytes(10), RECORDS_MESSAGE_MAX), blob([at, 0], RECORD_BYTES_MAX)];
const insServers = (at: number): Bound[] => [
  list([at], server, INS_SERVERS_MAX),
  string([at, 0, 0], URL_CHARS_MAX),
  string([at, 0, 1], WORD_CHARS_MAX),
];
const neighbours = (at: number): Bound[] => [
  list([at], neighbour, NEIGHBOURS_ANSWER_MAX),
  [[at, 0, 0], bytes(32), bytes(33)],
  string([at, 0, 1], URL_CHARS_MAX),
  blob([at, 0, 5], TOKEN_BYTES_MAX),
];
const label = (at: readonly number[]): Bound[] => [
  number([...at, 0], TRACKS_MAX - 1),
  number([...at, 1], u32),
  number([...at, 2], 0xffff),
];

/** By conversation and message: place 0 is the tag, so that fields count from 1. */
const BOUNDS: Readonly<Record<string, Readonly<Record<string, readonly Bound[]>>>> = {
  'to-tracker': {
    join: [
      number([1], 0xff),
      [[3], bytes(32), bytes(31)],
      [[4], bytes(32), bytes(33)],
      string([6], URL_CHARS_MAX),
      string([7], WORD_CHARS_MAX),
      [[8], bytes(64), bytes(65)],
    ],
    publish: [blob([1], DESCRIPTION_BYTES_MAX), ...insServers(2), string([3], URL_CHARS_MAX)],
    records: records(1),
    state: [...availability(1), blob([2], TOKEN_BYTES_MAX), number([3], u32), number([4], u32), number([5], u32)],
    more: [number([1], NEIGHBOURS_ANSWER_MAX), [[1], 1, 0], list([2], bytes(32), 64)],
    leave: [],
    'stream-state': [[[1], 'live', 'lively'], string([2], TITLE_CHARS_MAX)],
  },
  'from-tracker': {
    joined: [
      number([1], Number.MAX_SAFE_INTEGER),
      number([2], u32),
      blob([4], DESCRIPTION_BYTES_MAX),
      ...records(5),
      ...neighbours(6),
      ...insServers(7),
    ],
    neighbours: neighbours(1),
    digest: [
      list([1], [run(1, 32), [], null, false], NEIGHBOURS_ANSWER_MAX),
      list([1, 0, 1], bitmap, TRACKS_MAX),
      blob([1, 0, 2], TOKEN_BYTES_MAX),
      ...records(2),
    ],
    description: [blob([1], DESCRIPTION_BYTES_MAX)],
    'stream-state': [string([2], TITLE_CHARS_MAX)],
    refused: [[[1], 'SIZE', 'size'], string([2], TITLE_CHARS_MAX), number([3], u32)],
    'ins-servers': insServers(1),
    welcome: [number([1], 0xff), [[2], bytes(32), bytes(33)]],
  },
  'from-ins-client': {
    hello: [
      number([1], 0xff),
      [[2], bytes(32), bytes(31)],
      string([3], WORD_CHARS_MAX),
      [[4], bytes(64), bytes(63)],
      blob([5], INVITATION_BYTES_MAX),
    ],
    token: [number([1], 0xffff), [[1], 1, 0], blob([2], DELEGATED_TOKEN_BYTES_MAX)],
    'forget-token': [number([1], 0xffff)],
    batch: [
      number([1], u32),
      number([5], BLOCK_TTL_SECONDS_MAX),
      list([6], [0, 0, null, null, false], BATCH_ITEMS_MAX),
      number([6, 0, 0], 0xffff),
      number([6, 0, 1], u32),
      [[6, 0, 2], name, bytes(33)],
      ...label([6, 1, 3]),
      list([7], [0, 0, 0, 0, false, name, 1, bytes(0), null, ''], BATCH_ITEMS_MAX),
      number([7, 0, 0], 0xffff),
      number([7, 0, 1], TRACKS_MAX - 1),
      number([7, 0, 2], PART_NUMBER_MAX),
      number([7, 0, 3], 0xffff),
      [[7, 0, 5], name, bytes(33)],
      number([7, 0, 6], BLOCK_BYTES_MAX),
      [[7, 0, 6], 1, 0],
      blob([7, 0, 7], COMPANION_BYTES_MAX),
      [[7, 1, 8, 1], bytes(32), bytes(33)],
      string([7, 0, 9], MEDIA_TYPE_CHARS_MAX),
      list([8], [0, name], BATCH_ITEMS_MAX),
      [[8, 0, 1], name, bytes(33)],
      list([9], [0], BATCH_ITEMS_MAX),
      number([9, 0, 0], 0xffff),
      list([10], [0, name, null], BATCH_ITEMS_MAX),
      [[10, 0, 1], name, bytes(33)],
      number([10, 1, 2, 0], BLOCK_TTL_SECONDS_MAX),
      string([10, 1, 2, 1], MEDIA_TYPE_CHARS_MAX),
    ],
    follow: [
      number([1], u32),
      number([3], 0xffff),
      list([5], 0, TRACKS_MAX),
      number([5, 0], TRACKS_MAX - 1),
      number([6], u32),
    ],
    cancel: [number([1], u32)],
    'range-token': [blob([1], TOKEN_BYTES_MAX)],
    revoke: [number([1], u32), list([2], bytes(16), REVOKE_IDS_MAX), [[2, 0], bytes(16), bytes(15)], number([3], u32)],
    access: [number([1], u32), [[2], bytes(32), bytes(31)], [[3], 'public', 'open']],
    open: [number([1], 0xffff), [[1], 1, 0], [[2], bytes(32), bytes(33)]],
  },
  'from-ins-server': {
    welcome: [[[3], bytes(32), bytes(31)], number([4], Number.MAX_SAFE_INTEGER), number([5], u32)],
    accepted: [number([1], Number.MAX_SAFE_INTEGER)],
    stored: [list([2], 7, BATCH_ITEMS_MAX), number([2, 0], 0xffff)],
    refused: [number([2], 0xffff), [[3], 'GONE', 'AWAY'], string([5], URL_CHARS_MAX)],
    done: [number([1], u32)],
    'token-refused': [number([1], 0xffff)],
    renewed: [blob([2], TOKEN_BYTES_MAX)],
    usage: [number([2], 0xffff), number([3], u32), list([6], name, BATCH_ITEMS_MAX), number([9], u32)],
    notice: [[[1], 'replaced', 'other'], string([2], URL_CHARS_MAX)],
    attributes: [
      number([2], 0xffff),
      number([3], BLOCK_BYTES_MAX),
      string([4], MEDIA_TYPE_CHARS_MAX),
      number([5], u32),
    ],
    deleted: [number([1], u32), list([2], 0, BATCH_ITEMS_MAX), number([2, 0], 0xffff)],
  },
  peer: {
    hello: [[[2], bytes(32), bytes(33)], [[4], 'hybrid', 'all'], string([7], URL_CHARS_MAX)],
    bitmap: [...availability(1), blob([2], TOKEN_BYTES_MAX)],
    have: [list([1], [0, 0], 256), number([1, 0, 0], 0xff), number([1, 0, 1], u32)],
    'have-blocks': [list([1], [0, 0, 0], 256), ...label([1, 0])],
    lanes: [[[1], bytes(8), bytes(9)], number([2], 0xff)],
    subscribe: [number([1], 0xff), list([2], 0, TRACKS_MAX)],
    subscribed: [number([1], 0xff)],
    records: records(1),
    request: [list([2], [0, 0, 0, 0], BATCH_ITEMS_MAX), ...label([2, 0]), number([2, 0, 3], u32)],
    refused: [number([2], 0xffff)],
    cancel: [number([1], u32)],
    want: [list([1], [0, 0, 0], BATCH_ITEMS_MAX), ...label([1, 0])],
    token: [blob([1], TOKEN_BYTES_MAX)],
    description: [blob([1], DESCRIPTION_BYTES_MAX)],
    'stream-state': [string([2], TITLE_CHARS_MAX)],
  },
};

/** A copy of nested arrays with another value in one place. */
function put(value: unknown, place: readonly number[], inner: unknown): unknown {
  if (place.length === 0) return inner;
  const [first, ...rest] = place;
  return (value as unknown[]).map((item, at) => (at === first ? put(item, rest, inner) : item));
}

describe('GE6: every field takes what its bound allows and nothing beyond', () => {
  for (const { name: conversation, codec, samples } of conversations) {
    for (const sample of samples) {
      const bounds = BOUNDS[conversation]![sample.type]!;
      test.each(bounds)(`${conversation} ${sample.type} %j`, (place, most, tooMuch) => {
        const values = unpack(codec.encode(sample));
        expect(codec.decode(pack(put(values, place, most)))).toMatchObject({
          ok: true,
          message: { type: sample.type },
        });
        expect(codec.decode(pack(put(values, place, tooMuch)))).toEqual({
          ok: false,
          violation: `malformed ${sample.type}`,
        });
      });
    }
  }
});

describe('GE6: the bounds of what is signed', () => {
  const signature = new Uint8Array(64);
  const stream = run(0, 32);
  const [track] = description.tracks;
  const described = (change: object): unknown =>
    decodeDescription(stream, concatBytes(encodeDescription({ ...description, ...change }), signature))?.value;
  const recorded = (change: object): unknown =>
    decodeRecord(stream, concatBytes(encodeRecord({ ...record, ...change }), signature))?.value;
  const tokened = (change: object): unknown =>
    decodeToken(concatBytes(encodeToken({ ...fullToken, ...change }), signature))?.token;
  const invited = (change: object): unknown =>
    decodeInvitation(concatBytes(encodeInvitation({ ...invitation, ...change }), signature))?.invitation;
  const small = { ...track!, init: bytes(1) };
  const block = record.blocks[0]!;
  const issuer = fullToken.servers[0]!;

  test.each<[(change: object) => unknown, object, object]>([
    [described, { title: text(TITLE_CHARS_MAX) }, { title: text(TITLE_CHARS_MAX + 1) }],
    [described, { partTargetMs: 10_000 }, { partTargetMs: 10_001 }],
    [described, { partTargetMs: 1 }, { partTargetMs: 0 }],
    [described, { segmentTargetMs: 60_000 }, { segmentTargetMs: 60_001 }],
    [described, { tracks: many(small, TRACKS_MAX) }, { tracks: many(small, TRACKS_MAX + 1) }],
    [
      described,
      { tracks: [{ ...small, init: bytes(INIT_BYTES_MAX) }] },
      { tracks: [{ ...small, init: bytes(INIT_BYTES_MAX + 1) }] },
    ],
    [described, { tracks: [small] }, { tracks: [{ ...small, init: bytes(0) }] }],
    [described, { tracks: [{ ...small, id: 15 }] }, { tracks: [{ ...small, id: 16 }] }],
    [
      described,
      { tracks: [{ ...small, codecs: text(WORD_CHARS_MAX) }] },
      { tracks: [{ ...small, codecs: text(WORD_CHARS_MAX + 1) }] },
    ],
    [recorded, { blocks: many(block, BLOCKS_PER_PART_MAX) }, { blocks: many(block, BLOCKS_PER_PART_MAX + 1) }],
    [
      recorded,
      { blocks: [{ ...block, sizeBytes: BLOCK_BYTES_MAX }] },
      { blocks: [{ ...block, sizeBytes: BLOCK_BYTES_MAX + 1 }] },
    ],
    [recorded, { part: PART_NUMBER_MAX }, { part: PART_NUMBER_MAX + 1 }],
    [recorded, { track: TRACKS_MAX - 1 }, { track: TRACKS_MAX }],
    [recorded, { previous: bytes(32) }, { previous: bytes(31) }],
    [tokened, { names: many(name, 16) }, { names: many(name, 17) }],
    [
      tokened,
      { names: null, servers: many(issuer, TOKEN_SERVERS_MAX) },
      { names: null, servers: many(issuer, TOKEN_SERVERS_MAX + 1) },
    ],
    [tokened, { to: PART_NUMBER_MAX + 1 }, { to: PART_NUMBER_MAX + 2 }],
    [tokened, { id: bytes(16) }, { id: bytes(17) }],
    [tokened, { version: 1 }, { version: 2 }],
  ])('case %#: the largest is read, one more is not', (read, most, tooMuch) => {
    expect(read(most)).toMatchObject(most);
    expect(read(tooMuch)).toBeUndefined();
  });

  test('a description, a record and a token have a size that no field can talk them out of', () => {
    const tracks = many({ ...track!, init: bytes(INIT_BYTES_MAX) }, 5);
    expect(encodeDescription({ ...description, tracks: tracks as never }).length).toBeGreaterThan(
      DESCRIPTION_BYTES_MAX,
    );
    expect(described({ tracks })).toBeUndefined();
    const url = text(URL_CHARS_MAX);
    expect(tokened({ servers: many({ ...issuer, url }, TOKEN_SERVERS_MAX) })).toBeUndefined();
    // Beyond the bound of a token only with the token that it was made from in it, and that keeps the bound.
    const parent = bytes(TOKEN_BYTES_MAX);
    expect(tokened({ parent })).toMatchObject({ parent });
    expect(tokened({ parent: bytes(TOKEN_BYTES_MAX + 1) })).toBeUndefined();
    expect(invited({ application: text(WORD_CHARS_MAX) })).toMatchObject({ provider: invitation.provider });
    expect(invited({ application: text(WORD_CHARS_MAX + 1) })).toBeUndefined();
    expect(invited({ weight: 0 })).toBeUndefined();
  });
});

describe('GE7: the bounds of a block frame', () => {
  const { labelled } = frames[2]!.header;
  const frame = (companionBytes: number, blockBytes: number): Uint8Array => {
    const header = { ...frames[2]!.header, labelled: { ...labelled!, companion: bytes(companionBytes) } };
    return concatBytes(encodeBlockHeader(header), bytes(blockBytes));
  };

  test('a block has at most 1 MiB, its companion at most 12 KiB', () => {
    expect(decodeBlockFrame(frame(COMPANION_BYTES_MAX, BLOCK_BYTES_MAX))?.block).toHaveLength(BLOCK_BYTES_MAX);
    expect(decodeBlockFrame(frame(0, BLOCK_BYTES_MAX + 1))).toBeUndefined();
    expect(decodeBlockFrame(frame(COMPANION_BYTES_MAX + 1, 1))).toBeUndefined();
  });
});

test('GE3: a control message has at most 64 KiB', () => {
  const { codec } = conversations[0]!;
  const padded = (length: number): Uint8Array => pack([99, bytes(length)]);
  const over = padded(60_000).length - 60_000;
  expect(codec.decode(padded(CONTROL_BYTES_MAX - over))).toEqual({ ok: true, message: undefined });
  expect(codec.decode(padded(CONTROL_BYTES_MAX - over + 1))).toEqual({ ok: false, violation: 'too long' });
});
