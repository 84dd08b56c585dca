/**
 * Puts a file in blocks and gets it back:
 *
 *     npx tsx examples/file.ts put FILE [ADDRESS]          prints a link
 *     npx tsx examples/file.ts get LINK COPY [ADDRESS]     within ten minutes
 *
 * The link is the name of a manifest, a block that lists the names of the others, and a token that opens all of them.
 */
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { collectionOf, connectIns, type InsClient, InsError, makeKeys } from 'inswarm/ins-client';

const BLOCK_BYTES = 256 * 1024;
/** What one manifest can list: 4 GiB. */
const BLOCKS_MAX = 16_384;

const [command, ...rest] = process.argv.slice(2);
if (command === 'put') await put(rest[0]!, rest[1]);
else if (command === 'get') await get(rest[0]!, rest[1]!, rest[2]);
else console.error('put FILE, or get LINK COPY');

async function connect(url = 'ws://127.0.0.1:4801'): Promise<InsClient> {
  return connectIns({ url, keys: await makeKeys(), application: 'files' });
}

async function put(path: string, url: string | undefined): Promise<void> {
  const ins = await connect(url);
  const file = await open(path);
  const collection = await collectionOf(path);

  // Read as fast as the server takes it, never more than a few blocks ahead.
  async function* blocks() {
    for (let part = 0; part < BLOCKS_MAX; part++) {
      const { bytesRead, buffer } = await file.read(new Uint8Array(BLOCK_BYTES));
      if (bytesRead === 0) return;
      yield { bytes: buffer.subarray(0, bytesRead), label: { track: 0, part, index: 0 } };
    }
    throw new Error(`${path} is too long for one manifest`);
  }
  const options = { collection, ttlSeconds: 600 };
  const results = await ins.putObjects(blocks(), options);
  await file.close();

  const names = results.map((result) => {
    if (!result.ok) throw new InsError(result);
    return result.name;
  });
  const bytes = new TextEncoder().encode(JSON.stringify(names));
  const manifest = await ins.putObject({ bytes, label: { track: 1, part: 0, index: 0 } }, options);
  console.log(`${manifest}#${await ins.generateToken({ collection, lifeSeconds: 600 })}`);
  await ins.close();
}

async function get(link: string, copy: string, url: string | undefined): Promise<void> {
  const ins = await connect(url);
  const [manifest, token] = link.split('#') as [string, string];
  const names: string[] = JSON.parse(new TextDecoder().decode(await ins.getObject(manifest, { token })));

  // Blocks come in any order, each verified; what came early waits for its turn.
  const file = createWriteStream(copy);
  const early = new Map<number, Uint8Array>();
  let next = 0;
  for await (const result of ins.getObjects(names, { token, bufferBytes: 8 * 1024 * 1024 })) {
    if (!result.ok) throw new InsError(result, `block ${result.item} of ${names.length}`);
    early.set(result.item, result.bytes);
    for (let bytes = early.get(next); bytes !== undefined; bytes = early.get(++next)) {
      early.delete(next);
      if (!file.write(bytes)) await once(file, 'drain');
    }
  }
  await once(file.end(), 'finish');
  console.log(`${names.length} blocks, all of them what their names say`);
  await ins.close();
}
