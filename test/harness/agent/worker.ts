import { nowMs } from '../../../runtime/node/clock.ts';
import { tcpFrom } from '../../../runtime/node/transport.ts';
import { type Hosted, host } from './hosted.ts';
import { watchProcess } from './process-figures.ts';
import type { FromWorker, ProgramSample, ToWorker } from './programs.ts';

/** The process that programs run in. It is told what to do over the channel to its agent, and ends with it. */

/** What goes over a connection at once has a bound. */
const PROGRAMS_PER_MESSAGE = 50;
/** A program that takes longer to close is left to the end of the process. */
const CLOSE_WITHIN_MS = 4_000;

const look = watchProcess();
const programs = new Map<string, Hosted>();
/** Ends of programs, by their addresses: who comes back waits for it. */
const closing = new Map<string, Promise<void>>();
const addresses = new Map<string, string>();

function say(message: FromWorker): void {
  if (process.connected) process.send!(message);
}

function at(atMs: number | null, run: () => void): void {
  const delayMs = atMs === null ? 0 : atMs - nowMs();
  if (delayMs > 0) setTimeout(run, delayMs);
  else run();
}

async function start({ id, program }: Extract<ToWorker, { do: 'start' }>): Promise<void> {
  try {
    await closing.get(program.host);
    const atMs = nowMs();
    const hosted = await host(program, tcpFrom(program.host), (text) =>
      say({ say: 'notice', id, text: text.slice(0, 500) }),
    );
    programs.set(id, hosted);
    addresses.set(id, program.host);
    say({ say: 'started', id, atMs, stream: hosted.stream });
  } catch (error) {
    say({ say: 'failed', id, why: (error as Error).message.slice(0, 500) });
  }
}

function stop({ id }: Extract<ToWorker, { do: 'stop' }>): void {
  const hosted = programs.get(id);
  programs.delete(id);
  const figures = hosted?.figures() ?? null;
  say({ say: 'stopped', id, atMs: nowMs(), figures });
  if (hosted === undefined) return;
  const address = addresses.get(id)!;
  const late = new Promise<void>((resolve) => setTimeout(resolve, CLOSE_WITHIN_MS).unref());
  closing.set(address, Promise.race([hosted.close(), late]));
}

function sample(at: number): void {
  const samples: ProgramSample[] = [...programs].map(([id, hosted]) => ({ id, figures: hosted.figures() }));
  const process = look();
  do {
    const some = samples.splice(0, PROGRAMS_PER_MESSAGE);
    say({ say: 'sample', at, last: samples.length === 0, process, programs: some, counts: [] });
  } while (samples.length > 0);
}

process.on('message', (message: ToWorker) => {
  switch (message.do) {
    case 'begin':
      say({ say: 'ready' });
      return;
    case 'start':
      at(message.atMs, () => void start(message));
      return;
    case 'stop':
      at(message.atMs, () => stop(message));
      return;
    case 'link':
      return;
    case 'sample':
      sample(message.at);
      return;
    case 'sockets':
      say({ say: 'sockets', at: message.at, last: true, sockets: [] });
      return;
  }
});
// Nobody is there any more who could tell us anything.
process.on('disconnect', () => process.exit(0));
// Ctrl-C in a terminal is for the controller, which ends the others in its own order.
process.on('SIGINT', () => undefined);
process.on('uncaughtException', (error) => {
  say({ say: 'notice', id: '', text: String(error.stack).slice(0, 2_000) });
  process.exit(1);
});
