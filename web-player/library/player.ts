import { defineInswarmPlayer } from '../element/inswarm-player.ts';

/** The whole player, as one element: importing this makes `<inswarm-player>` known. `docs/player.md` has the way in. */
export * from '../element/inswarm-player.ts';
export * from './peer.ts';

// On a server that draws pages there is nothing to make it known to.
if (globalThis.customElements !== undefined) defineInswarmPlayer();
