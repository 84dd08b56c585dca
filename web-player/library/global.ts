import Hls from 'hls.js';

export * from './player.ts';
/** The hls.js that is in this file, for those who make their own. */
export { Hls };
