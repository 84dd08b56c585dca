import { statSync } from 'node:fs';
import type { Quality } from '../peer/core/rendition-choice.ts';
import { decodeInvitation } from '../protocol/invitation.ts';
import { BLOCK_BYTES_MAX, URL_CHARS_MAX, WORD_CHARS_MAX } from '../protocol/limits.ts';
import { KEY_BYTES, streamIdFromText } from '../protocol/names.ts';
import type { InsServerEntry, Mode } from '../protocol/swarm-fields.ts';
import { fromBase64Url } from '../protocol/text.ts';
import { LOG_LEVELS, type LogLevel } from '../runtime/log.ts';

/** Readers of option values: they give the value or throw an Error whose message says what would be right. */

export function readPort(text: string): number {
  return readWhole(text, 0, 65_535, 'a port is a whole number from 1 to 65535, or 0 for any free one');
}

/** A reader of whole numbers within bounds. */
export function wholeNumber(min: number, max: number, unit: string): (text: string) => number {
  const what = unit === '' ? 'a whole number' : `a whole number of ${unit}`;
  return (text) => readWhole(text, min, max, `${what} from ${min} to ${max} is expected`);
}

function readWhole(text: string, min: number, max: number, otherwise: string): number {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= min && value <= max)) throw new Error(otherwise);
  return value;
}

/** A share from 0 to 1: `5%` or `0.05`. */
export function readShare(text: string): number {
  const [, digits, percent] = /^(\d{1,3}(?:\.\d{1,6})?) ?(%?)$/.exec(text) ?? [];
  const share = digits === undefined ? Number.NaN : Number(digits) / (percent === '%' ? 100 : 1);
  if (!(share >= 0 && share <= 1)) throw new Error('a share from 0 to 100% is expected, such as 5%');
  return share;
}

/** Seconds, with a fraction if need be. */
export function readSeconds(text: string): number {
  const value = /^\d{1,9}(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (!(value > 0 && value <= 31_536_000)) throw new Error('a number of seconds above 0 is expected, such as 60');
  return value;
}

const UNITS = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 } as const;

/** A reader of sizes such as `65536`, `64K`, `512M` or `1G`. */
export function size(minBytes: number, maxBytes: number, range: string): (text: string) => number {
  return (text) => {
    const [, digits, unit] = /^(\d{1,15})([KMG]?)(?:i?B)?$/i.exec(text) ?? [];
    const bytes = Number(digits) * UNITS[(unit ?? '').toUpperCase() as keyof typeof UNITS];
    if (!(bytes >= minBytes && bytes <= maxBytes)) throw new Error(`a size ${range} is expected, such as 64K or 1M`);
    return bytes;
  };
}

const BITS = { '': 1, K: 1e3, M: 1e6, G: 1e9 } as const;

/** Bits per second such as `100M` or `2.5G`, in powers of 1,000 as networks count. */
export function readBitrate(text: string): number {
  const [, digits, unit] = /^(\d{1,12}(?:\.\d{1,6})?)([KMG]?)(?:bit\/s|bps)?$/i.exec(text) ?? [];
  const bps = Math.round(Number(digits) * BITS[(unit ?? '').toUpperCase() as keyof typeof BITS]);
  if (!(bps >= 8_000 && bps <= 1e12)) throw new Error('bits per second from 8K to 1000G are expected, such as 100M');
  return bps;
}

export const readBlockBytes = size(1_024, BLOCK_BYTES_MAX, 'from 1K to 1M');

const SECRET_CHARS_MIN = 12;

/** What two machines know of each other: whoever looks on can try short ones out. */
export function readSecret(text: string): string {
  if (text.length < SECRET_CHARS_MIN || text.length > 256)
    throw new Error(
      `a secret of ${SECRET_CHARS_MIN} to 256 characters is expected: whoever looks on could try out a shorter one`,
    );
  return text;
}

