import type Hls from 'hls.js';
import type { Level } from 'hls.js';

export interface Quality {
  /** -1 is the automatic choice. */
  readonly level: number;
  readonly name: string;
}

/** A sound or a subtitle to choose. */
export interface Choice {
  readonly id: number;
  readonly name: string;
  /** As BCP 47 has it; empty when the stream does not say. */
  readonly language: string;
}

/** Those that a viewer can choose between, the best first behind the automatic choice; none where there is one. */
export function qualitiesOf({ levels }: Hls): readonly Quality[] {
  const named = levels.map((one, level) => ({ level, name: qualityName(one) }));
  return named.length < 2 ? [] : [{ level: -1, name: 'Auto' }, ...named.reverse()];
}

/** What the stream calls it, or the height of its picture. */
export function qualityName({ name, height }: Pick<Level, 'name' | 'height'>): string {
  return name || `${height}p`;
}

/** Of the tracks of one kind. */
export function choicesOf(tracks: Hls['audioTracks']): readonly Choice[] {
  return tracks.map(({ name, lang = '' }, id) => ({ id, name, language: lang }));
}
