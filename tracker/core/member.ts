import type { LinkId } from '../../machine/machine.ts';
import { TokenBucket } from '../../machine/rates.ts';
import { type Bitmap, bitmapNewest } from '../../protocol/bitmap.ts';
import type { Mode, NeighbourEntry } from '../../protocol/swarm-fields.ts';
import { bytesKey, sameBytes } from '../../protocol/text.ts';
import type { FromTracker, ToTracker } from '../../protocol/tracker-messages.ts';
import {
  HEARTBEAT_BROWSER_MS,
  HEARTBEAT_GRACE_MS,
  HEARTBEAT_MS,
  HEARTBEATS_MISSED,
  MORE_PER_SECOND,
  STATES_PER_SECOND,
  STATES_PER_SECOND_BROWSER,
} from './limits.ts';

type Join = Extract<ToTracker, { type: 'join' }>;
type StateEntry = Extract<FromTracker, { type: 'digest' }>['neighbours'][number];
type State = Extract<ToTracker, { type: 'state' }>;

/** What a member has been told about another one. */
export interface Known {
  /** Which of the members that used the key one after the other. */
  readonly member: Member;
  version: number;
  token: Uint8Array | null;
  /** It can be dialled by the one who knows it, so its states come from itself. */
  readonly direct: boolean;
  toldAtMs: number;
}

/** One connection that has joined a swarm. */
export class Member {
  readonly link: LinkId;
  readonly key: Uint8Array;
  /** The key, to look it up by. */
  readonly keyText: string;
  readonly role: Join['role'];
  readonly mode: Mode;
  /** Where it can be dialled; null for browsers. */
  readonly url: string | null;
  readonly region: string | undefined;
  readonly heartbeatMs: number;
  availability: readonly Bitmap[] = [];
  token: Uint8Array | null = null;
  /** Grows with each change of availability or token. */
  version = 0;
  bufferMs = 0;
  /** The newest part in any track; -1 when it has none. */
  newestPart = -1;
  /** What was measured of its uplink, in bits per second; 0 before it was. */
  uploadBps = 0;
  /** An INS server feeds it; undefined before it has said. */
  insFed: boolean | undefined;
  /** It is in its swarm: neither gone nor replaced under its key. */
  present = false;
  /** Members that were told where to dial this one. */
  leaning = 0;
  /** Its first choice of INS server. */
  ins: string | undefined;
  /** Records up to this sequence number have been sent to it. */
  recordsSent = 0;
  readonly known = new Map<string, Known>();
  private told: NeighbourEntry | undefined;
  private stateTold: StateEntry | undefined;
  private stateTokenTold: StateEntry | undefined;
  private heardAtMs: number;
  private readonly states: TokenBucket;
  private readonly mores = new TokenBucket(MORE_PER_SECOND, 4);

  constructor(link: LinkId, join: Join, url: string | null, region: string | undefined, nowMs: number) {
    this.link = link;
    this.key = join.key;
    this.keyText = bytesKey(join.key);
    this.role = join.role;
    this.mode = join.mode;
    this.url = url;
    this.region = region;
    this.heardAtMs = nowMs;
    this.heartbeatMs = url === null ? HEARTBEAT_BROWSER_MS : HEARTBEAT_MS;
    const perSecond = url === null && join.role === 'viewer' ? STATES_PER_SECOND_BROWSER : STATES_PER_SECOND;
    // A little more than the rate, so that a sender whose timer wavers loses nothing.
    this.states = new TokenBucket(perSecond * 1.1, perSecond * 2);
  }

  heard(nowMs: number): void {
    this.heardAtMs = nowMs;
  }

  expired(nowMs: number): boolean {
    return nowMs - this.heardAtMs > HEARTBEATS_MISSED * this.heartbeatMs + HEARTBEAT_GRACE_MS;
  }

  /** Takes a state in, unless they come too fast. A null token leaves the one before. @returns False when it goes unheard. */
  update(state: State, nowMs: number): boolean {
    if (!this.states.take(1, nowMs)) return false;
    const changed = !sameAvailability(this.availability, state.availability);
    const renewed = state.token !== null && (this.token === null || !sameBytes(this.token, state.token));
    this.bufferMs = state.bufferMs;
    if (renewed) this.token = state.token;
    if (changed) {
      this.availability = state.availability;
      this.newestPart = Math.max(-1, ...state.availability.map(bitmapNewest));
    }
    if (changed || renewed) this.changed();
    return true;
  }

  mayAskForMore(nowMs: number): boolean {
    return this.mores.take(1, nowMs);
  }

  /** This member as another one is told of it: the same object as long as it is the same, for shells that write it once. */
  entry(source: boolean, url: string | null): NeighbourEntry {
    const { told } = this;
    if (told?.source === source && told.url === url) return told;
    const { key: peer, mode, availability, token } = this;
    this.told = { peer, url, mode, source, availability, token };
    return this.told;
  }

  /** Its state in a digest, with its token or without; the same object as long as it is the same. */
  state(withToken: boolean): StateEntry {
    const { key: peer, availability, token } = this;
    if (!withToken) this.stateTold ??= { peer, availability, token: null, gone: false };
    else this.stateTokenTold ??= { peer, availability, token, gone: false };
    return withToken ? this.stateTokenTold! : this.stateTold!;
  }

  private changed(): void {
    this.version++;
    this.told = undefined;
    this.stateTold = undefined;
    this.stateTokenTold = undefined;
  }
}

function sameAvailability(a: readonly Bitmap[], b: readonly Bitmap[]): boolean {
  return (
    a.length === b.length &&
    a.every((bitmap, at) => {
      const other = b[at]!;
      return bitmap.track === other.track && bitmap.first === other.first && sameBytes(bitmap.bits, other.bits);
    })
  );
}
