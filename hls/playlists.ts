import type { Description, Track } from '../protocol/media.ts';
import type { LiveWindow } from './live-window.ts';
import { isoTime, quoted, secondsText } from './text.ts';
import { segmentUs, type WindowPart, type WindowSegment } from './track-window.ts';

/** What a media playlist asks of players, beyond what the description says. */
export interface PlaylistOptions {
  /** Distance that low-latency players keep from the edge, in parts; at least 2 (RFC 8216bis 4.4.3.8), default 3. */
  readonly partHoldBackParts?: number;
  /**
   * Players refuse a playlist without a complete segment. With this a playlist is given as soon as so much is listed, in ms; until
   * a segment is complete, the one before the first stands there as a gap. For players that can do with parts and know
   * EXT-X-GAP; others would ask for the gap's bytes. Without it, playlists begin with the first complete segment.
   */
  readonly startEarlyMs?: number;
  /** Where players are to start that have no place of their own yet, in seconds from the playlist's beginning (EXT-X-START). */
  readonly startAtS?: number;
}

/** How long the gap before the first segment is said to be; within any part target. */
export const GAP_BEFORE_START_US = 100_000;

/** Parts are listed this many target durations back from the edge (RFC 8216bis 4.4.4.9), older segments without. */
const PARTS_LISTED_TARGETS = 3;
/** HOLD-BACK and CAN-SKIP-UNTIL in target durations: the least that the standard allows. */
const HOLD_BACK_TARGETS = 3;
const SKIP_UNTIL_TARGETS = 6;

/** Target duration in whole seconds: no EXTINF, rounded, may be longer (4.4.3.1). */
export function targetSeconds(description: Description): number {
  return Math.max(1, Math.round(description.segmentTargetMs / 1_000));
}

/** The multivariant playlist: video tracks as variants, audio and text tracks as renditions of a group each. Audio alone: each a variant. */
export function masterPlaylist(description: Description, averageBps: (track: number) => number | undefined): string {
  const videos = description.tracks.filter((track) => track.kind === 'video');
  const audios = description.tracks.filter((track) => track.kind === 'audio');
  const texts = description.tracks.filter((track) => track.kind === 'text');
  const lines = ['#EXTM3U', '#EXT-X-VERSION:9'];
  if (videos.length === 0) {
    for (const audio of audios) lines.push(...variantLines(audio, [], [], averageBps));
  } else {
    audios.forEach((audio, i) => {
      lines.push(renditionLine(audio, 'AUDIO', i === 0));
    });
    for (const text of texts) lines.push(renditionLine(text, 'SUBTITLES', false));
    for (const video of videos) lines.push(...variantLines(video, audios, texts, averageBps));
  }
  return `${lines.join('\n')}\n`;
}

function renditionLine(track: Track, type: 'AUDIO' | 'SUBTITLES', isDefault: boolean): string {
  const attributes = [
    `TYPE=${type}`,
    `GROUP-ID="${track.kind}"`,
    `NAME=${quoted(track.name)}`,
    ...(track.language === '' ? [] : [`LANGUAGE=${quoted(track.language)}`]),
    `DEFAULT=${isDefault ? 'YES' : 'NO'}`,
    'AUTOSELECT=YES',
    ...(track.channels > 0 ? [`CHANNELS="${track.channels}"`] : []),
    `URI="${track.id}/media.m3u8"`,
  ];
  return `#EXT-X-MEDIA:${attributes.join(',')}`;
}

function variantLines(
  track: Track,
  audios: readonly Track[],
  texts: readonly Track[],
  averageBps: (track: number) => number | undefined,
): string[] {
  // With the most that a sound and a text can add (RFC 8216bis 4.4.6.2).
  const total = (bps: (one: Track) => number): number =>
    Math.round(bps(track) + Math.max(0, ...audios.map(bps)) + Math.max(0, ...texts.map(bps)));
  const codecs = [...new Set([track, ...audios, ...texts].map(({ codecs }) => codecs))].join(',');
  const attributes = [
    `BANDWIDTH=${total(({ bandwidthBps }) => bandwidthBps)}`,
    ...(averageBps(track.id) === undefined ? [] : [`AVERAGE-BANDWIDTH=${total(({ id }) => averageBps(id) ?? 0)}`]),
    `CODECS=${quoted(codecs)}`,
    ...(track.kind === 'video' ? [`RESOLUTION=${track.width}x${track.height}`] : []),
    ...(track.frameRate > 0 ? [`FRAME-RATE=${track.frameRate.toFixed(3)}`] : []),
    ...(audios.length > 0 ? ['AUDIO="audio"'] : []),
    ...(texts.length > 0 ? ['SUBTITLES="text"'] : []),
    `NAME=${quoted(track.name)}`,
  ];
  return [`#EXT-X-STREAM-INF:${attributes.join(',')}`, `${track.id}/media.m3u8`];
}

/**
 * The media playlist of a track; undefined while there is not enough to list (see `startEarlyMs`).
 * @param skip a delta update is wanted (`_HLS_skip`): segments beyond CAN-SKIP-UNTIL are left out
 */
