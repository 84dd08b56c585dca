/** Words to be shown from one moment to another, in ms of the input's own time. */
export interface Cue {
  readonly fromMs: number;
  readonly toMs: number;
  /** One or more. */
  readonly lines: readonly string[];
}

/** Longer ones are cut, and what follows more lines is left out: nobody reads them. */
const LINE_CHARS_MAX = 500;
const LINES_MAX = 8;
/** A line that does not end is none. */
const PARTIAL_CHARS_MAX = 8_192;

/**
 * Reads WebVTT (W3C, 4.1) as ffmpeg writes it, while it is being written: a cue is told with the bytes that its words come in, as the
 * line that ends it comes with the next cue. A blank line ends none: ffmpeg leaves those that a cue has in it, and writes nothing but
 * cues behind its first line. Styles, places and voices are left out.
 */
export class VttReader {
  private partial = '';
  private open: { fromMs: number; toMs: number; lines: string[] } | undefined;
  /** Lines that the open cue may still have. */
  private left = 0;

  /** The cues in some more text. One that comes in two pieces is told as two, with the same times. */
  push(text: string): readonly Cue[] {
    const cues: Cue[] = [];
    const lines = (this.partial + text).split(/\r\n|\n|\r/);
    this.partial = lines.pop()!.slice(0, PARTIAL_CHARS_MAX);
    for (const line of lines) {
      if (line.includes('-->')) {
        this.tell(cues);
        this.open = timesOf(line);
        this.left = LINES_MAX;
      } else if (this.open !== undefined && this.left > 0) {
        const words = wordsOf(line);
        if (words === '') continue;
        this.open.lines.push(words);
        this.left--;
      }
    }
    this.tell(cues);
    return cues;
  }

  private tell(cues: Cue[]): void {
    const { open } = this;
    if (open === undefined || open.lines.length === 0) return;
    cues.push(open);
    this.open = { ...open, lines: [] };
  }
}

function timesOf(line: string): { fromMs: number; toMs: number; lines: string[] } | undefined {
  const match = /^\s*((?:\d+:)?\d\d:\d\d\.\d{3})\s+-->\s+((?:\d+:)?\d\d:\d\d\.\d{3})/.exec(line);
  if (match === null) return undefined;
  const [fromMs, toMs] = [msOf(match[1]!), msOf(match[2]!)];
  return toMs > fromMs ? { fromMs, toMs, lines: [] } : undefined;
}

function msOf(time: string): number {
  const [seconds, minutes, hours = 0] = time.split(':').reverse().map(Number);
  return Math.round((hours * 3_600 + minutes! * 60 + seconds!) * 1_000);
}

const ENTITIES = new Map([
  ['amp', '&'],
  ['lt', '<'],
  ['gt', '>'],
  ['nbsp', '\u00a0'],
  ['lrm', '\u200e'],
  ['rlm', '\u200f'],
]);
/** What ASS draws by lines is words to ffmpeg: `m 0 0 l 100 0 100 50`. */
const DRAWING = /^m -?[\d.]+ -?[\d.]+( [mnlbspc\d.-]*)*$/;

function wordsOf(line: string): string {
  const words = line
    // No tag has another in it: a line of nothing but their beginnings is gone through once.
    .replace(/<[^<>]*>/g, '')
    .replace(/&(\w+);/g, (all, name: string) => ENTITIES.get(name) ?? all)
    // ffmpeg leaves what ASS writes for a space that is no place to break, and makes it out of `&nbsp;`, too.
    .replaceAll('\\h', '\u00a0')
    .trim()
    .slice(0, LINE_CHARS_MAX);
  return DRAWING.test(words) ? '' : words;
}
