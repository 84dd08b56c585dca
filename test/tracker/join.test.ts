import { describe, expect, test } from 'vitest';
import { streamIdToText } from '../../protocol/names.ts';
import { CLOSE } from '../../protocol/reasons.ts';
import { joinSigned } from '../../protocol/tracker-messages.ts';
import { TRACKER_LIMITS } from '../../tracker/core/limits.ts';
import { key, partsOf, sealDescription, sealRecord, sign, streamKeys, World } from './world.ts';

const stream = streamKeys('one');

describe('joining', () => {
  test('TR1: the tracker speaks first, with a nonce of this connection alone', () => {
    const world = new World();
    const [a, b] = [world.open(), world.open()];
    expect(a.all('welcome')).toEqual([{ type: 'welcome', version: 1, nonce: key('nonce 1') }]);
    expect(b.all('welcome')[0]?.nonce).toEqual(key('nonce 2'));
  });

  test('TR4: the answer holds everything it takes to fetch at once', () => {
    const world = new World({ insServers: [{ url: 'ws://ins-2:1', region: '' }] });
    const source = world.source(stream, { insServers: [{ url: 'ws://ins-1:1', region: '' }] });
    source.send({ type: 'records', records: [0, 1, 2, 3, 4, 5].map((part) => sealRecord(stream, part)) });
    source.state({ parts: [0, 1, 2, 3, 4, 5], token: Uint8Array.of(7) });
    const early = world.viewer(stream, 'early', { url: ':7001' }, '192.0.2.7');
    early.state({ parts: [4], token: Uint8Array.of(8) });
    const { joined } = world.viewer(stream, 'late');
    expect(joined.clockMs).toBe(world.nowMs);
    expect(joined.state).toBe('live');
    expect(joined.description).toEqual(sealDescription(stream));
    expect(partsOf(stream.stream, joined.records)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(joined.neighbours.map(({ peer, url, source, token }) => ({ peer, url, source, token }))).toEqual([
      { peer: stream.signingKey, url: 'ws://192.0.2.9:7000', source: true, token: Uint8Array.of(7) },
      { peer: key('early'), url: 'ws://192.0.2.7:7001', source: false, token: Uint8Array.of(8) },
    ]);
    expect(joined.neighbours[1]?.availability).toEqual([{ track: 0, first: 4, bits: Uint8Array.of(1) }]);
    expect(joined.insServers.map(({ url }) => url)).toEqual(['ws://ins-2:1', 'ws://ins-1:1']);
  });

  test('TR4: browsers are asked for a heartbeat each second, members that can be dialled each other second', () => {
    const world = new World();
    expect(world.viewer(stream, 'browser').joined.heartbeatMs).toBe(1_000);
    expect(world.viewer(stream, 'headless', { url: ':7001' }).joined.heartbeatMs).toBe(2_000);
  });

  test('TR2: a join of another version is refused and says which one is spoken', () => {
    const world = new World();
    const guest = world.open();
    guest.join(stream, { version: 9 });
    expect(guest.refused).toMatchObject({ reason: 'VERSION', text: 'the tracker speaks version 1, not 9' });
    expect(guest.closed).toBe(CLOSE.policy);
  });

  test('TR1: a join that its key did not sign is refused', () => {
    const world = new World();
    const guest = world.open();
    guest.join(stream, { proof: new Uint8Array(64) });
    expect(guest.refused?.reason).toBe('UNAUTHENTICATED');
    expect(guest.closed).toBe(CLOSE.unauthenticated);
    expect(world.tracker.streams()).toEqual([]);
  });

  test('TR1: a proof made for another connection is refused', () => {
    const world = new World();
    const [, second] = [world.open(), world.open()];
    const victim = key('victim');
    second.join(stream, { key: victim, proof: sign(victim, joinSigned(key('nonce 1'), stream.stream, victim)) });
    expect(second.refused?.reason).toBe('UNAUTHENTICATED');
  });

  test('TR2: whatever comes before the join closes the connection', () => {
    const world = new World();
    const guest = world.open();
    guest.state();
    expect(guest.refused).toMatchObject({ reason: 'UNAUTHENTICATED', text: 'a state message before the join' });
    expect(guest.closed).toBe(CLOSE.unauthenticated);
  });

  test('TR2: one connection joins once', () => {
    const world = new World();
    const guest = world.viewer(stream, 'a');
    guest.join(stream);
    expect(guest.closed).toBe(CLOSE.violation);
  });

  test('TR3: a newer connection of the same key takes over from the older', () => {
    const world = new World();
    const older = world.viewer(stream, 'a');
    const newer = world.viewer(stream, 'a');
    expect(older.refused?.reason).toBe('REPLACED');
    expect(older.closed).toBe(CLOSE.replaced);
    expect(newer.closed).toBeUndefined();
    expect(world.tracker.streams()[0]?.viewers).toBe(1);
    older.close();
    expect(world.tracker.streams()[0]?.viewers).toBe(1);
  });

  test('TR3: keys are per swarm: the same key may watch two streams', () => {
    const world = new World();
    const other = streamKeys('two');
    const [a, b] = [world.viewer(stream, 'a'), world.viewer(other, 'a')];
    expect([a.closed, b.closed]).toEqual([undefined, undefined]);
  });

  test.each([
    [':7000', '192.0.2.4', 'ws://192.0.2.4:7000'],
    [':7000/peer', '192.0.2.4', 'ws://192.0.2.4:7000/peer'],
    [':7000', '::ffff:192.0.2.4', 'ws://192.0.2.4:7000'],
    [':7000', '2001:db8::7', 'ws://[2001:db8::7]:7000'],
    [':7000', 'fe80::1%eth0', 'ws://[fe80::1]:7000'],
    ['ws://peer.example:80/x', '192.0.2.4', 'ws://peer.example:80/x'],
    ['wss://[2001:db8::7]:1', '192.0.2.4', 'wss://[2001:db8::7]:1'],
  ])('TR5: the url %s from %s is completed to %s', (url, address, whole) => {
    const world = new World();
    world.viewer(stream, 'a', { url }, address);
    expect(world.viewer(stream, 'b').joined.neighbours[0]?.url).toBe(whole);
  });

  test.each([
    ':0',
    ':65536',
    ':',
    '7000',
    'http://a:1',
    'ws://',
    'ws://user@a:1',
    'ws://a:70000',
    'javascript:1',
    'ws://a b',
  ])('TR5: a member whose url is %s is refused', (url) => {
    const world = new World();
    const guest = world.viewer(stream, 'a', { url });
    expect(guest.refused).toMatchObject({ reason: 'MALFORMED' });
    expect(guest.closed).toBe(CLOSE.violation);
  });

  test('TR6: a viewer may wait for a stream that nobody publishes yet', () => {
    const world = new World();
    const viewer = world.viewer(stream, 'early', { url: ':1' });
    const browser = world.viewer(stream, 'browser');
    expect(viewer.joined).toMatchObject({ state: 'interrupted', description: null, records: [], neighbours: [] });
    viewer.news();
    browser.news();
    world.source(stream, { insServers: [{ url: 'ws://ins-1:1', region: '' }] });
    for (const waiting of [viewer, browser]) {
      expect(waiting.news()).toEqual([
        { type: 'description', description: sealDescription(stream) },
        {
          type: 'neighbours',
          neighbours: [
            {
              peer: stream.signingKey,
              url: 'ws://192.0.2.9:7000',
              mode: 'hybrid',
              source: true,
              availability: [],
              token: null,
            },
          ],
        },
        { type: 'ins-servers', insServers: [{ url: 'ws://ins-1:1', region: '' }] },
        { type: 'stream-state', state: 'live', why: '' },
      ]);
    }
  });

  test('two swarms do not see each other', () => {
    const world = new World();
    const other = streamKeys('two');
    world.source(stream);
    world.viewer(stream, 'a', { url: ':1' });
    const source = world.source(other, { description: sealDescription(other, { title: 'the other' }) });
    const stranger = world.viewer(other, 'b', { url: ':2' });
    expect(stranger.joined.neighbours.map(({ peer }) => peer)).toEqual([other.signingKey]);
    const browser = world.viewer(stream, 'c');
    browser.news();
    source.send({ type: 'records', records: [sealRecord(other, 0)] });
    source.send({ type: 'stream-state', state: 'ended', why: '' });
    source.state({ parts: [0] });
    world.run(2_000);
    expect(browser.news()).toEqual([]);
    expect(world.tracker.streams().map(({ stream: id, title, state }) => [streamIdToText(id), title, state])).toEqual([
      [streamIdToText(stream.stream), 'a stream', 'live'],
      [streamIdToText(other.stream), 'the other', 'ended'],
    ]);
  });
});

describe('bounds', () => {
  test('GE9: who comes when all places are taken is told to try later', () => {
    const world = new World({ limits: { ...TRACKER_LIMITS, linksMax: 1 } });
    world.open();
    const late = world.open();
    expect(late.refused).toMatchObject({ reason: 'QUOTA_CONNECTIONS', retryAfterMs: 5_000 });
    expect(late.closed).toBe(CLOSE.tryLater);
  });

  test('TR6: viewers cannot make up streams without end, and a source still finds a place', () => {
    const world = new World({ limits: { ...TRACKER_LIMITS, swarmsMax: 4, unknownSwarmsMax: 2 } });
    const made = ['a', 'b', 'c'].map((name) => world.viewer(streamKeys(name), 'viewer'));
    expect(made.map((guest) => guest.refused?.reason)).toEqual([undefined, undefined, 'OVERLOAD']);
    expect(world.source(stream).refused).toBeUndefined();
    expect(world.viewer(streamKeys('a'), 'another').refused).toBeUndefined();
  });

  test('TR3: a full swarm refuses newcomers, but not the newer connection of a member', () => {
    const world = new World({ limits: { ...TRACKER_LIMITS, membersPerSwarmMax: 1 } });
    world.viewer(stream, 'a');
    expect(world.viewer(stream, 'b').refused?.reason).toBe('OVERLOAD');
    expect(world.viewer(stream, 'a').refused).toBeUndefined();
  });

  test('GE6: bytes that break the protocol close the connection with the reason', () => {
    const world = new World();
    const guest = world.viewer(stream, 'a');
    world.input({ kind: 'violation', link: guest.link, why: 'malformed state' });
    expect(guest.refused).toMatchObject({ reason: 'MALFORMED', text: 'malformed state' });
    expect(guest.closed).toBe(CLOSE.violation);
  });

  test('TR12: a flood of messages closes the connection', () => {
    const world = new World();
    const guest = world.viewer(stream, 'a');
    for (let sent = 0; sent < 100; sent++) guest.state();
    expect(guest.refused).toMatchObject({ reason: 'OVERLOAD', text: 'too many messages a second' });
    expect(guest.closed).toBe(CLOSE.tryLater);
  });

  test('what comes while a signature is checked waits its turn, and only so much of it', () => {
    const world = new World();
    world.holdChecks = true;
    const patient = world.open();
    patient.join(stream, { key: key('patient') });
    patient.state({ parts: [3] });
    const flood = world.open();
    flood.join(stream, { key: key('flood') });
    for (let sent = 0; sent < 17; sent++) flood.state();
    expect(patient.all('joined')).toEqual([]);
    expect(flood.refused).toMatchObject({ reason: 'OVERLOAD' });
    world.release();
    expect(patient.all('joined')).toHaveLength(1);
    expect(flood.all('joined')).toEqual([]);
    expect(world.viewer(stream, 'b').joined.neighbours[0]?.availability).toHaveLength(1);
  });

  test('an answer that does not fit into one message is continued in others', () => {
    const world = new World();
    const description = sealDescription(stream, {
      tracks: [0, 1, 2, 3].map((id) => ({
        id,
        kind: 'video',
        codecs: 'avc1.64001f',
        name: 'x',
        bandwidthBps: 1,
        width: 1,
        height: 1,
        frameRate: 25,
        channels: 0,
        language: '',
        init: new Uint8Array(8_192),
      })),
    });
    const source = world.source(stream, { description });
    const blocks = Array.from({ length: 100 }, () => ({ name: Uint8Array.of(0x1e, ...key('b')), sizeBytes: 9 }));
    for (let part = 0; part < 8; part++) {
      source.send({ type: 'records', records: [sealRecord(stream, part, { blocks })] });
    }
    const bits = new Uint8Array(512).fill(1);
    for (let peer = 0; peer < 16; peer++) {
      const availability = Array.from({ length: 16 }, (_, track) => ({ track, first: 0, bits }));
      world.viewer(stream, `peer ${peer}`, { url: `:${peer + 1}` }).state({ availability });
    }
    const late = world.viewer(stream, 'late');
    const records = [...late.joined.records, ...late.all('digest').flatMap((digest) => digest.records)];
    expect(partsOf(stream.stream, records)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    const told = [late.joined, ...late.all('neighbours')].flatMap(({ neighbours }) => neighbours);
    expect(told).toHaveLength(17);
    expect(new Set(told.map(({ peer }) => peer.join())).size).toBe(17);
  });
});

describe('leaving', () => {
  test('TR7: who misses three heartbeats is gone, and those who knew it are told within a second', () => {
    const world = new World();
    const silent = world.viewer(stream, 'silent', { url: ':1' });
    const other = world.viewer(stream, 'other', { url: ':2' });
    const beat = (ms: number): void => {
      for (let passed = 0; passed < ms; passed += 1_000) {
        other.state();
        world.run(1_000);
      }
    };
    beat(6_000);
    expect(silent.closed).toBeUndefined();
    beat(2_000);
    expect(silent.closed).toBe(CLOSE.idle);
    expect(other.closed).toBeUndefined();
    beat(1_000);
    const gone = other.all('digest').flatMap(({ neighbours }) => neighbours);
    expect(gone).toEqual([{ peer: key('silent'), availability: [], token: null, gone: true }]);
  });

  test('TR7: nobody is ended for what the tracker was too late to read; who stays silent then is', () => {
    const world = new World();
    world.source(stream);
    const reads = world.viewer(stream, 'its heartbeats wait in the kernel');
    const silent = world.viewer(stream, 'silent');
    const unjoined = world.open();
    // The process stood still: the timer fires before anything is read.
    world.nowMs += 20_000;
    for (let look = 0; look < 4; look++) world.run(1);
    expect(world.closed.size).toBe(0);
    reads.beat();
    world.run(2_000);
    expect([reads, silent, unjoined].map(({ closed }) => closed)).toEqual([undefined, CLOSE.idle, CLOSE.idle]);
  });

  test('TR7: a browser is given three heartbeats of a second', () => {
    const world = new World();
    const browser = world.viewer(stream, 'browser');
    world.run(3_000);
    expect(browser.closed).toBeUndefined();
    world.run(1_750);
    expect(browser.closed).toBe(CLOSE.idle);
  });

  test('TR7: a connection on which no join comes is closed', () => {
    const world = new World();
    const mute = world.open();
    world.run(5_000);
    expect(mute.closed).toBeUndefined();
    world.run(1_250);
    expect(mute.closed).toBe(CLOSE.idle);
  });

  test.each(['leave', 'close'] as const)('TR7: after a %s the member is gone at once', (way) => {
    const world = new World();
    const member = world.viewer(stream, 'a', { url: ':1' });
    if (way === 'leave') member.send({ type: 'leave' });
    else member.close();
    expect(world.viewer(stream, 'b').joined.neighbours).toEqual([]);
  });

  test('a swarm without members is forgotten after a minute, and the tracker then needs no timer', () => {
    const world = new World();
    world.source(stream).close();
    world.run(30_000);
    expect(world.viewer(stream, 'a').joined.description).not.toBeNull();
    world.run(4_750);
    world.run(61_000);
    expect(world.tracker.streams()).toEqual([]);
    expect(world.tracker.nextDeadline()).toBeUndefined();
  });
});
