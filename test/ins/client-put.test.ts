import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { generateToken, nameOf, readToken, type TokenClaims } from '../../ins-client/node/index.ts';
import { all, ClientStage, outcome, putAll, settle, until } from './client-stage.ts';
import { bytesOf, collectionOf, keysOf } from './helpers.ts';

let stage: ClientStage;
beforeEach(async () => {
  stage = await ClientStage.open();
});
afterEach(() => stage.close());

const collection = collectionOf(1);
const label = (part: number) => ({ track: 0, part, index: 0 });

describe('putObjects', () => {
  test('stores each block under its name, and says in order what became of each', async () => {
    const { ins } = stage.client(1);
    await ins.putObject({ bytes: bytesOf(1, 100), label: label(1) }, { collection });
    const results = await ins.putObjects(
      [
        { bytes: bytesOf(0, 100), label: label(0) },
        // Another block has this label.
        { bytes: bytesOf(9, 100), label: label(1) },
        { bytes: bytesOf(2, 100), label: label(2) },
      ],
      { collection },
    );
    expect(results.map(({ item, ok }) => [item, ok])).toEqual([
      [0, true],
      [1, false],
      [2, true],
    ]);
    expect(results[1]).toMatchObject({ reason: 'EXISTS' });
  });

  test('takes blocks from a source only as the server takes them', async () => {
    const { ins, tap } = stage.client(1);
    await ins.ready();
    tap.deaf = true;
    let made = 0;
    async function* blocks() {
      for (; made < 200; made++) yield bytesOf(made, 100_000);
    }
    const putting = ins.putObjects(blocks());
    await until(() => tap.of('batch').length > 0);
    await settle();
    const first = made;
    await settle();
    expect(made).toBe(first);
    // 8 MiB, and one that waits.
    expect(made).toBeLessThanOrEqual(Math.ceil((8 * 1024 * 1024) / 100_000) + 1);
    tap.deaf = false;
    tap.cut();
    const results = await putting;
    expect(results.filter(({ ok }) => ok).length).toBe(200);
  });

  test('ends with the error of its source, and for a signal', async () => {
    const { ins, tap } = stage.client(1);
    const broken = (function* () {
      yield bytesOf(1, 100);
      throw new Error('no more tape');
    })();
    await expect(ins.putObjects(broken)).rejects.toThrow('no more tape');
    await ins.ready();
    tap.deaf = true;
    const controller = new AbortController();
    const putting = ins.putObjects([bytesOf(2, 100)], { signal: controller.signal });
    await until(() => tap.of('batch').some(({ puts }) => puts.length > 0));
    controller.abort();
    await expect(putting).rejects.toMatchObject({ name: 'AbortError' });
    await until(() => tap.of('cancel').length > 0);
  });

  test('names what cannot be a block', async () => {
    const { ins } = stage.client(1);
    await expect(ins.putObjects([bytesOf(1, 10), new Uint8Array(0)])).rejects.toThrow('object 1 has 0 bytes');
    await expect(ins.putObject(new Uint8Array(1024 * 1024 + 1))).rejects.toThrow('cut data');
    await expect(ins.putObject({ bytes: bytesOf(1, 10), label: label(1) })).rejects.toThrow('`collection`');
  });
});

describe('what is in a locker', () => {
  test('is told by status, and goes by deleteObjects', async () => {
    const { ins } = stage.client(1);
    const names = await putAll(ins, [bytesOf(1, 100), bytesOf(2, 200)]);
    expect(await ins.status()).toMatchObject({ objects: 2, usedBytes: 300, names: expect.arrayContaining(names) });
    const results = await ins.deleteObjects([names[0]!, names[0]!, names[1]!]);
    expect(results.map(({ ok }) => ok)).toEqual([true, false, true]);
    expect(results[1]).toMatchObject({ item: 1, name: names[0], reason: 'NO_OBJECT' });
    expect(await ins.status()).toMatchObject({ objects: 0, usedBytes: 0, names: [] });
    await expect(ins.deleteObject(names[0]!)).rejects.toThrow('NO_OBJECT');
  });

  test('is nobody else’s business without a token', async () => {
    const owner = stage.client(1).ins;
    const other = stage.client(2).ins;
    const [name] = await putAll(owner, [bytesOf(1, 100)]);
    const token = await owner.generateToken({ names: [name!] });
    await expect(other.status({ token })).rejects.toMatchObject({ reason: 'TOKEN_SCOPE' });
    await expect(other.deleteObject(name!, { token })).rejects.toMatchObject({ reason: 'TOKEN_SCOPE' });
    const wide = await owner.generateToken({ operations: ['status', 'delete'], names: [name!] });
    await other.deleteObject(name!, { token: wide });
    expect(await other.status({ token: wide })).toMatchObject({ objects: 0 });
  });
});

