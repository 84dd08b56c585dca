/** What one line of a log carries besides its words. */
export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>;

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** A log of a process or of one of its parts. */
export interface Log {
  debug(text: string, fields?: LogFields): void;
  info(text: string, fields?: LogFields): void;
  warn(text: string, fields?: LogFields): void;
  error(text: string, fields?: LogFields): void;
  /** The same log for one part, whose name and fields stand on each of its lines. */
  child(part: string, fields?: LogFields): Log;
}

export interface LogOptions {
  /** Takes one line, without the line break. */
  readonly write: (line: string) => void;
  /** Unix ms. */
  readonly nowMs: () => number;
  /** Lines below it are dropped. Default `info`. */
  readonly level?: LogLevel;
  /** One JSON object a line instead of text for people. */
  readonly json?: boolean;
}

/** Makes a log that writes lines such as `12:04:51.120 warn  ins: slow reader  link=4 bytes=1048576`. */
export function createLog(options: LogOptions): Log {
  return logOf(options, '', {});
}

/** A log that drops everything: for tests, and where nobody listens. */
export const silentLog: Log = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLog,
};

function logOf(options: LogOptions, part: string, always: LogFields): Log {
  const least = LOG_LEVELS.indexOf(options.level ?? 'info');
  const line = (level: LogLevel, text: string, fields?: LogFields): void => {
    if (LOG_LEVELS.indexOf(level) < least) return;
    const all = { ...always, ...fields };
    const atMs = options.nowMs();
    options.write(
      options.json === true
        ? JSON.stringify({ atMs, level, ...(part === '' ? {} : { part }), text, ...all })
        : `${clockText(atMs)} ${level.padEnd(5)} ${part === '' ? '' : `${part}: `}${text}${fieldsText(all)}`,
    );
  };
  return {
    debug: (text, fields) => line('debug', text, fields),
    info: (text, fields) => line('info', text, fields),
    warn: (text, fields) => line('warn', text, fields),
    error: (text, fields) => line('error', text, fields),
    child: (name, fields) => logOf(options, part === '' ? name : `${part}.${name}`, { ...always, ...fields }),
  };
}

/** UTC time of day with ms. */
function clockText(atMs: number): string {
  const ofDayMs = Math.floor(atMs) % 86_400_000;
  const two = (value: number): string => String(Math.floor(value)).padStart(2, '0');
  const seconds = ofDayMs / 1000;
  return `${two(seconds / 3600)}:${two((seconds / 60) % 60)}:${two(seconds % 60)}.${String(ofDayMs % 1000).padStart(3, '0')}`;
}

function fieldsText(fields: LogFields): string {
  let out = '';
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined) continue;
    // Control characters in what strangers sent may not forge lines.
    const text = typeof value === 'string' ? JSON.stringify(value) : String(value);
    out += `  ${name}=${/^"[\w.:/@-]+"$/.test(text) ? text.slice(1, -1) : text}`;
  }
  return out;
}
