import { nodeClock } from '../../runtime/node/clock.ts';
import { randomBytes } from '../../runtime/node/crypto.ts';
import { hashOf } from '../../runtime/node/hash.ts';
import { dialLink } from '../../runtime/node/ws-link.ts';
import type { Platform } from '../api/platform.ts';

export const nodePlatform: Platform = {
  clock: nodeClock,
  dial: (url, events) => dialLink(url, events),
  loadHash: async () => ({ hashOf }),
  randomBytes,
};
