import { sameBytes } from '../../../protocol/text.ts';
import type { Token } from '../../../protocol/token.ts';

/**
 * Whether a token allows anything that the one it was made from does not (delegation narrows). Blocks that it names are
 * compared with a parent's range when they are asked for, which alone tells where a name is filed.
 */
export function isWider(token: Token, parent: Token): boolean {
  return (
    (token.operations & ~parent.operations) !== 0 ||
    token.notBefore < parent.notBefore ||
    token.expires > parent.expires ||
    !token.servers.every((server) => parent.servers.some((other) => isSame(server, other))) ||
    objectsAreWider(token, parent) ||
    exceeds(token.uses, parent.uses) ||
    exceeds(token.rateBps, parent.rateBps) ||
    exceeds(token.amountBytes, parent.amountBytes) ||
    // A weight that is not named is 1.
    (token.weight ?? 1) > (parent.weight ?? 1)
  );
}

function objectsAreWider(token: Token, parent: Token): boolean {
  const known = parent.names;
  if (token.names !== null && parent.collection === null) {
    if (!token.names.every((name) => known?.some((other) => sameBytes(name, other)) === true)) return true;
  }
  if (token.collection === null) return false;
  if (parent.collection === null || !sameBytes(token.collection, parent.collection)) return true;
  if (token.from < parent.from || token.to > parent.to) return true;
  const { tracks } = parent;
  return tracks !== null && (token.tracks === null || token.tracks.some((track) => !tracks.includes(track)));
}

function isSame(one: Token['servers'][number], other: Token['servers'][number]): boolean {
  return one.url === other.url && sameBytes(one.key, other.key);
}

/** No limit is more than any. */
function exceeds(limit: number | null, other: number | null): boolean {
  return other !== null && (limit === null || limit > other);
}
