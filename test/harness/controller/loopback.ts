import { isFree } from '../agent/ports.ts';
import { SWARM_PORT } from '../agent/programs.ts';

/** Second bytes of 127.0.0.0/8 that runs may take: everybody else's programs are at its beginning. */
const FIRST = 16;
const COUNT = 224;

/**
 * The first half of loopback addresses that no other run on this machine uses, such as `127.18`.
 *
 * @throws Error where all are taken.
 */
export async function freeLoopback(): Promise<string> {
  for (let tries = 0; tries < COUNT; tries++) {
    const prefix = `127.${FIRST + ((process.pid + tries) % COUNT)}`;
    if (await isFree(`${prefix}.0.1`, SWARM_PORT)) return prefix;
  }
  throw new Error(`port ${SWARM_PORT} is taken on all loopback addresses: end what listens there`);
}
