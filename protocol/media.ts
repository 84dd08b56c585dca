/**
 * What a stream is made of: its description, its tracks, and one index record for each part of each track.
 * These types are the currency between the source, the peers, the playlists and the player.
 */

/** One rendition, one sound or one language of subtitles of a stream. */
export interface Track {
  /** 0 … 15, unique in the stream; the first video track leads: its parts set everyone's borders. */
  readonly id: number;
  readonly kind: 'video' | 'audio' | 'text';
  /** RFC 6381 codec string, such as `avc1.64001f`, `mp4a.40.2` or `stpp.ttml.im1t`. */
  readonly codecs: string;
  /** What a person reads in the menus, such as `720p`, `Audio` or `English`. */
  readonly name: string;
  /** Peak bandwidth in bits per second, for the master playlist. */
  readonly bandwidthBps: number;
  /** Pixels; 0 for audio. */
  readonly width: number;
  readonly height: number;
  /** Frames per second; 0 for audio. */
  readonly frameRate: number;
  /** Channels; 0 for video. */
  readonly channels: number;
  /** CMAF header (init segment): ftyp + moov for this track alone. */
  readonly init: Uint8Array;
  /** ISO 639 or BCP 47 code of sound and text; '' where it is not known, and for pictures. */
  readonly language: string;
}

/** What a viewer must know of a stream before its first part. */
export interface Description {
  /** Root public key, Ed25519; the stream's id is its BLAKE3 hash. */
  readonly rootKey: Uint8Array;
  /** Short-lived key that signs the records. */
  readonly signingKey: Uint8Array;
  /** Grows by one with every change (new tracks, new CMAF headers, new signing key). */
  readonly revision: number;
  /** Unix ms by the source's clock. */
  readonly issuedAtMs: number;
  readonly expiresAtMs: number;
  readonly title: string;
  /** Longest duration of a part, and of a segment, in ms: what LL-HLS calls PART-TARGET and TARGETDURATION. */
  readonly partTargetMs: number;
  readonly segmentTargetMs: number;
  readonly tracks: readonly Track[];
}

/** A block as a record lists it. */
export interface BlockEntry {
  /** 33 bytes: type byte and BLAKE3-256. */
  readonly name: Uint8Array;
  /** 1 … 1 MiB. */
  readonly sizeBytes: number;
}

/** One part of one track. */
export interface IndexRecord {
  readonly track: number;
  /** Number of the part, common to all tracks. */
  readonly part: number;
  /** Revision of the description that holds the CMAF header for this part. */
  readonly revision: number;
  /** Number of the segment the part belongs to, and its place in it (0 … ). */
  readonly segment: number;
  readonly indexInSegment: number;
  /** A decoder may start here: the part begins with a key frame. Audio parts say so where the video's do. */
  readonly independent: boolean;
  /** Timing or coding does not continue from the part before (EXT-X-DISCONTINUITY before its segment). */
  readonly discontinuity: boolean;
  /** Start on the stream's timeline (as in the media's tfdt) and duration, in microseconds. */
  readonly timeUs: number;
  readonly durationUs: number;
  /** Unix ms at which the part's first frame entered the source. */
  readonly capturedAtMs: number;
  readonly blocks: readonly BlockEntry[];
  /** BLAKE3-256 of the signed bytes of the record before it in this track; 32 zero bytes for the first. */
  readonly previous: Uint8Array;
}
