import Hls, { type AbrController, type Events, type FragLoadingData, type LevelSwitchingData } from 'hls.js';
import { appendAgain } from './append-again.ts';
import { SWARM_URL } from './swarm-loader.ts';

/** Who takes the bytes, and can choose which rendition. */
export interface Leader {
  /** Whether it does; else it takes what hls.js asks for. */
  choosesQuality: boolean;
  /** Number of the track to load next; undefined leaves it to hls.js. */
  readonly rendition: number | undefined;
}

/**
 * The automatic choice of hls.js (its `abrController` option), led by whoever takes the bytes: a peer that is sent the live edge unasked
 * sees a line fill up where a player that waits for each part sees nothing. What viewers choose, limits that a site has set
 * (`autoLevelCapping`, `capLevelToPlayerSize`), and what does not come out of the swarm are the business of hls.js alone.
 */
export function createLedAbr(leader: Leader): typeof AbrController {
  return class extends Hls.DefaultConfig.abrController {
    constructor(hls: Hls) {
      super(hls);
      // Here, where every hls.js that plays out of a swarm comes by.
      appendAgain(hls);
    }

    override get nextAutoLevel(): number {
      return this.led() ?? super.nextAutoLevel;
    }

    override set nextAutoLevel(level: number) {
      super.nextAutoLevel = level;
    }

    override get firstAutoLevel(): number {
      return this.led() ?? super.firstAutoLevel;
    }

    /** What comes late is not given up for another rendition here: who takes the bytes has changed already where that helps. */
    protected override onFragLoading(event: Events.FRAG_LOADING, data: FragLoadingData): void {
      if (this.led() === undefined) super.onFragLoading(event, data);
    }

    protected override onLevelSwitching(event: Events.LEVEL_SWITCHING, data: LevelSwitchingData): void {
      super.onLevelSwitching(event, data);
      this.led();
    }

    private led(): number | undefined {
      const { hls } = this;
      if (hls?.url !== SWARM_URL) return undefined;
      leader.choosesQuality = hls.autoLevelEnabled && isUnlimited(hls);
      const level = levelOf(hls, leader.rendition);
      return level < 0 ? undefined : level;
    }
  };
}

/** Whether a site leaves the automatic choice all levels. */
export function isUnlimited({ minAutoLevel, maxAutoLevel, levels }: Hls): boolean {
  return minAutoLevel <= 0 && maxAutoLevel === levels.length - 1;
}

/** The level of a track; -1 where there is none. */
export function levelOf({ levels }: Hls, track: number | undefined): number {
  return levels.findIndex(({ uri }) => trackOf(uri) === track);
}

/** Of a media playlist's address; NaN where there is none. */
export function trackOf(uri = ''): number {
  return Number(/\/(\d+)\/media\.m3u8$/.exec(uri)?.[1] ?? Number.NaN);
}
