/** Lets somebody else read a block, and thinks better of it: npx tsx examples/share-with-token.ts [ADDRESS] */
import { connectIns, type InsError, makeKeys } from 'inswarm/ins-client';

const url = process.argv[2] ?? 'ws://127.0.0.1:4801';
const alice = connectIns({ url, keys: await makeKeys(), application: 'examples' });
const bob = connectIns({ url, keys: await makeKeys(), application: 'examples' });

const name = await alice.putObject(new TextEncoder().encode('for Bob alone'));

// Made here and now, no server is asked. It is text: send it by mail, put it into a link.
const token = await alice.generateToken({ names: [name], holder: bob.account, lifeSeconds: 60 });
console.log('Bob reads:', new TextDecoder().decode(await bob.getObject(name, { token })));

// Without the token it is as if there were no such block.
await bob.getObject(name).catch((error: InsError) => console.log('without it:', error.reason));

// Nor is it good for anything else.
await bob.putObject(new Uint8Array(10), { token }).catch((error: InsError) => console.log('to write:', error.reason));

await Promise.all([alice.close(), bob.close()]);
