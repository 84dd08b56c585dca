import { decodeInvitation, type Invitation } from '../../../protocol/invitation.ts';
import { TOKEN_LEEWAY_SECONDS } from '../../../protocol/limits.ts';
import { bytesKey } from '../../../protocol/text.ts';
import type { InsServerOptions } from '../io.ts';

/** What an account may keep and put. */
export interface Grant {
  readonly quotaBytes: number;
  readonly quotaObjects: number;
  /** Bits of blocks put a second; null is no limit. */
  readonly rateBps: number | null;
  /** It was promised by nobody: it shares with others of its kind what the server has for them. */
  readonly stranger: boolean;
}

/** An invitation as it came: taken apart, its signature not checked. */
export interface UnverifiedInvitation {
  readonly invitation: Invitation;
  readonly signed: Uint8Array;
  readonly signature: Uint8Array;
}

/** Who may have a locker here: everybody, or whom a provider invites (RFC 7069 4.5; user and application registration). */
export class Registration {
  /** What those have who were not invited. */
  readonly uninvited: Grant;
  private readonly providers: ReadonlySet<string>;

  constructor({ limits, registration = 'open', providers = [] }: InsServerOptions) {
    const isOpen = registration === 'open';
    this.providers = new Set(providers.map(bytesKey));
    this.uninvited = {
      quotaBytes: isOpen ? limits.quotaBytes : 0,
      quotaObjects: isOpen ? limits.quotaObjects : 0,
      rateBps: null,
      stranger: true,
    };
  }

  /**
   * An invitation to be verified; why it is not good; or undefined where it is of a provider that is unknown here, and so no
   * better than none.
   */
  read(
    sealed: Uint8Array,
    account: Uint8Array,
    application: string,
    nowMs: number,
  ): UnverifiedInvitation | string | undefined {
    const decoded = decodeInvitation(sealed);
    if (decoded === undefined) return 'the invitation is malformed';
    const { invitation } = decoded;
    if (!this.providers.has(bytesKey(invitation.provider))) return undefined;
    if (invitation.account !== null && bytesKey(invitation.account) !== bytesKey(account)) {
      return 'the invitation is for another account';
    }
    if (invitation.application !== null && invitation.application !== application) {
      return `the invitation is for the application ${invitation.application}`;
    }
    const nowSeconds = nowMs / 1000;
    if (invitation.expires <= nowSeconds) return 'the invitation has expired';
    if (invitation.notBefore > nowSeconds + TOKEN_LEEWAY_SECONDS) return 'the invitation is not valid yet';
    return decoded;
  }
}

export function grantOf({ quotaBytes, quotaObjects, rateBps }: Invitation): Grant {
  return { quotaBytes, quotaObjects, rateBps, stranger: false };
}
