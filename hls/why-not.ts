/** Why a request gets nothing, for people: what is asked for is in its path. */
const WORDS = {
  'no-file': 'No such file',
  'not-ours': 'Not a file of a stream',
  'not-begun': 'The stream has not begun',
  'no-track': 'The stream has no such track',
  'not-whole': '_HLS_msn and _HLS_part are whole numbers',
  'part-alone': '_HLS_part needs _HLS_msn',
  stale: 'The track is about to be taken again',
  'too-far': '_HLS_msn is too far ahead of the newest segment',
  'not-so-far': 'The playlist has not come that far',
  nothing: 'The track has nothing to play',
  'no-segment-yet': 'No segment of the track is complete yet',
  'no-header': 'The track has no such header',
  hole: 'This part of the track is a hole',
  'not-come': 'This part of the track has not come',
  'no-part': 'The track has no such part',
  'no-segment': 'The track has no such segment',
  'not-kept': 'These bytes are not kept',
  'too-many': 'Too many requests are waiting here',
  closing: 'This server is closing',
} as const;

export type Why = keyof typeof WORDS;

export function whyNot(why: Why): string {
  return WORDS[why];
}