export function mediaPlaylist(
  window: LiveWindow,
  track: number,
  skip: boolean,
  options: PlaylistOptions = {},
): string | undefined {
  const description = window.description;
  const segments = window.segments(track);
  // What nobody has seen yet is nothing to start with.
  const first = segments[window.guessedSegments(track)];
  if (!description || !first) return undefined;
  if (!first.complete && !canStartEarly(first, options)) return undefined;
  const early = !first.complete && first === segments[0];
  const sinceEdgeUs = distancesToEdge(segments);
  const targetUs = targetSeconds(description) * 1_000_000;
  const skipped = skip ? sinceEdgeUs.filter((us) => us > SKIP_UNTIL_TARGETS * targetUs).length : 0;
  const lines = headLines(window, description, segments[0]!.number - (early ? 1 : 0), options);
  if (early) lines.push(...gapBeforeStart(first, window.shortBeforeUs(track)));
  if (skipped > 0) lines.push(`#EXT-X-SKIP:SKIPPED-SEGMENTS=${skipped}`);
  segments.slice(skipped).forEach((segment, i) => {
    const before = i > 0 ? segments[skipped + i - 1] : undefined;
    const withParts = (sinceEdgeUs[skipped + i] ?? 0) <= PARTS_LISTED_TARGETS * targetUs;
    lines.push(...segmentLines(window, segment, before, withParts));
  });
  lines.push(...(window.ended ? ['#EXT-X-ENDLIST'] : edgeLines(window, description, track)));
  return `${lines.join('\n')}\n`;
}

/** Segments are numbered from 0, so there is none before the very first. */
function canStartEarly(first: WindowSegment, options: PlaylistOptions): boolean {
  const enoughMs = options.startEarlyMs ?? Number.POSITIVE_INFINITY;
  return first.number > 0 && segmentUs(first) >= enoughMs * 1_000;
}

/** As a part, too: hls.js loads the open segment by parts only if a part before it is listed. */
function gapBeforeStart(first: WindowSegment, shortUs: number): string[] {
  const seconds = secondsText(GAP_BEFORE_START_US - shortUs);
  return [
    `#EXT-X-PROGRAM-DATE-TIME:${isoTime(first.startsAtMs - GAP_BEFORE_START_US / 1_000)}`,
    `#EXT-X-PART:DURATION=${seconds},URI="part-${(first.parts[0]?.part ?? 1) - 1}.m4s",GAP=YES`,
    '#EXT-X-GAP',
    `#EXTINF:${seconds},`,
    `segment-${first.number - 1}.m4s`,
  ];
}

/** Of each segment, what lies between its end and the end of the last part listed. */
function distancesToEdge(segments: readonly WindowSegment[]): number[] {
  const distances: number[] = [];
  let us = 0;
  for (const segment of segments.toReversed()) {
    distances.unshift(us);
    us += segmentUs(segment);
  }
  return distances;
}

function headLines(
  window: LiveWindow,
  description: Description,
  firstNumber: number,
  options: PlaylistOptions,
): string[] {
  const target = targetSeconds(description);
  const partHoldBackUs = Math.max(2, options.partHoldBackParts ?? 3) * description.partTargetMs * 1_000;
  const control = [
    'CAN-BLOCK-RELOAD=YES',
    `CAN-SKIP-UNTIL=${SKIP_UNTIL_TARGETS * target}`,
    `PART-HOLD-BACK=${secondsText(partHoldBackUs)}`,
    `HOLD-BACK=${HOLD_BACK_TARGETS * target}`,
  ];
  const discontinuities = window.discontinuitySequence(firstNumber);
  return [
    '#EXTM3U',
    '#EXT-X-VERSION:9',
    `#EXT-X-TARGETDURATION:${target}`,
    `#EXT-X-SERVER-CONTROL:${control.join(',')}`,
    `#EXT-X-PART-INF:PART-TARGET=${secondsText(description.partTargetMs * 1_000)}`,
    `#EXT-X-MEDIA-SEQUENCE:${firstNumber}`,
    ...(options.startAtS === undefined ? [] : [`#EXT-X-START:TIME-OFFSET=${options.startAtS.toFixed(3)},PRECISE=YES`]),
    ...(discontinuities > 0 ? [`#EXT-X-DISCONTINUITY-SEQUENCE:${discontinuities}`] : []),
  ];
}

function segmentLines(
  window: LiveWindow,
  segment: WindowSegment,
  before: WindowSegment | undefined,
  withParts: boolean,
): string[] {
  const lines: string[] = [];
  if (window.hasDiscontinuity(segment.number)) lines.push('#EXT-X-DISCONTINUITY');
  if (before?.header !== segment.header) lines.push(`#EXT-X-MAP:URI="init-${segment.header}.mp4"`);
  lines.push(`#EXT-X-PROGRAM-DATE-TIME:${isoTime(segment.startsAtMs)}`);
  if (withParts) lines.push(...segment.parts.map(partLine));
  if (!segment.complete) return lines;
  if (!segment.parts.some((part) => part.available)) lines.push('#EXT-X-GAP');
  lines.push(`#EXTINF:${secondsText(segmentUs(segment))},`, `segment-${segment.number}.m4s`);
  return lines;
}

function partLine(part: WindowPart): string {
  const attributes = [
    `DURATION=${secondsText(part.durationUs)}`,
    `URI="part-${part.part}.m4s"`,
    ...(part.available && part.independent ? ['INDEPENDENT=YES'] : []),
    ...(part.available ? [] : ['GAP=YES']),
  ];
  return `#EXT-X-PART:${attributes.join(',')}`;
}

/** What comes next, and how far the other tracks are (4.4.5.3, 4.4.5.4). */
function edgeLines(window: LiveWindow, description: Description, track: number): string[] {
  const lines = [`#EXT-X-PRELOAD-HINT:TYPE=PART,URI="part-${window.nextPart(track)}.m4s"`];
  for (const other of description.tracks) {
    const last = other.id === track ? undefined : window.segments(other.id).at(-1);
    if (!last) continue;
    const attributes = [
      `URI="../${other.id}/media.m3u8"`,
      `LAST-MSN=${last.number}`,
      `LAST-PART=${last.parts.length - 1}`,
    ];
    lines.push(`#EXT-X-RENDITION-REPORT:${attributes.join(',')}`);
  }
  return lines;
}
