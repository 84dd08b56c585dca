import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RunningInsServer, startInsServer } from '../../ins-server/node/ins-server.ts';
import { ensureBuilt } from '../cli/program.ts';
import { bytesOf } from './helpers.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const run = promisify(execFile);

let server: RunningInsServer;
beforeAll(async () => {
  ensureBuilt();
  server = await startInsServer({ port: 0 });
}, 120_000);
afterAll(() => server.close());

/** What an example prints, line by line. It ends by itself and complains about nothing. */
async function output(example: string, ...args: string[]): Promise<string[]> {
  const program = [`--import=tsx`, join(ROOT, 'examples', example), ...args, server.url];
  const { stdout, stderr } = await run(process.execPath, program, { cwd: ROOT, timeout: 45_000 });
  expect(stderr).toBe('');
  return stdout.trimEnd().split('\n');
}

const NAME = 'ni:///blake3;[\\w-]{43}';

describe('the examples do what they say', () => {
  test('put-and-get', async () => {
    const lines = await output('put-and-get.ts');
    expect(lines.slice(0, 2)).toEqual([expect.stringMatching(`^stored ${NAME}$`), 'got Hello, network!']);
    expect(lines.slice(2, 6).sort()).toEqual(['0 one', '1 two', '2 three', '3 NO_OBJECT']);
    expect(lines.slice(6)).toEqual(['4 blocks, 26 bytes', '0 left']);
  });

  test('share-with-token', async () => {
    expect(await output('share-with-token.ts')).toEqual([
      'Bob reads: for Bob alone',
      'without it: NO_OBJECT',
      'to write: TOKEN_SCOPE',
    ]);
  });

  test('follow-live', async () => {
    const lines = await output('follow-live.ts');
    const first = Number(/^tick (\d+) /.exec(lines[0]!)?.[1]);
    expect(lines).toEqual([0, 1, 2, 3, 4].map((at) => `tick ${first + at} is part ${first + at}`));
  });

  test('write-for-someone', async () => {
    expect(await output('write-for-someone.ts')).toEqual([
      expect.stringMatching(`^put ${NAME}$`),
      expect.stringMatching('^beyond the token: TOKEN_SCOPE: '),
      'the portal has a photo',
      'the user has 0 blocks',
    ]);
  });

  test('file: a copy, bit for bit', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'inswarm-file-'));
    try {
      const [original, copy] = [join(folder, 'original'), join(folder, 'copy')];
      await writeFile(original, bytesOf(1, 3_000_000));
      const [link] = await output('file.ts', 'put', original);
      expect(await output('file.ts', 'get', link!, copy)).toEqual(['12 blocks, all of them what their names say']);
      expect((await readFile(copy)).equals(await readFile(original))).toBe(true);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test('there is none that is not tried here or in a browser', async () => {
    const tried = [
      'file.ts',
      'follow-live.ts',
      'ins-in-a-page.html',
      'put-and-get.ts',
      'share-with-token.ts',
      'write-for-someone.ts',
    ];
    expect(await exampleFiles()).toEqual(tried);
  });
});

test('what docs/ins-client.md shows stands in the examples', async () => {
  const doc = await readFile(join(ROOT, 'docs/ins-client.md'), 'utf8');
  const files = (await exampleFiles()).map((name) => readFile(join(ROOT, 'examples', name), 'utf8'));
  const examples = (await Promise.all(files)).join('\n');
  const shown = [...doc.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code]) => code!);
  expect(shown.length).toBeGreaterThan(4);
  for (const code of shown) expect(examples).toContain(code);
});

/** Those in folders of their own are others'. */
async function exampleFiles(): Promise<string[]> {
  const entries = await readdir(join(ROOT, 'examples'), { withFileTypes: true });
  return entries.flatMap((entry) => (entry.isFile() ? [entry.name] : [])).sort();
}
