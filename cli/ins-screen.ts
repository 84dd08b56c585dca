import { hitRatio, type InsServerFigures } from '../ins-server/node/metrics.ts';
import { RateMeter } from '../machine/rates.ts';
import { bytesText, countText, durationText, rateText, rowOf } from './figures.ts';

/** Log lines that are kept to be shown. */
const LINES_KEPT = 200;

/** Figures of an INS server as lines for a terminal. */
export class InsScreen {
  /** What stands above all. */
  title = '';
  private readonly startedAtMs: number;
  private readonly log: string[] = [];
  private readonly rateIn = new RateMeter();
  private readonly rateOut = new RateMeter();
  private figures: InsServerFigures | undefined;
  private nowMs: number;

  constructor(nowMs: number) {
    this.startedAtMs = nowMs;
    this.nowMs = nowMs;
  }

  readonly logLine = (line: string): void => {
    this.log.push(line);
    if (this.log.length > LINES_KEPT) this.log.shift();
  };

  /** Takes new figures. To be called once or twice a second: what is "now" is counted over the last seconds. */
  update(figures: InsServerFigures, nowMs: number): void {
    this.figures = figures;
    this.nowMs = nowMs;
    const { inBytes, outBytes } = trafficOf(figures);
    this.rateIn.add(inBytes - this.rateIn.totalBytes, nowMs);
    this.rateOut.add(outBytes - this.rateOut.totalBytes, nowMs);
  }

  /** Fits 80 columns; as many log lines as there are rows for. */
  readonly lines = (columns: number, rows: number): readonly string[] => {
    if (this.figures === undefined) return [];
    const figures = this.figureLines(this.figures, columns);
    const room = rows - figures.length - 1;
    return room < 1 ? figures : [...figures, '─'.repeat(columns), ...this.log.slice(-room)];
  };

  private figureLines(figures: InsServerFigures, columns: number): string[] {
    const { links, guests, follows, lockers, accounts, draining, blocks, upstreams } = figures;
    const { inBytes, outBytes } = trafficOf(figures);
    const state = `${draining ? 'draining' : 'serving'} for ${durationText(this.nowMs - this.startedAtMs)}`;
    return [
      `${this.title}${state.padStart(Math.max(state.length + 2, columns - this.title.length))}`,
      '',
      rowOf(['clients', countText(links), 'HTTP', countText(guests), 'follows', countText(follows)], COUNTS),
      rowOf(['lockers', countText(lockers), 'accounts', countText(accounts), 'blocks', countText(blocks)], COUNTS),
      '',
      rowOf(['', 'now', 'total', 'blocks', ''], FLOWS),
      rowOf(
        ['out', rateText(this.rateOut.bps(this.nowMs)), bytesText(outBytes), countText(figures.sentBlocks), 'sent'],
        FLOWS,
      ),
      rowOf(
        ['in', rateText(this.rateIn.bps(this.nowMs)), bytesText(inBytes), countText(figures.putBlocks), 'put'],
        FLOWS,
      ),
      '',
      `memory    ${bar(figures.memoryBytes / figures.memoryBytesMax)} ${bytesText(figures.memoryBytes)} of ${bytesText(figures.memoryBytesMax)}`,
      ...(figures.diskBytesMax === null
        ? []
        : [
            `disk      ${bar(figures.diskBytes / figures.diskBytesMax)} ${bytesText(figures.diskBytes)} of ${bytesText(figures.diskBytesMax)}`,
          ]),
      `hit rate  ${(hitRatio(figures) * 100).toFixed(1)} %`,
      `remote    ${bytesText(figures.remoteBytes)} in ${countText(figures.remoteBlocks)} blocks from ${upstreams} servers; ${countText(figures.remoteHits)} from copies`,
      refusals(figures, columns),
    ];
  }

  /** What is left to say when the view is gone. */
  summary(): string {
    if (this.figures === undefined) return '';
    const { inBytes, outBytes } = trafficOf(this.figures);
    return `${durationText(this.nowMs - this.startedAtMs)}: ${bytesText(outBytes)} out, ${bytesText(inBytes)} in`;
  }
}

const COUNTS = [9, 9, 12, 9, 12, 12] as const;
const FLOWS = [9, 13, 12, 14, 5] as const;
const BAR = 30;

function trafficOf({ clients, http }: InsServerFigures): { readonly inBytes: number; readonly outBytes: number } {
  return {
    inBytes: clients.dataIn + clients.controlIn + http.dataIn,
    outBytes: clients.dataOut + clients.controlOut + http.dataOut,
  };
}

function bar(share: number): string {
  const filled = Math.min(BAR, Math.max(0, Math.round(share * BAR)));
  return `[${'#'.repeat(filled)}${'·'.repeat(BAR - filled)}]`;
}

/** The most frequent reasons, as many as fit; the others counted together. */
function refusals({ refused, refusedFor }: InsServerFigures, columns: number): string {
  let line = `refused   ${countText(refused)}`;
  let left = refused;
  for (const [reason, count] of [...refusedFor].sort(([, a], [, b]) => b - a)) {
    const longer = `${line}  ${reason} ${countText(count)}`;
    left -= count;
    const others = left === 0 ? '' : `  others ${countText(left)}`;
    if (longer.length + others.length > columns) return `${line}  others ${countText(left + count)}`;
    line = longer;
  }
  return line;
}
