import Hls, { type AbrController } from 'hls.js';

/** Tells which rendition to load next, by the number of its track; undefined leaves it to hls.js. */
export type Leader = () => number | undefined;

/**
 * The automatic choice of hls.js (its `abrController` option), led by whoever takes the bytes: a peer that is sent the live edge unasked
 * sees a line fill up where a player that waits for each part sees nothing. Renditions that a viewer chooses are not its business.
 */
export function createLedAbr(leader: Leader): typeof AbrController {
  return class extends Hls.DefaultConfig.abrController {
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
    protected override onFragLoading(): void {}

    private led(): number | undefined {
      const track = leader();
      if (track === undefined) return undefined;
      const level = this.hls?.levels.findIndex(({ uri }) => trackOf(uri) === track) ?? -1;
      return level < 0 ? undefined : level;
    }
  };
}

/** Of a media playlist's address. */
function trackOf(uri: string): number {
  return Number(/\/(\d+)\/media\.m3u8$/.exec(uri)?.[1] ?? Number.NaN);
}
