import type { Codec } from '../../protocol/codec.ts';
import { type BlockHeader, encodeBlockHeader } from '../../protocol/frames.ts';
import {
  FROM_NEWEST_START,
  type FromInsClient,
  type FromInsServer,
  insClientCodec,
  insServerCodec,
} from '../../protocol/ins-messages.ts';
import { encodeInvitation, type Invitation } from '../../protocol/invitation.ts';
import type { Description, IndexRecord } from '../../protocol/media.ts';
import { type PeerMessage, peerCodec } from '../../protocol/peer-messages.ts';
import { encodeDescription, encodeRecord } from '../../protocol/records.ts';
import { concatBytes } from '../../protocol/text.ts';
import { encodeToken, NO_LIMITS, OPERATION, type Token } from '../../protocol/token.ts';
import { type FromTracker, fromTrackerCodec, type ToTracker, toTrackerCodec } from '../../protocol/tracker-messages.ts';

/** One of everything that travels. The golden vectors in test/vectors are made of these. */

/** `length` bytes that begin with `first` and count up. */
export function run(first: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, at) => (first + at) & 0xff);
}

const name = (first: number): Uint8Array => Uint8Array.of(0x1e, ...run(first, 32));
const stream = run(0x10, 32);
const key = run(0x40, 32);
const other = run(0x70, 32);
const nonce = run(0xa0, 32);
const signature = run(0, 64);
const availability = [
  { track: 0, first: 120, bits: Uint8Array.of(0xff, 0x0f) },
  { track: 1, first: 70_000, bits: Uint8Array.of(0x01) },
];
const url = 'ws://192.0.2.7:7000';
const clockMs = 1_763_776_800_123;
const insServers = [
  { url: 'ws://ins-1.example:7001', region: 'eu-west' },
  { url: 'wss://ins-2.example', region: '' },
];

export const description: Description = {
  rootKey: key,
  signingKey: other,
  revision: 3,
  issuedAtMs: clockMs,
  expiresAtMs: clockMs + 86_400_000,
  title: 'Straßenfest — live',
  partTargetMs: 250,
  segmentTargetMs: 1_000,
  tracks: [
    {
      id: 0,
      kind: 'video',
      codecs: 'avc1.64001f',
      name: '720p',
      bandwidthBps: 2_500_000,
      width: 1280,
      height: 720,
      frameRate: 29.97,
      channels: 0,
      language: '',
      init: run(1, 40),
    },
    {
      id: 1,
      kind: 'audio',
      codecs: 'mp4a.40.2',
      name: 'Audio',
      bandwidthBps: 128_000,
      width: 0,
      height: 0,
      frameRate: 0,
      channels: 2,
      language: '',
      init: run(2, 40),
    },
    {
      id: 2,
      kind: 'text',
      codecs: 'stpp.ttml.im1t',
      name: 'English',
      bandwidthBps: 30_000,
      width: 0,
      height: 0,
      frameRate: 0,
      channels: 0,
      language: 'eng',
      init: run(3, 40),
    },
  ],
};

export const record: IndexRecord = {
  track: 0,
  part: 123_456,
  revision: 3,
  segment: 30_864,
  indexInSegment: 0,
  independent: true,
  discontinuity: false,
  timeUs: 30_864_000_000,
  durationUs: 250_000,
  capturedAtMs: clockMs,
  blocks: [
    { name: name(1), sizeBytes: 65_536 },
    { name: name(2), sizeBytes: 12_345 },
  ],
  previous: run(9, 32),
};

export const token: Token = {
  version: 1,
  issuer: key,
  servers: [{ key: other, url: 'ws://ins-1.example:7001' }],
  operations: OPERATION.get,
  names: null,
  collection: stream,
  tracks: null,
  from: 123_400,
  to: 123_800,
  notBefore: 1_763_776_795,
  expires: 1_763_776_890,
  id: run(0x33, 16),
  ...NO_LIMITS,
};

/** A token with every claim set. */
export const fullToken: Token = {
  ...token,
  operations: OPERATION.get | OPERATION.put | OPERATION.delete | OPERATION.status,
  names: [name(1), name(2)],
  collection: null,
  tracks: [0, 15],
  holder: other,
  uses: 1,
  weight: 10,
  rateBps: 5_000_000_000,
  amountBytes: 9_007_199_254_740_991,
  epoch: 7,
  parent: null,
};

/** A token that the holder of another one made from it. */
export const delegatedToken: Token = {
  ...token,
  issuer: other,
  from: 123_500,
  parent: concatBytes(encodeToken({ ...token, holder: other }), signature),
};

