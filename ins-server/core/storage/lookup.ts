import type { Label } from '../../../protocol/frames.ts';
import type { Reason } from '../../../protocol/reasons.ts';
import { coversEntry, type KnownToken } from '../tokens/tokens.ts';
import type { Folder, Locker } from './locker.ts';
import type { Entry } from './shelf.ts';

/** Looks blocks up in lockers, as far as a token allows; undefined for the owner. */

export function findNamed(
  locker: Locker,
  known: KnownToken | undefined,
  nameKey: string,
  nowMs: number,
): Entry | 'NO_OBJECT' | 'TOKEN_SCOPE' {
  let there = false;
  const readable = (entry: Entry): boolean => {
    if (entry.expiresAtMs <= nowMs) return false;
    there = true;
    return known === undefined || coversEntry(known, entry);
  };
  for (const folder of foldersFor(locker, known)) {
    const entry = folder.named(nameKey, readable);
    if (entry !== undefined) return entry;
  }
  // Who has no token learns nothing of what is closed to him.
  return there && known?.open === undefined ? 'TOKEN_SCOPE' : 'NO_OBJECT';
}

export function findLabelled(
  locker: Locker,
  known: KnownToken | undefined,
  collectionKey: string,
  { track, part, index }: Label,
  nowMs: number,
): Entry | Reason {
  const folder = locker.folders.get(collectionKey);
  const entry = folder?.at(track, part, index);
  if (entry !== undefined && entry.expiresAtMs > nowMs) {
    return known === undefined || coversEntry(known, entry) ? entry : 'TOKEN_SCOPE';
  }
  return absenceOf(folder, part);
}

/** Older than all there is, not there yet, or missing in between. */
function absenceOf(folder: Folder | undefined, part: number): Reason {
  const span = folder?.span();
  if (span === undefined) return 'NO_OBJECT';
  return part < span.oldest ? 'GONE' : part >= span.newest ? 'NOT_YET' : 'NO_OBJECT';
}

/** A range token opens one folder; tokens for names, and owners, look through all of them. */
function foldersFor(locker: Locker, known: KnownToken | undefined): Iterable<Folder> {
  if (known === undefined || known.nameKeys !== null || known.collectionKey === null) return locker.folders.values();
  const folder = locker.folders.get(known.collectionKey);
  return folder === undefined ? [] : [folder];
}
