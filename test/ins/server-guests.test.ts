import { describe, expect, it, vi } from 'vitest';
import type { GuestCall, InsServerOutput } from '../../ins-server/core/io.ts';
import { Folder } from '../../ins-server/core/storage/locker.ts';
import type { Token } from '../../protocol/token.ts';
import { CoreNet, type CoreServer } from './core-net.ts';
import { blockOf, collectionOf, keysOf } from './helpers.ts';

const UNNAMED = new Uint8Array(32);
const owner = keysOf(1);
let links = 1_000_000;

type Answer = Extract<InsServerOutput, { readonly kind: 'send' | 'send-block' | 'placed' | 'close' }>;

/** One request over HTTP, and what the core said to it. */
class Guest {
  readonly link = ++links;
  private readonly server: CoreServer;

  constructor(server: CoreServer, call: GuestCall, token: Uint8Array | null, address = '192.0.2.1') {
    this.server = server;
    server.input({ kind: 'asked', link: this.link, address, token, call });
  }

  block(body: Uint8Array): void {
    const header = { request: 1, item: 0, kept: false, labelled: null };
    this.server.input({ kind: 'block', link: this.link, header, body });
  }

  leave(): this {
    this.server.input({ kind: 'link-closed', link: this.link });
    return this;
  }

  /** What counts: the first answer. */
  get answer(): Answer | undefined {
    return this.all.find(
      (output) => output.kind !== 'placed' && (output.kind !== 'send' || output.message.type !== 'token-refused'),
    );
  }

  get all(): Answer[] {
    return this.server.outputs.filter((output): output is Answer => 'link' in output && output.link === this.link);
  }

  /** The reason of its refusal, else what came. */
  get told(): string | undefined {
    const { answer } = this;
    if (answer?.kind !== 'send') return answer?.kind;
    return answer.message.type === 'refused' ? answer.message.reason : answer.message.type;
  }
}

const get = (part: number): GuestCall => ({ kind: 'get', name: blockOf(part).item.name, bodyless: false });
const put = (part: number, sizeBytes = 1_000): GuestCall => {
  return { kind: 'put', name: blockOf(part).item.name, sizeBytes, ttlSeconds: 60, mediaType: '', label: null };
};

/** Tokens with different bytes. */
function tokens(server: CoreServer, count: number, claims: Partial<Token> = {}): Uint8Array[] {
  return Array.from({ length: count }, (_, at) => server.token(owner, { id: new Uint8Array(16).fill(at), ...claims }));
}

function forged(server: CoreServer, at: number): Uint8Array {
  const token = server.token(owner, { id: new Uint8Array(16).fill(at) });
  token[token.length - 1]! ^= 1;
  return token;
}

function serving(): { readonly net: CoreNet; readonly server: CoreServer } {
  const net = new CoreNet();
  const server = net.server(1);
  server.connect(owner).putParts([0, 1, 2], { ttlSeconds: 600 });
  return { net, server };
}

