import { describe, expect, test } from 'vitest';
import { CLOSE } from '../../protocol/reasons.ts';
import { decodeRecord } from '../../protocol/records.ts';
import { key, partsOf, sealDescription, sealRecord, sign, streamKeys, World } from './world.ts';

const stream = streamKeys('one');

describe('publishing', () => {
  test("TR8: a description of another root key than the stream's is refused", () => {
    const world = new World();
    const other = streamKeys('two');
    const forger = world.source(stream, { description: sealDescription(other) });
    expect(forger.refused).toMatchObject({
      reason: 'NOT_ALLOWED',
      text: "the description's root key is not this stream's",
    });
    expect(forger.closed).toBe(CLOSE.policy);
    expect(world.viewer(stream, 'a').joined.description).toBeNull();
  });

  test('TR8: a description with a forged signature is refused', () => {
    const world = new World();
    const sealed = sealDescription(stream);
    sealed[sealed.length - 1]! ^= 1;
    const forger = world.source(stream, { description: sealed });
    expect(forger.refused?.reason).toBe('TOKEN_INVALID');
    expect(forger.closed).toBe(CLOSE.policy);
    expect(world.viewer(stream, 'a').joined.description).toBeNull();
  });

  test('TR8: who repeats a description without holding one of its keys is refused', () => {
    const world = new World();
    const source = world.source(stream);
    const forger = world.source(stream, {}, { key: key('forger') });
    expect(forger.refused?.reason).toBe('NOT_ALLOWED');
    expect(source.closed).toBeUndefined();
    source.close();
    expect(world.source(stream, {}, { key: key('forger') }).refused?.reason).toBe('NOT_ALLOWED');
  });

  test('TR8: an expired description is refused', () => {
    const world = new World();
    const late = world.source(stream, { description: sealDescription(stream, { expiresAtMs: world.nowMs - 5_001 }) });
    expect(late.refused?.reason).toBe('TOKEN_EXPIRED');
  });

  test.each([
    [
      { insServers: [{ url: 'http://ins:1', region: '' }] },
      'the url of an INS server is not a ws:// or wss:// address',
    ],
    [{ hlsUrl: 'ftp://a' }, 'the hlsUrl is neither :PORT/path nor an http:// or https:// address'],
    [{ description: new Uint8Array(100) }, 'the description cannot be read'],
  ])('TR8: a publish with %j is refused', (change, text) => {
    const world = new World();
    expect(world.source(stream, change).refused).toMatchObject({ reason: 'MALFORMED', text });
  });

  test('TR9: a viewer neither publishes nor sends records nor says how the stream is', () => {
    const world = new World();
    const description = sealDescription(stream);
    const forbidden = [
      { type: 'publish', description, insServers: [], hlsUrl: null },
      { type: 'records', records: [sealRecord(stream, 0)] },
      { type: 'stream-state', state: 'ended', why: '' },
    ] as const;
    for (const message of forbidden) {
      const viewer = world.viewer(stream, message.type);
      viewer.send(message);
      expect(viewer.refused?.reason).toBe('NOT_ALLOWED');
      expect(viewer.closed).toBe(CLOSE.policy);
    }
    expect(world.viewer(stream, 'a').joined).toMatchObject({ description: null, records: [], state: 'interrupted' });
  });

  test('TR9: what a source says before its description was found good goes unheard', () => {
    const world = new World();
    const source = world.open();
    source.join(stream, { role: 'source', key: stream.signingKey, url: ':1' });
    source.send({ type: 'stream-state', state: 'ended', why: '' });
    source.send({ type: 'records', records: [sealRecord(stream, 0)] });
    expect(source.closed).toBeUndefined();
    const { joined } = world.viewer(stream, 'a');
    expect(joined).toMatchObject({ records: [], state: 'interrupted', neighbours: [] });
  });

  test('TR8: a new revision reaches everybody at once, an older one is refused', () => {
    const world = new World();
    const source = world.source(stream);
    const viewer = world.viewer(stream, 'a');
    viewer.news();
    const second = sealDescription(stream, { revision: 1, issuedAtMs: 2_000 });
    source.publish(stream, { description: second });
    expect(viewer.news()).toEqual([{ type: 'description', description: second }]);
    source.publish(stream, { description: second });
    expect(viewer.news()).toEqual([]);
    source.publish(stream);
    expect(source.refused).toMatchObject({
      reason: 'NOT_ALLOWED',
      text: 'a newer description of this stream is known',
    });
  });

  test('TR8: a restarted source counts revisions anew and takes over by the later date', () => {
    const world = new World();
    const before = world.source(stream, { description: sealDescription(stream, { revision: 9 }) });
    const viewer = world.viewer(stream, 'a');
    before.send({ type: 'records', records: [sealRecord(stream, 80)] });
    const restarted = { ...stream, signingKey: key('restarted') };
    const newer = sealDescription(restarted, { revision: 0, issuedAtMs: 5_000 });
    const after = world.source(restarted, { description: newer });
    expect(before.closed).toBe(CLOSE.replaced);
    expect(viewer.all('description').at(-1)?.description).toEqual(newer);
    expect(viewer.all('neighbours').at(-1)?.neighbours[0]?.peer).toEqual(restarted.signingKey);
    expect(world.viewer(stream, 'b').joined.records).toEqual([]);
    after.send({ type: 'records', records: [sealRecord(restarted, 0)] });
    expect(partsOf(stream.stream, world.viewer(stream, 'c').joined.records)).toEqual([0]);
  });

  test('TR8: the hlsUrl is completed and listed while the source is there', () => {
    const world = new World();
    const source = world.source(stream, { hlsUrl: ':8080/x/master.m3u8' });
    expect(world.tracker.streams()[0]?.hlsUrl).toBe('http://192.0.2.9:8080/x/master.m3u8');
    source.close();
    expect(world.tracker.streams()[0]?.hlsUrl).toBeNull();
  });
});

