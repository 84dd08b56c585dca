import type { PeerEvent } from '../../peer/core/io.ts';
import { type RunningPeer, startPeer } from '../../peer/node/peer.ts';
import { eventLine, eventText, PeerReport, progressLine, summaryText } from '../../peer/node/report.ts';
import { nowMs } from '../../runtime/node/clock.ts';
import { command } from '../command.ts';
import { TRACKER_URL } from '../defaults.ts';
import { closeInTime, type Lifetime, lifetime } from '../lifetime.ts';
import { onlyStream } from '../only-stream.ts';
import { option, optional, toggle } from '../options.ts';
import { Outages, printJson, Screen } from '../output.ts';
import { listenProblem, shownUrl } from '../ports.ts';
import {
  readHost,
  readInvitation,
  readMode,
  readPort,
  readQuality,
  readRegion,
  readSeconds,
  readStreamId,
  readWsUrl,
} from '../readers.ts';

/** How often progress is printed where it cannot be rewritten in place. */
const PROGRESS_EVERY_MS = 5_000;

export const peer = command({
  name: 'peer',
  summary: 'take part in a stream without a screen, and serve it to players on this machine',
  description: `Watches a stream as a player would, passes it on, and reports how that goes. With --http it also serves the stream
as HLS to VLC, mpv, ffplay or a TV. Every block is verified before it is used. Rates are in bits per second.`,
  options: {
    tracker: option('URL', 'the tracker of the stream', readWsUrl, TRACKER_URL),
    stream: optional('ID', "the stream's id; may be left out where the tracker has one stream", readStreamId),
    mode: option(
      'MODE',
      'ins (from INS servers only), native (from other viewers only) or hybrid (INS servers first)',
      readMode,
      'hybrid',
    ),
    host: option('ADDRESS', 'address to listen on; 0.0.0.0 for all', readHost, '127.0.0.1'),
    listen: option('PORT', 'where other viewers dial', readPort, 0, 'any free port, announced by the tracker'),
    http: optional('PORT', 'serve the stream as HLS on this port; 0 for any free one', readPort),
    quality: optional(
      'WHICH',
      'which picture to take: best (the default), lowest, auto (what the line carries), all, or one by its name; with --http all is the default',
      readQuality,
    ),
    region: optional('REGION', 'where this machine is, as the tracker calls it', readRegion),
    invitation: optional('TEXT', 'what inswarm invite printed, for INS servers that ask for it', readInvitation),
    follow: toggle('ask for every block instead of letting the INS server send what is new', true),
    duration: optional('SECONDS', 'end after so long, with a summary', readSeconds),
    json: toggle('print lines of JSON: events, "stats" each second, "summary" at the end'),
  },
  examples: [
    ['Watch in VLC: run this, then open the address it prints', 'inswarm peer --http 4804'],
    ['Measure for a minute', 'inswarm peer --stream ID --mode ins --duration 60 --json'],
    [
      'Take part in a stream from another machine',
      'inswarm peer --tracker ws://tracker.example.org:4800 --stream ID --host 0.0.0.0',
    ],
  ],
  async run({ tracker, stream, mode, host, listen, http, quality, region, invitation, follow, duration, json }, log) {
    // A player chooses for itself, but from what is here: a rendition that comes and goes would stop it.
    if (quality === 'auto' && http !== undefined)
      throw new Error('--quality auto is for a peer without --http: say best, lowest, all or a name');
    const life = lifetime();
    const id = stream ?? (await onlyStream(tracker));
    const place = { host, listenPort: listen, ...(http === undefined ? {} : { httpPort: http }) };
    const output = json ? new JsonOutput() : new TextOutput();
    let running: RunningPeer | undefined;
    const options = {
      tracker,
      stream: id,
      mode,
      follow,
      quality: quality ?? (http === undefined ? 'best' : 'all'),
      ...place,
      log,
      ...(region === undefined ? {} : { region }),
      ...(invitation === undefined ? {} : { invitation }),
    };
    let isOver = false;
    let noRendition: string | undefined;
    const onEvent = (event: PeerEvent) => {
      if (event.kind === 'no-rendition') {
        noRendition = event.why;
        life.end();
      }
      // The summary is the last word: what leaving brings about is no news.
      if (!isOver) output.event(event, running?.stats().startupDelayMs ?? null);
    };
    try {
      running = await startPeer({ ...options, onEvent });
    } catch (error) {
      throw listenProblem(error, { '--listen': listen, '--http': http });
    }
    await report(running, output, life, duration);
    isOver = true;
    await closeInTime(running);
    if (noRendition !== undefined) throw new Error(noRendition);
  },
});

/** Prints until the command is to end. */
async function report(
  running: RunningPeer,
  output: Output,
  life: Lifetime,
  durationSeconds: number | undefined,
): Promise<void> {
  output.ready(running);
  const every = setInterval(() => output.stats(running), 1_000);
  const end = durationSeconds === undefined ? undefined : setTimeout(() => life.end(), durationSeconds * 1_000);
  await life.over;
  clearInterval(every);
  clearTimeout(end);
  output.summary(running);
}

interface Output {
  ready(running: RunningPeer): void;
  event(event: PeerEvent, startupDelayMs: number | null): void;
  stats(running: RunningPeer): void;
  summary(running: RunningPeer): void;
}

class JsonOutput implements Output {
  private readonly report = new PeerReport(nowMs());

  ready({ url, gatewayUrl }: RunningPeer): void {
    printJson({ event: 'ready', url: shownUrl(url), gateway: gatewayUrl === undefined ? null : shownUrl(gatewayUrl) });
  }

  event(event: PeerEvent, startupDelayMs: number | null): void {
    printJson(eventLine(event, startupDelayMs));
  }

  stats(running: RunningPeer): void {
    printJson(this.report.statsLine(running.stats(), nowMs()));
  }

  summary(running: RunningPeer): void {
    printJson(this.report.summaryLine(running.stats(), nowMs()));
  }
}

class TextOutput implements Output {
  private readonly report = new PeerReport(nowMs());
  private readonly screen = new Screen(process.stdout, PROGRESS_EVERY_MS);
  private readonly outages = new Outages();

  ready({ url, gatewayUrl }: RunningPeer): void {
    this.screen.say(`Neighbours dial ${shownUrl(url)}`);
    if (gatewayUrl !== undefined) this.screen.say(`Players open ${shownUrl(gatewayUrl)}`);
  }

  event(event: PeerEvent, startupDelayMs: number | null): void {
    const text = this.outages.isNews(event) ? eventText(event, startupDelayMs) : undefined;
    if (text !== undefined) this.screen.say(text);
  }

  stats(running: RunningPeer): void {
    const stats = running.stats();
    this.report.statsLine(stats, nowMs());
    this.screen.show([progressLine(stats)], nowMs());
  }

  summary(running: RunningPeer): void {
    this.screen.done();
    const stats = running.stats();
    this.screen.say(summaryText(stats, this.report.summaryLine(stats, nowMs())));
  }
}