describe('requests over HTTP in the core', () => {
  it('HT1: answers under a token alone, with the time left to live', () => {
    const { net, server } = serving();
    net.pass(100_000);
    const token = server.token(owner);
    const { answer } = new Guest(server, get(1), token);
    expect(answer).toMatchObject({ kind: 'send-block', header: { labelled: { part: 1, lifeSeconds: 500 } } });
    expect(new Guest(server, get(9), token).told).toBe('NO_OBJECT');
    expect(new Guest(server, get(1), null).told).toBe('TOKEN_REQUIRED');
    expect(new Guest(server, { kind: 'status' }, token).told).toBe('TOKEN_SCOPE');
    expect(server.core.stats()).toMatchObject({ links: 1, guests: 4, accounts: 1 });
  });

  it('HT2: refuses a token that only its holder may use', () => {
    const { server } = serving();
    const token = server.token(owner, { holder: keysOf(2).publicKey });
    expect(new Guest(server, get(1), token).told).toBe('TOKEN_SCOPE');
    expect(server.core.stats().tokensVerified).toBe(0);
  });

  it('HT4: files what comes without a label under the next free part, each block once, also side by side', () => {
    const { server } = serving();
    const token = server.token(owner, { operations: 3, collection: UNNAMED });
    const [first, second] = [new Guest(server, put(10), token), new Guest(server, put(11), token)];
    second.block(blockOf(11).body);
    first.block(blockOf(10).body);
    const again = new Guest(server, put(11), token);
    again.block(blockOf(11).body);
    const label = { track: 0, index: 0 };
    expect([first.told, second.told, again.told]).toEqual(['stored', 'stored', 'stored']);
    expect(first.all[0]).toMatchObject({ kind: 'placed', known: false, label: { ...label, part: 0 } });
    expect(second.all[0]).toMatchObject({ kind: 'placed', known: false, label: { ...label, part: 1 } });
    expect(again.all[0]).toMatchObject({ kind: 'placed', known: true, label: { ...label, part: 1 } });
    first.leave();
    second.leave();
    expect(new Guest(server, put(12), token).leave().all[0]).toMatchObject({ label: { part: 2 } });
    expect(new Guest(server, put(13), token).leave().all[0]).toMatchObject({ label: { part: 2 } });
    expect(new Guest(server, get(11), token).told).toBe('send-block');
  });

  it('HT4: refuses a put before its bytes have come: out of scope, or more than the locker takes', () => {
    const net = new CoreNet();
    const server = net.server(1, { limits: { quotaBytes: 500 } });
    const narrow = server.token(owner, { operations: 2, collection: UNNAMED, from: 5 });
    expect(new Guest(server, put(10), narrow).told).toBe('TOKEN_SCOPE');
    const wide = server.token(owner, { operations: 2, collection: UNNAMED });
    expect(new Guest(server, put(10), wide).told).toBe('QUOTA_STORAGE');
    expect(new Guest(server, put(10), server.token(owner, { collection: UNNAMED })).told).toBe('TOKEN_SCOPE');
  });

  it('HT6: checks 20 signatures a second for one address, and known tokens without end', () => {
    const { net, server } = serving();
    const all = tokens(server, 45);
    const told = all.slice(0, 22).map((token) => new Guest(server, get(1), token).leave().told);
    expect(told.filter((one) => one === 'send-block')).toHaveLength(20);
    expect(told.slice(20)).toEqual(['OVERLOAD', 'OVERLOAD']);
    expect(new Guest(server, get(1), all[0]!).leave().told).toBe('send-block');
    expect(new Guest(server, get(1), all[21]!, '192.0.2.2').leave().told).toBe('send-block');
    net.pass(1_000);
    const later = all.slice(22).map((token) => new Guest(server, get(1), token).leave().told);
    expect(later.filter((one) => one === 'send-block')).toHaveLength(20);
  });

  it('HT6: checks nothing for a minute for an address that five invalid tokens came from', () => {
    const { net, server } = serving();
    const [known, fresh, other] = tokens(server, 3);
    expect(new Guest(server, get(1), known!).leave().told).toBe('send-block');
    for (let at = 0; at < 5; at++) {
      expect(new Guest(server, get(1), forged(server, 100 + at)).leave().told).toBe('TOKEN_INVALID');
    }
    const verified = server.core.stats().tokensVerified;
    expect(new Guest(server, get(1), fresh!).leave().told).toBe('OVERLOAD');
    expect(new Guest(server, get(1), forged(server, 110)).leave().told).toBe('OVERLOAD');
    expect(server.core.stats().tokensVerified).toBe(verified);
    expect(new Guest(server, get(1), known!).leave().told).toBe('send-block');
    expect(new Guest(server, get(1), other!, '192.0.2.2').leave().told).toBe('send-block');
    net.pass(30_000);
    expect(new Guest(server, get(1), fresh!).leave().told).toBe('OVERLOAD');
    net.pass(30_000);
    expect(new Guest(server, get(1), fresh!).leave().told).toBe('send-block');
  });

  it('HT7: answers so many at once for an address, and so many bytes for all', () => {
    const { server } = serving();
    const token = server.token(owner);
    const open = Array.from({ length: 65 }, () => new Guest(server, get(1), token));
    expect(open.map(({ told }) => told).filter((told) => told === 'send-block')).toHaveLength(64);
    expect(open[64]!.told).toBe('OVERLOAD');
    expect(new Guest(server, get(1), token, '192.0.2.2').told).toBe('send-block');
    open[0]!.leave();
    expect(new Guest(server, get(1), token).told).toBe('send-block');
    const write = server.token(owner, { operations: 2, collection: UNNAMED });
    const uploads = Array.from({ length: 256 }, () => new Guest(server, put(10, 1_048_576), write, ''));
    expect(uploads.filter(({ told }) => told === undefined)).toHaveLength(255);
    expect(uploads[255]!.told).toBe('OVERLOAD');
    for (const guest of [...open, ...uploads]) guest.leave();
    expect(new Guest(server, put(10, 1_048_576), write, '').told).toBeUndefined();
  });

  it('HT7: cuts who does not read, and refuses whose bytes do not come', () => {
    const { net, server } = serving();
    const mute = new Guest(server, get(1), server.token(owner));
    const slow = new Guest(server, put(10), server.token(owner, { operations: 2, collection: UNNAMED }));
    net.pass(4_000);
    expect(mute.all.map(({ kind }) => kind)).not.toContain('close');
    net.pass(2_000);
    expect(mute.all.at(-1)).toMatchObject({ kind: 'close', code: 4410 });
    net.pass(26_000);
    expect(slow.told).toBe('DEADLINE');
  });

  it('HT7: cuts whoever takes two minutes, however much he reads', () => {
    const { net, server } = serving();
    const drip = new Guest(server, get(1), server.token(owner));
    for (let second = 1; second < 125; second++) {
      server.input({ kind: 'drained', link: drip.link, leftBytes: 1_000 - second });
      net.pass(1_000);
      if (second === 115) expect(drip.all.map(({ kind }) => kind)).not.toContain('close');
    }
    expect(drip.all.at(-1)).toMatchObject({ kind: 'close' });
    expect(server.core.stats().guests).toBe(0);
  });

  it('HT3: sends no block for what asks for its head alone', () => {
    const { server } = serving();
    const call = { kind: 'get', name: blockOf(1).item.name, bodyless: true } as const;
    expect(new Guest(server, call, server.token(owner)).answer).toMatchObject({ kind: 'send-block' });
    expect(server.core.stats().sentBytes).toBe(0);
  });

  it('HT8: fetches from the server that the token names', () => {
    const { net, server } = serving();
    const near = net.server(2);
    const guest = new Guest(near, get(1), server.token(owner));
    expect(guest.answer).toMatchObject({ kind: 'send-block', header: { labelled: { part: 1 } } });
    expect(near.core.stats()).toMatchObject({ remoteBlocks: 1, guests: 1 });
    expect(new Guest(near, get(7), server.token(owner)).told).toBe('NO_OBJECT');
  });

  it('HT9: refuses everybody when it shuts down', () => {
    const { server } = serving();
    const upload = new Guest(server, put(10), server.token(owner, { operations: 2, collection: UNNAMED }));
    server.input({ kind: 'stop' });
    expect(upload.all.at(-1)).toMatchObject({ kind: 'close', code: 1001 });
    expect(new Guest(server, get(1), server.token(owner)).answer).toMatchObject({ kind: 'close', code: 1001 });
  });

  it('IN15: lets an answer arrive that has begun when it shuts down, for 10 s', () => {
    const { net, server } = serving();
    const [quick, slow] = [get(1), get(2)].map((call) => new Guest(server, call, server.token(owner)));
    server.input({ kind: 'stop' });
    net.pass(1_000);
    const isCut = (guest: Guest | undefined): boolean | undefined => guest?.all.some(({ kind }) => kind === 'close');
    expect(isCut(quick?.leave())).toBe(false);
    for (let second = 1; second < 9; second++) {
      server.input({ kind: 'drained', link: slow!.link, leftBytes: 500 });
      net.pass(1_000);
      expect(isCut(slow)).toBe(false);
    }
    server.input({ kind: 'drained', link: slow!.link, leftBytes: 400 });
    net.pass(2_000);
    expect(slow?.all.at(-1)).toMatchObject({ kind: 'close', code: 1001 });
  });

  it('looks through no lockers for a block that is nowhere', () => {
    const { server } = serving();
    server.connect(owner).send({ type: 'access', request: 1, collection: collectionOf(1), access: 'public' });
    const named = vi.spyOn(Folder.prototype, 'named');
    expect(new Guest(server, get(50), null).told).toBe('TOKEN_REQUIRED');
    expect(named).not.toHaveBeenCalled();
    vi.restoreAllMocks();
    expect(new Guest(server, get(1), null).answer?.kind).toBe('send-block');
  });

  it('forgets addresses that do not come again', () => {
    const { net, server } = serving();
    new Guest(server, get(1), server.token(owner)).leave();
    net.pass(700_000);
    server.input({ kind: 'link-closed', link: 1 });
    net.pass(30_000);
    expect(server.core.nextDeadline()).toBeUndefined();
  });
});
