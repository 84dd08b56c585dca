import type { FromInsClient } from '../../protocol/ins-messages.ts';
import { TOKEN_ALIASES_MAX } from '../../protocol/limits.ts';
import { KEY_BYTES } from '../../protocol/names.ts';
import { bytesKey } from '../../protocol/text.ts';

/** One token that requests run under; it may be renewed while they do. */
export interface HeldToken {
  /** Or the key of an account whose locker is open. */
  sealed: Uint8Array;
  /** Its number on the present connection; 0 when it has none. */
  alias: number;
  /** Requests and items that still need it. */
  users: number;
  /** The server did not take it: it is forgotten once nothing runs under it. */
  refused: boolean;
}

/**
 * The short numbers by which the tokens go on one connection. A token is sent once; the number of the token that was
 * unused for longest is given to the next when all are taken, never that of one in use.
 */
export class Aliases {
  /** Oldest use first. */
  private readonly held = new Set<HeldToken>();
  private readonly byBytes = new Map<string, HeldToken>();
  private readonly free: number[] = [];
  private last = 0;
  private readonly send: (message: FromInsClient) => void;

  /** @param send - Called only from methods that are called while the connection is open. */
  constructor(send: (message: FromInsClient) => void) {
    this.send = send;
  }

  hold(sealed: Uint8Array): HeldToken {
    const key = bytesKey(sealed);
    const token = this.byBytes.get(key) ?? { sealed, alias: 0, users: 0, refused: false };
    this.byBytes.set(key, token);
    this.held.delete(token);
    this.held.add(token);
    token.users++;
    return token;
  }

  release(token: HeldToken): void {
    token.users--;
    const shadowed = this.byBytes.get(bytesKey(token.sealed)) !== token;
    if (token.users === 0 && (token.alias === 0 || token.refused || shadowed)) this.forget(token);
  }

  find(sealed: Uint8Array): HeldToken | undefined {
    return this.byBytes.get(bytesKey(sealed));
  }

  /** The token's number, sending it first when it has none; `undefined` when all are in use. */
  number(token: HeldToken): number | undefined {
    if (token.alias !== 0) return token.alias;
    const alias = this.free.pop() ?? (this.last < TOKEN_ALIASES_MAX ? ++this.last : this.takeUnused());
    if (alias === undefined) return undefined;
    token.alias = alias;
    // What is as long as a key is no token: it names whose open locker is meant.
    const { sealed } = token;
    this.send(
      sealed.length === KEY_BYTES ? { type: 'open', alias, owner: sealed } : { type: 'token', alias, token: sealed },
    );
    return alias;
  }

  /** How many more tokens can get a number now. */
  available(): number {
    let used = 0;
    for (const token of this.held) if (token.alias !== 0 && token.users > 0) used++;
    return TOKEN_ALIASES_MAX - used;
  }

  /**
   * What runs under `old` goes on under `sealed`.
   *
   * @param told - The server knows already.
   * @param open - There is a connection.
   */
  renew(old: HeldToken, sealed: Uint8Array, told: boolean, open: boolean): void {
    const oldKey = bytesKey(old.sealed);
    const key = bytesKey(sealed);
    if (oldKey === key) return;
    if (this.byBytes.get(oldKey) === old) this.byBytes.delete(oldKey);
    old.sealed = sealed;
    old.refused = false;
    // Where the new one is held already, this one goes on beside it until its requests are done.
    if (!this.byBytes.has(key)) this.byBytes.set(key, old);
    else if (old.users === 0) this.forget(old);
    if (old.alias !== 0 && open && !told) this.send({ type: 'token', alias: old.alias, token: sealed });
  }

  /** The server did not take the token of this number. */
  refused(alias: number): void {
    for (const token of this.held) {
      if (token.alias !== alias) continue;
      token.refused = true;
      if (token.users === 0) this.forget(token);
      return;
    }
  }

  /** The connection is gone, and with it all numbers. */
  reset(): void {
    this.free.length = 0;
    this.last = 0;
    for (const token of [...this.held]) {
      token.alias = 0;
      token.refused = false;
      if (token.users === 0) this.forget(token);
    }
  }

  private takeUnused(): number | undefined {
    for (const token of this.held) {
      if (token.users > 0 || token.alias === 0) continue;
      this.forget(token);
      return this.free.pop();
    }
    return undefined;
  }

  private forget(token: HeldToken): void {
    this.held.delete(token);
    const key = bytesKey(token.sealed);
    if (this.byBytes.get(key) === token) this.byBytes.delete(key);
    if (token.alias !== 0) this.free.push(token.alias);
    token.alias = 0;
  }
}
