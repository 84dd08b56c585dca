import { readFileSync } from 'node:fs';
import { BLOCK_BYTES_MAX } from '../../protocol/limits.ts';
import { nameToText } from '../../protocol/names.ts';
import { nameOf } from '../../runtime/node/hash.ts';
import { command } from '../command.ts';
import { required, toggle } from '../options.ts';
import { print, printJson } from '../output.ts';
import { Problem } from '../problem.ts';
import { readFilePath } from '../readers.ts';

export const name = command({
  name: 'name',
  summary: 'print the name of a file as a block',
  description: `Prints the name under which INS servers keep a file of at most 1 MiB: the BLAKE3-256 hash of its bytes, in the form of
RFC 6920. What stands behind the semicolon is the end of its HTTP address.`,
  options: {
    file: required('FILE', 'the file', readFilePath, 'name the file whose bytes are meant'),
    json: toggle('print one line of JSON'),
  },
  examples: [['The name of a picture', 'inswarm name --file picture.jpg']],
  async run({ file, json }) {
    const bytes = readFileSync(file);
    if (bytes.length === 0 || bytes.length > BLOCK_BYTES_MAX) {
      throw new Problem(`${file} has ${bytes.length} bytes; a block has 1 to ${BLOCK_BYTES_MAX}: cut it first`);
    }
    const text = nameToText(nameOf(bytes));
    if (json) printJson({ event: 'name', name: text, path: `/.well-known/ni/blake3/${text.slice(-43)}`, file });
    else print(text);
  },
});
