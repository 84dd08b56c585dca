import type { Description } from '../protocol/media.ts';
import { decodeDescription, type Signed } from '../protocol/records.ts';

/** Revisions kept: parts of an older one may still be in the window. */
const REVISIONS_MAX = 8;

/** The verified descriptions of a stream, by revision; and those whose signatures are being checked. */
export class Descriptions {
  newest: Description | undefined;
  /** The numbers of its tracks. */
  tracks: readonly number[] = [];
  /** The newest one as it travels. */
  sealed: Uint8Array | undefined;
  private readonly byRevision = new Map<number, Description>();
  private readonly checks = new Map<number, { description: Description; sealed: Uint8Array }>();
  private readonly stream: Uint8Array;

  constructor(stream: Uint8Array) {
    this.stream = stream;
  }

  of(revision: number): Description | undefined {
    return this.byRevision.get(revision);
  }

  /** @returns What to verify under `ref`; `undefined` when it is malformed or no news. */
  offer(sealed: Uint8Array, ref: number): Signed<Description> | undefined {
    const decoded = decodeDescription(this.stream, sealed);
    if (decoded === undefined || !this.isNews(decoded.value) || this.checks.size >= REVISIONS_MAX) return undefined;
    this.checks.set(ref, { description: decoded.value, sealed });
    return decoded;
  }

  /** @returns The description when it is good and the newest; null when not; `undefined` when `ref` is not ours. */
  verified(ref: number, ok: boolean): Description | null | undefined {
    const check = this.checks.get(ref);
    if (check === undefined) return undefined;
    this.checks.delete(ref);
    if (!ok || !this.isNews(check.description)) return null;
    this.newest = check.description;
    this.tracks = check.description.tracks.map((track) => track.id);
    this.sealed = check.sealed;
    this.byRevision.set(check.description.revision, check.description);
    for (const revision of this.byRevision.keys()) {
      if (this.byRevision.size <= REVISIONS_MAX) break;
      this.byRevision.delete(revision);
    }
    return check.description;
  }

  private isNews({ revision, issuedAtMs }: Description): boolean {
    const { newest } = this;
    return newest === undefined || (revision > newest.revision && issuedAtMs >= newest.issuedAtMs);
  }
}
