import type { Track } from '../../protocol/media.ts';

/** Tracks of a kind, the one with the least rate first. */
export function byRate(tracks: readonly Track[], kind: Track['kind']): Track[] {
  return tracks.filter((track) => track.kind === kind).sort((a, b) => a.bandwidthBps - b.bandwidthBps);
}

/** The renditions that there are to choose from, the least first: pictures, or sounds where there are none. */
export function ladderOf(tracks: readonly Track[]): readonly Track[] {
  const videos = byRate(tracks, 'video');
  return videos.length > 0 ? videos : byRate(tracks, 'audio');
}

/** One picture and one sound are everything. */
export function hasChoice(tracks: readonly Track[]): boolean {
  return byRate(tracks, 'video').length > 1 || byRate(tracks, 'audio').length > 1;
}

/**
 * Numbers of what is taken with a rendition: one sound goes with every picture, the first that the source names, and all text, which is
 * next to nothing.
 */
export function withSound(tracks: readonly Track[], rendition: Track | undefined): readonly number[] {
  const sound = rendition?.kind === 'video' ? tracks.find(({ kind }) => kind === 'audio') : undefined;
  const texts = tracks.filter(({ kind }) => kind === 'text');
  return [rendition, sound, ...texts].flatMap((track) => (track === undefined ? [] : track.id));
}
