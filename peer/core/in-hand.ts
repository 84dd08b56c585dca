import { PLAYER_DEFAULTS, type PlayerOptions } from '../../machine/player.ts';
import type { PeerOptions } from './peer-options.ts';

/** What is kept in hand beyond the latest that parts came, where a server sends them as they are made. */
const INS_PLAYER = { inHandMs: 250 };
/** What comes through several viewers comes at uneven times: so much is kept in hand. */
const NATIVE_PLAYER = { inHandMs: 2_000 };
/** Where news comes by bitmaps, once a second from one to the next. */
const DRAFTS_PLAYER = { inHandMs: 3_000 };
/** Where neighbours may have to take over within a moment. */
const HYBRID_PLAYER = { inHandMs: 3_000 };

/** How the player model plays: how much it keeps in hand is a matter of who feeds it, unless the viewer says it. */
export function playerOf({ mode, follow, player }: PeerOptions): PlayerOptions {
  const ins = follow === false ? DRAFTS_PLAYER : INS_PLAYER;
  const inHand = { ins, native: NATIVE_PLAYER, hybrid: HYBRID_PLAYER }[mode];
  return { ...inHand, ...(player ?? PLAYER_DEFAULTS) };
}
