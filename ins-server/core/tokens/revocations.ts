import { TOKEN_LEEWAY_SECONDS, TOKEN_LIFE_SECONDS_MAX } from '../../../protocol/limits.ts';
import type { Reason } from '../../../protocol/reasons.ts';
import { bytesKey } from '../../../protocol/text.ts';
import { REVOKED_IDS_MAX, REVOKED_IDS_PER_ISSUER_MAX, REVOKERS_MAX, STRANGERS_SHARE } from '../limits.ts';
import type { KnownToken } from './tokens.ts';

/** What one issuer has revoked. */
interface Revoked {
  epoch: number;
  /** Ids, oldest first, and when each is forgotten: no token that is good today is good then. */
  readonly ids: Map<string, number>;
  forgetAtMs: number;
}

const KEPT_MS = (TOKEN_LIFE_SECONDS_MAX + 2 * TOKEN_LEEWAY_SECONDS) * 1000;

/** Tokens that their issuers have taken back, by id and by epoch (RFC 7069 6.2.1). */
export class Revocations {
  private readonly issuers = new Map<string, Revoked>();
  private ids = 0;

  /**
   * @param stranger - It keeps nothing here and nobody has invited it: most of the room is for the others.
   * @returns Why not, if so: nothing was revoked then.
   */
  revoke(
    issuer: string,
    ids: readonly Uint8Array[],
    epoch: number | null,
    stranger: boolean,
    nowMs: number,
  ): Reason | undefined {
    const share = stranger ? STRANGERS_SHARE : 1;
    const there = this.issuers.get(issuer);
    if (there === undefined && this.issuers.size >= REVOKERS_MAX * share) return 'OVERLOAD';
    const revoked = there ?? { epoch: 0, ids: new Map<string, number>(), forgetAtMs: 0 };
    this.forgetIds(revoked, nowMs);
    const fresh = ids.map(bytesKey).filter((id) => !revoked.ids.has(id));
    // All older tokens can still be revoked at once, by the epoch.
    const full = revoked.ids.size + fresh.length > REVOKED_IDS_PER_ISSUER_MAX;
    const over = fresh.length > 0 && this.ids + fresh.length > REVOKED_IDS_MAX * share;
    if (full || over) return 'QUOTA_STORAGE';
    for (const id of fresh) revoked.ids.set(id, nowMs + KEPT_MS);
    this.ids += fresh.length;
    revoked.epoch = Math.max(revoked.epoch, epoch ?? 0);
    revoked.forgetAtMs = nowMs + KEPT_MS;
    this.issuers.set(issuer, revoked);
    return undefined;
  }

  /** A token is void when its issuer, or the owner of the locker that it opens, has revoked it or the one it was made from. */
  cover(known: KnownToken): boolean {
    if (this.issuers.size === 0 || known.open !== undefined) return false;
    const { parent } = known;
    if (this.names(known.madeBy, known.idKey) || this.isPast(known)) return true;
    if (parent === undefined) return false;
    return this.names(parent.madeBy, parent.idKey) || this.names(parent.madeBy, known.idKey) || this.isPast(parent);
  }

  /** @param isHere - Whether an issuer has an account here: its epoch is kept for as long. */
  tidy(nowMs: number, isHere: (issuer: string) => boolean): void {
    for (const [issuer, revoked] of this.issuers) {
      this.forgetIds(revoked, nowMs);
      if (revoked.forgetAtMs <= nowMs && (revoked.epoch === 0 || !isHere(issuer))) this.issuers.delete(issuer);
    }
  }

  private forgetIds({ ids }: Revoked, nowMs: number): void {
    for (const [id, forgetAtMs] of ids) {
      if (forgetAtMs > nowMs) return;
      ids.delete(id);
      this.ids--;
    }
  }

  private names(issuer: string, id: string): boolean {
    return this.issuers.get(issuer)?.ids.has(id) === true;
  }

  private isPast({ madeBy, token }: KnownToken): boolean {
    const revoked = this.issuers.get(madeBy);
    return revoked !== undefined && (token.epoch ?? 0) < revoked.epoch;
  }
}
