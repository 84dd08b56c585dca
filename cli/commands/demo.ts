import { nowMs } from '../../runtime/node/clock.ts';
import { checkMediaOptions } from '../../source-server/node/media/open-media.ts';
import { command } from '../command.ts';
import { DEMO_KEY, PORTS } from '../defaults.ts';
import { Demo } from '../demo.ts';
import { DemoScreen } from '../demo-screen.ts';
import { closeInTime, lifetime } from '../lifetime.ts';
import { option } from '../options.ts';
import { Screen } from '../output.ts';
import { reachedAt, reservePorts } from '../ports.ts';
import { Problem } from '../problem.ts';
import { readHost, readMode, readPath, readPort, textOf, wholeNumber } from '../readers.ts';

/** How often the figures are printed where they cannot be rewritten in place. */
const FIGURES_EVERY_MS = 10_000;

export const demo = command({
  name: 'demo',
  summary: 'run a whole swarm on this machine, and watch it in a browser',
  description: `Starts a source with a test pattern, a tracker with the player page, two INS servers of which the source feeds one, and
a few peers, each a process of its own, and shows what they do. Ctrl-C ends all of it.`,
  options: {
    mode: option('MODE', 'how the peers get their blocks: ins, native or hybrid', readMode, 'hybrid'),
    peers: option('NUMBER', 'how many peers', wholeNumber(0, 64, ''), 4),
    input: option('INPUT', 'what to broadcast: see inswarm source --help', textOf(4_096), 'testsrc'),
    key: option('FILE', "the stream's key: made when there is none", readPath, DEMO_KEY),
    host: option('ADDRESS', 'address to listen on; 0.0.0.0 lets other machines watch', readHost, '127.0.0.1'),
    trackerPort: option('PORT', 'the tracker and the player page', readPort, PORTS.tracker),
    insPort: option('PORT', 'the INS server that the source feeds', readPort, PORTS.ins),
    ins2Port: option('PORT', 'the other INS server', readPort, PORTS.ins2),
    hlsPort: option('PORT', "the source's plain HLS", readPort, PORTS.hls),
    gatewayPort: option('PORT', "the first peer's HLS, for players such as VLC", readPort, PORTS.gateway),
  },
  examples: [
    ['Run it, then open the address after "Player:"', 'inswarm demo'],
    ['No block from viewer to viewer', 'inswarm demo --mode ins'],
    ['With your own film, and another port for the page', 'inswarm demo --input film.mp4 --tracker-port 8080'],
  ],
  async run(values, log) {
    const { mode, peers, input, key, host, trackerPort, insPort, ins2Port, hlsPort, gatewayPort } = values;
    const life = lifetime();
    const problem = checkMediaOptions({ input });
    if (problem !== undefined) throw new Problem(problem, 2);
    const ports = await pickPorts(host, { trackerPort, insPort, ins2Port, hlsPort, gatewayPort });
    const screen = new DemoScreen(new Screen(process.stdout, FIGURES_EVERY_MS));
    const reached = reachedAt(host);
    const options = { host, reachedAt: reached, ports, input, key, mode, peers, logLevel: 'warn' };
    const running = new Demo(
      options,
      (part, line) => screen.line(part, line),
      (text) => screen.say(text),
    );
    log.debug('the demo starts', { stream: running.stream });
    screen.say(`Player: ${running.playerUrl}`);
    screen.say(`HLS:    http://${reached}:${ports.hls}/${running.stream}/master.m3u8 (the source itself)`);
    if (peers > 0)
      screen.say(`        http://${reached}:${ports.gateway}/${running.stream}/master.m3u8 (through the first peer)`);
    const every = setInterval(() => screen.show(nowMs()), 1_000);
    await life.over;
    clearInterval(every);
    screen.stop();
    await closeInTime({ close: () => running.stop() });
  },
});

/** Looks whether the ports are free, and picks those that are given as 0, before anything is started. */
async function pickPorts(
  host: string,
  asked: Readonly<Record<'trackerPort' | 'insPort' | 'ins2Port' | 'hlsPort' | 'gatewayPort', number>>,
) {
  const found = await reservePorts(host, {
    '--tracker-port': asked.trackerPort,
    '--ins-port': asked.insPort,
    '--ins2-port': asked.ins2Port,
    '--hls-port': asked.hlsPort,
    '--gateway-port': asked.gatewayPort,
  });
  return {
    tracker: found['--tracker-port'],
    ins: found['--ins-port'],
    ins2: found['--ins2-port'],
    hls: found['--hls-port'],
    gateway: found['--gateway-port'],
  };
}
