import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { CancelSignal, GetResult } from '../../ins-client/node/index.ts';
import { all, ClientStage, outcome, putAll, settle, type Tap, until } from './client-stage.ts';
import { bytesOf, collectionOf, hashText } from './helpers.ts';

let stage: ClientStage;
beforeEach(async () => {
  stage = await ClientStage.open();
});
afterEach(() => stage.close());

const KIB = 1_024;
const blocksOf = (count: number, bytes: number): Uint8Array[] =>
  Array.from({ length: count }, (_, number) => bytesOf(number, bytes));

/** How many blocks each batch of gets has asked for. */
function asked(tap: Tap): number[] {
  return tap
    .of('batch')
    .map(({ gets }) => gets.length)
    .filter((count) => count > 0);
}
const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0);

/** An AbortSignal that counts who listens. */
function countedSignal(): { readonly signal: CancelSignal; readonly controller: AbortController; listeners(): number } {
  const controller = new AbortController();
  let listeners = 0;
  const { signal } = controller;
  return {
    controller,
    listeners: () => listeners,
    signal: {
      get aborted() {
        return signal.aborted;
      },
      get reason() {
        return signal.reason;
      },
      addEventListener(type, listener) {
        listeners++;
        signal.addEventListener(type, listener);
      },
      removeEventListener(type, listener) {
        listeners--;
        signal.removeEventListener(type, listener);
      },
    },
  };
}

