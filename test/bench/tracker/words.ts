import { bitmapOf } from '../../../protocol/bitmap.ts';
import type { Mode } from '../../../protocol/swarm-fields.ts';
import {
  type FromTracker,
  fromTrackerCodec,
  type ToTracker,
  toTrackerCodec,
} from '../../../protocol/tracker-messages.ts';

/** What members of the bench say: as long as what real ones say. */

/** Parts that a member of a live stream holds: a minute of them. */
const PARTS_HELD = 240;
/** A range token for one server. */
const TOKEN_BYTES = 230;

/** What comes before the nonce in a welcome, and how an answer to a join, a digest and a refusal begin. */
export const WELCOME_HEAD = Buffer.from(
  fromTrackerCodec.encode({ type: 'welcome', version: 1, nonce: new Uint8Array(32) }).subarray(0, -32),
);
const NONE = { description: null, records: [], neighbours: [], insServers: [] } as const;
export const JOINED = headOf({ type: 'joined', clockMs: 0, heartbeatMs: 0, state: 'live', ...NONE });
export const DIGEST = headOf({ type: 'digest', neighbours: [], records: [] });
export const REFUSED = headOf({ type: 'refused', reason: 'OVERLOAD', text: '', retryAfterMs: 0 });

/** An array's head and the tag. */
function headOf(message: FromTracker): Buffer {
  return Buffer.from(fromTrackerCodec.encode(message).subarray(0, 2));
}

type Join = Extract<ToTracker, { type: 'join' }>;

export interface Kind {
  readonly mode: Mode;
  /** Null is a browser. */
  readonly url: string | null;
}

/** Headless native peers: they have bitmaps and no tokens. */
export const NATIVE: Kind = { mode: 'native', url: ':7000' };
/** Browsers in INS mode: all they know of each other comes through the hub. */
export const BROWSER: Kind = { mode: 'ins', url: null };

export function joinBytes(stream: Uint8Array, key: Uint8Array, kind: Kind, proof: Uint8Array): Uint8Array {
  const join: Join = { type: 'join', version: 1, role: 'viewer', stream, key, region: null, proof, ...kind };
  return toTrackerCodec.encode(join);
}

/** A state at a time: two tracks, of which the newest parts have just come. */
export function stateBytes(newestPart: number, token: boolean): Uint8Array {
  const parts = Array.from({ length: PARTS_HELD }, (_, at) => newestPart - PARTS_HELD + 1 + at);
  const availability = [bitmapOf(0, parts), bitmapOf(1, parts)];
  const figures = {
    bufferMs: 1_000,
    latencyMs: 1_500,
    uploadBps: 2_000_000 + (newestPart % 100) * 1_000,
    insFed: false,
  };
  const sealed = token ? new Uint8Array(TOKEN_BYTES).fill(newestPart & 0xff) : null;
  return toTrackerCodec.encode({ type: 'state', availability, token: sealed, ...figures });
}
