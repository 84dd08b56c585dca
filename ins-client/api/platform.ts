import type { DriveClock } from '../../runtime/drive.ts';
import type { Dial } from './dialler.ts';

/** What the API needs of the platform that it runs on. */
export interface Platform {
  readonly clock: DriveClock;
  readonly dial: Dial;
  /** Rejects when nothing could be verified here. */
  loadHash(): Promise<Hash>;
  randomBytes(length: number): Uint8Array;
}

export interface Hash {
  /** 32 bytes. */
  hashOf(bytes: Uint8Array): Uint8Array;
}
