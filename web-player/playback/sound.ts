import type Hls from 'hls.js';
import type { LiveSource } from '../../hls/live-source.ts';
import { trackOf } from '../loader/led-abr.ts';
import { SWARM_URL } from '../loader/swarm-loader.ts';

/** After so long hls.js is told anyway, and waits itself. */
const WAIT_MS_MAX = 2_500;

/** The sound that is played, and the change to another one. */
export class Sound {
  private wanted = -1;
  private turn = 0;

  /** Its place in the list of hls.js; -1 without any. */
  of(hls: Hls): number {
    return hls.audioTracks[this.wanted] === undefined ? hls.audioTrack : this.wanted;
  }

  /**
   * Has another one played. Told of it, hls.js takes no more of the one before: so it is told when there is something of the next, and
   * what it has in hand goes on until it has that, too.
   */
  async change(hls: Hls, live: LiveSource, id: number): Promise<void> {
    const next = hls.audioTracks[id];
    if (next === undefined) return;
    this.wanted = id;
    const turn = ++this.turn;
    hls.config.audioPreference = next;
    if (hls.url === SWARM_URL) await isListed(live, trackOf(next.url), trackOf(hls.audioTracks[hls.audioTrack]?.url));
    if (turn === this.turn) hls.setAudioOption(next);
  }

  /** Who waits to tell hls.js does not any more: destroyed, it would throw. */
  end(): void {
    this.turn++;
  }

  /** Another hls.js takes over, with the same sound. */
  keep(from: Hls, to: Hls): void {
    this.end();
    if (this.wanted >= 0) to.setAudioOption(from.config.audioPreference);
  }
}

/** Waits until a track is listed as far as the one that plays. */
function isListed(live: LiveSource, track: number, playing: number): Promise<void> {
  live.expectTrack?.(track);
  return new Promise((resolve) => {
    const look = (): void => {
      const [first] = live.window.segments(track);
      const edge = (one: number): number => live.window.nextPart(one) ?? 0;
      if (first?.complete !== true || edge(track) < edge(playing)) return;
      done();
    };
    const done = (): void => {
      leave();
      clearTimeout(timer);
      resolve();
    };
    const leave = live.onChange(look);
    const timer = setTimeout(done, WAIT_MS_MAX);
    look();
  });
}
