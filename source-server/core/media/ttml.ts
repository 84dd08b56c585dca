import { ByteWriter } from './byte-writer.ts';
import type { Sample, TrackHeader } from './types.ts';
import type { Cue } from './web-vtt.ts';

/**
 * Text tracks as CMAF has them (ISO/IEC 23000-19, 11.3.3): documents of TTML in the text profile of IMSC1, one sample each, `stpp` in MP4
 * (ISO/IEC 14496-30). A document says what is shown while it lasts, by the stream's timeline; a cue that lasts longer is in the next one, too.
 */

/** Ticks per second, those of pictures: borders are exact. */
export const TEXT_TIMESCALE = 90_000;
export const TEXT_CODECS = 'stpp.ttml.im1t';

/** @param language ISO 639-2 code, three letters; anything else is said to be undetermined. */
export function textHeader(language: string): TrackHeader {
  return {
    ...{ containerId: 1, kind: 'text', codecs: TEXT_CODECS, timescale: TEXT_TIMESCALE, width: 0, height: 0 },
    ...{ channels: 0, sampleRate: 0, defaultDuration: 0, defaultSizeBytes: 0, defaultFlags: 0 },
    trak: textTrak(/^[a-z]{3}$/.test(language) ? language : 'und'),
  };
}

function textTrak(language: string): Uint8Array {
  const writer = new ByteWriter();
  const packed = [...language].reduce((bits, char) => (bits << 5) | (char.charCodeAt(0) - 0x60), 0);
  writer.box('trak', () => {
    writer.fullBox('tkhd', 0, 3, () => {
      writer.zeros(8).u32(1).zeros(24);
      for (const value of [0x00010000, 0, 0, 0, 0x00010000, 0, 0, 0, 0x40000000]) writer.u32(value);
      writer.zeros(8);
    });
    writer.box('mdia', () => {
      writer.fullBox('mdhd', 0, 0, () => writer.zeros(8).u32(TEXT_TIMESCALE).u32(0).u16(packed).u16(0));
      writer.fullBox('hdlr', 0, 0, () => writer.u32(0).ascii('subt').zeros(13));
      writer.box('minf', () => {
        writer.fullBox('sthd', 0, 0, () => {});
        writer.box('dinf', () => {
          writer.fullBox('dref', 0, 0, () => writer.u32(1).fullBox('url ', 0, 1, () => {}));
        });
        writer.box('stbl', () => {
          writer.fullBox('stsd', 0, 0, () => {
            writer.u32(1).box('stpp', () => writer.zeros(6).u16(1).ascii(`${TTML}\0\0\0`));
          });
          for (const [type, words] of [
            ['stts', 1],
            ['stsc', 1],
            ['stsz', 2],
            ['stco', 1],
          ] as const) {
            writer.fullBox(type, 0, 0, () => writer.zeros(4 * words));
          }
        });
      });
    });
  });
  return writer.finish();
}

/** A cue as a sample of its own, as a run of the input brings it: its words, marked up. */
export function cueSample({ fromMs, toMs, lines }: Cue): Sample {
  const ticks = (ms: number): number => Math.round((ms * TEXT_TIMESCALE) / 1_000);
  const duration = ticks(toMs) - ticks(fromMs);
  return { dts: ticks(fromMs), ctsOffset: 0, duration, key: true, bytes: ascii(lines.map(escaped).join('<br/>')) };
}

const TTML = 'http://www.w3.org/ns/ttml';
/** At the lower edge, in the middle. */
const HEAD =
  `<head><layout><region xml:id="r" tts:origin="10% 10%" tts:extent="80% 80%" ` +
  `tts:displayAlign="after" tts:textAlign="center"/></layout></head>`;

/** More than this at once nobody reads, and every viewer takes it with each part: what has begun last is shown then. */
const SHOWN_CHARS_MAX = 4_096;

/** The document of what is shown between two times, as one sample. */
export function textSample(cues: readonly Sample[], from: number, to: number): Sample {
  const lines: string[] = [];
  let chars = 0;
  for (const { dts, duration, bytes } of cues.toReversed()) {
    if (dts >= to || dts + duration <= from || chars + bytes.length > SHOWN_CHARS_MAX) continue;
    const line = `<p begin="${timeOf(dts)}" end="${timeOf(dts + duration)}" region="r">${String.fromCharCode(...bytes)}</p>`;
    chars += line.length;
    lines.unshift(line);
  }
  const text =
    lines.length === 0
      ? `<tt xmlns="${TTML}" xml:lang=""/>`
      : `<tt xmlns="${TTML}" xmlns:tts="${TTML}#styling" xml:lang="">${HEAD}<body><div>${lines.join('')}</div></body></tt>`;
  return { dts: from, ctsOffset: 0, duration: to - from, key: true, bytes: ascii(text) };
}

function timeOf(ticks: number): string {
  const ms = Math.round((Math.max(0, ticks) * 1_000) / TEXT_TIMESCALE);
  const two = (value: number): string => String(Math.floor(value)).padStart(2, '0');
  const seconds = String(ms % 60_000).padStart(5, '0');
  return `${two(ms / 3_600_000)}:${two((ms / 60_000) % 60)}:${seconds.slice(0, 2)}.${seconds.slice(2)}`;
}

/** What is no ASCII is said by its number, so that a document is one byte a character. */
function escaped(text: string): string {
  // What XML has no character for (1.0, 2.2), by number neither: halves of a pair, which cuts leave, are among it.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: no document may hold them
  const clean = text.replace(/[\0-\x08\x0b-\x1f\p{Cs}\ufffe\uffff]/gu, '');
  return clean.replace(/[&<>]|[^\0-\x7e]/gu, (char) => `&#${char.codePointAt(0)};`);
}

function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}
