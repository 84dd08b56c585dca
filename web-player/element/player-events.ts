import type { SessionEvent } from '../playback/events.ts';

/** What the element tells, each as a CustomEvent whose `detail` is this. They do not bubble. */
export interface InswarmPlayerEvents {
  /** There is a session now, or another one: the element's `session`. */
  readonly opened: { readonly stream: string };
  /** The first frame is on screen. */
  readonly started: Of<'started'>;
  /** The picture stands for want of media. */
  readonly freeze: Of<'freeze'>;
  /** And moves again. */
  readonly resumed: Of<'resumed'>;
  /** Most of what comes now comes from somewhere else than before; the first time, too. */
  readonly 'source-changed': Of<'source-changed'>;
  /** What the player does now, and did before: `idle`, `starting`, `playing`, `paused`, `frozen`, `ended`, `failed`. */
  readonly state: Of<'phase'>;
  /** What the broadcast does, as the tracker has it. */
  readonly 'stream-state': Of<'stream-state'>;
  /** Another rendition is on screen. */
  readonly quality: Of<'quality'>;
  /** The stream's title is known. */
  readonly title: { readonly title: string };
  /** Something went wrong; `fatal`: nothing more will come. `settings`: the attributes name no stream that can be played. */
  readonly error: Omit<Of<'error'>, 'code'> & { readonly code: Of<'error'>['code'] | 'settings' };
}

type Of<Kind extends SessionEvent['kind']> = Omit<Extract<SessionEvent, { readonly kind: Kind }>, 'kind'>;

/** For `addEventListener`: the types of the events. */
export type InswarmPlayerEventMap = {
  readonly [Name in keyof InswarmPlayerEvents]: CustomEvent<InswarmPlayerEvents[Name]>;
};

/** Under which name the element tells what its session does. */
export function nameOf(kind: SessionEvent['kind']): keyof InswarmPlayerEvents {
  return kind === 'phase' ? 'state' : kind;
}
