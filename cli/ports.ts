import { type AddressInfo, createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { Problem } from './problem.ts';

/** Option names by the port that was asked for. */
export type PortOptions = Readonly<Record<string, number | undefined>>;

/**
 * Makes of a failure to listen a line that says which option changes the port.
 *
 * @param ports - The ports this command listens on, by option: `{ '--http': 4803 }`.
 */
export function listenProblem(error: unknown, ports: PortOptions): unknown {
  const code = causeCode(error);
  if (code === undefined || !(error instanceof Error)) return error;
  const [flag] = Object.entries(ports).find(([, port]) => port && error.message.includes(String(port))) ?? [];
  if (['EADDRINUSE', 'EACCES'].includes(code)) {
    return new Problem(`${error.message}; choose another with ${flag ?? Object.keys(ports).join(' or ')}`);
  }
  return new Problem(`${error.message}; --host says where to listen`);
}

/** The code of a failed `listen`, which may be the cause of what is told. */
function causeCode(error: unknown): string | undefined {
  for (let at = error; at instanceof Error; at = at.cause) {
    const { code, syscall } = at as NodeJS.ErrnoException;
    if (syscall === 'listen' || syscall === 'getaddrinfo') return code;
  }
  return undefined;
}

/**
 * Finds out whether ports are free, and picks one for each that is 0. They are all held until all are known, so that none
 * comes twice.
 *
 * @param ports - Wished ports by option.
 * @throws Problem that names the first one that is taken, and its option.
 */
export async function reservePorts<K extends string>(
  host: string,
  ports: Readonly<Record<K, number>>,
): Promise<Record<K, number>> {
  refuseTwins(ports);
  const held: Promise<number>[] = [];
  const servers: ReturnType<typeof createServer>[] = [];
  for (const port of Object.values<number>(ports)) {
    const server = createServer();
    servers.push(server);
    held.push(
      new Promise((resolve, reject) => {
        server.once('error', (cause) =>
          reject(new Error(`port ${port} on ${host} is taken by another program`, { cause })),
        );
        server.listen(port, host, () => resolve((server.address() as AddressInfo).port));
      }),
    );
  }
  const settled = await Promise.allSettled(held);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  const failed = settled.find((one) => one.status === 'rejected');
  if (failed !== undefined) throw listenProblem(failed.reason, ports);
  const found = settled.map((one) => (one as PromiseFulfilledResult<number>).value);
  return Object.fromEntries(Object.keys(ports).map((key, at) => [key, found[at]])) as Record<K, number>;
}

function refuseTwins(ports: PortOptions): void {
  const owners = new Map<number, string>();
  for (const [flag, port] of Object.entries(ports)) {
    const other = owners.get(port!);
    if (port && other !== undefined) throw new Problem(`port ${port} is asked for twice, by ${other} and ${flag}`, 2);
    owners.set(port!, flag);
  }
}

/** The address under which others reach what listens on `host`: for `0.0.0.0` the first one of this machine's network. */
export function reachedAt(host: string): string {
  if (host !== '0.0.0.0' && host !== '::') return host.includes(':') ? `[${host}]` : host;
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return all.find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? '127.0.0.1';
}

/** An address as others can use it, where a server only knows that it listens on all of them. */
export function shownUrl(url: string): string {
  return url.replace(/\/\/(0\.0\.0\.0|\[::\])(?=[:/])/, () => `//${reachedAt('0.0.0.0')}`);
}
