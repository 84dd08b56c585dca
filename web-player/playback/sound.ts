import type Hls from 'hls.js';
import type { MediaPlaylist } from 'hls.js';
import type { LiveSource } from '../../hls/live-source.ts';
import { trackOf } from '../loader/led-abr.ts';
import { SWARM_URL } from '../loader/swarm-loader.ts';

/** After so long hls.js is told anyway, and waits itself. */
const WAIT_MS_MAX = 2_500;

/** The sound that is played, and the change to another one. */
export class Sound {
  /** What was chosen, until hls.js is told. */
  private next: MediaPlaylist | undefined;

  /** Its place in the list of hls.js; -1 without any. */
  of({ audioTrack, audioTracks }: Hls): number {
    const { next } = this;
    return next === undefined ? audioTrack : audioTracks.indexOf(next);
  }

  /**
   * Has another one played. Told of it, hls.js takes no more of the one before: so it is told when there is something of the next, and
   * what it has in hand goes on until it has that, too. Where a site has told it of another meanwhile, that stands.
   */
  async change(hls: Hls, live: LiveSource, id: number): Promise<void> {
    const { audioTrack, audioTracks } = hls;
    const next = audioTracks[id];
    if (next === undefined) return;
    this.next = next;
    if (hls.url === SWARM_URL) await isListed(live, trackOf(next.url), trackOf(audioTracks[audioTrack]?.url));
    if (this.next !== next) return;
    this.next = undefined;
    if (hls.audioTrack === audioTrack) hls.setAudioOption(next);
  }

  /** Who waits to tell hls.js does not any more: destroyed, it would throw. */
  end(): void {
    this.next = undefined;
  }

  /** Another hls.js takes over, with the same sound. */
  keep(from: Hls, to: Hls): void {
    const sound = this.next ?? from.audioTracks[from.audioTrack];
    this.next = undefined;
    if (sound !== undefined) to.setAudioOption(sound);
  }
}

/** Waits until a track is listed as far as the one that plays. */
function isListed(live: LiveSource, track: number, playing: number): Promise<void> {
  live.expectTrack?.(track);
  return new Promise((resolve) => {
    const done = (): void => {
      leave();
      clearTimeout(timer);
      resolve();
    };
    const look = (): void => {
      const { window } = live;
      const [first] = window.segments(track);
      if (first?.complete === true && window.nextPart(track)! >= (window.nextPart(playing) ?? 0)) done();
    };
    const leave = live.onChange(look);
    const timer = setTimeout(done, WAIT_MS_MAX);
    look();
  });
}
