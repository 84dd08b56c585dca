import type { Sample } from '../../../source-server/core/media/types.ts';

/**
 * Filler data (ITU-T H.264, 7.3.2.7): what an encoder at a constant bit rate sends where pictures need fewer bytes.
 * Decoders skip it. In a file: 4 bytes of length, NAL unit type 12, bytes of 255, the stop bit.
 */
const LENGTH_BYTES = 4;
const FILLER_TYPE = 12;
const STOP = 0x80;
export const FILLER_BYTES_MIN = LENGTH_BYTES + 2;

/** The picture with so many bytes of filler behind it; at least {@link FILLER_BYTES_MIN}. */
export function withFiller(sample: Sample, fillerBytes: number): Sample {
  const bytes = new Uint8Array(sample.bytes.length + fillerBytes).fill(255);
  bytes.set(sample.bytes);
  const at = sample.bytes.length;
  new DataView(bytes.buffer).setUint32(at, fillerBytes - LENGTH_BYTES);
  bytes[at + LENGTH_BYTES] = FILLER_TYPE;
  bytes[bytes.length - 1] = STOP;
  return { ...sample, bytes };
}

/** Spreads filler over the pictures of a part, the last one taking what does not divide; fewer than the least bytes are left out. */
export function fillPart(samples: readonly Sample[], fillerBytes: number): Sample[] {
  const each = Math.floor(fillerBytes / samples.length);
  const share = each >= FILLER_BYTES_MIN ? each : 0;
  return samples.map((sample, at) => {
    const own = at === samples.length - 1 ? fillerBytes - share * (samples.length - 1) : share;
    return own >= FILLER_BYTES_MIN ? withFiller(sample, own) : sample;
  });
}
