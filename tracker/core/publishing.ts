import { TOKEN_LEEWAY_SECONDS } from '../../protocol/limits.ts';
import type { Description } from '../../protocol/media.ts';
import { decodeDescription, type Signed } from '../../protocol/records.ts';
import type { InsServerEntry } from '../../protocol/swarm-fields.ts';
import { sameBytes } from '../../protocol/text.ts';
import type { ToTracker } from '../../protocol/tracker-messages.ts';
import { completeUrl, isUrl } from './addresses.ts';
import type { Member } from './member.ts';
import { type Refusal, refusal } from './refusal.ts';
import type { Published, Swarm } from './swarm.ts';

/** A publish that can be read; its signature is yet to be checked. */
export interface ReadPublish {
  readonly sealed: Uint8Array;
  readonly signed: Signed<Description>;
  readonly insServers: readonly InsServerEntry[];
  readonly hlsUrl: string | null;
}

/** @param address - Where the publisher is connected from; completes its `hlsUrl`. */
export function readPublish(
  { description: sealed, insServers, hlsUrl }: Extract<ToTracker, { type: 'publish' }>,
  stream: Uint8Array,
  address: string,
): ReadPublish | Refusal {
  if (!insServers.every(({ url }) => isUrl(url, 'ws'))) {
    return refusal('MALFORMED', 'the url of an INS server is not a ws:// or wss:// address');
  }
  const wholeUrl = hlsUrl === null ? null : completeUrl(hlsUrl, address, 'http');
  if (wholeUrl === undefined) {
    return refusal('MALFORMED', 'the hlsUrl is neither :PORT/path nor an http:// or https:// address');
  }
  const signed = decodeDescription(stream, sealed);
  if (signed === undefined) return refusal('MALFORMED', 'the description cannot be read');
  return { sealed, signed, insServers, hlsUrl: wholeUrl };
}

/** Decides whether a description whose signature is good takes the place of what is known of the stream. */
export function decidePublish(
  { source, published }: Swarm,
  member: Member,
  { sealed, signed, insServers, hlsUrl }: ReadPublish,
  nowMs: number,
): Published | Refusal {
  const description = signed.value;
  if (description.expiresAtMs < nowMs - TOKEN_LEEWAY_SECONDS * 1000) {
    return refusal('TOKEN_EXPIRED', "the description has expired, by the tracker's clock");
  }
  const { rootKey, signingKey } = description;
  // Anybody can repeat a description. Who holds one of its keys has proved that in the join.
  if (source !== member && !sameBytes(member.key, rootKey) && !sameBytes(member.key, signingKey)) {
    return refusal('NOT_ALLOWED', "a source joins with the stream's root key or its signing key");
  }
  if (published !== undefined && compareDescriptions(description, published.description) < 0) {
    return refusal('NOT_ALLOWED', 'a newer description of this stream is known');
  }
  return { sealed, description, insServers, hlsUrl };
}

/** Above 0 when `a` is newer. A source that was restarted counts revisions from the start again, but issues them later. */
export function compareDescriptions(a: Description, b: Description): number {
  return a.issuedAtMs - b.issuedAtMs || a.revision - b.revision;
}

/** Whether two publishes announce the same INS servers in the same order. */
export function sameServers(a: Published | undefined, b: Published | undefined): boolean {
  const text = (published: Published | undefined): string =>
    (published?.insServers ?? []).map(({ url, region }) => `${url} ${region}`).join('\n');
  return text(a) === text(b);
}
