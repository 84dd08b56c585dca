import { isIP, isIPv6 } from 'node:net';
import type { Label } from '../../../protocol/frames.ts';
import {
  BLOCK_BYTES_MAX,
  BLOCK_TTL_SECONDS_DEFAULT,
  BLOCK_TTL_SECONDS_MAX,
  MEDIA_TYPE_CHARS_MAX,
  PART_NUMBER_MAX,
  TRACKS_MAX,
} from '../../../protocol/limits.ts';
import { HASH_BYTES, nameFromText } from '../../../protocol/names.ts';
import { fromBase64Url } from '../../../protocol/text.ts';
import { isLoopback } from '../../../runtime/node/ws-server.ts';

/** Reads what HTTP requests say. A text instead of a value says what is wrong with it. */

/** One value each: of a field that comes twice, Node joins the values or keeps the first. */
export type Headers = Readonly<Record<string, string | string[] | undefined>>;

export type Parsed<T> = { readonly value: T } | { readonly problem: string };

/** The block's name in `/.well-known/ni/<algorithm>/<value>` (RFC 6920 section 4). */
export function parseName(algorithm: string, value: string): Parsed<Uint8Array> {
  if (algorithm !== 'blake3') return { problem: 'names here are those of blake3: /.well-known/ni/blake3/…' };
  const name = nameFromText(`ni:///blake3;${value}`);
  if (name === undefined) return { problem: 'a name is the BLAKE3-256 hash as 43 characters of base64url' };
  return { value: name };
}

/** `Authorization: Bearer <base64url of the sealed token>` (RFC 6750 section 2.1); null when there is none. */
export function parseToken({ authorization }: Headers): Parsed<Uint8Array | null> {
  if (authorization === undefined) return { value: null };
  const [, text] = /^Bearer +(\S+) *$/i.exec(String(authorization)) ?? [];
  if (text === undefined) return { problem: 'Authorization is Bearer and the token in base64url' };
  // What is no base64url is no token either: whoever knows tokens says so, and counts it.
  return { value: /^[\w-]+=*$/.test(text) ? new Uint8Array(Buffer.from(text, 'base64url')) : new Uint8Array(0) };
}

/** Seconds to keep a block: `Expires-In`, else `max-age` of `Cache-Control`, else the usual time. */
export function parseLife(headers: Headers): Parsed<number> {
  const [, maxAge] = /(?:^|[\s,])max-age="?(\d+)/i.exec(String(headers['cache-control'] ?? '')) ?? [];
  const text = headers['expires-in'] ?? maxAge;
  if (text === undefined) return { value: BLOCK_TTL_SECONDS_DEFAULT };
  const seconds = wholeNumber(text, 1, BLOCK_TTL_SECONDS_MAX);
  if (seconds === undefined) return { problem: `blocks are kept for 1 to ${BLOCK_TTL_SECONDS_MAX} seconds` };
  return { value: seconds };
}

