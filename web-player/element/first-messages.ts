import type { Mode } from '../../protocol/swarm-fields.ts';

/** Something to say to the viewer: in place of the picture, or beside one that goes on. */
export interface Message {
  readonly place: 'centre' | 'banner';
  readonly kind: 'wait' | 'warn' | 'error' | 'over';
  readonly title: string;
  readonly text: string;
  /** A way out. */
  readonly offer?: { readonly name: string; readonly href: string };
  /** A new beginning may help. */
  readonly canRetry?: boolean;
}

/** Says something in place of the picture. */
export function centre(kind: Message['kind'], title: string, text: string): Message {
  return { place: 'centre', kind, title, text };
}

/** A part of the player that is loaded later did not come. */
export const notLoaded: Message = {
  ...centre(
    'warn',
    'Part of the player did not load',
    'The picture goes on. It is tried again by itself, or with your press.',
  ),
  place: 'banner',
};

/** The page or the site has named no stream, or none that can be. */
export function wrongSettings(why: string): Message {
  return centre('error', 'Nothing to play', why);
}

/** @param hlsUrl - Where the source serves the stream as plain HLS; null for nowhere. */
export function noMediaSource(hlsUrl: string | null): Message {
  const title = 'This browser cannot put the stream together';
  if (hlsUrl === null) {
    return centre('error', title, 'It has no Media Source Extensions. Any current browser has them.');
  }
  const text = 'It has no Media Source Extensions. It may play the same stream as plain HLS, straight from the source.';
  return { ...centre('error', title, text), offer: { name: 'Play plain HLS', href: hlsUrl } };
}

/** Who learns the viewer's network address; the panel says more of it. */
export function privacyOf(mode: Mode): string {
  return mode === 'ins' ? 'No other viewer sees your address' : 'Peers that this page dials learn your address';
}
