import { existsSync } from 'node:fs';
import { streamIdToText } from '../../protocol/names.ts';
import { toBase64Url } from '../../protocol/text.ts';
import { loadOrMakeKeyFile } from '../../runtime/node/crypto.ts';
import { hashOf } from '../../runtime/node/hash.ts';
import { command } from '../command.ts';
import { SOURCE_KEY } from '../defaults.ts';
import { option, toggle } from '../options.ts';
import { print, printJson } from '../output.ts';
import { readPath } from '../readers.ts';

/** The id of the stream that a key file stands for; the key is made when there is none. */
export function streamOfKey(path: string): string {
  return streamOf(loadOrMakeKeyFile(path).publicKey);
}

function streamOf(publicKey: Uint8Array): string {
  return streamIdToText(hashOf(publicKey));
}

export const keygen = command({
  name: 'keygen',
  summary: 'make the key of a stream, and print the id that follows from it',
  description: `Makes the root key of a stream and prints the stream's id: whoever knows the id can verify every byte of the
stream, and only whoever has the key can broadcast it. A key that is there already is kept.`,
  options: {
    key: option('FILE', 'where the key is kept', readPath, SOURCE_KEY),
    json: toggle('print one line of JSON'),
  },
  examples: [
    ['Know the id before the broadcast, to put it on a web page', 'inswarm keygen --key concert.key'],
    ['Broadcast under that id', 'inswarm source --key concert.key --input concert.mp4'],
  ],
  async run({ key, json }) {
    const made = !existsSync(key);
    const { publicKey } = loadOrMakeKeyFile(key);
    const stream = streamOf(publicKey);
    const account = toBase64Url(publicKey);
    if (json) printJson({ event: 'key', stream, publicKey: account, key, made });
    else
      print(
        `${stream}\nIts public key: ${account}\n${made ? `The key is in ${key}; keep it secret and safe.` : `The key was in ${key} already.`}`,
      );
  },
});