describe('the state of a stream', () => {
  test('TR9: what the source says of its stream reaches everybody else', () => {
    const world = new World();
    const source = world.source(stream);
    const viewer = world.viewer(stream, 'a');
    source.send({ type: 'stream-state', state: 'interrupted', why: 'the camera is unplugged' });
    source.send({ type: 'stream-state', state: 'live', why: '' });
    source.send({ type: 'stream-state', state: 'live', why: '' });
    expect(viewer.all('stream-state').map(({ state, why }) => [state, why])).toEqual([
      ['interrupted', 'the camera is unplugged'],
      ['live', ''],
    ]);
    expect(source.all('stream-state')).toEqual([]);
  });

  test('TR10: when the source is gone the stream is interrupted, and live when it is back', () => {
    const world = new World();
    const source = world.source(stream);
    source.send({ type: 'records', records: [sealRecord(stream, 0)] });
    const viewer = world.viewer(stream, 'a');
    source.close();
    expect(world.viewer(stream, 'b').joined.state).toBe('interrupted');
    world.source(stream);
    expect(viewer.all('stream-state').map(({ state, why }) => [state, why])).toEqual([
      ['interrupted', 'the source is gone'],
      ['live', ''],
    ]);
    expect(viewer.all('neighbours').at(-1)?.neighbours[0]).toMatchObject({ peer: stream.signingKey, source: true });
    expect(partsOf(stream.stream, world.viewer(stream, 'c').joined.records)).toEqual([0]);
  });

  test('TR10: after the end a source that goes away changes nothing', () => {
    const world = new World();
    const source = world.source(stream);
    const viewer = world.viewer(stream, 'a');
    source.send({ type: 'stream-state', state: 'ended', why: 'the show is over' });
    source.close();
    expect(viewer.all('stream-state').map(({ state }) => state)).toEqual(['ended']);
  });

  test('TR9: a record that cannot be read closes the source', () => {
    const world = new World();
    const source = world.source(stream);
    source.send({ type: 'records', records: [new Uint8Array(80)] });
    expect(source.refused).toMatchObject({ reason: 'MALFORMED', text: 'a record cannot be read' });
  });
});

describe('records for a joiner', () => {
  test('TR11: all tracks since the newest independent part but one, oldest part first', () => {
    const world = new World();
    const source = world.source(stream);
    for (let part = 0; part < 30; part++) {
      source.send({ type: 'records', records: [sealRecord(stream, part, { track: 1 })] });
      source.send({ type: 'records', records: [sealRecord(stream, part)] });
      world.run(250);
      source.state();
    }
    const { records } = world.viewer(stream, 'a').joined;
    expect(partsOf(stream.stream, records)).toEqual([24, 25, 26, 27, 28, 29].flatMap((part) => [part, part]));
  });

  test('TR11: records that come out of order are put in order', () => {
    const world = new World();
    const source = world.source(stream);
    for (const [track, part] of [
      [1, 5],
      [0, 5],
      [1, 4],
      [0, 4],
    ] as const) {
      source.send({ type: 'records', records: [sealRecord(stream, part, { track })] });
    }
    const { records } = world.viewer(stream, 'a').joined;
    expect(
      records.map((sealed) => decodeRecord(stream.stream, sealed)!.value).map(({ part, track }) => [part, track]),
    ).toEqual([
      [4, 0],
      [4, 1],
      [5, 0],
      [5, 1],
    ]);
  });

  test('TR11: a record that comes twice is kept once', () => {
    const world = new World();
    const source = world.source(stream);
    const sealed = sealRecord(stream, 4);
    source.send({ type: 'records', records: [sealed, sealed] });
    expect(world.viewer(stream, 'a').joined.records).toEqual([sealed]);
  });

  test('TR11: a source whose parts never start anew cannot fill the memory', () => {
    const world = new World();
    const source = world.source(stream);
    for (let part = 1; part <= 400; part++) {
      source.send({ type: 'records', records: [sealRecord(stream, part, { independent: false })] });
      world.run(250);
    }
    const guest = world.viewer(stream, 'a');
    const records = [...guest.joined.records, ...guest.all('digest').flatMap((digest) => digest.records)];
    expect(partsOf(stream.stream, records)).toEqual(Array.from({ length: 256 }, (_, at) => 145 + at));
  });
});

test('the stand-in for signatures tells keys apart', () => {
  expect(sign(key('a'), key('x'))).not.toEqual(sign(key('b'), key('x')));
});
