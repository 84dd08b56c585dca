import { insServerCodec } from '../../protocol/ins-messages.ts';
import {
  BATCH_ITEMS_MAX,
  PART_NUMBER_MAX,
  TOKEN_BYTES_MAX,
  TOKEN_LIFE_SECONDS_MAX,
  TOKEN_SERVERS_MAX,
  TRACKS_MAX,
} from '../../protocol/limits.ts';
import { HASH_BYTES, KEY_BYTES, nameFromText } from '../../protocol/names.ts';
import { concatBytes, fromBase64Url, toBase64Url } from '../../protocol/text.ts';
import { encodeToken, NO_LIMITS, OPERATION, type Token, tokenSigned } from '../../protocol/token.ts';
import { nowMs } from '../../runtime/node/clock.ts';
import { loadOrMakeKeyFile, randomBytes } from '../../runtime/node/crypto.ts';
import { dialLink } from '../../runtime/node/ws-link.ts';
import { command } from '../command.ts';
import { many, option, optional, required, toggle } from '../options.ts';
import { print, printJson } from '../output.ts';
import { Problem } from '../problem.ts';
import { readFilePath, readList, readWsUrl, wholeNumber } from '../readers.ts';

type Operation = keyof typeof OPERATION;

/** A server as the command line names it; the key is asked for where it is not given. */
interface ServerOption {
  readonly key: Uint8Array | undefined;
  readonly url: string;
}

export const token = command({
  name: 'token',
  summary: 'make a token that opens your locker, for curl and the like',
  description: `Prints a token that whoever has it can use, and that a server takes without asking you: in HTTP as
Authorization: Bearer TOKEN. It is signed with your key and opens the locker of that key: for the blocks it names, or for a
collection, or (with neither) for what was put over HTTP without a label.`,
  options: {
    key: required('FILE', 'the key whose locker is opened', readFilePath, 'inswarm keygen --key FILE makes one'),
    server: many('URL|KEY[,URL]', 'INS servers that the token is for; one that runs is asked for its key', readServer),
    ops: option(
      'LIST',
      'what it allows: get, put, delete, status',
      readOperations,
      ['get'] as readonly Operation[],
      'get',
    ),
    name: many('NAME', 'a block that it opens: ni:///blake3;…', readName),
    collection: optional('ID', 'a collection that it opens: 43 characters, such as the id of a stream', readCollection),
    track: many('NUMBER', 'of the collection, only this track', wholeNumber(0, TRACKS_MAX - 1, '')),
    from: option('PART', 'first part of the collection', wholeNumber(0, PART_NUMBER_MAX, ''), 0),
    to: option(
      'PART',
      'last part of the collection',
      wholeNumber(0, PART_NUMBER_MAX + 1, ''),
      PART_NUMBER_MAX + 1,
      'all',
    ),
    expires: option('SECONDS', 'how long it is good for', wholeNumber(1, TOKEN_LIFE_SECONDS_MAX, 'seconds'), 300),
    holder: optional('KEY', 'only for the holder of this key, over the INS protocol', readKey),
    json: toggle('print one line of JSON'),
  },
  examples: [
    [
      'Read and write what has no label, for five minutes',
      'inswarm token --key my.key --server ws://127.0.0.1:4801 --ops get,put',
    ],
    [
      'Let somebody read one block',
      'inswarm token --key my.key --server ws://127.0.0.1:4801 --name "ni:///blake3;uRY…"',
    ],
  ],
  async run({ key, server, ops, name, collection, track, from, to, expires, holder, json }) {
    if (server.length === 0) throw new Problem('--server is missing: name the INS server that the token is for', 2);
    if (server.length > TOKEN_SERVERS_MAX) throw new Problem(`--server: a token names at most ${TOKEN_SERVERS_MAX}`, 2);
    if (name.length > BATCH_ITEMS_MAX / 4)
      throw new Problem(`--name: a token names at most ${BATCH_ITEMS_MAX / 4} blocks`, 2);
    if (from > to) throw new Problem('--from: it is behind --to', 2);
    const keys = loadOrMakeKeyFile(key);
    const reached = await Promise.all(server.map(reach));
    // By the clock of the server that was asked, where one was.
    const seconds = Math.floor((reached.find(({ clockMs }) => clockMs !== undefined)?.clockMs ?? nowMs()) / 1000);
    const made: Token = {
      version: 1,
      issuer: keys.publicKey,
      servers: reached.map(({ key: serverKey, url }) => ({ key: serverKey, url })),
      operations: ops.reduce((bits, operation) => bits | OPERATION[operation], 0),
      names: name.length === 0 ? null : name,
      collection: collection ?? (name.length === 0 ? new Uint8Array(HASH_BYTES) : null),
      tracks: track.length === 0 ? null : track,
      from,
      to,
      notBefore: seconds,
      expires: seconds + expires,
      id: randomBytes(16),
      ...NO_LIMITS,
      holder: holder ?? null,
    };
    const claims = encodeToken(made);
    const sealed = concatBytes(claims, keys.sign(tokenSigned(claims)));
    if (sealed.length > TOKEN_BYTES_MAX) {
      throw new Problem(
        `the token would have ${sealed.length} bytes, and at most ${TOKEN_BYTES_MAX} are taken: name less`,
      );
    }
    const text = toBase64Url(sealed);
    const issuer = toBase64Url(keys.publicKey);
    if (json) printJson({ event: 'token', token: text, issuer, expiresAtMs: made.expires * 1000 });
    else print(text);
  },
});