/** `type/subtype` with or without parameters (RFC 9110 section 8.3.1), of visible characters. */
const MEDIA_TYPE = /^[\w!#$%&'*+.^`|~-]+\/[\w!#$%&'*+.^`|~-]+( *;[\x20-\x7e]*)?$/;

/** What a block is put as; empty where nothing is said, or what curl says unasked. */
export function parseMediaType(headers: Headers): Parsed<string> {
  const text = String(headers['content-type'] ?? '');
  if (text === '' || text.startsWith('application/x-www-form-urlencoded')) return { value: '' };
  if (text.length <= MEDIA_TYPE_CHARS_MAX && MEDIA_TYPE.test(text)) return { value: text };
  return { problem: `Content-Type is a media type of at most ${MEDIA_TYPE_CHARS_MAX} characters` };
}

/** What a block is given as: what was said of it elsewhere may be anything. */
export function contentType(mediaType: string | undefined): string {
  return mediaType !== undefined && MEDIA_TYPE.test(mediaType) ? mediaType : 'application/octet-stream';
}

export type PutLabel = Label & { readonly collection: Uint8Array; readonly start: boolean };

/** Where a block is to be filed; null when the headers leave it to the server. */
export function parseLabel(headers: Headers): Parsed<PutLabel | null> {
  const text = headers['ins-collection'];
  const others = ['ins-track', 'ins-part', 'ins-index'].filter((header) => headers[header] !== undefined);
  if (text === undefined && others.length === 0) return { value: null };
  const collection = fromBase64Url(String(text ?? ''));
  if (collection?.length !== HASH_BYTES) return { problem: 'INS-Collection is 32 bytes as 43 characters of base64url' };
  const track = wholeNumber(headers['ins-track'] ?? '0', 0, TRACKS_MAX - 1);
  if (track === undefined) return { problem: `INS-Track is a number from 0 to ${TRACKS_MAX - 1}` };
  const part = wholeNumber(headers['ins-part'] ?? '', 0, PART_NUMBER_MAX);
  if (part === undefined) return { problem: `INS-Part is needed with INS-Collection: 0 to ${PART_NUMBER_MAX}` };
  const index = wholeNumber(headers['ins-index'] ?? '0', 0, 65_535);
  if (index === undefined) return { problem: 'INS-Index is a number from 0 to 65535' };
  // Every part of what is put so can be begun at: HTTP knows nothing of what depends on what.
  return { value: { collection, track, part, index, start: true } };
}

/** Bytes of a body; the status where it is not right. */
export function parseLength(headers: Headers): { readonly value: number } | { readonly status: 400 | 411 | 413 } {
  const text = headers['content-length'];
  if (text === undefined || headers['transfer-encoding'] !== undefined) return { status: 411 };
  const value = wholeNumber(text, 0, Number.MAX_SAFE_INTEGER);
  if (value === undefined) return { status: 400 };
  return value === 0 || value > BLOCK_BYTES_MAX ? { status: 413 } : { value };
}

/** A byte range, both ends included. */
export interface ByteRange {
  readonly first: number;
  readonly last: number;
}

/**
 * The range to send (RFC 9110 section 14.2): undefined for all of it, null for one that cannot be satisfied. Several ranges
 * and other units are answered by the whole, as that section allows.
 */
export function parseRange(headers: Headers, etag: string, sizeBytes: number): ByteRange | null | undefined {
  const { range, 'if-range': ifRange } = headers;
  if (range === undefined || (ifRange !== undefined && ifRange !== etag)) return undefined;
  const [, from, to] = /^bytes=\s*(\d{0,15})-(\d{0,15})\s*$/i.exec(String(range)) ?? [];
  if (from === undefined || to === undefined || (from === '' && to === '')) return undefined;
  if (from === '') return to === '0' ? null : { first: Math.max(0, sizeBytes - Number(to)), last: sizeBytes - 1 };
  const first = Number(from);
  const last = to === '' ? sizeBytes - 1 : Math.min(Number(to), sizeBytes - 1);
  if (to !== '' && Number(to) < first) return undefined;
  return first >= sizeBytes ? null : { first, last };
}

/** Whether `If-None-Match` names what there is (RFC 9110 section 13.1.2: weak comparison). */
export function isKnown(headers: Headers, etag: string): boolean {
  const known = headers['if-none-match'];
  if (known === undefined) return false;
  return String(known)
    .split(',')
    .map((tag) => tag.trim().replace(/^W\//, ''))
    .some((tag) => tag === '*' || tag === etag);
}

/**
 * What an address goes by where what it causes is counted: of IPv6 the network of 64 bits, which is one customer's; empty for
 * this machine, and for what a proxy here calls an address and is none.
 */
export function addressGroup(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '');
  if (isIP(plain) === 0 || isLoopback(plain)) return '';
  if (!isIPv6(plain)) return plain;
  const [head = '', tail] = plain.split('::');
  const groups = head === '' ? [] : head.split(':');
  if (tail !== undefined) {
    const behind = tail === '' ? 0 : tail.split(':').length;
    while (groups.length + behind < 8) groups.push('0');
  }
  return `${groups.slice(0, 4).join(':')}::/64`;
}

function wholeNumber(text: string | string[], min: number, max: number): number | undefined {
  const value = /^\d{1,16}$/.test(String(text)) ? Number(text) : Number.NaN;
  return value >= min && value <= max ? value : undefined;
}
