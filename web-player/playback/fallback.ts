/** Nothing has come for so long and this little is left to play: where else it may come from is tried. Longer before the first frame. */
const SILENT_MS = 2_000;
const SILENT_MS_FIRST = 4_000;
const LOW_MS = 600;
/** The swarm is back when parts have come for so long, none of them so long after the one before. */
const STEADY_MS = 3_000;
const GAP_MS = 1_500;
/** Ms until what could not be played is tried again, longer each time. */
const AGAIN_MS = 8_000;
const AGAIN_MS_MAX = 60_000;

/** Out of what is played: the swarm, or the source's plain HLS. */
export type PlayedOut = 'swarm' | 'hls';

export interface FallbackLook {
  readonly playedOut: PlayedOut;
  readonly bufferMs: number;
  /** The first frame has been shown. */
  readonly started: boolean;
  /** The source is believed to send. */
  readonly onAir: boolean;
}

/**
 * When to play the source's plain HLS instead of what the swarm brings, and when the swarm again: where nothing comes from
 * anybody and what is in hand runs out, and when parts have come for a while. Times are of one clock, in ms.
 */
export class FallbackRule {
  private cameAtMs: number;
  private steadySinceMs: number;
  private notBeforeMs = Number.NEGATIVE_INFINITY;
  private againMs = AGAIN_MS;

  /** @param nowMs - Play is pressed. */
  constructor(nowMs: number) {
    this.cameAtMs = nowMs;
    this.steadySinceMs = nowMs;
  }

  /** Parts have come out of the swarm. */
  came(nowMs: number): void {
    if (nowMs - this.cameAtMs > GAP_MS) this.steadySinceMs = nowMs;
    this.cameAtMs = nowMs;
  }

  /** @returns What to play from now on, where that is something else. */
  look({ playedOut, bufferMs, started, onAir }: FallbackLook, nowMs: number): PlayedOut | undefined {
    if (nowMs < this.notBeforeMs) return undefined;
    const silentMs = nowMs - this.cameAtMs;
    if (playedOut === 'hls') {
      const isSteady = silentMs < GAP_MS && this.cameAtMs - this.steadySinceMs >= STEADY_MS;
      return isSteady ? 'swarm' : undefined;
    }
    const isDown = silentMs >= (started ? SILENT_MS : SILENT_MS_FIRST) && bufferMs < LOW_MS;
    return isDown && onAir ? 'hls' : undefined;
  }

  /** What it was to be could not be played. */
  failed(nowMs: number): void {
    this.notBeforeMs = nowMs + this.againMs;
    this.againMs = Math.min(this.againMs * 2, AGAIN_MS_MAX);
  }

  /** It is played. */
  changed(): void {
    this.againMs = AGAIN_MS;
  }
}
