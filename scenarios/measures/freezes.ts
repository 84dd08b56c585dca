import type { PlayerEvent } from '../../machine/player.ts';

/** A time for which a picture stood still for want of data. */
export interface Freeze {
  /** When playback stopped, in ms after the run's start. */
  readonly atMs: number;
  readonly frozenMs: number;
}

/**
 * The freezes that a peer told of. One that has not ended lasts until the peer's end.
 *
 * @param originMs - The run's start on the peer's clock.
 * @param endMs - When the peer left or the run ended, in ms after the start.
 */
export function freezesOf(events: readonly { readonly kind: string }[], originMs: number, endMs: number): Freeze[] {
  const freezes: Freeze[] = [];
  let openAtMs: number | undefined;
  for (const event of events as readonly PlayerEvent[]) {
    if (event.kind === 'freeze') openAtMs = event.atMs - originMs;
    else if (event.kind === 'resumed' && openAtMs !== undefined) {
      freezes.push({ atMs: openAtMs, frozenMs: event.frozenMs });
      openAtMs = undefined;
    }
  }
  if (openAtMs !== undefined) freezes.push({ atMs: openAtMs, frozenMs: Math.max(0, endMs - openAtMs) });
  return freezes;
}
