/**
 * A silent AAC-LC frame (ISO/IEC 14496-3, 4.4.2): every channel element with `max_sfb` 0, so no spectrum at all. Put in
 * where audio is missing, so that the audio track goes on without a gap.
 *
 * @param channels 1 … 6 or 8, in the standard channel configurations; undefined for any other number.
 */
export function silentAacFrame(channels: number): Uint8Array | undefined {
  const elements = layouts.get(channels);
  if (elements === undefined) return undefined;
  const bits: number[] = [];
  const put = (value: number, count: number) => {
    for (let i = count - 1; i >= 0; i--) bits.push((value >> i) & 1);
  };
  const tags = new Map<number, number>();
  for (const element of elements) {
    const tag = tags.get(element) ?? 0;
    tags.set(element, tag + 1);
    put(element, 3);
    put(tag, 4);
    if (element === pair) {
      put(1, 1); // common_window
      put(0, 11); // ics_info: long window, max_sfb 0, no prediction
      put(0, 2); // ms_mask_present
      put(0, 11); // global_gain; no pulse, TNS, gain control
      put(0, 11);
    } else put(0, 8 + 11 + 3); // global_gain, ics_info, no pulse, TNS, gain control
  }
  put(7, 3); // ID_END
  const frame = new Uint8Array(Math.ceil(bits.length / 8));
  bits.forEach((bit, i) => {
    frame[i >> 3]! |= bit << (7 - (i & 7));
  });
  return frame;
}

const single = 0;
const pair = 1;
const lfe = 3;

/** Elements of each channel configuration (ISO/IEC 14496-3, table 1.19), by number of channels. */
const layouts = new Map<number, readonly number[]>([
  [1, [single]],
  [2, [pair]],
  [3, [single, pair]],
  [4, [single, pair, single]],
  [5, [single, pair, pair]],
  [6, [single, pair, pair, lfe]],
  [8, [single, pair, pair, pair, lfe]],
]);
