import type { SourceChunk, SourcePart } from '../core/io.ts';
import type { CutPart, CutTrack } from '../core/media/types.ts';
import type { NumbersFile } from './stream-state.ts';

/** Brings the cutter's parts into the form the source core takes: a chunk for every track, an empty one where none came. */
export class PartFeed {
  private readonly numbers: NumbersFile;
  private tracks: readonly number[] = [];
  /** Where each track ends so far, in µs. */
  private readonly endUs = new Map<number, number>();

  constructor(numbers: NumbersFile) {
    this.numbers = numbers;
  }

  setTracks(tracks: readonly number[]): void {
    this.tracks = tracks;
  }

  take(cut: CutPart): SourcePart {
    const lead = cut.tracks[0]!;
    const { part, segment, indexInSegment, independent, discontinuity, capturedAtMs } = cut;
    this.numbers.use({ part, segment, timeUs: lead.timeUs }, lead.durationUs);
    const chunks = this.tracks.map((track) => {
      const there = cut.tracks.find((candidate) => candidate.track === track);
      return there === undefined ? this.emptyChunk(track, lead, discontinuity) : chunkOf(there);
    });
    for (const { track, timeUs, durationUs } of chunks) this.endUs.set(track, timeUs + durationUs);
    return { part, segment, indexInSegment, independent, discontinuity, capturedAtMs, chunks };
  }

  /** Lasts to the end of the leading track's chunk, so that playlists of all tracks stay equally long. */
  private emptyChunk(track: number, lead: CutTrack, discontinuity: boolean): SourceChunk {
    const leadEndUs = lead.timeUs + lead.durationUs;
    const lastUs = discontinuity ? undefined : this.endUs.get(track);
    const timeUs = lastUs !== undefined && lastUs < leadEndUs ? lastUs : lead.timeUs;
    return { track, timeUs, durationUs: leadEndUs - timeUs, body: null };
  }
}

function chunkOf({ track, timeUs, durationUs, bytes }: CutTrack): SourceChunk {
  return { track, timeUs, durationUs, body: bytes };
}
