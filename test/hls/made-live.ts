import type { LiveSource } from '../../hls/live-source.ts';
import { LiveWindow, type LiveWindowOptions } from '../../hls/live-window.ts';
import type { Description, IndexRecord } from '../../protocol/media.ts';

/** A live source that tests fill by hand. */
export class MadeLive implements LiveSource {
  readonly window: LiveWindow;
  readonly wanted: number[] = [];
  readonly played: number[] = [];
  private readonly bytes = new Map<string, readonly Uint8Array[]>();
  private readonly listeners = new Set<() => void>();

  constructor(description?: Description, options: LiveWindowOptions = {}) {
    this.window = new LiveWindow(options);
    if (description) this.window.setDescription(description);
  }

  get listenerCount(): number {
    return this.listeners.size;
  }

  add(
    record: IndexRecord,
    blocks: readonly Uint8Array[] = [Uint8Array.of(record.track), Uint8Array.of(record.part)],
  ): void {
    this.bytes.set(`${record.track}/${record.part}`, blocks);
    this.window.addRecord(record);
    this.changed();
  }

  changed(): void {
    for (const listener of [...this.listeners]) listener();
  }

  readPart(track: number, part: number): readonly Uint8Array[] | undefined {
    return this.bytes.get(`${track}/${part}`);
  }

  forget(track: number, part: number): void {
    this.bytes.delete(`${track}/${part}`);
  }

  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  wantTrack(track: number): void {
    this.wanted.push(track);
  }

  playTrack(track: number): void {
    this.played.push(track);
  }
}