export const invitation: Invitation = {
  version: 1,
  provider: key,
  account: other,
  application: 'inswarm/live',
  quotaBytes: 67_108_864,
  quotaObjects: 65_536,
  rateBps: 5_000_000_000,
  weight: 3,
  notBefore: 1_763_776_800,
  expires: 1_795_312_800,
};

/** What is sealed travels as body and signature; these stand for themselves. */
export const sealedDescription = concatBytes(encodeDescription(description), signature);
export const sealedRecord = concatBytes(encodeRecord(record), signature);
export const sealedToken = concatBytes(encodeToken(token), signature);
export const sealedInvitation = concatBytes(encodeInvitation(invitation), signature);

const toTracker: readonly ToTracker[] = [
  {
    type: 'join',
    version: 1,
    role: 'viewer',
    stream,
    key,
    mode: 'hybrid',
    url: ':7000',
    region: 'eu-west',
    proof: signature,
  },
  { type: 'publish', description: sealedDescription, insServers, hlsUrl: ':8080/live/master.m3u8' },
  { type: 'records', records: [sealedRecord] },
  {
    type: 'state',
    availability,
    token: sealedToken,
    bufferMs: 900,
    latencyMs: 1_350,
    uploadBps: 250_000,
    insFed: true,
  },
  { type: 'more', count: 8, known: [key, other] },
  { type: 'leave' },
  { type: 'stream-state', state: 'interrupted', why: 'the camera is unplugged' },
];

const fromTracker: readonly FromTracker[] = [
  {
    type: 'joined',
    clockMs,
    heartbeatMs: 2_000,
    state: 'live',
    description: sealedDescription,
    records: [sealedRecord],
    neighbours: [
      { peer: key, url, mode: 'ins', source: true, availability, token: sealedToken },
      { peer: other, url: null, mode: 'native', source: false, availability: [], token: null },
    ],
    insServers,
  },
  {
    type: 'neighbours',
    neighbours: [{ peer: key, url, mode: 'hybrid', source: false, availability, token: null }],
  },
  {
    type: 'digest',
    neighbours: [
      { peer: key, availability, token: sealedToken, gone: false },
      { peer: other, availability: [], token: null, gone: true },
    ],
    records: [sealedRecord],
  },
  { type: 'description', description: sealedDescription },
  { type: 'stream-state', state: 'ended', why: '' },
  { type: 'refused', reason: 'OVERLOAD', text: 'too many members', retryAfterMs: 5_000 },
  { type: 'ins-servers', insServers },
  { type: 'welcome', version: 1, nonce },
];

const fromInsClient: readonly FromInsClient[] = [
  { type: 'hello', version: 1, key, application: 'inswarm/live', signature, invitation: sealedInvitation },
  { type: 'token', alias: 1, token: sealedToken },
  { type: 'forget-token', alias: 1 },
  {
    type: 'batch',
    request: 7,
    keep: true,
    deliver: false,
    collection: stream,
    ttlSeconds: 120,
    gets: [
      { token: 1, deadlineMs: 400, name: name(1), label: null, wait: false, priority: 'urgent' },
      {
        token: 0,
        deadlineMs: 0,
        name: null,
        label: { track: 1, part: 123_456, index: 2 },
        wait: true,
        priority: 'normal',
      },
    ],
    puts: [
      {
        token: 0,
        track: 0,
        part: 123_456,
        index: 0,
        start: true,
        name: name(1),
        sizeBytes: 65_536,
        companion: sealedRecord,
        reference: null,
        mediaType: 'video/mp4',
      },
      {
        token: 2,
        track: 0,
        part: 123_456,
        index: 1,
        start: true,
        name: name(2),
        sizeBytes: 12_345,
        companion: new Uint8Array(0),
        reference: { token: 0, proof: run(0x40, 32) },
        mediaType: '',
      },
    ],
    deletes: [{ token: 0, name: name(2) }],
    statuses: [{ token: 0 }, { token: 2 }],
    describes: [
      { token: 0, name: name(1), set: null },
      { token: 0, name: name(1), set: { ttlSeconds: 600, mediaType: 'video/mp4' } },
    ],
  },
  {
    type: 'follow',
    request: 8,
    keep: false,
    token: 1,
    collection: stream,
    tracks: [0, 1],
    from: FROM_NEWEST_START,
    priority: 'low',
  },
  { type: 'cancel', request: 8 },
  { type: 'range-token', token: sealedToken },
  { type: 'revoke', request: 12, ids: [run(0x33, 16)], epoch: 7 },
  { type: 'access', request: 13, collection: stream, access: 'members' },
  { type: 'open', alias: 2, owner: key },
];