describe('getObjects', () => {
  test('gives each block as it was put, or its reason, and says which one it is', async () => {
    const { ins } = stage.client(1);
    const name = await ins.putObject(bytesOf(1, 5_000));
    const missing = hashText(bytesOf(2, 5_000));
    const results = await all(ins.getObjects([missing, name, { name }]));
    expect(results.sort((a, b) => a.item - b.item)).toEqual([
      { ok: false, item: 0, name: missing, reason: 'NO_OBJECT', retryAfterMs: 0, otherServer: null },
      { ok: true, item: 1, name, bytes: bytesOf(1, 5_000), label: null, kept: false },
      { ok: true, item: 2, name, bytes: bytesOf(1, 5_000), label: null, kept: false },
    ]);
  });

  test('takes 10,000 names, asks for them in full batches, and never for more than 512 at once', async () => {
    const { ins, tap } = stage.client(1);
    const put = await putAll(ins, blocksOf(10_000, 100));
    const names = put;
    let open = 0;
    let most = 0;
    let seen = 0;
    const got = new Set<string>();
    for await (const result of ins.getObjects(names)) {
      for (; seen < tap.sent.length; seen++) {
        const message = tap.sent[seen]!;
        if (message.type === 'batch') open += message.gets.length;
      }
      most = Math.max(most, open);
      open--;
      if (result.ok) got.add(result.name);
    }
    expect(got).toEqual(new Set(names));
    // The one that is being looked at is counted, too.
    expect(most).toBeLessThanOrEqual(512 + 1);
    expect(sum(asked(tap))).toBe(10_000);
    expect(asked(tap).length).toBeLessThan(10_000 / 32);
  }, 120_000);

  test('goes on after the connection broke, and asks again only for what had not come', async () => {
    const { ins, tap } = stage.client(1);
    const put = await putAll(ins, blocksOf(600, 2_000));
    const got: GetResult[] = [];
    for await (const result of ins.getObjects(put)) {
      got.push(result);
      if (got.length === 100 || got.length === 300) tap.cut();
    }
    expect(got.map((result) => result.item).sort((a, b) => a - b)).toEqual([...put.keys()]);
    expect(got.every((result) => result.ok)).toBe(true);
    // What was under way at two breaks, at most.
    expect(sum(asked(tap))).toBeLessThanOrEqual(600 + 2 * 512);
    expect(tap.of('hello').length).toBe(3);
  });

  test('asks for nothing but once while nobody reads, and keeps within bufferBytes', async () => {
    const { ins, tap } = stage.client(1);
    const put = await putAll(ins, blocksOf(400, 16 * KIB));
    const results = ins.getObjects(put, { bufferBytes: 1024 * KIB });
    await results.next();
    await settle();
    const stopped = tap.blocksIn;
    await settle();
    expect(tap.blocksIn).toBe(stopped);
    expect(tap.blockBytesIn).toBeLessThanOrEqual(1024 * KIB + 17 * KIB);
    const rest = await all(results);
    expect(rest.filter((result) => result.ok).length).toBe(399);
    expect(sum(asked(tap))).toBe(400);
  });

  test('keeps within bufferBytes when blocks turn out larger than those before', async () => {
    const { ins, tap } = stage.client(1);
    const small = await putAll(ins, blocksOf(100, 100));
    const large = await putAll(ins, blocksOf(40, 1024 * KIB));
    const bufferBytes = 4 * 1024 * KIB;
    const results = ins.getObjects([...small, ...large], { bufferBytes });
    for (let read = 0; read < 100; read++) await results.next();
    // Nobody reads on until more has come than fits.
    await until(() => tap.of('cancel').length > 0);
    const rest = await all(results);
    expect(rest.map(({ item }) => item).sort((a, b) => a - b)).toEqual(large.map((_, at) => 100 + at));
    expect(rest.every((result) => result.ok)).toBe(true);
    // Four fit and one is over: whatever else was asked for, or on the wire by then, was not kept and is asked for again.
    expect(sum(asked(tap))).toBeGreaterThanOrEqual(small.length + 2 * large.length - 5);
  });

  test('never gives bytes that do not have the name they came under', async () => {
    const { ins, tap } = stage.client(1);
    const name = await ins.putObject(bytesOf(1, 5_000));
    const other = await ins.putObject(bytesOf(2, 5_000));
    let frames = 0;
    tap.tamper = (frame) => {
      if (frames++ === 0) frame[frame.length - 1]! ^= 1;
      return frame;
    };
    const results = await all(ins.getObjects([name, other]));
    expect(results.map(outcome).sort()).toEqual(['NAME_MISMATCH', other].sort());
    await expect(ins.getObject(name)).resolves.toEqual(bytesOf(1, 5_000));
  });

  test('stops when the signal says so: throws its reason, tells the server, leaves nothing behind', async () => {
    const { ins, tap } = stage.client(1);
    const put = await putAll(ins, blocksOf(200, 16 * KIB));
    const { signal, controller, listeners } = countedSignal();
    tap.deaf = true;
    const results = ins.getObjects(put, { signal });
    const reading = results.next();
    await until(() => asked(tap).length > 0);
    expect(listeners()).toBe(1);
    controller.abort(new Error('enough'));
    await expect(reading).rejects.toThrow('enough');
    expect(tap.of('cancel').length).toBe(asked(tap).length);
    expect(listeners()).toBe(0);
    expect(await results.next()).toEqual({ done: true, value: undefined });
    expect(() => ins.getObjects([], { signal })).toThrow('enough');
    // The connection is as good as before.
    tap.deaf = false;
    await expect(ins.getObject(put[0]!)).resolves.toEqual(bytesOf(0, 16 * KIB));
  });

  test('cancels what is left when the loop is left', async () => {
    const { ins, tap } = stage.client(1);
    const put = await putAll(ins, blocksOf(300, 16 * KIB));
    tap.tamper = (frame) => {
      tap.deaf = tap.blocksIn === 3;
      return frame;
    };
    for await (const result of ins.getObjects(put)) if (result.ok) break;
    expect(tap.of('cancel').length).toBeGreaterThan(0);
    tap.deaf = false;
    expect((await all(ins.getObjects([put[7]!]))).map(outcome)).toEqual([put[7]]);
  });

  test('lets several tokens open several lockers in one batch', async () => {
    const owners = [stage.client(1), stage.client(2), stage.client(3)];
    const reader = stage.client(9);
    await reader.ins.ready();
    const wanted = [];
    for (const [at, { ins }] of owners.entries()) {
      const name = await ins.putObject(bytesOf(at, 3_000));
      wanted.push({ name, token: await ins.generateToken({ names: [name], holder: reader.ins.account }) });
    }
    // Of another owner: this token does not open the locker with the block.
    wanted.push({ name: wanted[0]!.name, token: wanted[1]!.token });
    const results = await all(reader.ins.getObjects(wanted));
    expect(results.sort((a, b) => a.item - b.item).map(outcome)).toEqual([
      ...wanted.slice(0, 3).map(({ name }) => name),
      expect.stringMatching(/NO_OBJECT|TOKEN_SCOPE/),
    ]);
    expect(asked(reader.tap)).toEqual([4]);
  });

  test('takes names from a source as they come, and its error too', async () => {
    const { ins, tap } = stage.client(1);
    const put = await putAll(ins, blocksOf(130, 200));
    async function* names(): AsyncGenerator<string> {
      for (const name of put) yield name;
      throw new Error('the list broke off');
    }
    const got: GetResult[] = [];
    const reading = async (): Promise<void> => {
      for await (const result of ins.getObjects(names())) got.push(result);
    };
    await expect(reading()).rejects.toThrow('the list broke off');
    const whole = await all(
      ins.getObjects(
        (function* () {
          for (const name of put) yield name;
        })(),
      ),
    );
    expect(whole.filter((result) => result.ok).length).toBe(130);
    expect(asked(tap).every((count) => count <= 64)).toBe(true);
  });

  test('gets by label, with what was put beside the block', async () => {
    const { ins } = stage.client(1);
    const collection = collectionOf(5);
    const label = { track: 2, part: 7, index: 1 };
    const companion = Uint8Array.of(1, 2, 3);
    const name = await ins.putObject({ bytes: bytesOf(1, 900), label, companion, start: true }, { collection });
    expect(await all(ins.getObjects([{ label }], { collection }))).toEqual([
      { ok: true, item: 0, name, bytes: bytesOf(1, 900), label: { ...label, start: true, companion }, kept: false },
    ]);
    await expect(all(ins.getObjects([{ label }]))).rejects.toThrow('collection');
  });

  test('refuses with DEADLINE what has not come in time, and sends the most urgent first', async () => {
    const { ins, tap } = stage.client(1);
    const put = await putAll(ins, blocksOf(200, 500));
    const wanted = put.map((name, at) => ({ name, deadlineMs: 60_000 - at * 100 }));
    const results = await all(ins.getObjects(wanted));
    expect(results.map(({ item }) => item)).toEqual([...put.keys()].reverse());
    tap.deaf = true;
    const late = await all(ins.getObjects([put[0]!], { deadlineMs: 50 }));
    expect(late.map(outcome)).toEqual(['DEADLINE']);
  });

  test('serves thousands of calls at once', async () => {
    const { ins } = stage.client(1);
    const name = await ins.putObject(bytesOf(1, 100));
    const got = await Promise.all(Array.from({ length: 17_000 }, () => ins.getObject(name)));
    expect(got.every((bytes) => bytes.length === 100)).toBe(true);
  }, 120_000);

  test('says what is wrong with what it is asked', async () => {
    const { ins } = stage.client(1);
    await expect(ins.getObject('ni:///sha-256;abc')).rejects.toThrow('ni:///blake3');
    expect(() => ins.getObjects([], { token: '???' })).toThrow('no token');
    expect(() => ins.getObjects([], { collection: 'my photos' })).toThrow('collectionOf');
    expect(() => ins.getObjects([], { bufferBytes: 0 })).toThrow('bufferBytes');
    expect(await all(ins.getObjects([]))).toEqual([]);
  });
});
