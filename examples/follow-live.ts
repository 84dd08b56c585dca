/** Follows what somebody puts, as it is put: npx tsx examples/follow-live.ts [ADDRESS] */
import { setTimeout } from 'node:timers/promises';
import { collectionOf, connectIns, makeKeys } from 'inswarm/ins-client';

const url = process.argv[2] ?? 'ws://127.0.0.1:4801';
const source = connectIns({ url, keys: await makeKeys(), application: 'examples' });
const viewer = connectIns({ url, keys: await makeKeys(), application: 'examples' });

// Blocks of a collection have labels: track, part, index in the part. A reader may start where `start` says so.
const collection = await collectionOf('a clock that ticks');
let isLive = true;
const live = (async () => {
  for (let part = 0; isLive; part++) {
    const bytes = new TextEncoder().encode(`tick ${part}`);
    await source.putObject({ bytes, label: { track: 0, part, index: 0 }, start: true }, { collection });
    await setTimeout(100);
  }
})();

// A range token: all of the collection, for whoever has it. Make a new one now and then and announce it: followers get it.
const token = await source.generateToken({ collection });
const seen: string[] = [];
for await (const block of viewer.follow({ collection, token })) {
  if (!block.ok) continue;
  seen.push(new TextDecoder().decode(block.bytes));
  console.log(seen.at(-1), 'is part', block.label?.part);
  if (seen.length === 5) break;
}

isLive = false;
await live;
await Promise.all([source.close(), viewer.close()]);
