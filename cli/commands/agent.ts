import { isIPv4 } from 'node:net';
import { Agent } from '../../test/harness/agent/agent.ts';
import { command } from '../command.ts';
import { closeInTime, lifetime } from '../lifetime.ts';
import { optional, required } from '../options.ts';
import { Problem } from '../problem.ts';
import { readSecret, readWsUrl } from '../readers.ts';

function readIPv4(text: string): string {
  if (!isIPv4(text)) throw new Error('an IPv4 address is expected, such as 192.0.2.8');
  return text;
}

/** Workers have to be told, and killed where they do not end. */
const END_WITHIN_MS = 2_800;

export const agent = command({
  name: 'agent',
  summary: 'lend this machine to a measurement: run viewers as a controller says',
  description: `Connects to inswarm measure on another machine and runs the viewers that it asks for, each a real peer on this machine. Both show each other
that they hold the same secret before anything is done. Ends with its controller, and leaves no process behind.`,
  options: {
    controller: required('URL', 'where inswarm measure --agents waits', readWsUrl, 'it prints the address'),
    secret: required('TEXT', 'what was given to inswarm measure --secret', readSecret, 'the same as the controller’s'),
    host: optional('ADDRESS', 'the IPv4 address of this machine at which the others reach its viewers', readIPv4),
  },
  examples: [
    ['Lend this machine', 'inswarm agent --controller ws://192.0.2.7:4890 --secret "a long one" --host 192.0.2.8'],
  ],
  async run({ controller, secret, host }, log) {
    const life = lifetime();
    const isLent = process.connected !== true;
    if (isLent && host === undefined)
      throw new Problem('--host: say the address of this machine at which the others reach its viewers', 2);
    const running = new Agent({ controller, key: secret, host: host ?? null, log: (line) => log.warn(line) });
    void life.over.then(() => closeInTime(running, END_WITHIN_MS));
    const { why, served } = await running.over;
    log.debug('over', { why });
    if (!served) throw new Problem(`${controller}: ${why}`);
  },
});