describe('attributes', () => {
  test('are put with a block, told and changed', async () => {
    const { ins } = stage.client(1);
    const name = await ins.putObject({ bytes: bytesOf(1, 100), mediaType: 'image/png' }, { ttlSeconds: 50 });
    const { lifeSeconds, ...rest } = await ins.attributes(name);
    expect(rest).toEqual({ sizeBytes: 100, mediaType: 'image/png', reads: 0 });
    expect(lifeSeconds).toBeLessThanOrEqual(50);
    await ins.getObject(name);
    const changed = await ins.setAttributes(name, { ttlSeconds: 500 });
    expect(changed).toMatchObject({ mediaType: 'image/png', reads: 1 });
    expect(changed.lifeSeconds).toBeGreaterThan(400);
    await expect(ins.attributes(await stage.client(2).ins.putObject(bytesOf(2, 10)))).rejects.toThrow('NO_OBJECT');
    await expect(ins.putObject({ bytes: bytesOf(1, 9), mediaType: 'x'.repeat(200) })).rejects.toThrow('media type');
  });
});

describe('what the server holds already', () => {
  test('is put without its bytes by who asks first; the rest is sent', async () => {
    const blocks = Array.from({ length: 100 }, (_, number) => bytesOf(number, 20_000));
    const names = await putAll(stage.client(1).ins, blocks.slice(0, 70));
    const { ins, tap } = stage.client(2);
    const results = await ins.putObjects(blocks, { askFirst: true });
    expect(results.every(({ ok }) => ok)).toBe(true);
    expect(results.slice(0, 70).map(({ name }) => name)).toEqual(names);
    expect(tap.blocksOut).toBe(30);
    const got = await all(ins.getObjects(results.map(({ name }) => name!)));
    expect(got.filter(({ ok }) => ok).length).toBe(100);
  });

  test('is filed in our locker without coming here', async () => {
    const owner = stage.client(1).ins;
    const { ins, tap } = stage.client(2);
    const names = await putAll(owner, [bytesOf(1, 3_000), bytesOf(2, 3_000)]);
    const missing = await nameOf(bytesOf(3, 3_000));
    const token = await owner.generateToken({ names: [...names, missing] });
    const results = await ins.keepObjects([...names, missing], { token });
    expect(results.map(({ ok }) => ok)).toEqual([true, true, false]);
    expect(tap.blocksIn).toBe(0);
    expect((await ins.status()).objects).toBe(2);
    await expect(ins.getObject(names[1]!)).resolves.toEqual(bytesOf(2, 3_000));
  });

  test('under a label that is not there yet, is waited for', async () => {
    const { ins } = stage.client(1);
    await ins.putObject({ bytes: bytesOf(0, 10), label: label(0) }, { collection });
    const wanted = { label: label(1) };
    await expect(ins.getObject(wanted, { collection })).rejects.toMatchObject({ reason: 'NOT_YET' });
    const waiting = ins.getObject({ ...wanted, wait: true }, { collection });
    await ins.putObject({ bytes: bytesOf(1, 10), label: label(1) }, { collection });
    await expect(waiting).resolves.toEqual(bytesOf(1, 10));
  });
});

describe('a token', () => {
  const servers = [{ key: keysOf(9).publicKey, url: 'ws://server' }];
  const make = (claims: TokenClaims): Promise<string> => generateToken(keysOf(1), servers, claims);

  test('says what it allows, and is text', async () => {
    const holder = stage.client(2).ins.account;
    const token = await make({
      operations: ['get', 'put'],
      collection,
      tracks: [0, 3],
      fromPart: 5,
      toPart: 9,
      holder,
    });
    expect(token).toMatch(/^[\w-]+$/);
    expect(readToken(token)).toMatchObject({
      issuer: stage.client(1).ins.account,
      operations: ['get', 'put'],
      tracks: [0, 3],
      fromPart: 5,
      toPart: 9,
      holder,
      uses: null,
      names: null,
    });
    const limited = readToken(await make({ uses: 3, weight: 2, rateBps: 8_000_000, amountBytes: 1_000, epoch: 4 }));
    expect(limited).toMatchObject({ uses: 3, weight: 2, rateBps: 8_000_000, amountBytes: 1_000, epoch: 4 });
    expect(readToken(await make({ lifeSeconds: 60 })).expiresAtMs).toBeGreaterThan(Date.now() + 50_000);
  });

  test('that no server would take is not made', async () => {
    const { ins } = stage.client(1);
    const name = await ins.putObject(bytesOf(1, 10));
    await expect(make({ names: [] })).rejects.toThrow('allows nothing');
    await expect(make({ names: Array.from({ length: 100 }, () => name) })).rejects.toThrow('too long');
    await expect(generateToken(keysOf(1), [], {})).rejects.toThrow('at least one server');
    await expect(make({ operations: ['write' as 'put'] })).rejects.toThrow('"write" is no operation');
    expect(() => readToken('abcd')).toThrow('no token');
  });

  test('is passed on, a part of it, by its holder', async () => {
    const owner = stage.client(1).ins;
    const friend = stage.client(2).ins;
    const guest = stage.client(3).ins;
    const [first, second] = await putAll(owner, [bytesOf(1, 100), bytesOf(2, 100)]);
    const parent = await owner.generateToken({ names: [first!, second!], holder: friend.account });
    const token = await friend.generateToken({ names: [first!], parent, lifeSeconds: 30 });
    expect(readToken(token)).toMatchObject({ issuer: friend.account, owner: owner.account, parent });
    const results = await all(guest.getObjects([first!, second!], { token }));
    expect(results.sort((a, b) => a.item - b.item).map(outcome)).toEqual([
      first,
      expect.stringMatching(/NO_OBJECT|TOKEN_SCOPE/),
    ]);
  });

  test('is good for as many uses as it says, and void when it is revoked', async () => {
    const owner = stage.client(1).ins;
    const other = stage.client(2).ins;
    const [name] = await putAll(owner, [bytesOf(1, 100)]);
    // A server takes no counted token from before its start: it might have been used.
    const once = await owner.generateToken({ names: [name!], uses: 1, holder: other.account, startsInSeconds: 1 });
    await other.getObject(name!, { token: once });
    await expect(other.getObject(name!, { token: once })).rejects.toMatchObject({ reason: 'TOKEN_REPLAYED' });

    const revoked = await owner.generateToken({ names: [name!] });
    await other.getObject(name!, { token: revoked });
    await owner.revokeTokens({ tokens: [revoked] });
    await expect(other.getObject(name!, { token: revoked })).rejects.toMatchObject({ reason: 'TOKEN_REVOKED' });
    const before = await owner.generateToken({ names: [name!] });
    await owner.revokeTokens({ epoch: 1 });
    await expect(other.getObject(name!, { token: before })).rejects.toMatchObject({ reason: 'TOKEN_REVOKED' });
    await other.getObject(name!, { token: await owner.generateToken({ names: [name!], epoch: 1 }) });
  });

  test('is not needed for what its owner has opened', async () => {
    const owner = stage.client(1).ins;
    const other = stage.client(2).ins;
    const bytes = bytesOf(1, 100);
    const name = await owner.putObject({ bytes, label: label(1) }, { collection });
    const options = { owner: owner.account, collection };
    await expect(other.getObject(name, options)).rejects.toMatchObject({ name: 'InsError' });
    await owner.setAccess(collection, 'public');
    await expect(other.getObject({ label: label(1) }, options)).resolves.toEqual(bytes);
    await owner.setAccess(collection, 'private');
    await expect(other.getObject(name, options)).rejects.toMatchObject({ name: 'InsError' });
  });
});

