import { commandNamed, runCommandLine } from './command.ts';
import { COMMANDS } from './commands.ts';
import { endUnread } from './lifetime.ts';
import { Problem } from './problem.ts';
import { version } from './version.ts';

/** A fault of ours or of the surroundings ends in one line, too; `INSWARM_LOG_LEVEL=debug` shows where it was. */
function fail(error: unknown): never {
  const text = (error instanceof Error ? error.message : String(error)).split('\n', 1)[0]!;
  const name = commandNamed(COMMANDS, process.argv.slice(2))?.name;
  const details = error instanceof Problem ? error.details : [];
  for (const detail of details) process.stderr.write(`${detail}\n`);
  process.stderr.write(`inswarm${name === undefined ? '' : ` ${name}`}: ${text}\n`);
  if (!(error instanceof Problem) && process.env.INSWARM_LOG_LEVEL === 'debug') console.error(error);
  process.exit(error instanceof Problem ? error.exitCode : 1);
}

process.on('uncaughtException', fail);
process.on('unhandledRejection', fail);
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    endUnread();
  });
}

await runCommandLine(COMMANDS, process.argv.slice(2), {
  env: process.env,
  version: version(),
  write: (text) => process.stdout.write(text),
  columns: process.stdout.columns,
}).catch(fail);
