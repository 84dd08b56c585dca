import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { findFfmpeg } from '../../source-server/node/media/ffmpeg.ts';

const run = promisify(execFile);
const RATE = 25;

/**
 * Makes an MPEG-TS file of H.264 whose pictures carry captions (CTA-608, channel 1, pop-on) in SEI messages, as broadcasters' encoders
 * do: the words are shown once in two seconds, for one second.
 *
 * @param path - Of the file to be made; what it is made from is left beside it.
 */
export async function makeCaptionedFile(path: string, seconds: number, words: string): Promise<void> {
  const { path: ffmpeg } = await findFfmpeg();
  const bare = `${path}.h264`;
  const coding = `-c:v libx264 -preset ultrafast -profile:v high -pix_fmt yuv420p -bf 0 -g ${RATE} -x264-params aud=1:scenecut=0`;
  const picture = `testsrc2=size=320x180:rate=${RATE}:duration=${seconds}`;
  await run(ffmpeg, ['-v', 'error', '-y', '-f', 'lavfi', '-i', picture, ...coding.split(' '), '-f', 'h264', bare]);
  await writeFile(bare, withCaptions(await readFile(bare), words));
  const wrap = ['-v', 'error', '-y', '-r', String(RATE), '-i', bare, '-c', 'copy', '-f', 'mpegts', path];
  await run(ffmpeg, wrap);
}

/** Puts a SEI message before each picture of an Annex B stream that has an access unit delimiter before each. */
function withCaptions(stream: Buffer, words: string): Buffer {
  const pairs = popOn(words);
  const out: Buffer[] = [];
  let picture = 0;
  for (const unit of unitsOf(stream)) {
    const type = unit[unit[2] === 1 ? 3 : 4]! & 31;
    // A slice: 5 of a key picture, 1 of another. x264 makes one of each picture at this size, or several: only the first is wanted.
    const isFirst = (type === 5 || type === 1) && (unit[unit[2] === 1 ? 4 : 5]! & 0x80) !== 0;
    if (isFirst) out.push(sei(pairs[picture++ % (2 * RATE)] ?? [0x80, 0x80]));
    out.push(unit);
  }
  return Buffer.concat(out);
}

/** NAL units with their start codes. */
function unitsOf(stream: Buffer): Buffer[] {
  const starts: number[] = [];
  for (let at = stream.indexOf('000001', 0, 'hex'); at >= 0; at = stream.indexOf('000001', at + 3, 'hex')) {
    starts.push(at > 0 && stream[at - 1] === 0 ? at - 1 : at);
  }
  return starts.map((start, i) => stream.subarray(start, starts[i + 1] ?? stream.length));
}

/** A SEI message (type 4, registered by ITU-T T.35) with two bytes of field 1, as ATSC A/53 part 4 has them. */
function sei([first, second]: readonly [number, number]): Buffer {
  const captions = [0x41, 0xff, 0xfc, first, second, 0xff];
  const payload = [0xb5, 0x00, 0x31, ...Buffer.from('GA94'), 0x03, ...captions];
  return Buffer.from([0, 0, 0, 1, 6, 4, payload.length, ...payload, 0x80]);
}

/** CTA-608: load in the dark, in the lowest row, show, and take away. Control codes are sent twice. */
function popOn(words: string): [number, number][] {
  const twice = (first: number, second: number): [number, number][] => [pair(first, second), pair(first, second)];
  const text = words.length % 2 === 0 ? words : `${words} `;
  const letters = Array.from({ length: text.length / 2 }, (_, i) =>
    pair(text.charCodeAt(2 * i), text.charCodeAt(2 * i + 1)),
  );
  const shown = [...twice(0x14, 0x20), ...twice(0x14, 0x2e), ...twice(0x14, 0x70), ...letters, ...twice(0x14, 0x2f)];
  const second = Array.from({ length: RATE }, (): [number, number] => [0x80, 0x80]);
  return [...shown, ...second, ...twice(0x14, 0x2c)];
}

function pair(first: number, second: number): [number, number] {
  return [odd(first), odd(second)];
}

/** With the bit that makes the number of ones odd. */
function odd(seven: number): number {
  const ones = seven.toString(2).replaceAll('0', '').length;
  return ones % 2 === 0 ? seven | 0x80 : seven;
}
