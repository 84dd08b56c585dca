import type { Session } from '../playback/session.ts';

/** Something to choose. */
export interface Choice {
  readonly name: string;
  readonly isChosen: boolean;
  choose(): void;
}

interface Captions {
  readonly name: string;
  isShown(): boolean;
  show(on: boolean): void;
}

/** Subtitles of the stream's playlists, and captions that come inside its picture. */
function captionsOf(session: Session, video: HTMLVideoElement): readonly Captions[] {
  const listed = session.subtitles().map(({ id, name, language }, at) => ({
    name: name || languageName(language) || `Subtitles ${at + 1}`,
    isShown: () => session.subtitle === id,
    show: (on: boolean) => {
      session.subtitle = on ? id : -1;
    },
  }));
  // hls.js makes text tracks of those that are listed, too.
  const inBand = [...video.textTracks]
    .filter(({ kind }) => kind === 'captions' || (kind === 'subtitles' && listed.length === 0))
    .map((track, at) => ({
      name: track.label || languageName(track.language) || `Captions ${at + 1}`,
      isShown: () => track.mode === 'showing',
      show: (on: boolean) => {
        track.mode = on ? 'showing' : 'hidden';
      },
    }));
  return [...listed, ...inBand];
}

/** What to choose captions from: off comes first. Empty where the stream has none. */
export function captionChoices(session: Session, video: HTMLVideoElement): readonly Choice[] {
  const all = captionsOf(session, video);
  if (all.length === 0) return [];
  const showOnly = (wanted: Captions | undefined): void => {
    for (const one of all) if (one !== wanted && one.isShown()) one.show(false);
    wanted?.show(true);
  };
  return [
    { name: 'Off', isChosen: !all.some((one) => one.isShown()), choose: () => showOnly(undefined) },
    ...all.map((one) => ({ name: one.name, isChosen: one.isShown(), choose: () => showOnly(one) })),
  ];
}

/** Off when some are shown; else the first, or those shown last. */
export function toggleCaptions(choices: readonly Choice[], last: string): string | undefined {
  const [off, ...captions] = choices;
  if (off === undefined || captions.length === 0) return undefined;
  const next = off.isChosen ? (captions.find(({ name }) => name === last) ?? captions[0]!) : off;
  next.choose();
  return next.name;
}

/** The sound to choose from; empty where there is only one. */
export function audioChoices(session: Session): readonly Choice[] {
  const tracks = session.audioTracks();
  if (tracks.length < 2) return [];
  return tracks.map(({ id, name, language }, at) => ({
    name: name || languageName(language) || `Sound ${at + 1}`,
    isChosen: session.audioTrack === id,
    choose: () => {
      session.audioTrack = id;
    },
  }));
}

function languageName(code: string): string {
  if (code === '') return '';
  try {
    return new Intl.DisplayNames(undefined, { type: 'language' }).of(code) ?? code;
  } catch {
    return code;
  }
}