/** The address of a tracker or INS server. */
export function readWsUrl(text: string): string {
  const example = 'an address such as ws://127.0.0.1:4800 is expected';
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new Error(example);
  }
  if (url.protocol !== 'ws:' && url.protocol !== 'wss:') throw new Error(`${example}, not ${url.protocol}//`);
  if (url.username !== '' || url.search !== '' || url.hash !== '') throw new Error(`${example}, without ?, # and @`);
  if (text.length > URL_CHARS_MAX) throw new Error(`an address of at most ${URL_CHARS_MAX} characters is expected`);
  return url.pathname === '/' ? `${url.protocol}//${url.host}` : url.href;
}

/** `ws://HOST:PORT` or `ws://HOST:PORT,REGION`. */
export function readInsServer(text: string): InsServerEntry {
  const comma = text.lastIndexOf(',');
  if (comma < 0) return { url: readWsUrl(text), region: '' };
  return { url: readWsUrl(text.slice(0, comma)), region: readRegion(text.slice(comma + 1)) };
}

export function readRegion(text: string): string {
  if (!/^[\w.-]+$/.test(text) || text.length > WORD_CHARS_MAX) {
    throw new Error(
      `a region is a word of at most ${WORD_CHARS_MAX} letters, digits, '-', '_' and '.', such as eu-west`,
    );
  }
  return text;
}

export function readStreamId(text: string): Uint8Array {
  const id = streamIdFromText(text);
  if (id === undefined) throw new Error('a stream id is expected: the 43 characters that inswarm source prints');
  return id;
}

/** An Ed25519 public key, such as that of an account or a provider. */
export function readPublicKey(text: string): Uint8Array {
  const key = fromBase64Url(text);
  if (key?.length !== KEY_BYTES)
    throw new Error('a public key is 43 characters of base64url; inswarm keygen prints it');
  return key;
}

/** What `inswarm invite` prints. */
export function readInvitation(text: string): Uint8Array {
  const sealed = fromBase64Url(text);
  if (sealed === undefined || decodeInvitation(sealed) === undefined)
    throw new Error('an invitation is expected, as inswarm invite prints it');
  return sealed;
}

export function readMode(text: string): Mode {
  if (text === 'ins' || text === 'native' || text === 'hybrid') return text;
  throw new Error('the modes are ins, native and hybrid');
}

/** Which rendition: a rule, or a name as the description has it. */
export function readQuality(text: string): Quality {
  if (text === 'auto' || text === 'best' || text === 'lowest' || text === 'all') return text;
  if (text.trim() === '') throw new Error('auto, best, lowest, all or the name of a rendition is expected');
  return { name: text.trim() };
}

export function readLogLevel(text: string): LogLevel {
  const level = LOG_LEVELS.find((candidate) => candidate === text);
  if (level === undefined) throw new Error(`the levels are ${LOG_LEVELS.join(', ')}`);
  return level;
}

/** A host name or IP address to listen on. */
export function readHost(text: string): string {
  if (!/^[\w.:%-]{1,255}$/.test(text))
    throw new Error('an address to listen on is expected, such as 127.0.0.1 or 0.0.0.0');
  return text;
}

/** Any text of at most so many characters. */
export function textOf(charsMax: number): (text: string) => string {
  return (text) => {
    if (text.length > charsMax) throw new Error(`at most ${charsMax} characters are possible`);
    return text;
  };
}

/** Words with commas between them. */
export function readList(text: string): string[] {
  const words = text.split(',').map((word) => word.trim());
  if (words.some((word) => word === '')) throw new Error('words with commas between them are expected');
  return words;
}

/** The path of a file that can be read. */
export function readFilePath(text: string): string {
  let isFile = false;
  try {
    isFile = statSync(text).isFile();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new Error(code === 'ENOENT' ? 'there is no such file' : `the file cannot be read (${code})`);
  }
  if (!isFile) throw new Error('this is no file');
  return text;
}

/** A path that is not empty; what is there is for others to find out. */
export function readPath(text: string): string {
  if (text === '') throw new Error('a path is expected');
  return text;
}
