import { nowMs } from '../../../runtime/node/clock.ts';
import { type Transport, tcpFrom } from '../../../runtime/node/transport.ts';
import { PacedHost } from '../links/buckets/paced-host.ts';
import { type Hosted, host, withBrowser } from './hosted.ts';
import { watchProcess } from './process-figures.ts';
import { type FromWorker, type ProgramSample, placeOf, type ToWorker } from './programs.ts';
import { warmUp } from './warm-up.ts';

/** The process that programs run in. It is told what to do over the channel to its agent, and ends with it. */

/** What goes over a connection at once has a bound. */
const PROGRAMS_PER_MESSAGE = 25;
const SOCKETS_PER_MESSAGE = 200;
/** A program that takes longer to close is left to the end of the process. */
const CLOSE_WITHIN_MS = 4_000;
const LAST_WORD_MS = 200;

const look = watchProcess();
const programs = new Map<string, { readonly hosted: Hosted; readonly address: string }>();
/** Programs that are being started, and those of them that are to be stopped as soon as they have. */
const starting = new Set<string>();
const stopEarly = new Map<string, Stop>();
/** Ends of programs, by their addresses: who comes back waits for it. */
const closing = new Map<string, Promise<void>>();
/** Where links are made here, by address. */
const paced = new Map<string, PacedHost>();

function say(message: FromWorker): void {
  if (process.connected) process.send!(message);
}

/** Resolves at that time; at once where it has passed. */
function until(atMs: number | null): Promise<void> {
  const delayMs = atMs === null ? 0 : atMs - nowMs();
  return delayMs > 0 ? new Promise((resolve) => setTimeout(resolve, delayMs)) : Promise.resolve();
}

async function start({ id, program, atMs }: Extract<ToWorker, { do: 'start' }>): Promise<void> {
  starting.add(id);
  try {
    await closing.get(program.host);
    const notice = (text: string) => say({ say: 'notice', id, text: text.slice(0, 500) });
    const hosted = await host(program, transportOf(program.host), () => until(atMs), notice);
    programs.set(id, { hosted, address: program.host });
    say({ say: 'started', id, atMs: hosted.atMs, stream: hosted.stream });
  } catch (error) {
    say({ say: 'failed', id, why: (error as Error).message.slice(0, 500) });
  }
  starting.delete(id);
  const early = stopEarly.get(id);
  if (early !== undefined) stop(early);
}

function begin({ hosts, buckets }: Extract<ToWorker, { do: 'begin' }>): void {
  if (buckets !== null) {
    const { delays, regions } = buckets;
    const regionOf = (address: string) => (regions === null ? 0 : regions[address]);
    for (const one of hosts) paced.set(one.address, new PacedHost({ host: one, delays, regionOf }));
  }
  if (hosts.some(({ name }) => name.startsWith('rehearsal'))) warmUp();
  say({ say: 'ready' });
}

/** What a host dials is to come from its own address. */
function transportOf(address: string): Transport {
  return paced.get(address)?.transport ?? tcpFrom(placeOf(address).host);
}

type Stop = Extract<ToWorker, { do: 'stop' }>;

function stop(order: Stop): void {
  const { id } = order;
  if (starting.has(id)) {
    stopEarly.set(id, order);
    return;
  }
  stopEarly.delete(id);
  const program = programs.get(id);
  programs.delete(id);
  if (program === undefined) {
    say({ say: 'stopped', id, atMs: nowMs(), figures: null });
    return;
  }
  const late = new Promise<void>((resolve) => setTimeout(resolve, CLOSE_WITHIN_MS).unref());
  closing.set(program.address, Promise.race([leave(order, program.hosted).catch(() => undefined), late]));
}

async function leave({ id, crashes }: Stop, hosted: Hosted): Promise<void> {
  const atMs = nowMs();
  await hosted.refresh?.();
  say({ say: 'stopped', id, atMs, figures: hosted.figures() });
  await (crashes && hosted.crash !== undefined ? hosted.crash() : hosted.close());
}

async function sample(at: number): Promise<void> {
  await Promise.all([...programs.values()].map(({ hosted }) => hosted.refresh?.()));
  const samples: ProgramSample[] = [...programs].map(([id, { hosted }]) => ({ id, figures: hosted.figures() }));
  const process = withBrowser(look());
  const counts = [...paced.values()].map((one) => one.counts());
  const flows = [...paced.values()].map((one) => one.flows());
  let last = false;
  while (!last) {
    const some = samples.splice(0, PROGRAMS_PER_MESSAGE);
    const hosts = counts.splice(0, PROGRAMS_PER_MESSAGE);
    const sent = flows.splice(0, PROGRAMS_PER_MESSAGE).flat();
    last = samples.length === 0 && counts.length === 0;
    say({ say: 'sample', at, last, process, programs: some, counts: { hosts, flows: sent } });
  }
}

function sockets(at: number): void {
  const all = [...programs.values()].flatMap(({ hosted }) => hosted.connections());
  do {
    const some = all.splice(0, SOCKETS_PER_MESSAGE);
    say({ say: 'sockets', at, last: all.length === 0, sockets: some });
  } while (all.length > 0);
}

process.on('message', (message: ToWorker) => {
  switch (message.do) {
    case 'begin':
      begin(message);
      return;
    case 'start':
      void start(message);
      return;
    case 'stop':
      stop(message);
      return;
    case 'link':
      for (const one of paced.values()) one.order(message.order);
      return;
    case 'sample':
      void sample(message.at);
      return;
    case 'sockets':
      sockets(message.at);
      return;
  }
});
// Nobody is there any more who could tell us anything.
process.on('disconnect', () => process.exit(0));
// Ctrl-C in a terminal is for the controller, which ends the others in its own order.
process.on('SIGINT', () => undefined);
process.on('uncaughtException', (error) => {
  // Without it whoever looks for the fault would have nothing but an exit code.
  setTimeout(() => process.exit(1), LAST_WORD_MS);
  const last: FromWorker = { say: 'notice', id: '', text: String(error.stack).slice(0, 2_000) };
  if (process.connected) process.send!(last, () => process.exit(1));
});
