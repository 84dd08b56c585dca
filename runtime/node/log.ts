import { createLog, type Log, type LogOptions } from '../log.ts';
import { nowMs } from './clock.ts';

/** The log of a process: lines on standard error, so that standard output stays free for results. */
export function stderrLog(options: Pick<LogOptions, 'level' | 'json'> = {}): Log {
  return createLog({ ...options, nowMs, write: (line) => process.stderr.write(`${line}\n`) });
}