const fromInsServer: readonly FromInsServer[] = [
  { type: 'welcome', version: 1, server: other, nonce, clockMs, blockBytesMax: 1_048_576 },
  { type: 'accepted', quotaBytes: 67_108_864 },
  { type: 'stored', request: 7, items: [0, 1] },
  {
    type: 'refused',
    request: 7,
    item: 1,
    reason: 'NOT_YET',
    retryAfterMs: 250,
    otherServer: 'ws://ins-2.example',
  },
  { type: 'done', request: 7 },
  { type: 'token-refused', alias: 1, reason: 'TOKEN_EXPIRED' },
  { type: 'renewed', request: 8, token: sealedToken },
  {
    type: 'usage',
    request: 10,
    item: 2,
    objects: 2,
    usedBytes: 77_881,
    quotaBytes: 67_108_864,
    names: [name(2), name(1)],
    reads: 12,
    readBytes: 934_572,
    readers: 3,
    sinceMs: clockMs,
  },
  { type: 'notice', kind: 'busy', otherServer: 'ws://198.51.100.7:4801', retryAfterMs: 5_000 },
  { type: 'deleted', request: 7, items: [4] },
  {
    type: 'attributes',
    request: 7,
    item: 7,
    sizeBytes: 65_536,
    mediaType: 'video/mp4',
    lifeSeconds: 120,
    reads: 12,
  },
];

const peer: readonly PeerMessage[] = [
  { type: 'hello', version: 1, stream, key, mode: 'native', source: false, gives: true, url },
  { type: 'bitmap', availability, token: null },
  { type: 'have', parts: [{ track: 0, part: 123_456 }] },
  { type: 'records', records: [sealedRecord] },
  { type: 'request', request: 3, items: [{ track: 0, part: 123_456, index: 0xffff, deadlineMs: 300 }] },
  { type: 'refused', request: 3, item: null, reason: 'NO_OBJECT', retryAfterMs: 0 },
  { type: 'cancel', request: 3 },
  { type: 'want', items: [{ track: 1, part: 123_456, index: 0 }] },
  { type: 'token', token: sealedToken },
  { type: 'description', description: sealedDescription },
  { type: 'stream-state', state: 'live', why: '' },
  { type: 'have-blocks', blocks: [{ track: 0, part: 123_456, index: 3 }] },
  { type: 'lanes', depths: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 255), free: 9 },
  { type: 'subscribe', lanes: 0b1010_0001, tracks: [0, 1] },
  { type: 'subscribed', lanes: 0b1000_0001 },
];

/** A message of any conversation. */
export interface AnyMessage {
  readonly type: string;
}

/** One direction of one conversation. */
export interface Conversation {
  /** Names the file of vectors. */
  readonly name: string;
  /** Where its messages are declared. */
  readonly file: string;
  readonly codec: Codec<AnyMessage>;
  readonly samples: readonly AnyMessage[];
}

function conversation<M extends AnyMessage>(
  name: string,
  file: string,
  codec: Codec<M>,
  samples: readonly M[],
): Conversation {
  return { name, file, codec: codec as unknown as Codec<AnyMessage>, samples };
}

export const conversations: readonly Conversation[] = [
  conversation('to-tracker', 'tracker-messages.ts', toTrackerCodec, toTracker),
  conversation('from-tracker', 'tracker-messages.ts', fromTrackerCodec, fromTracker),
  conversation('from-ins-client', 'ins-messages.ts', insClientCodec, fromInsClient),
  conversation('from-ins-server', 'ins-messages.ts', insServerCodec, fromInsServer),
  conversation('peer', 'peer-messages.ts', peerCodec, peer),
];

/** Block frames: header and a block of three bytes. */
export const frames: readonly { readonly name: string; readonly header: BlockHeader }[] = [
  { name: 'plain', header: { request: 7, item: 1, kept: false, labelled: null } },
  { name: 'plain, kept', header: { request: 0xffff_ffff, item: 0xffff, kept: true, labelled: null } },
  {
    name: 'labelled, a start, with a record',
    header: {
      request: 8,
      item: 0,
      kept: true,
      labelled: { track: 0, part: 123_456, index: 0, name: name(1), start: true, companion: sealedRecord },
    },
  },
  {
    name: 'labelled, with the time left to live',
    header: {
      request: 8,
      item: 1,
      kept: false,
      labelled: {
        track: 1,
        part: 123_456,
        index: 1,
        name: name(2),
        start: false,
        companion: new Uint8Array(0),
        lifeSeconds: 90,
      },
    },
  },
];

export const frameBlock = Uint8Array.of(0xb1, 0x0c, 0x4b);

export function frameBytes(header: BlockHeader): Uint8Array {
  return concatBytes(encodeBlockHeader(header), frameBlock);
}
