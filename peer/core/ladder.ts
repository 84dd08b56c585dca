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
 * Numbers of what is taken with a rendition: with every picture a sound, and all text, which is next to nothing.
 *
 * @param heard - The sounds that a player has asked for; those that are none do not count. Without any, the first that the source names.
 */
export function withSound(
  tracks: readonly Track[],
  rendition: Track | undefined,
  heard: readonly number[] = [],
): readonly number[] {
  const sounds = rendition?.kind === 'video' ? soundsOf(tracks, heard) : [];
  const texts = tracks.filter(({ kind }) => kind === 'text');
  return [...(rendition === undefined ? [] : [rendition]), ...sounds, ...texts].map(({ id }) => id);
}

/** The same pictures and text with other sounds: those among `heard`. */
export function withOtherSounds(
  tracks: readonly Track[],
  taken: readonly number[],
  heard: readonly number[],
): readonly number[] {
  const of = (kind: Track['kind'], among: readonly number[]) =>
    tracks.flatMap((track) => (track.kind === kind && among.includes(track.id) ? track.id : []));
  const sounds = of('audio', heard);
  return sounds.length === 0 ? taken : [...of('video', taken), ...sounds, ...of('text', taken)];
}

function soundsOf(tracks: readonly Track[], heard: readonly number[]): readonly Track[] {
  const sounds = tracks.filter(({ kind }) => kind === 'audio');
  const wanted = sounds.filter(({ id }) => heard.includes(id));
  return wanted.length > 0 ? wanted : sounds.slice(0, 1);
}
