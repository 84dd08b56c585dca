import { encodeInvitation } from '../../protocol/invitation.ts';
import { encodeDescription, encodeRecord } from '../../protocol/records.ts';
import { encodeToken } from '../../protocol/token.ts';
import {
  conversations,
  delegatedToken,
  description,
  frameBytes,
  frames,
  fullToken,
  invitation,
  record,
  token,
} from './samples.ts';

/** The golden vectors: what each value is and what it is on the wire, as JSON for any language. */

export interface Vector {
  readonly name: string;
  /** Byte strings as `{ "hex": "…" }`. */
  readonly value: unknown;
  /** The whole message, body or frame, as hex. */
  readonly wire: string;
}

export function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

/** File names, without `.json`, and their vectors as the code makes them now. */
export function makeVectors(): ReadonlyMap<string, readonly Vector[]> {
  const out = new Map<string, Vector[]>();
  for (const { name, codec, samples } of conversations) {
    out.set(
      name,
      samples.map((sample) => vector(sample.type, sample, codec.encode(sample))),
    );
  }
  out.set('signed-bodies', [
    vector('description', description, encodeDescription(description)),
    vector('record', record, encodeRecord(record)),
    vector('token', token, encodeToken(token)),
    vector('token with every claim', fullToken, encodeToken(fullToken)),
    vector('delegated token', delegatedToken, encodeToken(delegatedToken)),
    vector('invitation', invitation, encodeInvitation(invitation)),
  ]);
  out.set(
    'block-frames',
    frames.map(({ name, header }) => vector(name, header, frameBytes(header))),
  );
  return out;
}

function vector(name: string, value: unknown, wire: Uint8Array): Vector {
  return { name, value: plain(value), wire: hexOf(wire) };
}

/** A value as JSON can hold it. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return { hex: hexOf(value) };
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, plain(inner)]));
}
