import { mkdirSync, rmSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';

/**
 * Makes sure that one process of this user on this machine does a thing: holds a local socket under a name, which the system
 * lets go of however the process ends.
 *
 * @param name - Letters, digits, `-` and `_`; at most 48.
 * @returns Lets go of it; `undefined` when another process holds it.
 */
export async function onlyOne(name: string): Promise<(() => void) | undefined> {
  const path = socketPath(name);
  for (let tries = 0; tries < 3; tries++) {
    const server = await listen(path);
    if (server !== undefined) {
      server.unref();
      return () => server.close();
    }
    if (await answers(path)) return undefined;
    // Left by a process that was killed.
    rmSync(path, { force: true });
  }
  return undefined;
}

function socketPath(name: string): string {
  if (process.platform === 'win32') return `\\\\.\\pipe\\inswarm-${name}`;
  const folder = join(tmpdir(), `inswarm-${userInfo().uid}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return join(folder, name);
}

function listen(path: string): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined);
      else reject(error);
    });
    server.listen(path, () => resolve(server));
  });
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const end = (there: boolean) => () => {
      socket.destroy();
      resolve(there);
    };
    socket.once('connect', end(true));
    socket.once('error', end(false));
  });
}
