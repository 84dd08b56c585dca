import type { Actions } from './actions.ts';

const SEEK_S = 10;
/** The player that keys on keyboards, headsets and lock screens reach: there is one such set of keys, whoever has begun last has it. */
let holder: object | undefined;

/** Gives a player that begins the machine's media keys, with the title for its lock screen. */
export function holdMediaKeys(player: object, title: string, actions: Actions): void {
  if (!('mediaSession' in navigator)) return;
  holder = player;
  navigator.mediaSession.metadata = new MediaMetadata({ title });
  setHandlers({
    play: () => actions.togglePlay(),
    pause: () => actions.togglePlay(),
    seekbackward: () => actions.seekBy(-SEEK_S),
    seekforward: () => actions.seekBy(SEEK_S),
  });
}

/** Called when a player has closed: nobody is left whom the keys would reach. */
export function releaseMediaKeys(player: object): void {
  if (holder !== player) return;
  holder = undefined;
  navigator.mediaSession.metadata = null;
  setHandlers({ play: null, pause: null, seekbackward: null, seekforward: null });
}

function setHandlers(handlers: Readonly<Partial<Record<MediaSessionAction, MediaSessionActionHandler | null>>>): void {
  for (const [action, handler] of Object.entries(handlers)) {
    try {
      navigator.mediaSession.setActionHandler(action as MediaSessionAction, handler);
    } catch {
      // A browser that does not know this action.
    }
  }
}
