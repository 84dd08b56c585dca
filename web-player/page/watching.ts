import type { InswarmPlayerElement } from '../element/inswarm-player.ts';

/** What an entry of the tab's own history holds: nothing is stored, and nobody else can read it. */
interface Remembered {
  readonly watching?: boolean;
}

/** Whether this page was left while its stream played, and the viewer is back: by the back button, or by loading it again. */
export function wasWatching(): boolean {
  const [visit] = performance.getEntriesByType('navigation') as PerformanceNavigationTiming[];
  const isReturn = visit?.type === 'back_forward' || visit?.type === 'reload';
  return isReturn && (history.state as Remembered | null)?.watching === true;
}

/** Remembers, for the one who comes back, whether they watched. */
export function rememberWatching(player: InswarmPlayerElement): void {
  player.addEventListener('state', ({ detail: { phase } }) => {
    const remembered: Remembered = { watching: phase !== 'idle' && phase !== 'paused' };
    history.replaceState(remembered, '');
  });
}
