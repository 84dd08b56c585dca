import { fileURLToPath } from 'node:url';
import { startTracker } from '../../tracker/node/tracker.ts';
import { command } from '../command.ts';
import { PORTS } from '../defaults.ts';
import { closeInTime, lifetime } from '../lifetime.ts';
import { many, option, optional, toggle } from '../options.ts';
import { print, printJson } from '../output.ts';
import { listenProblem, shownUrl } from '../ports.ts';
import { readFilePath, readHost, readInsServer, readPath, readPort } from '../readers.ts';

/** Where the build puts the player page: seen from `dist/cli/commands`, and from the sources. */
const PAGE = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? '../../dist/web/' : '../../web/', import.meta.url),
);

export const tracker = command({
  name: 'tracker',
  summary: 'introduce viewers to each other and to INS servers, and serve the player page',
  description: `Runs a tracker: sources announce their streams to it, peers and players ask it for neighbours and INS servers, and it
serves the player page. One tracker serves many streams. No video passes through it.`,
  options: {
    port: option('PORT', 'where to listen, for WebSockets and pages', readPort, PORTS.tracker),
    host: option('ADDRESS', 'address to listen on; 0.0.0.0 for all', readHost, '127.0.0.1'),
    ins: many('URL[,REGION]', 'an INS server to recommend besides those that sources announce', readInsServer),
    regions: optional(
      'FILE',
      "table of viewers' regions: lines of an address prefix and a region, as in 10.1.0.0/16 east",
      readFilePath,
    ),
    page: option('FOLDER', 'the player page to serve', readPath, PAGE, 'the one that comes along'),
    json: toggle('print lines of JSON'),
  },
  examples: [
    ['On this machine', 'inswarm tracker'],
    ['For other machines, too', 'inswarm tracker --host 0.0.0.0 --port 4800'],
    ['With INS servers in two regions', 'inswarm tracker --ins ws://10.0.0.2:4801,east --ins ws://10.9.0.2:4801,west'],
  ],
  async run({ port, host, ins, regions, page, json }, log) {
    const life = lifetime();
    const running = await startTracker({ host, port, ins, regionsFile: regions, playerFolder: page, log }).catch(
      (error: unknown) => {
        throw listenProblem(error, { '--port': port });
      },
    );
    const [url, http] = [shownUrl(running.wsUrl), `${shownUrl(running.url)}/`];
    if (json) printJson({ event: 'ready', url, page: http });
    else print(`Tracker: ${url}\nPage:    ${http}`);
    await life.over;
    await closeInTime(running);
  },
});
