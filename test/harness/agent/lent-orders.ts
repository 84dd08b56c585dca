import type { ToAgent } from './messages.ts';
import type { ToWorker } from './programs.ts';

/**
 * What a controller on another machine may have an agent do, even if it is not what it says it is: viewers that listen on the agent's own address, and
 * dial WebSockets. No program that reads or writes a file, and none that runs another one. All of it within bounds.
 *
 * @param host - The agent's own address.
 * @returns Why an order is refused, in one sentence; undefined: it may be carried out.
 */
export function refusal(order: ToAgent, host: string): string | undefined {
  switch (order.say) {
    case 'ports':
      return reasons(
        [() => order.host === host, 'its ports are those of its own address'],
        [
          () => isWhole(order.from, 1_024, 65_535) && isWhole(order.count, 0, COUNT_MAX),
          'no ports that there could be',
        ],
      );
    case 'ground':
      return reasons(
        [() => order.links === 'buckets' && order.regions === null, 'it makes no networks'],
        [() => isDelays(order.delays), 'no delays that there could be'],
      );
    case 'spawn':
      return reasons(
        [() => isText(order.worker) && isList(order.hosts), 'no process that is understood'],
        [() => order.hosts.every((one: unknown) => isHost(one, host)), `its hosts are at ${host}`],
      );
    case 'tell':
      return isText(order.worker) ? toldRefusal(order.message, host) : NOT_UNDERSTOOD;
    case 'kill':
      return isText(order.worker) ? undefined : NOT_UNDERSTOOD;
    case 'link':
      return isLinkOrder(order.order) ? undefined : 'no order for links that is understood';
    case 'sample':
    case 'kernel':
      return Number.isFinite(order.at) ? undefined : NOT_UNDERSTOOD;
    case 'clear':
      return undefined;
    default:
      return NOT_UNDERSTOOD;
  }
}

const NOT_UNDERSTOOD = 'no order that is understood';
const COUNT_MAX = 10_000;
const TEXT_CHARS_MAX = 256;
const MS_MAX = 86_400_000;
const BPS_MAX = 1e13;
const REGIONS_MAX = 64;

function toldRefusal(message: ToWorker, host: string): string | undefined {
  if (typeof message !== 'object' || message === null) return NOT_UNDERSTOOD;
  switch (message.do) {
    case 'start':
      return isText(message.id) && (message.atMs === null || Number.isFinite(message.atMs))
        ? programRefusal(message.program, host)
        : NOT_UNDERSTOOD;
    case 'stop':
      return isText(message.id) && typeof message.crashes === 'boolean' ? undefined : NOT_UNDERSTOOD;
    case 'sample':
    case 'sockets':
      return Number.isFinite(message.at) ? undefined : NOT_UNDERSTOOD;
    default:
      return NOT_UNDERSTOOD;
  }
}

function programRefusal(program: unknown, host: string): string | undefined {
  if (!isObject(program) || program.kind !== 'viewer') return 'viewers alone run on machines that are lent';
  if (program.witnessed !== false) return 'no browser is started on machines that are lent';
  const { tracker, stream, mode, region, dialable } = program;
  return reasons(
    [() => isPlaceAt(program.host, host), `its viewers are at ${host}`],
    [() => isText(tracker) && /^wss?:\/\/[^/]+$/.test(tracker), 'no tracker that is understood'],
    [
      () => isText(stream) && MODES.has(mode) && isText(region) && typeof dialable === 'boolean',
      'no viewer that is understood',
    ],
  );
}

const MODES: ReadonlySet<unknown> = new Set(['ins', 'native', 'hybrid']);

function isHost(value: unknown, host: string): boolean {
  if (!isObject(value)) return false;
  const { name, address, region, upBps, downBps } = value;
  return (
    isText(name) && isPlaceAt(address, host) && isWhole(region, 0, REGIONS_MAX) && isRate(upBps) && isRate(downBps)
  );
}

function isPlaceAt(value: unknown, host: string): boolean {
  if (!isText(value) || !value.startsWith(`${host}:`)) return false;
  const port = value.slice(host.length + 1);
  return /^\d{4,5}$/.test(port) && isWhole(Number(port), 1_024, 65_535);
}

function isLinkOrder(value: unknown): boolean {
  if (!isObject(value) || !isText(value.host)) return false;
  switch (value.do) {
    case 'rates':
      return isRate(value.upBps) && isRate(value.downBps);
    case 'lose':
      return isBetween(value.share, 0, 1) && isWhole(value.seed, 0, 2 ** 32);
    case 'hold':
      return isBetween(value.forMs, 0, MS_MAX);
    case 'drop':
    case 'cut-off':
    case 'reconnect':
    case 'lie':
      return true;
    default:
      return false;
  }
}

function isDelays(value: unknown): boolean {
  const isRow = (row: unknown) => isList(row, REGIONS_MAX) && row.every((ms) => isBetween(ms, 0, MS_MAX));
  return isList(value, REGIONS_MAX) && value.every(isRow);
}

/** Of the first that does not hold. */
function reasons(...rules: readonly (readonly [holds: () => boolean, otherwise: string])[]): string | undefined {
  return rules.find(([holds]) => !holds())?.[1];
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function isList(value: unknown, most = COUNT_MAX): value is readonly unknown[] {
  return Array.isArray(value) && value.length <= most;
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length <= TEXT_CHARS_MAX;
}

function isBetween(value: unknown, least: number, most: number): value is number {
  return typeof value === 'number' && value >= least && value <= most;
}

function isWhole(value: unknown, least: number, most: number): boolean {
  return isBetween(value, least, most) && Number.isInteger(value);
}

function isRate(value: unknown): boolean {
  return isBetween(value, 0, BPS_MAX);
}
