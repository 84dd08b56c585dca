import { type Box, readBoxes, readU16, requireBox } from './boxes.ts';
import { MediaFormatError } from './types.ts';

/** What a sample entry says of its codec (ISO/IEC 14496-12, 8.5.2; -14 and -15 for the boxes inside). */
export interface CodecFacts {
  readonly kind: 'video' | 'audio';
  readonly codecs: string;
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly sampleRate: number;
}

const visualEntryBytes = 78;
const audioEntryBytes = 28;

/** Reads the first entry of an `stsd` box. @throws MediaFormatError for codecs other than H.264 and AAC. */
export function readSampleEntry(bytes: Uint8Array, stsd: Box): CodecFacts {
  const entry = readBoxes(bytes, stsd.body + 8, stsd.end)[0];
  if (entry === undefined) throw new MediaFormatError('stsd is empty');
  if (entry.type === 'avc1' || entry.type === 'avc3') return readAvc(bytes, entry);
  if (entry.type === 'mp4a') return readAac(bytes, entry);
  throw new MediaFormatError(`codec ${entry.type} is not supported`);
}

function readAvc(bytes: Uint8Array, entry: Box): CodecFacts {
  const avcC = requireBox(bytes, { body: entry.body + visualEntryBytes, end: entry.end }, 'avcC');
  if (avcC.end - avcC.body < 7) throw new MediaFormatError('avcC is too short');
  const profile = [1, 2, 3].map((i) => bytes[avcC.body + i]!.toString(16).padStart(2, '0')).join('');
  return {
    kind: 'video',
    codecs: `avc1.${profile}`,
    width: readU16(bytes, entry.body + 24, entry.end),
    height: readU16(bytes, entry.body + 26, entry.end),
    channels: 0,
    sampleRate: 0,
  };
}

function readAac(bytes: Uint8Array, entry: Box): CodecFacts {
  const declaredChannels = readU16(bytes, entry.body + 16, entry.end);
  const declaredRate = readU16(bytes, entry.body + 24, entry.end);
  const esds = requireBox(bytes, { body: entry.body + audioEntryBytes, end: entry.end }, 'esds');
  const config = readDecoderConfig(bytes, esds);
  if (config.objectType !== 0x40) {
    return audio(`mp4a.${config.objectType.toString(16)}`, declaredChannels, declaredRate);
  }
  const asc = readAudioSpecificConfig(bytes.subarray(config.start, config.end));
  return audio(`mp4a.40.${asc.objectType}`, asc.channels || declaredChannels, asc.sampleRate || declaredRate);
}

function audio(codecs: string, channels: number, sampleRate: number): CodecFacts {
  return { kind: 'audio', codecs, width: 0, height: 0, channels, sampleRate };
}

/** Finds the AudioSpecificConfig inside an ES descriptor (ISO/IEC 14496-1, 7.2.6). */
function readDecoderConfig(bytes: Uint8Array, esds: Box): { objectType: number; start: number; end: number } {
  let at = esds.body + 4;
  let objectType = -1;
  while (at + 2 <= esds.end) {
    const tag = bytes[at]!;
    let length = 0;
    let byte = 0x80;
    at++;
    for (let i = 0; i < 4 && byte & 0x80 && at < esds.end; i++, at++) {
      byte = bytes[at]!;
      length = (length << 7) | (byte & 0x7f);
    }
    if (at + length > esds.end) break;
    if (tag === 0x03) {
      const flags = bytes[at + 2] ?? 0;
      at += 3 + (flags & 0x80 ? 2 : 0) + (flags & 0x40 ? (bytes[at + 3] ?? 0) + 1 : 0) + (flags & 0x20 ? 2 : 0);
    } else if (tag === 0x04) {
      objectType = bytes[at] ?? -1;
      at += 13;
    } else if (tag === 0x05 && objectType >= 0) return { objectType, start: at, end: at + length };
    else at += length;
  }
  if (objectType >= 0 && objectType !== 0x40) return { objectType, start: at, end: at };
  throw new MediaFormatError('esds holds no decoder configuration');
}

const sampleRates = [96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350];

/** ISO/IEC 14496-3, 1.6.2.1; unknown values are 0. */
function readAudioSpecificConfig(asc: Uint8Array): { objectType: number; channels: number; sampleRate: number } {
  let bit = 0;
  const take = (count: number) => {
    let value = 0;
    for (let i = 0; i < count; i++, bit++) value = (value << 1) | (((asc[bit >> 3] ?? 0) >> (7 - (bit & 7))) & 1);
    return value;
  };
  let objectType = take(5);
  if (objectType === 31) objectType = 32 + take(6);
  const rateIndex = take(4);
  const sampleRate = rateIndex === 15 ? take(24) : (sampleRates[rateIndex] ?? 0);
  const configuration = take(4);
  return { objectType, channels: configuration === 7 ? 8 : configuration < 7 ? configuration : 0, sampleRate };
}
