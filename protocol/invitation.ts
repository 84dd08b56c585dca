import { pack, unpack } from './codec.ts';
import { between, bytes, optional, type Read, struct, text, u32, u53 } from './fields.ts';
import { INVITATION_BYTES_MAX, WORD_CHARS_MAX } from './limits.ts';
import { KEY_BYTES, SIGNATURE_BYTES } from './names.ts';
import { asciiBytes, concatBytes } from './text.ts';

/**
 * What a provider promises an account at INS servers that know the provider: a place for its blocks (RFC 7069 4.5: the provider
 * delegates resources to its users, and they to applications).
 */
export const invitationField = struct({
  version: between(1, 1),
  /** Who invites: an Ed25519 public key that the server's operator trusts. */
  provider: bytes(KEY_BYTES),
  /** Who is invited; null is whoever bears it, each with a quota of its own. */
  account: optional(bytes(KEY_BYTES)),
  /** For this application only; null is any. */
  application: optional(text(WORD_CHARS_MAX)),
  /** What the account may keep. */
  quotaBytes: u53,
  quotaObjects: u32,
  /** Bits of blocks put a second; null is no limit. */
  rateBps: optional(u53),
  /** Its share beside other accounts of the provider; 1 when null. */
  weight: optional(between(1, 0xffff)),
  /** Unix seconds by the server's clock. */
  notBefore: u32,
  expires: u32,
});
export type Invitation = Read<typeof invitationField>;

const CONTEXT = asciiBytes('inswarm/invitation/1\0');

/** The invitation as canonical bytes; {@link invitationSigned} of them is what the provider signs. */
export function encodeInvitation(invitation: Invitation): Uint8Array {
  return pack(invitationField.write(invitation));
}

export function invitationSigned(body: Uint8Array): Uint8Array {
  return concatBytes(CONTEXT, body);
}

/** Takes apart `body ‖ signature`; `undefined` when malformed. The signature is the caller's to verify. */
export function decodeInvitation(
  sealed: Uint8Array,
): { readonly invitation: Invitation; readonly signed: Uint8Array; readonly signature: Uint8Array } | undefined {
  if (sealed.length <= SIGNATURE_BYTES || sealed.length > INVITATION_BYTES_MAX) return undefined;
  const body = sealed.subarray(0, sealed.length - SIGNATURE_BYTES);
  const invitation = invitationField.read(unpack(body));
  if (invitation === undefined) return undefined;
  return { invitation, signed: invitationSigned(body), signature: new Uint8Array(sealed.subarray(body.length)) };
}
