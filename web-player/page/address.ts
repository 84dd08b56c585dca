import { streamIdFromText } from '../../protocol/names.ts';
import type { Mode } from '../../protocol/swarm-fields.ts';
import { isOn, MODES } from '../element/settings.ts';
import { TIME_PARAMETER } from '../element/share-link.ts';

const FALLBACKS = ['auto', 'off'] as const;
const PANELS = ['open', 'closed'] as const;

/** What the page's address asks for. */
export interface Address {
  /** Null where there is only one stream, or the viewer is to choose. */
  readonly stream: string | null;
  readonly mode: Mode;
  /** Begin without a press; in silence where the browser wants that. */
  readonly autoplay: boolean;
  /** Join when play is pressed, and not before. */
  readonly joinsLate: boolean;
  /** Give blocks to peers (native and hybrid mode). */
  readonly gives: boolean;
  /** Let the INS server send the live edge unasked. */
  readonly follow: boolean;
  /** The moment to begin with, in Unix seconds by the source's clock; null is live. */
  readonly startAt: number | null;
  /** Whether the source's plain HLS may be played while nothing comes out of the swarm; null where nobody has said. */
  readonly fallback: 'auto' | 'off' | null;
  /** Whether the figures are shown; null leaves it to the size of the page. */
  readonly panel: 'open' | 'closed' | null;
}

/** Reads `?stream=ID&mode=ins|hybrid|native&autoplay&preload=none&upload=off&follow=off&fallback=auto|off&t=SECONDS&panel=open|closed`; a text for people when something is wrong. */
export function readAddress(search: string): Address | string {
  const query = new URLSearchParams(search);
  const stream = query.get('stream') || null;
  const mode = query.get('mode') || 'hybrid';
  if (stream !== null && streamIdFromText(stream) === undefined) {
    return 'What follows "stream=" is no stream id: it has 43 letters, digits, - or _. Perhaps it was cut off when it was copied.';
  }
  if (!MODES.includes(mode as Mode)) return `There is no mode "${mode}": mode is ins, hybrid or native.`;
  return {
    stream,
    mode: mode as Mode,
    autoplay: isOn(query.get('autoplay'), false),
    joinsLate: query.get('preload') === 'none',
    gives: isOn(query.get('upload'), true),
    follow: isOn(query.get('follow'), true),
    startAt: momentOf(query.get(TIME_PARAMETER)),
    fallback: FALLBACKS.find((fallback) => fallback === query.get('fallback')) ?? null,
    panel: PANELS.find((panel) => panel === query.get('panel')) ?? null,
  };
}

function momentOf(value: string | null): number | null {
  return value !== null && /^\d{1,12}(\.\d{1,3})?$/.test(value) ? Number(value) : null;
}
