import { describe, expect, it } from 'vitest';
import { FallbackRule, type PlayedOut } from '../../web-player/playback/fallback.ts';

/** A session that looks four times a second. */
class Made {
  readonly rule = new FallbackRule(0);
  playedOut: PlayedOut = 'swarm';
  started = false;
  onAir = true;
  /** Parts come. */
  comes = false;
  nowMs = 0;
  private lastMs = 0;

  /** @returns What it changed to, and after how many ms. */
  run(ms: number): { readonly to: PlayedOut; readonly afterMs: number } | undefined {
    for (const startMs = this.nowMs; this.nowMs < startMs + ms; ) {
      this.nowMs += 250;
      if (this.comes) {
        this.rule.came(this.nowMs);
        this.lastMs = this.nowMs;
      }
      const bufferMs = this.started ? Math.max(0, 1_500 - (this.nowMs - this.lastMs)) : 0;
      const to = this.rule.look({ ...this, bufferMs }, this.nowMs);
      if (to === undefined) continue;
      this.playedOut = to;
      return { to, afterMs: this.nowMs - startMs };
    }
    return undefined;
  }
}

describe('the source’s plain HLS in the place of the swarm', () => {
  it('is played when nothing has come for a while and there is nothing left to play, and no sooner', () => {
    const made = new Made();
    made.comes = true;
    made.started = true;
    expect(made.run(10_000)).toBeUndefined();
    made.comes = false;
    const change = made.run(10_000);
    expect(change?.to).toBe('hls');
    expect(change!.afterMs).toBeGreaterThanOrEqual(1_500);
  });

  it('is played instead of nothing at all, too', () => {
    expect(new Made().run(10_000)?.to).toBe('hls');
  });

  it('is not played while the source is off the air', () => {
    const made = new Made();
    made.onAir = false;
    expect(made.run(60_000)).toBeUndefined();
  });

  it('gives way to the swarm when that has brought parts for a while without a gap', () => {
    const made = new Made();
    made.run(10_000);
    for (let i = 0; i < 10; i++) {
      made.comes = true;
      expect(made.run(2_000)).toBeUndefined();
      made.comes = false;
      expect(made.run(2_000)).toBeUndefined();
    }
    made.comes = true;
    expect(made.run(5_000)?.to).toBe('swarm');
  });

  it('is asked for more and more rarely where it cannot be played', () => {
    const made = new Made();
    const atMs: number[] = [];
    for (let i = 0; i < 4; i++) {
      const change = made.run(120_000);
      expect(change?.to).toBe('hls');
      atMs.push(made.nowMs);
      made.playedOut = 'swarm';
      made.rule.failed(made.nowMs);
    }
    const pausesMs = atMs.slice(1).map((ms, i) => ms - atMs[i]!);
    expect(pausesMs).toEqual(pausesMs.toSorted((a, b) => a - b));
    expect(pausesMs[2]! / pausesMs[0]!).toBeGreaterThanOrEqual(3);
  });
});
