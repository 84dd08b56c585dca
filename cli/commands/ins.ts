import { INS_SERVER_LIMITS } from '../../ins-server/core/limits.ts';
import { type RunningInsServer, startInsServer } from '../../ins-server/node/ins-server.ts';
import type { MetricsPlace } from '../../ins-server/node/metrics.ts';
import { nowMs } from '../../runtime/node/clock.ts';
import { command } from '../command.ts';
import { PORTS } from '../defaults.ts';
import { FullScreen } from '../full-screen.ts';
import { InsScreen } from '../ins-screen.ts';
import { DISK_BYTES, insStore } from '../ins-store.ts';
import { closeInTime, lifetime } from '../lifetime.ts';
import { showLogLines } from '../log-lines.ts';
import { many, option, optional, toggle } from '../options.ts';
import { print, printJson } from '../output.ts';
import { listenProblem, shownUrl } from '../ports.ts';
import { Problem } from '../problem.ts';
import {
  readBitrate,
  readHost,
  readList,
  readPath,
  readPort,
  readPublicKey,
  readWsUrl,
  size,
  textOf,
  wholeNumber,
} from '../readers.ts';

const readMemory = size(2 ** 20, 2 ** 44, 'from 1M to 16384G');

export const ins = command({
  name: 'ins',
  summary: 'run a server of in-network storage',
  description: `Runs an INS server: it keeps blocks in memory for a short time (or on disk: --store), hands them out to whoever shows a token of the locker's
owner, and fetches from other INS servers on its clients' behalf. It knows nothing of video.`,
  options: {
    port: option('PORT', 'where to listen', readPort, PORTS.ins),
    host: option('ADDRESS', 'address to listen on; 0.0.0.0 for all', readHost, '127.0.0.1'),
    public: optional('URL', 'its address as others dial it, where that is not the one it listens on', readWsUrl),
    memory: option(
      'BYTES',
      'most memory for blocks, such as 512M; with --store, for what is kept about them, and a quarter of it for the newest',
      readMemory,
      INS_SERVER_LIMITS.memoryBytes,
      '1G',
    ),
    store: optional(
      'DIR',
      "keep blocks in this folder instead of in memory: what was acknowledged is there again after a restart or a crash; the server's key is kept there, too, unless --key names a file",
      readPath,
    ),
    disk: option('BYTES', 'with --store: most disk space for blocks', readMemory, DISK_BYTES, '16G'),
    fsync: toggle('with --store: acknowledge a put when it would survive a loss of power, too; slower'),
    quota: optional(
      'BYTES',
      'most that one account may keep which nobody has invited; an eighth of the room when left out',
      readMemory,
    ),
    registration: option(
      'open|invitation',
      'who may keep blocks: everybody, or only whom a provider invites; all may read what they have tokens for',
      readRegistration,
      'open',
    ),
    provider: many(
      'KEY',
      'the public key of a provider whose invitations count; inswarm invite makes them',
      readPublicKey,
    ),
    strangers: optional(
      'BYTES',
      'most that all those may put together whom nobody has invited; with --provider half of the room when left out, else all',
      readMemory,
    ),
    clients: option(
      'COUNT',
      'most connections of clients at once; who comes beyond them is told when to come back and where else to go (--others)',
      wholeNumber(1, 1_000_000, 'connections'),
      INS_SERVER_LIMITS.linksMax,
    ),
    bandwidth: optional(
      'BITS',
      'most to send per second, such as 100M; shared by weight and priority when more is asked for; newcomers are sent elsewhere while it is not enough for those who are there. Best a little below what the network carries',
      readBitrate,
    ),
    others: option(
      'URL[,URL]',
      'other INS servers, to which clients are sent when this one stops or has no room',
      (text: string) => readList(text).map(readWsUrl),
      [],
      '',
    ),
    remote: many(
      'SERVER',
      'speak to this other INS server only, by HOST, HOST:PORT or key (its 43 characters: such a server may also ask more of this one); with none named, from all but those on private ground: loopback and link-local addresses, unless this one is on loopback itself',
      textOf(256),
    ),
    key: optional('FILE', "keep the server's key here; otherwise it is new with each start", readPath),
    metrics: optional(
      'WHERE',
      'where Prometheus finds /metrics: on (this port), off, a port of this machine, or ADDRESS:PORT; on where --host is this machine only, else off',
      readMetricsPlace,
    ),
    log: toggle('print log lines in a terminal, too, where else a view of the figures is shown'),
    json: toggle('print lines of JSON'),
  },
  examples: [
    ['On this machine', 'inswarm ins'],
    ['For those whom you invite (inswarm invite)', 'inswarm ins --registration invitation --provider KEY'],
    ['A second one', 'inswarm ins --port 4802'],
    ['That is still there after a restart, on 100 GiB of disk', 'inswarm ins --store /var/lib/inswarm --disk 100G'],
    [
      'For other machines, with 4 GiB of memory',
      'inswarm ins --host 0.0.0.0 --memory 4G --public ws://ins.example.org:4801',
    ],
  ],
  async run(values, log) {
    const { port, host, public: publicUrl, bandwidth, remote, metrics, log: logs, json } = values;
    const life = lifetime();
    const kept = await insStore(values, log);
    const { store, keyFile } = kept;
    const limits = {
      ...kept.limits,
      linksMax: values.clients,
      ...(bandwidth === undefined ? {} : { bandwidthBps: bandwidth }),
    };
    const place = { host, port, ...(publicUrl === undefined ? {} : { publicUrl }) };
    if (values.registration === 'invitation' && values.provider.length === 0)
      throw new Problem('--provider is missing: with --registration invitation, name who may invite', 2);
    const policy = {
      registration: values.registration,
      otherServers: values.others,
      providers: values.provider,
      ...(remote.length === 0 ? {} : { remotes: remote }),
      ...(keyFile === undefined ? {} : { keyFile }),
      ...(metrics === undefined ? {} : { metrics }),
      ...(store === undefined ? {} : { store }),
    };
    const view = json || logs || !FullScreen.isPossible(process.stdout) ? undefined : new InsScreen(nowMs());
    if (view !== undefined) showLogLines(view.logLine);
    const running = await startInsServer({ ...place, ...policy, limits, log }).catch(async (error: unknown) => {
      await store?.close();
      throw listenProblem(error, {
        '--port': port,
        '--metrics': typeof metrics === 'object' ? metrics.port : undefined,
      });
    });
    const url = shownUrl(running.url);
    if (json) printJson({ event: 'ready', url });
    else if (view === undefined) print(`INS server: ${url}`);
    else await watch(running, view, `INS server ${url}`, life.over);
    await life.over;
    // What hangs is left behind a little after the server's own time for it.
    await closeInTime(running, INS_SERVER_LIMITS.drainMs + 2_000);
  },
});

/** Shows what a server does, until it is over. */
async function watch(running: RunningInsServer, view: InsScreen, title: string, over: Promise<void>): Promise<void> {
  view.title = title;
  const screen = new FullScreen(process.stdout, view.lines);
  const update = (): void => {
    view.update(running.stats(), nowMs());
    screen.draw();
  };
  update();
  screen.open();
  const every = setInterval(update, SHOW_EVERY_MS);
  await over;
  clearInterval(every);
  screen.close();
  showLogLines(undefined);
  print(view.summary());
}

const SHOW_EVERY_MS = 500;

function readRegistration(text: string): 'open' | 'invitation' {
  if (text === 'open' || text === 'invitation') return text;
  throw new Error('open or invitation is expected');
}

function readMetricsPlace(text: string): MetricsPlace {
  if (text === 'on') return 'here';
  if (text === 'off') return 'off';
  const [, host, port] = /^(?:(.+):)?(\d+)$/.exec(text) ?? [];
  if (port === undefined)
    throw new Error('on, off, a port, or an address and a port are expected, such as 9464 or 10.0.0.5:9464');
  return { host: host === undefined ? '127.0.0.1' : readHost(host.replace(/^\[|\]$/g, '')), port: readPort(port) };
}
