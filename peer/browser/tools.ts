import type { Mode } from '../../protocol/swarm-fields.ts';
import { type Ed25519, type KeyPair, loadEd25519 } from '../../runtime/browser/crypto.ts';
import { type Blake3, loadBlake3 } from '../../runtime/browser/hash.ts';
import type { MakeRenditionChoice } from '../core/rendition-choice.ts';
import type { NativeSide } from './native-side.ts';

/** What a page's peer works with. */
export interface Tools {
  readonly blake3: Blake3;
  readonly ed25519: Ed25519;
  readonly keys: KeyPair;
  /** Where playback cannot begin without; else it is loaded when it is wanted. */
  readonly native: NativeSide | null;
}

/** In native mode nothing begins without neighbours. */
export async function loadTools(mode: Mode): Promise<Tools> {
  const loading = mode === 'native' ? loadNativeSide() : null;
  const [blake3, ed25519, native] = await Promise.all([loadBlake3(), loadEd25519(), loading]);
  return { blake3, ed25519, keys: await ed25519.makeKeyPair(), native };
}

/** What asks neighbours, and gives to them. */
export async function loadNativeSide(): Promise<NativeSide> {
  return (await loaded('to ask other viewers', import('./native-side.ts'))).nativeSide;
}

/** @param why - What for, for people: `to ask other viewers`. */
export async function loaded<T>(why: string, loading: Promise<T>): Promise<T> {
  try {
    return await loading;
  } catch (error) {
    throw new Error(`what it takes ${why} could not be loaded: ${(error as Error).message}`);
  }
}

/** What chooses among renditions. */
export async function loadQualitySide(): Promise<MakeRenditionChoice> {
  return (await import('./quality-side.ts')).renditionRule;
}
