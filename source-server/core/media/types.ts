/**
 * The words of the media side: a sample as it comes out of a container, a track's header, and a part as the cutter
 * hands it on. Times inside a track are whole ticks of that track's timescale, so that hours add up without drift.
 */

/** One coded picture or one audio frame. Times in ticks of its track's timescale. */
export interface Sample {
  readonly dts: number;
  /** Presentation minus decoding time; not 0 where pictures are reordered (B-frames). */
  readonly ctsOffset: number;
  readonly duration: number;
  /** Decoding may start here. Always true for audio. */
  readonly key: boolean;
  readonly bytes: Uint8Array;
}

/** What a container's header says of one track. */
export interface TrackHeader {
  /** Id inside the container. */
  readonly containerId: number;
  readonly kind: 'video' | 'audio' | 'text';
  /** RFC 6381 codec string. */
  readonly codecs: string;
  /** Ticks per second. */
  readonly timescale: number;
  /** Pixels; 0 for audio. */
  readonly width: number;
  readonly height: number;
  /** Channels and samples per second; 0 for video. */
  readonly channels: number;
  readonly sampleRate: number;
  /** Default sample duration and flags of the `trex` box. */
  readonly defaultDuration: number;
  readonly defaultSizeBytes: number;
  readonly defaultFlags: number;
  /** The `trak` box as it came, header included. */
  readonly trak: Uint8Array;
}

/** One track's share of a part: a CMAF chunk (moof + mdat). */
export interface CutTrack {
  /** `Track.id`. */
  readonly track: number;
  /**
   * Where the chunk's presentation starts on the stream's timeline and how long it lasts. Consecutive parts of a track
   * join without a gap unless the later one is a discontinuity.
   */
  readonly timeUs: number;
  readonly durationUs: number;
  readonly bytes: Uint8Array;
}

/** One part of a stream, cut at the same borders in all tracks. */
export interface CutPart {
  /** 0, 1, 2 … over the whole life of the stream. */
  readonly part: number;
  readonly segment: number;
  readonly indexInSegment: number;
  /** The part begins with a key frame. */
  readonly independent: boolean;
  /** Timing or coding does not continue from the part before. */
  readonly discontinuity: boolean;
  /** Unix ms at which the part's first frame came into the source, by the clock that the shell passed in. */
  readonly capturedAtMs: number;
  /** In the order of the tracks; a track that delivered nothing in time is left out. */
  readonly tracks: readonly CutTrack[];
}

/** The only error that the readers of this folder throw: the bytes are not what they should be. */
export class MediaFormatError extends Error {
  override readonly name = 'MediaFormatError';
}
