/** What `--input` asks for. */
export type Input =
  | { readonly kind: 'testsrc'; readonly width: number; readonly height: number }
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'stdin' }
  | { readonly kind: 'rtmp'; readonly host: string; readonly port: number; readonly app: string; readonly key: string }
  | { readonly kind: 'hls'; readonly url: string };

export type Checked<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: string };

const inputForms =
  'testsrc, testsrc=640x360, a file, - (MPEG-TS on standard input), rtmp://HOST:PORT/APP/KEY, http(s)://….m3u8';

/** Reads an `--input` value. The error says what would be right. Whether a file exists is not looked at here. */
export function parseInput(text: string): Checked<Input> {
  if (text === '') return refuse(`--input is empty; it can be ${inputForms}`);
  if (text === '-') return { ok: true, value: { kind: 'stdin' } };
  if (text === 'testsrc' || text.startsWith('testsrc=')) return parseTestsrc(text.slice('testsrc='.length));
  const scheme = /^([a-z][a-z0-9+.-]+):\/\//i.exec(text)?.[1]?.toLowerCase();
  if (scheme === 'rtmp') return parseRtmp(text);
  if (scheme === 'http' || scheme === 'https') {
    if (/\.m3u8?($|[?#])/i.test(text)) return { ok: true, value: { kind: 'hls', url: text } };
    return refuse(`--input ${text}: over http an HLS playlist is expected, an address that ends in .m3u8`);
  }
  if (scheme !== undefined) return refuse(`--input ${text}: ${scheme}:// is not supported; it can be ${inputForms}`);
  return { ok: true, value: { kind: 'file', path: text } };
}

function parseTestsrc(size: string): Checked<Input> {
  if (size === '') return { ok: true, value: { kind: 'testsrc', width: 1280, height: 720 } };
  const match = /^(\d{2,4})x(\d{2,4})$/.exec(size);
  const width = Number(match?.[1]);
  const height = Number(match?.[2]);
  const fits = width >= 64 && width <= 3840 && height >= 64 && height <= 2160 && width % 2 === 0 && height % 2 === 0;
  if (!fits) return refuse(`--input testsrc=${size}: a size is WIDTHxHEIGHT, both even, from 64x64 to 3840x2160`);
  return { ok: true, value: { kind: 'testsrc', width, height } };
}

function parseRtmp(text: string): Checked<Input> {
  const match = /^rtmp:\/\/(\[[0-9a-f:.]+\]|[^/:?#\s]+)(?::(\d{1,5}))?\/([\w.-]+)\/([\w.-]+)$/i.exec(text);
  const port = Number(match?.[2] ?? 1935);
  if (match === null || port < 1 || port > 65535) {
    return refuse(
      `--input ${text}: say where to listen as rtmp://HOST:PORT/APP/KEY, such as rtmp://127.0.0.1:1935/live/show`,
    );
  }
  return { ok: true, value: { kind: 'rtmp', host: match[1]!, port, app: match[3]!, key: match[4]! } };
}

/** Heights of the ladder's rungs by name, and the peak bit rate each is encoded with. */
const rungRatesBps = new Map([
  [144, 250_000],
  [240, 500_000],
  [360, 900_000],
  [480, 1_500_000],
  [540, 2_000_000],
  [720, 3_000_000],
  [1080, 5_500_000],
  [1440, 10_000_000],
  [2160, 20_000_000],
]);

/** Renditions of one stream: more of them cost an encoder each. */
const rungsMax = 6;

/**
 * Reads a `--ladder`: names such as `360p`. Returns the heights, highest first: the first rendition leads the stream,
 * and a player that asks for the best gets it.
 */
export function parseLadder(names: readonly string[]): Checked<readonly number[]> {
  const heights = new Set<number>();
  for (const name of names) {
    const height = Number(/^(\d+)p$/.exec(name.trim())?.[1]);
    if (!rungRatesBps.has(height)) {
      const known = [...rungRatesBps.keys()].map((rung) => `${rung}p`).join(', ');
      return refuse(`--ladder: '${name}' is no rung; there are ${known}`);
    }
    heights.add(height);
  }
  if (heights.size > rungsMax) return refuse(`--ladder: ${heights.size} rungs are too many; at most ${rungsMax}`);
  return { ok: true, value: [...heights].sort((a, b) => b - a) };
}

/** Peak bit rate for pictures of this height. */
export function peakRateBps(height: number): number {
  for (const [rung, rateBps] of rungRatesBps) if (height <= rung) return rateBps;
  return 20_000_000;
}

function refuse(error: string): { ok: false; error: string } {
  return { ok: false, error };
}
