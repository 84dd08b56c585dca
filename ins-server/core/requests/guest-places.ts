import type { Label } from '../../../protocol/frames.ts';
import { PART_NUMBER_MAX } from '../../../protocol/limits.ts';
import { HASH_BYTES } from '../../../protocol/names.ts';
import { bytesKey } from '../../../protocol/text.ts';
import { decodeToken } from '../../../protocol/token.ts';
import type { GuestCall } from '../io.ts';
import type { Storage } from '../storage/storage.ts';

type GuestPut = Extract<GuestCall, { readonly kind: 'put' }>;

/** Where blocks are filed whose putter names no label. */
export const UNNAMED_COLLECTION: Uint8Array = new Uint8Array(HASH_BYTES);

/** Where a block goes, and whether it is there already. */
export interface GuestPlace {
  readonly collection: Uint8Array;
  readonly label: Label;
  readonly start: boolean;
  readonly known: boolean;
  /** To be called when the put is over: until then nobody else is given the place. */
  readonly free: () => void;
}

/** Finds places for blocks that come without a label: where the block is already, else behind all that is there. */
export class GuestPlaces {
  /** By owner: parts given to puts under way. */
  private readonly given = new Map<string, Set<number>>();
  private readonly storage: Storage;

  constructor(storage: Storage) {
    this.storage = storage;
  }

  /** The token is looked at, not checked: who forges one is refused before the place matters. */
  find({ name, label }: GuestPut, token: Uint8Array | null): GuestPlace {
    const owner = token === null ? undefined : ownerOf(token);
    const collection = label?.collection ?? UNNAMED_COLLECTION;
    const folders = owner === undefined ? undefined : this.storage.lockers.get(owner)?.folders;
    const shelf = folders?.get(bytesKey(collection))?.own;
    const key = bytesKey(name);
    if (label !== null) {
      const { track, part, index, start } = label;
      const known = shelf?.at(track, part, index)?.block.key === key;
      return { collection, label: { track, part, index }, start, known, free: () => {} };
    }
    const there = shelf?.named(key, () => true)?.labelled;
    if (there !== undefined) {
      const { track, part, index, start } = there;
      return { collection, label: { track, part, index }, start, known: true, free: () => {} };
    }
    const given = this.given.get(owner ?? '') ?? new Set();
    const part = Math.min(Math.max(shelf?.span()?.newest ?? -1, ...given) + 1, PART_NUMBER_MAX);
    given.add(part);
    this.given.set(owner ?? '', given);
    const free = (): void => {
      given.delete(part);
      if (given.size === 0) this.given.delete(owner ?? '');
    };
    return { collection, label: { track: 0, part, index: 0 }, start: true, known: false, free };
  }
}

/** Whose locker a token opens. */
function ownerOf(sealed: Uint8Array): string | undefined {
  const token = decodeToken(sealed)?.token;
  const parent = token === undefined || token.parent === null ? token : decodeToken(token.parent)?.token;
  return parent === undefined ? undefined : bytesKey(parent.issuer);
}