const DIAL_MS = 5_000;

/** Asks a server for its key and its clock, if the key is not known. */
function reach({
  key,
  url,
}: ServerOption): Promise<{ readonly key: Uint8Array; readonly url: string; readonly clockMs?: number }> {
  if (key !== undefined) return Promise.resolve({ key, url });
  return new Promise((resolve, reject) => {
    const fail = (why: string): void => {
      reject(new Problem(`${url} cannot be asked for its key: ${why}; is it running? Else give KEY,URL`));
    };
    const link = dialLink(url, {
      control(bytes) {
        const decoded = insServerCodec.decode(bytes);
        const message = decoded.ok ? decoded.message : undefined;
        if (message?.type === 'welcome') resolve({ key: message.server, url, clockMs: message.clockMs });
        else fail('it is no INS server');
        link.close(1000, 'that was all');
      },
      block: () => fail('it is no INS server'),
      closed(_code, why) {
        clearTimeout(late);
        fail(why);
      },
    });
    const late = setTimeout(() => {
      fail('it does not answer');
      link.close(1000, 'no answer');
    }, DIAL_MS);
  });
}

function readServer(text: string): ServerOption {
  const [key, url] = text.split(',', 2);
  if (/^wss?:/.test(key!)) return { key: undefined, url: readWsUrl(text) };
  return { key: readKey(key!), url: url === undefined ? '' : readWsUrl(url) };
}

function readKey(text: string): Uint8Array {
  const key = fromBase64Url(text);
  if (key?.length !== KEY_BYTES)
    throw new Error('a key is 43 characters of base64url, or an address such as ws://127.0.0.1:4801');
  return key;
}

function readName(text: string): Uint8Array {
  const name = nameFromText(text);
  if (name === undefined)
    throw new Error('a name is ni:///blake3; and 43 characters of base64url; inswarm name prints it');
  return name;
}

function readCollection(text: string): Uint8Array {
  const collection = fromBase64Url(text);
  if (collection?.length !== HASH_BYTES) throw new Error('a collection is 43 characters of base64url');
  return collection;
}

function readOperations(text: string): readonly Operation[] {
  return readList(text).map((word) => {
    if (!Object.hasOwn(OPERATION, word))
      throw new Error(`what a token can allow is ${Object.keys(OPERATION).join(', ')}`);
    return word as Operation;
  });
}
