import { BLOCK_BYTES_DEFAULT, BLOCK_TTL_SECONDS_DEFAULT, TITLE_CHARS_MAX } from '../../protocol/limits.ts';
import { type SourceShellEvent, startSource } from '../../source-server/node/source.ts';
import { command } from '../command.ts';
import { SOURCE_KEY, TRACKER_URL } from '../defaults.ts';
import { closeInTime, lifetime } from '../lifetime.ts';
import { many, option, optional, toggle } from '../options.ts';
import { Outages, print, printJson } from '../output.ts';
import { listenProblem, shownUrl } from '../ports.ts';
import { Problem } from '../problem.ts';
import {
  readBlockBytes,
  readHost,
  readInsServer,
  readInvitation,
  readList,
  readPath,
  readPort,
  readRegion,
  readWsUrl,
  textOf,
  wholeNumber,
} from '../readers.ts';

/** Ms for which viewers can still fetch the last parts after the input is over. */
const LINGER_MS = 10_000;

export const source = command({
  name: 'source',
  summary: 'broadcast a stream',
  description: `Takes a live stream in, cuts it into signed blocks, puts them on INS servers, and gives them to viewers. It also serves
the stream as plain low-latency HLS. It prints the stream's id, which viewers need.`,
  options: {
    tracker: option('URL', 'the tracker that viewers ask', readWsUrl, TRACKER_URL),
    ins: many('URL[,REGION]', 'an INS server to feed; with none, viewers feed each other', readInsServer),
    input: option(
      'INPUT',
      'what to broadcast: testsrc (a moving test pattern), a file (looped), - (MPEG-TS on standard input), rtmp://HOST:PORT/APP/KEY (waits for OBS or ffmpeg to publish there), or http(s)://….m3u8 (an HLS stream)',
      textOf(4_096),
      'testsrc',
    ),
    transcode: toggle('encode anew even what could be passed through'),
    ladder: option('LIST', 'several qualities, such as 720p,360p; implies encoding', readList, [], 'one quality'),
    part: option(
      'MS',
      'length of a part in milliseconds; shorter is closer to live',
      wholeNumber(100, 1_000, 'ms'),
      250,
    ),
    segment: option(
      'MS',
      'length of a segment in milliseconds; viewers can start at each',
      wholeNumber(100, 10_000, 'ms'),
      1_000,
    ),
    blockSize: option('BYTES', 'largest block, from 1K to 1M', readBlockBytes, BLOCK_BYTES_DEFAULT, '64K'),
    keep: option(
      'SECONDS',
      'how long INS servers keep the stream, and so how far back viewers can seek; they need room for it: an hour of 2 Mbit/s is 900 MB',
      wholeNumber(30, 86_400, 's'),
      BLOCK_TTL_SECONDS_DEFAULT,
    ),
    key: option('FILE', "the stream's key: made when there is none", readPath, SOURCE_KEY),
    title: option('TEXT', 'what players show', textOf(TITLE_CHARS_MAX), 'Live'),
    host: option('ADDRESS', 'address to listen on; 0.0.0.0 for all', readHost, '127.0.0.1'),
    listen: option('PORT', 'where viewers dial', readPort, 0, 'any free port, announced by the tracker'),
    http: option('PORT', 'where the plain HLS is served', readPort, 0, 'any free port'),
    region: optional('REGION', 'where this machine is, as the tracker calls it', readRegion),
    invitation: optional('TEXT', 'what inswarm invite printed, for INS servers that ask for it', readInvitation),
    json: toggle('print lines of JSON; the first with "event":"ready" holds the stream id'),
  },
  examples: [
    ['A test pattern', 'inswarm source --ins ws://127.0.0.1:4801'],
    [
      'A film in two qualities, over and over',
      'inswarm source --input film.mp4 --ladder 720p,360p --ins ws://127.0.0.1:4801',
    ],
    [
      'OBS: set its server to rtmp://127.0.0.1:1935/live and its stream key to show',
      'inswarm source --input rtmp://127.0.0.1:1935/live/show',
    ],
    [
      'A camera on Linux',
      'ffmpeg -f v4l2 -i /dev/video0 -c:v libx264 -tune zerolatency -g 30 -f mpegts - | inswarm source --input -',
    ],
  ],
  async run(values, log) {
    const {
      tracker,
      ins,
      input,
      transcode,
      ladder,
      part,
      segment,
      blockSize,
      keep,
      key,
      title,
      host,
      listen,
      http,
      region,
      invitation,
      json,
    } = values;
    const life = lifetime();
    let failed: string | undefined;
    let isOver = false;
    const outages = new Outages();
    const onEvent = (event: SourceShellEvent): void => {
      if (isOver) return;
      if (json) printJson(eventLine(event));
      else if (outages.isNews(event)) sayEvent(event);
      if (event.kind === 'failed') {
        failed = event.why;
        life.end();
      } else if (event.kind === 'stream-state' && event.state === 'ended')
        setTimeout(() => life.end(), LINGER_MS).unref();
    };
    const media = {
      input,
      transcode,
      ladder,
      partMs: part,
      segmentMs: segment,
      blockBytes: blockSize,
      keepSeconds: keep,
    };
    const known = { ...(region === undefined ? {} : { region }), ...(invitation === undefined ? {} : { invitation }) };
    const place = { host, listenPort: listen, httpPort: http, ...known };
    const running = await startSource({ tracker, ins, ...media, keyFile: key, title, ...place, log, onEvent }).catch(
      (error: unknown) => {
        throw listenProblem(error, { '--listen': listen, '--http': http });
      },
    );
    const { stream } = running;
    const [url, hlsUrl] = [shownUrl(running.url), shownUrl(running.hlsUrl)];
    const watch = `${tracker.replace(/^ws/, 'http')}/?stream=${stream}`;
    if (json) printJson({ event: 'starting', stream, url, hls: hlsUrl, watch });
    else print(`Stream: ${stream}\nWatch:  ${watch}\nHLS:    ${hlsUrl}`);
    await life.over;
    isOver = true;
    await closeInTime(running);
    if (failed !== undefined) throw new Problem(failed);
  },
});

function eventLine(event: SourceShellEvent): Readonly<Record<string, unknown>> {
  const { kind, ...rest } = event;
  return { event: kind, ...rest };
}

function sayEvent(event: SourceShellEvent): void {
  const text = eventText(event);
  if (text !== undefined) print(text);
}

function eventText(event: SourceShellEvent): string | undefined {
  switch (event.kind) {
    case 'input':
      return `Input:  ${event.decisions.join('; ')}`;
    case 'notice':
      return event.text;
    case 'ready':
      return 'On the air.';
    case 'stream-state':
      if (event.state === 'live') return 'The input is back: live again.';
      return event.state === 'ended'
        ? `The broadcast is over: ${event.why}.`
        : `Interrupted: ${event.why}. Waiting for the input to come back.`;
    case 'tracker-up':
      return 'Announced at the tracker.';
    case 'tracker-lost':
      return `Lost the tracker (${event.why}); dialling it again.`;
    case 'ins-up':
      return `Feeding INS server ${event.url}.`;
    case 'ins-lost':
      return `No connection to INS server ${event.url} (${event.why}); dialling it again and again.`;
    case 'refused':
      return `Refused by ${event.by}: ${event.why}.`;
    case 'failed':
      return undefined;
  }
}
