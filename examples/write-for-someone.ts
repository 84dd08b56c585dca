/** A portal lets a user put into its locker, 1 MB at most: npx tsx examples/write-for-someone.ts [ADDRESS] */
import { collectionOf, connectIns, type InsError, makeKeys } from 'inswarm/ins-client';

const url = process.argv[2] ?? 'ws://127.0.0.1:4801';
const portal = connectIns({ url, keys: await makeKeys(), application: 'examples' });
const user = connectIns({ url, keys: await makeKeys(), application: 'examples' });

const collection = await collectionOf('uploads of user 17');
const token = await portal.generateToken({
  operations: ['put'],
  collection,
  holder: user.account,
  toPart: 9,
  lifeSeconds: 300,
});

const photo = new TextEncoder().encode('a photo');
const put = (part: number) =>
  user.putObject({ bytes: photo, label: { track: 0, part, index: 0 } }, { collection, token, ttlSeconds: 600 });

console.log('put', await put(0));
// The token says which parts: ten of them.
await put(10).catch((error: InsError) => console.log('beyond the token:', error.message));

// It is the portal's now: in its locker, on its quota.
const name = await put(1);
console.log('the portal has', new TextDecoder().decode(await portal.getObject(name)));
console.log('the user has', (await user.status()).objects, 'blocks');

await Promise.all([portal.close(), user.close()]);
