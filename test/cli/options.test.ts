import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { command, runCommandLine } from '../../cli/command.ts';
import { many, option, optional, toggle } from '../../cli/options.ts';
import { readBitrate, readPort, textOf } from '../../cli/readers.ts';

let folder: string;
let seen: Record<string, unknown> | undefined;

const play = command({
  name: 'play',
  summary: 's',
  description: 'd',
  options: {
    port: option('PORT', 'h', readPort, 1),
    blockSize: option('TEXT', 'h', textOf(10), 'default'),
    server: many('TEXT', 'h', textOf(10)),
    title: optional('TEXT', 'h', textOf(10)),
    follow: toggle('h', true),
    json: toggle('h'),
  },
  examples: [],
  run: async (values) => {
    seen = { ...values };
  },
});
const other = command({
  name: 'other',
  summary: 's',
  description: 'd',
  options: { speed: option('TEXT', 'h', textOf(10), '') },
  examples: [],
  run: async () => undefined,
});

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'inswarm-options-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function file(content: unknown): string {
  const path = join(folder, `${Math.random()}.json`);
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

async function run(args: string[], env: Record<string, string> = {}): Promise<Record<string, unknown>> {
  seen = undefined;
  await runCommandLine([play, other], ['play', ...args], { env, version: '0', write: () => undefined });
  return seen!;
}

describe('where options come from', () => {
  test('defaults hold when nobody says anything', async () => {
    const nothing = { port: 1, blockSize: 'default', server: [], title: undefined, follow: true, json: false };
    expect(await run([])).toEqual(nothing);
  });

  test('the command line goes before the environment, the environment before the file', async () => {
    const config = file({ port: 2, 'block-size': 'file', title: 'file' });
    const env = { INSWARM_CONFIG: config, INSWARM_PORT: '3', INSWARM_BLOCK_SIZE: 'env' };
    expect(await run(['--port', '4'], env)).toMatchObject({ port: 4, blockSize: 'env', title: 'file' });
  });

  test('what stands under a command in the file goes before the rest, and other commands do not see it', async () => {
    const config = file({ port: 2, title: 'all', play: { title: 'mine' }, other: { speed: 'x' } });
    expect(await run(['--config', config])).toMatchObject({ port: 2, title: 'mine' });
  });

  test('a file may hold options of other commands', async () => {
    expect(await run(['--config', file({ speed: 'x', port: 5 })])).toMatchObject({ port: 5 });
  });

  test('lists: repeated on the command line, spaced in the environment, an array in the file', async () => {
    expect(await run(['--server', 'a', '--server', 'b'])).toMatchObject({ server: ['a', 'b'] });
    expect(await run([], { INSWARM_SERVER: ' a  b ' })).toMatchObject({ server: ['a', 'b'] });
    expect(await run(['--config', file({ server: ['a', 'b'] })])).toMatchObject({ server: ['a', 'b'] });
    expect(await run(['--config', file({ server: 'a' })])).toMatchObject({ server: ['a'] });
  });

  test('switches can be turned on and off from everywhere', async () => {
    expect(await run(['--json', '--no-follow'])).toMatchObject({ json: true, follow: false });
    expect(await run([], { INSWARM_JSON: 'yes', INSWARM_FOLLOW: '0' })).toMatchObject({ json: true, follow: false });
    expect(await run(['--config', file({ json: true, follow: false })])).toMatchObject({ json: true, follow: false });
    expect(await run([], { INSWARM_JSON: 'false' })).toMatchObject({ json: false });
  });

  test('an empty variable says nothing', async () => {
    expect(await run([], { INSWARM_PORT: '' })).toMatchObject({ port: 1 });
  });
});

describe('what is wrong is told with its place', () => {
  const port = 'a port is a whole number from 1 to 65535, or 0 for any free one';
  const bad = async (args: string[], env: Record<string, string> = {}) => {
    const error = await run(args, env).then(
      () => undefined,
      (caught: Error & { exitCode?: number }) => caught,
    );
    expect(error).toMatchObject({ name: 'Problem', exitCode: 2 });
    expect(error!.message).not.toContain('\n');
    return error!.message;
  };

  test('on the command line', async () => {
    expect(await bad(['--port', 'x'])).toBe(`--port x: ${port}`);
    expect(await bad(['--port', ''])).toBe(`--port '': ${port}`);
    expect(await bad(['--no-such'])).toMatch(/^unknown option '--no-such'.*see inswarm play --help$/);
    expect(await bad(['--prt', '1'])).toContain('Did you mean --port?');
    expect(await bad(['word'])).toMatch(/too many arguments/);
    expect(await bad(['--port'])).toMatch(/--port <PORT>.*argument missing/);
  });

  test('in the environment', async () => {
    expect(await bad([], { INSWARM_PORT: '99999' })).toBe(`INSWARM_PORT 99999: ${port}`);
    expect(await bad([], { INSWARM_JSON: 'maybe' })).toBe('INSWARM_JSON maybe: true or false is expected');
  });

  test('in the file: values, kinds of values, keys', async () => {
    const of = (content: unknown) => {
      const path = file(content);
      return bad(['--config', path]).then((text) => text.replaceAll(path, 'FILE'));
    };
    expect(await of({ port: -1 })).toBe(`"port" in FILE: -1: ${port}`);
    expect(await of({ port: [1, 2] })).toBe('--config FILE: "port" takes one value');
    expect(await of({ server: [{}] })).toBe('--config FILE: "server" takes a list of values');
    expect(await of({ blockSize: 'x' })).toMatch(
      /^--config FILE: no option is called "blockSize"; there is block-size, /,
    );
    expect(await of({ play: { speed: 'x' } })).toMatch(/no option is called "speed"; inswarm play has block-size, /);
    expect(await of('{ "port": ')).toMatch(/^--config FILE: this is not JSON: /);
    expect(await of('[]')).toMatch(/an object is expected/);
  });

  test('a file that is not there', async () => {
    expect(await bad(['--config', join(folder, 'none')])).toMatch(
      /^--config .*none: the file cannot be read \(ENOENT\)$/,
    );
  });

  test('an option that has to be given', async () => {
    const spec = { ...option('X', 'h', textOf(5), ''), fallback: undefined, hint: 'ask somebody' };
    const needy = command({ ...play, name: 'needy', options: { thing: spec }, run: async () => undefined });
    const asked = runCommandLine([needy], ['needy'], { env: {}, version: '0', write: () => undefined });
    await expect(asked).rejects.toThrow('--thing is missing: ask somebody');
  });
});

test('bits per second are read with the units of networks', () => {
  expect(['8000', '100M', '2.5g', '64Kbit/s', '1Gbps'].map(readBitrate)).toEqual([8e3, 1e8, 2.5e9, 64e3, 1e9]);
  for (const text of ['', '0', '7K', '-1M', '1T', '1.M', '1001G', '100MiB'])
    expect(() => readBitrate(text)).toThrow('100M');
});
