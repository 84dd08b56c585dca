import { nowMs } from '../../../runtime/node/clock.ts';
import type { Input } from '../../core/media/input.ts';
import { Backoff } from './backoff.ts';
import type { Driver, DriverContext } from './driver.ts';
import { type Feed, type FeedHandlers, openStreamFeed, Relay } from './feed.ts';
import { LiveSession } from './live-session.ts';
import { RtmpListener } from './rtmp-listener.ts';

/** MPEG-TS on a stream of bytes; its end is the end of the input. */
export function stdinDriver(context: DriverContext, stream: NodeJS.ReadableStream): Driver {
  let session: LiveSession | undefined;
  return {
    async start() {
      if ('isTTY' in stream && stream.isTTY) throw new Error('standard input is a terminal; pipe MPEG-TS into it');
      const open = (handlers: FeedHandlers) => openStreamFeed(stream, handlers);
      session = new LiveSession(context, open, nowMs(), (why, everPlayed) => {
        if (!everPlayed) context.fail(why ?? 'nothing came on standard input');
        else context.sink.pushLast({ kind: 'ended' });
      });
    },
    close: async () => session?.close(),
  };
}

/** Waits for publishers, one after the other. */
export function rtmpDriver(context: DriverContext, input: Extract<Input, { kind: 'rtmp' }>): Driver {
  let session: LiveSession | undefined;
  const listener = new RtmpListener({
    ffmpeg: context.ffmpeg,
    input,
    onNotice: (text) => context.emit({ kind: 'notice', text }),
    onPublisher: (open) => {
      context.emit({ kind: 'notice', text: 'a publisher is here; looking at what it sends' });
      session = new LiveSession(context, open, nowMs(), (why, everPlayed) => {
        session = undefined;
        if (context.signal.aborted) return;
        if (everPlayed) reportBreak(context, why ?? 'the publisher left');
        else context.emit({ kind: 'notice', text: why ?? 'the publisher left' });
      });
    },
  });
  return {
    async start() {
      await listener.listen();
      const address = `rtmp://${input.host}:${listener.port}/${input.app}/${input.key}`;
      const where = input.host === '0.0.0.0' ? ' (with an address of this machine in place of 0.0.0.0)' : '';
      context.emit({ kind: 'notice', text: `waiting for a publisher: publish to ${address}${where}` });
    },
    async close() {
      await session?.close();
      await listener.close();
    },
  };
}

/** Segments of an HLS stream may be this long and longer. */
const hlsSilenceMaxMs = 30_000;

/** Pulls an HLS stream, and again when it ends or fails. */
export function hlsDriver(context: DriverContext, url: string): Driver {
  const backoff = new Backoff();
  let session: LiveSession | undefined;
  let timer: NodeJS.Timeout | undefined;
  const relay = { ffmpeg: context.ffmpeg, inputArgs: ['-i', url], silenceMaxMs: hlsSilenceMaxMs };
  const pull = () => {
    const startedMs = nowMs();
    const open = (handlers: FeedHandlers): Feed => new Relay(relay, handlers);
    session = new LiveSession(context, open, undefined, (why) => {
      session = undefined;
      if (context.signal.aborted) return;
      reportBreak(context, why ?? 'the stream ended');
      timer = setTimeout(pull, backoff.waitMs(nowMs() - startedMs));
    });
  };
  return {
    start: async () => pull(),
    async close() {
      clearTimeout(timer);
      await session?.close();
    },
  };
}

function reportBreak(context: DriverContext, why: string): void {
  context.sink.breakOff(why);
}
