import { execFile, spawnSync } from 'node:child_process';

export interface HttpAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Uint8Array;
}

export interface HttpAsk {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

/** An HTTP client that is not ours. */
export interface HttpClient {
  readonly name: string;
  ask(url: string, ask?: HttpAsk): Promise<HttpAnswer>;
}

const nodeFetch: HttpClient = {
  name: 'fetch',
  async ask(url, { method = 'GET', headers = {}, body } = {}) {
    const answer = await fetch(url, {
      method,
      headers: { ...headers, connection: 'close' },
      redirect: 'manual',
      ...(body === undefined ? {} : { body: new Uint8Array(body) }),
    });
    const bytes = new Uint8Array(await answer.arrayBuffer());
    return { status: answer.status, headers: new Map(answer.headers), body: bytes };
  },
};

const curl: HttpClient = {
  name: 'curl',
  ask(url, { method = 'GET', headers = {}, body } = {}) {
    const fields = Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`]);
    const how = method === 'HEAD' ? ['--head'] : ['-X', method];
    const data = body === undefined ? [] : ['--data-binary', '@-'];
    const args = ['-sS', '-i', '--max-time', '20', ...how, ...data, ...fields, url];
    return new Promise((resolve, reject) => {
      const options = { encoding: 'buffer', maxBuffer: 4_000_000 } as const;
      const child = execFile('curl', args, options, (error, out) => {
        const answer = answerIn(out);
        if (answer === undefined) reject(error ?? new Error('curl got no answer'));
        else resolve(answer);
      });
      child.stdin?.on('error', () => {});
      child.stdin?.end(body);
    });
  },
};

/** Takes the last answer apart: one that only asks for the body may stand before it. */
function answerIn(out: Buffer): HttpAnswer | undefined {
  const end = out.indexOf('\r\n\r\n');
  const [first = '', ...lines] = out.subarray(0, Math.max(0, end)).toString().split('\r\n');
  const [, status] = /^HTTP\/1\.1 (\d{3})/.exec(first) ?? [];
  if (status === undefined) return undefined;
  const rest = out.subarray(end + 4);
  if (status === '100') return answerIn(rest);
  const pairs = lines.map((line) => line.split(/: ?(.*)/s) as [string, string]);
  const headers = new Map(pairs.map(([name, value]) => [name.toLowerCase(), value]));
  return { status: Number(status), headers, body: new Uint8Array(rest) };
}

/** Node's own, and curl where there is one. */
export const httpClients: readonly HttpClient[] =
  spawnSync('curl', ['--version']).status === 0 ? [nodeFetch, curl] : [nodeFetch];
