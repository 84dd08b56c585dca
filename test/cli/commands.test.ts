import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runCommandLine } from '../../cli/command.ts';
import { COMMANDS } from '../../cli/commands.ts';
import { onlyStream } from '../../cli/only-stream.ts';
import { optionName } from '../../cli/options.ts';

const NAMES = ['demo', 'source', 'tracker', 'ins', 'peer', 'keygen', 'invite', 'token', 'name', 'sim', 'sim compare'];
let folder: string;
let taken: Server | ReturnType<typeof createTcpServer>;
let port: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'inswarm-commands-'));
  taken = createTcpServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  port = String((taken.address() as AddressInfo).port);
});
afterAll(async () => {
  await new Promise((resolve) => taken.close(resolve));
  rmSync(folder, { recursive: true });
});

async function output(args: string[]): Promise<string> {
  let text = '';
  const write = (written: string) => {
    text += written;
  };
  await runCommandLine(COMMANDS, args, { env: {}, version: '1.2.3', write });
  return text;
}

/** The one line that a failing command gives. */
async function problem(args: string[]): Promise<string> {
  const error = await output(args).then(
    () => undefined,
    (caught: Error) => caught,
  );
  expect(error).toBeInstanceOf(Error);
  expect(error!.message).not.toContain('\n');
  return error!.message;
}

describe('help', () => {
  test('the list of commands says what each does', async () => {
    const text = await output(['--help']);
    for (const name of NAMES.filter((name) => !name.includes(' ')))
      expect(text).toMatch(new RegExp(`^  ${name} .*[a-z]{3}`, 'm'));
  });

  test.each(NAMES)('%s: every option, examples, and where else options can stand', async (name) => {
    const text = await output([...name.split(' '), '--help']);
    const { options, examples } = COMMANDS.find((command) => command.name === name)!;
    for (const [key, spec] of Object.entries(options)) {
      expect(text).toMatch(new RegExp(`^  --${spec.negated ? 'no-' : ''}${optionName(key)}\\b`, 'm'));
    }
    expect(examples.length).toBeGreaterThan(0);
    for (const [, line] of examples) expect(text).toContain(`  ${line}\n`);
    expect(text).toContain('INSWARM_LOG_LEVEL');
    expect(text).toContain('--config <FILE>');
  });

  test('the version', async () => {
    expect(await output(['--version'])).toBe('1.2.3\n');
  });
});

describe('bad input gets one line that says what to do', () => {
  const id = 'A'.repeat(43);
  test.each([
    [['pear'], /unknown command 'pear' \(Did you mean peer\?\); see inswarm --help/],
    [
      ['peer', '--tracker', 'http://h:1'],
      /--tracker http:\/\/h:1: an address such as ws:\/\/127.0.0.1:4800 is expected, not http:/,
    ],
    [['peer', '--tracker', 'nonsense'], /--tracker nonsense: an address such as ws:/],
    [['peer', '--stream', 'abc'], /--stream abc: a stream id is expected/],
    [['peer', '--stream', `${'A'.repeat(42)}B`], /a stream id is expected/],
    [['peer', '--mode', 'fast'], /--mode fast: the modes are ins, native and hybrid/],
    [['peer', '--duration', '-3'], /--duration -3: a number of seconds above 0/],
    [['peer', '--region', 'a b'], /--region a b: a region is a word/],
    [['peer', '--log-level', 'loud'], /--log-level loud: the levels are debug, info, warn, error/],
    [['tracker', '--port', '70000'], /--port 70000: a port is a whole number from 1 to 65535/],
    [['tracker', '--regions', '/no/such'], /--regions \/no\/such: there is no such file/],
    [['tracker', '--regions', '/'], /--regions \/: this is no file/],
    [['tracker', '--ins', 'ws://h:1,a b'], /--ins ws:\/\/h:1,a b: a region is a word/],
    [['ins', '--memory', 'lots'], /--memory lots: a size from 1M to 16384G is expected, such as 64K or 1M/],
    [['ins', '--metrics', 'some'], /--metrics some: on, off, a port, or an address and a port are expected/],
    [['source', '--input', 'udp://h:1'], /--input udp:\/\/h:1: udp:\/\/ is not supported/],
    [['source', '--input', '/no/such.mp4'], /--input \/no\/such.mp4: there is no such file/],
    [['source', '--input', 'testsrc=1x1'], /--input testsrc=1x1: a size is WIDTHxHEIGHT/],
    [['source', '--ladder', '720p,big'], /--ladder: 'big' is no rung; there are /],
    [['source', '--part', '1000', '--segment', '500'], /segments of 500 ms: from the length of a part \(1000\)/],
    [['source', '--block-size', '2M'], /--block-size 2M: a size from 1K to 1M is expected/],
    [['demo', '--peers', '1000'], /--peers 1000: a whole number from 0 to 64 is expected/],
    [['demo', '--input', 'gopher://x'], /gopher:\/\/ is not supported/],
    [['peer', '--stream', id, '--host', '192.0.2.1'], /192.0.2.1.* is no.* address of this machine; --host says where/],
  ] as const)('%j', async (args, line) => {
    const key = ['source', 'demo'].includes(args[0]) ? ['--key', join(folder, 'key')] : [];
    expect(await problem([...args, ...key])).toMatch(line);
  });

  test('a key file that is none', async () => {
    const path = join(folder, 'no-key');
    writeFileSync(path, 'hello');
    expect(await problem(['keygen', '--key', path])).toMatch(/no-key holds no Ed25519 private key \(PEM\); delete it/);
    expect(await problem(['keygen', '--key', folder])).toMatch(/cannot read the key file/);
    expect(await problem(['source', '--key', path])).toMatch(/no-key holds no Ed25519 private key/);
  });
});

