/** What ffmpeg says of an input's streams, read from its listing (`Stream #0:0…`), which has not changed in years. */
export interface InputInfo {
  readonly video: VideoInfo | undefined;
  /** One of a language, the one to begin with first. */
  readonly audios: readonly AudioInfo[];
  /** Subtitles that are text. */
  readonly texts: readonly TextInfo[];
  /** What is in the input and does not become part of the stream, for people: `subtitles (eng, dvb_subtitle)`, `sound (deu, aac)`. */
  readonly leftOut: readonly string[];
}

export interface VideoInfo {
  /** Index for `-map 0:index`. */
  readonly index: number;
  /** ffmpeg's name, such as `h264`. */
  readonly codec: string;
  /** Such as `High`; '' where there is none. */
  readonly profile: string;
  readonly pixelFormat: string;
  /** Pixels as shown upright. */
  readonly width: number;
  readonly height: number;
  /** Average and base frame rate as ffmpeg guesses them; 0 when it does not say. */
  readonly framesPerSecond: number;
  readonly baseRate: number;
  readonly interlaced: boolean;
  /** A player has to turn the pictures. */
  readonly rotated: boolean;
}

export interface AudioInfo {
  readonly index: number;
  readonly codec: string;
  readonly profile: string;
  /** Such as `stereo` or `5.1(side)`. */
  readonly layout: string;
  /** As the input names it, mostly three letters (ISO 639-2); '' where it does not. */
  readonly language: string;
}

export interface TextInfo {
  readonly index: number;
  /** As the input names it, mostly three letters (ISO 639-2); '' where it does not, or by no code. */
  readonly language: string;
}

/** Subtitles that ffmpeg can write as WebVTT; others are pictures. */
const textCodecs = new Set(['subrip', 'srt', 'mov_text', 'webvtt', 'ass', 'ssa', 'text']);
/** More of them are left out. */
const textsMax = 4;
const audiosMax = 4;
/** A language, and perhaps its script and region (BCP 47). Containers hold words of any length. */
const languageCode = /^[a-z]{2,3}(-[a-z]{4})?(-([a-z]{2}|\d{3}))?$/i;

/** Pictures on the cover of a sound file; old builds of ffmpeg do not mark them. */
const coverCodecs = new Set(['mjpeg', 'png', 'bmp', 'gif', 'webp']);

/** Picks the largest video, a sound of each language (the default one first, if one says so) and the text from the lines that ffmpeg prints. */
export function readInputInfo(lines: readonly string[]): InputInfo {
  const videos: VideoInfo[] = [];
  const audios: (AudioInfo & { readonly isDefault: boolean; readonly words: string })[] = [];
  const texts: TextInfo[] = [];
  const subtitles: string[] = [];
  let inInput = false;
  for (const line of lines) {
    if (/^\s*Input #0/.test(line)) inInput = true;
    else if (/^\s*(Output|Input) #|^Stream mapping/.test(line)) inInput = false;
    if (!inInput) continue;
    const stream = /^\s*Stream #0:(\d+)(\S*): (Video|Audio|Subtitle): (.*)$/.exec(line);
    if (stream === null) {
      if (/displaymatrix: rotation of -?(90|270)/.test(line)) turnLast(videos, true);
      else if (/displaymatrix: rotation of -?180/.test(line)) turnLast(videos, false);
      continue;
    }
    const index = Number(stream[1]);
    const text = stream[4]!;
    const codec = /^[\w.-]+/.exec(text)?.[0] ?? '';
    const profile = /^[\w.-]+ \(([^/)]*)\)/.exec(text)?.[1] ?? '';
    const language = /\(([\w-]+)\)/.exec(stream[2]!)?.[1];
    const words = `(${[language, codec].filter((word) => word !== undefined).join(', ')})`;
    if (stream[3] === 'Subtitle') {
      if (textCodecs.has(codec) && texts.length < textsMax) texts.push({ index, language: known(language) });
      else subtitles.push(`subtitles ${words}`);
    } else if (stream[3] === 'Audio') {
      const layout = /[1-9]\d* Hz, ([^,]+)/.exec(text)?.[1];
      // A track that is announced but has sent nothing yet has no rate.
      if (layout !== undefined && layout !== '0 channels')
        audios.push({
          index,
          codec,
          profile,
          layout,
          language: known(language),
          isDefault: text.includes('(default)'),
          words,
        });
    } else videos.push(...readVideo(index, codec, profile, text));
  }
  const sounds = ofEachLanguage(audios.toSorted((a, b) => Number(b.isDefault) - Number(a.isDefault)));
  const video = videos.reduce<VideoInfo | undefined>(
    (best, one) => (best === undefined || one.width * one.height > best.width * best.height ? one : best),
    undefined,
  );
  const others = audios.filter((one) => !sounds.includes(one)).map(({ words }) => `sound ${words}`);
  return {
    video,
    audios: sounds.map(({ isDefault, words, ...one }) => one),
    texts,
    leftOut: [...others, ...subtitles],
  };
}

/** `und` says as little as nothing. */
function known(language = ''): string {
  return languageCode.test(language) && language !== 'und' ? language : '';
}

/** The first of each language: others of it are comments, or the same for another line. What names none is there once, too. */
function ofEachLanguage<T extends { readonly language: string }>(sounds: readonly T[]): readonly T[] {
  const first = sounds.filter(({ language }, at) => sounds.findIndex((one) => one.language === language) === at);
  return first.slice(0, audiosMax);
}

function readVideo(index: number, codec: string, profile: string, text: string): VideoInfo[] {
  const size = /, (\d+)x(\d+)/.exec(text);
  const framesPerSecond = readRate(/([\d.]+k?) fps/.exec(text)?.[1]);
  const isCover = text.includes('(attached pic)') || (coverCodecs.has(codec) && framesPerSecond === 0);
  if (size === null || isCover) return [];
  const pixelFormat = /\), (\w+)/.exec(text)?.[1] ?? /^[^,]*, (\w+)/.exec(text)?.[1] ?? '';
  const height = Number(size[2]);
  const shape = /DAR (\d+):(\d+)/.exec(text);
  const stretched = shape === null ? 0 : Math.round((height * Number(shape[1])) / Number(shape[2]));
  return [
    {
      index,
      codec,
      profile,
      pixelFormat,
      width: stretched || Number(size[1]),
      height,
      framesPerSecond,
      baseRate: readRate(/([\d.]+k?) tbr/.exec(text)?.[1]),
      interlaced: /(top|bottom) (coded )?first/.test(text),
      rotated: false,
    },
  ];
}

function readRate(text: string | undefined): number {
  if (text === undefined) return 0;
  return Number.parseFloat(text) * (text.endsWith('k') ? 1000 : 1);
}

function turnLast(videos: VideoInfo[], onItsSide: boolean): void {
  const last = videos.pop();
  if (last === undefined) return;
  const { width, height } = last;
  videos.push({ ...last, rotated: true, ...(onItsSide ? { width: height, height: width } : {}) });
}