describe('follow', () => {
  test('brings blocks in order as they are put, and renews its token with its owner', async () => {
    const owner = stage.client(1).ins;
    const viewer = stage.client(2);
    const token = await owner.generateToken({ collection, lifeSeconds: 2 });
    const following = viewer.ins.follow({ collection, token, from: 0 });
    const parts: number[] = [];
    for (let part = 0; part < 5; part++) {
      await owner.putObject({ bytes: bytesOf(part, 100), label: label(part) }, { collection });
      const { value } = await following.next();
      parts.push(value?.ok === true ? value.label!.part : -1);
      if (part === 1) owner.announceToken(await owner.generateToken({ collection, lifeSeconds: 60 }));
    }
    expect(parts).toEqual([0, 1, 2, 3, 4]);
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    await owner.putObject({ bytes: bytesOf(5, 100), label: label(5) }, { collection });
    expect((await following.next()).value).toMatchObject({ ok: true, label: { part: 5 } });
    await following.return!();
    expect(viewer.tap.of('cancel').length).toBe(1);
  });

  test('is paused while its reader is too slow, and leaves nothing out that is still there', async () => {
    const owner = stage.client(1).ins;
    const { ins, tap } = stage.client(2);
    const token = await owner.generateToken({ collection });
    const bufferBytes = 200_000;
    const following = ins.follow({ collection, token, from: 0, bufferBytes });
    await until(() => tap.of('follow').length === 1);
    const blocks = Array.from({ length: 100 }, (_, part) => ({ bytes: bytesOf(part, 10_000), label: label(part) }));
    for (const block of blocks) await owner.putObject(block, { collection });
    await settle();
    expect(tap.of('cancel').length).toBe(1);
    // What was on its way when it was paused came in vain.
    expect(tap.blocksIn).toBeLessThan(60);
    const parts: number[] = [];
    for (let read = 0; read < 100; read++) {
      const { value } = await following.next();
      if (value?.ok === true) parts.push(value.label!.part);
    }
    expect(parts).toEqual(blocks.map((_, part) => part));
    await following.return!();
  });

  test('never gives a block that is not what its name says', async () => {
    const owner = stage.client(1).ins;
    const { ins, tap } = stage.client(2);
    const following = ins.follow({ collection, token: await owner.generateToken({ collection }), from: 0 });
    tap.tamper = (frame) => {
      if (tap.blocksIn === 2) frame[frame.length - 1]! ^= 1;
      return frame;
    };
    for (const part of [0, 1, 2])
      await owner.putObject({ bytes: bytesOf(part, 99), label: label(part) }, { collection });
    const results = [await following.next(), await following.next(), await following.next()];
    expect(results.map(({ value }) => (value!.ok ? value!.bytes : value!.reason))).toEqual([
      bytesOf(0, 99),
      'NAME_MISMATCH',
      bytesOf(2, 99),
    ]);
  });
});
