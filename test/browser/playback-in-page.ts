import {
  Session,
  type SessionEvent,
  type SessionOptions,
  type SessionStats,
} from '../../web-player/playback/session.ts';

/** What tests put into a page: a session, and what it tells. */

export interface PageStats extends SessionStats {
  /** Live latency that it keeps: the target, or more where parts come later than that allows, as to a busy machine. */
  readonly aimMs: number;
}

let session: Session;
const events: SessionEvent[] = [];

const calls = {
  open: (options: SessionOptions): void => {
    session = new Session(video(), options);
    session.onEvent((event) => events.push(event));
  },
  prepare: (): void => session.prepare(),
  play: (): Promise<void> => session.play(),
  pause: (): void => session.pause(),
  goLive: (): void => session.goLive(),
  close: (): void => session.close(),
  choose: (level: number): void => {
    session.quality = level;
  },
  chosen: () => ({ level: session.quality, isLed: session.hls.autoLevelEnabled }),
  setTarget: (ms: number): void => {
    session.targetLatencyMs = ms;
  },
  // biome-ignore lint/complexity/useLiteralKeys: nobody but tests needs it, so it is private.
  stats: (): PageStats => ({ ...session.stats(), aimMs: session['keepLive'].pace.wishedMs }),
  events: (): readonly SessionEvent[] => events,
  /** For who looks for a fault. */
  state: (): unknown => {
    const { buffered, currentTime, readyState, seeking, paused, error } = video();
    const { latestLevelDetails: details, url } = session.hls;
    const parts = details?.partList?.map(({ start, duration, independent, gap }) => [
      start,
      duration,
      independent,
      gap,
    ]);
    const ranges = Array.from({ length: buffered.length }, (_, at) => [buffered.start(at), buffered.end(at)]);
    return { url, currentTime, readyState, seeking, paused, error: error?.message, ranges, parts };
  },
};

function video(): HTMLVideoElement {
  return document.querySelector('video') as HTMLVideoElement;
}

export type PageCalls = typeof calls;
Object.assign(window, { calls });
