import Hls from 'hls.js';
import type { LiveWindow } from '../../hls/live-window.ts';
import { playerConfig } from '../loader/player-config.ts';
import { SWARM_URL } from '../loader/swarm-loader.ts';
import type { PlayedOut } from './fallback.ts';
import { answers, firstMedia, PLAIN_CONFIG } from './plain-hls.ts';

/** Has the swarm played by an hls.js, or the source's plain HLS. */
export interface Changer {
  /** Finds out whether there is something to play at the address, before what plays is let go; undefined where there is not. */
  prepare(to: PlayedOut, url: string): Promise<Hls | undefined>;
  /** What was prepared is not wanted any more. */
  drop(next: Hls | undefined): void;
  /** The one to play out of the swarm, whether anything comes or not. */
  prepareAtOnce(): Hls;
  /** What was prepared is to be played now; nobody watches over what played before any more. */
  play(next: Hls, to: PlayedOut, url: string): void;
}

/** For an hls.js that is ours: another one takes its place, with its first media, so that the picture stands until then. */
export class Replacing implements Changer {
  private readonly make: () => Hls;
  private current: Hls;

  /** @param make - One that plays out of the swarm, of which nothing is loaded yet. */
  constructor(current: Hls, make: () => Hls) {
    this.current = current;
    this.make = make;
  }

  async prepare(to: PlayedOut, url: string): Promise<Hls | undefined> {
    const next = to === 'hls' ? new Hls(PLAIN_CONFIG) : this.make();
    next.config.startFragPrefetch = true;
    const first = firstMedia(next);
    next.loadSource(url);
    if (await first) return next;
    next.destroy();
    return undefined;
  }

  drop(next: Hls | undefined): void {
    next?.destroy();
  }

  prepareAtOnce(): Hls {
    const next = this.make();
    next.loadSource(SWARM_URL);
    return next;
  }

  play(next: Hls): void {
    this.current.destroy();
    this.current = next;
  }
}

/** For an hls.js that others have made: it stays, and loads the other. */
export class Reloading implements Changer {
  private readonly hls: Hls;
  private readonly window: LiveWindow;

  constructor(hls: Hls, window: LiveWindow) {
    this.hls = hls;
    this.window = window;
  }

  async prepare(to: PlayedOut, url: string): Promise<Hls | undefined> {
    return to === 'swarm' || (await answers(url)) ? this.hls : undefined;
  }

  drop(): void {}

  prepareAtOnce(): Hls {
    return this.hls;
  }

  play(hls: Hls, to: PlayedOut, url: string): void {
    // Plain HLS begins near its edge; where to begin with what the swarm has, its own playlists say.
    hls.config.startPosition = to === 'hls' ? -1 : (playerConfig(this.window).startPosition ?? -1);
    hls.loadSource(url);
  }
}
