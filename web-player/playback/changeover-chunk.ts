/** What it takes to play the source's plain HLS while nothing comes out of the swarm; `session.ts` loads it where that is allowed. */
export { Changeover } from './changeover.ts';
export { Reloading, Replacing } from './changers.ts';
export { findHlsUrl } from './plain-hls.ts';
