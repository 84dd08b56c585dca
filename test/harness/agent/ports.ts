import { createServer } from 'node:net';

/** From here on systems take ports for those who dial. */
const END = 32_768;

/**
 * Ports of an address that nobody listens on: the first ones that are free.
 *
 * @throws Error where there are not so many.
 */
export async function freePorts(host: string, from: number, count: number): Promise<number[]> {
  const ports: number[] = [];
  for (let port = from; ports.length < count; port++) {
    if (port >= END) throw new Error(`${host} has no ${count} free ports from ${from} to ${END - 1}`);
    if (await isFree(host, port)) ports.push(port);
  }
  return ports;
}

/** Whether nobody listens there, and we may. */
export function isFree(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, host, () => server.close(() => resolve(true)));
  });
}