describe('a taken port is named, with the flag that changes it', () => {
  const id = 'A'.repeat(43);
  test.each([
    ['tracker', '--port', []],
    ['ins', '--port', []],
    ['ins', '--metrics', ['--port', '0']],
    ['source', '--listen', ['--http', '0']],
    ['source', '--http', ['--listen', '0']],
    ['peer', '--listen', ['--stream', id, '--http', '0']],
    ['peer', '--http', ['--stream', id, '--listen', '0']],
    ['demo', '--tracker-port', ['--ins-port', '0', '--ins2-port', '0', '--hls-port', '0', '--gateway-port', '0']],
    ['demo', '--ins2-port', ['--ins-port', '0', '--tracker-port', '0', '--hls-port', '0', '--gateway-port', '0']],
  ])('%s %s', async (name, flag, rest) => {
    const key = ['source', 'demo'].includes(name) ? ['--key', join(folder, 'key')] : [];
    const line = await problem([name, flag, port, ...rest, ...key]);
    expect(line).toMatch(new RegExp(`${port}.* is taken by another program; choose another with ${flag}$`));
  });

  test('two parts of the demo cannot have one port', async () => {
    const free = createTcpServer();
    await new Promise<void>((resolve) => free.listen(0, '127.0.0.1', resolve));
    const same = String((free.address() as AddressInfo).port);
    await new Promise((resolve) => free.close(resolve));
    const others = ['--ins2-port', '0', '--hls-port', '0', '--gateway-port', '0', '--key', join(folder, 'key')];
    const line = await problem(['demo', '--tracker-port', same, '--ins-port', same, ...others]);
    expect(line).toMatch(/is asked for twice, by --tracker-port and --ins-port/);
  });
});

describe('a peer without --stream asks the tracker', () => {
  async function ofTracker(body: unknown): Promise<Uint8Array> {
    const server = createServer((request, response) => {
      response.writeHead(request.url === '/api/streams' ? 200 : 404).end(JSON.stringify(body));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      return await onlyStream(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  }
  const a = { id: 'A'.repeat(43), title: 'One', state: 'live', viewers: 0, hlsUrl: null };
  const b = { ...a, id: 'E'.repeat(43), title: '' };

  test('and takes its one stream', async () => {
    expect(await ofTracker([a])).toEqual(new Uint8Array(32));
  });

  test('and lists them when there are several', async () => {
    await expect(ofTracker([a, b])).rejects.toThrow(/has 2 streams: A{43} \(One\), E{43} \(no title\)/);
  });

  test('and says so when there is none', async () => {
    await expect(ofTracker([])).rejects.toThrow(/has no stream yet: start inswarm source first/);
  });

  test('and says so when it is no tracker, or nothing answers', async () => {
    await expect(ofTracker({ some: 'thing' })).rejects.toThrow(/is no tracker/);
    await expect(ofTracker(['x'])).rejects.toThrow(/is no tracker/);
    expect(await problem(['peer', '--tracker', 'ws://127.0.0.1:9'])).toMatch(
      /--tracker ws:\/\/127.0.0.1:9 does not answer/,
    );
  });
});
