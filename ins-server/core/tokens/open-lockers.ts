import type { AccessKind } from '../../../protocol/ins-messages.ts';
import { PART_NUMBER_MAX } from '../../../protocol/limits.ts';
import { NO_LIMITS, OPERATION } from '../../../protocol/token.ts';
import { FOLDERS_MAX } from '../limits.ts';
import type { KnownToken } from './tokens.ts';

/** What is open in one locker without a token, and to whom (RFC 6392: private, public-restricted, public-unrestricted). */
export class OpenCollections {
  /** By collection; what is not in it is private. */
  private readonly open = new Map<string, { readonly access: AccessKind; readonly application: string }>();

  /**
   * @param application - The owner's: its members are meant.
   * @returns False when there are too many.
   */
  set(collection: string, access: AccessKind, application: string): boolean {
    if (access === 'private') this.open.delete(collection);
    else if (this.open.size >= FOLDERS_MAX && !this.open.has(collection)) return false;
    else this.open.set(collection, { access, application });
    return true;
  }

  /** Something is open to everybody. */
  get isPublic(): boolean {
    for (const { access } of this.open.values()) if (access === 'public') return true;
    return false;
  }

  /** @param application - That of an account that has proved its key; null for somebody unknown. */
  permits(collection: string, application: string | null): boolean {
    const open = this.open.get(collection);
    return open !== undefined && (open.access === 'public' || open.application === application);
  }
}

/** What is open to one account of somebody's locker. */
export interface OpenLocker {
  permits(collection: string): boolean;
}

const NO_BYTES = new Uint8Array(0);

/** An open locker in a token's place: for reading, and as long as the owner leaves it open. */
export function openLocker(owner: string, permits: (collection: string) => boolean): KnownToken {
  return {
    sealed: NO_BYTES,
    token: {
      version: 1,
      issuer: NO_BYTES,
      servers: [],
      operations: OPERATION.get,
      names: null,
      collection: null,
      tracks: null,
      from: 0,
      to: PART_NUMBER_MAX + 1,
      notBefore: 0,
      expires: 0xffff_ffff,
      id: NO_BYTES,
      ...NO_LIMITS,
    },
    ownerKey: owner,
    madeBy: owner,
    idKey: '',
    holderKey: null,
    collectionKey: null,
    nameKeys: null,
    here: true,
    limited: false,
    parent: undefined,
    open: { permits },
    flaw: undefined,
  };
}
