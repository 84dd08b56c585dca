import { figureText, rateText } from '../../../../report/text.ts';

/** ms as people read them: `0.62 s`, a dash for none. */
export function msText(ms: number | null): string {
  return figureText(ms, 'ms');
}

/** A rate; a dash for none, so that what is there is seen. */
export function flowText(bps: number): string {
  return bps === 0 ? '–' : rateText(bps);
}

export function shareText(share: number): string {
  return `${Math.round(share * 100)}\u00a0%`;
}

/** Seconds of the run: `23 s`. */
export function atText(ms: number): string {
  return `${Math.max(0, Math.floor(ms / 1000))}\u00a0s`;
}
