/** Puts blocks into a locker and gets them back: npx tsx examples/put-and-get.ts [ADDRESS], beside npx inswarm ins. */
import { connectIns, makeKeys, nameOf } from 'inswarm/ins-client';

const url = process.argv[2] ?? 'ws://127.0.0.1:4801';
const text = (words: string) => new TextEncoder().encode(words);

const ins = connectIns({ url, keys: await makeKeys(), application: 'examples' });

// One block: its name is the hash of its bytes.
const name = await ins.putObject(text('Hello, network!'), { ttlSeconds: 60 });
console.log('stored', name);
console.log('got', new TextDecoder().decode(await ins.getObject(name)));

// Many, in batches: each comes as soon as it is there, or says why it does not come.
const stored = await ins.putObjects(['one', 'two', 'three'].map(text));
const names = stored.flatMap((result) => (result.ok ? [result.name] : []));
for await (const result of ins.getObjects([...names, await nameOf(text('never put'))])) {
  if (result.ok) console.log(result.item, new TextDecoder().decode(result.bytes));
  else console.log(result.item, result.reason);
}

const { objects, usedBytes } = await ins.status();
console.log(`${objects} blocks, ${usedBytes} bytes`);
await ins.deleteObjects([name, ...names]);
console.log((await ins.status()).objects, 'left');
await ins.close();
