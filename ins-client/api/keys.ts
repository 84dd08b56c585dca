import { keyText } from './texts.ts';

/** An account's keys: whoever has them is the owner of its lockers. */
export interface Keys {
  /** Ed25519, 32 bytes. */
  readonly publicKey: Uint8Array;
  /** 64 bytes. */
  sign(bytes: Uint8Array): Uint8Array | Promise<Uint8Array>;
}

/** How others name the account, as the holder of a token for instance: the public key, 43 characters of base64url. */
export function accountOf(keys: Pick<Keys, 'publicKey'>): string {
  return keyText(keys.publicKey);
}
