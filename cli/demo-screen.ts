import type { BytesFrom } from '../peer/core/io.ts';
import type { Traffic } from '../peer/node/peer.ts';
import type { DemoLine, DemoPart } from './demo.ts';
import { bytesText, rowOf } from './figures.ts';
import type { Screen } from './output.ts';

/** A peer's line of figures. */
interface PeerStatsLine {
  readonly state: string;
  readonly startupDelayMs: number | null;
  readonly liveLatencyMs: number | null;
  readonly freezes: number;
  readonly bytesFrom: Readonly<Record<BytesFrom, number>>;
  readonly sentBytes: Traffic;
  readonly ins: string | null;
  readonly neighbours: number;
}

/** Events of the parts that are worth a line of their own. */
const TOLD: Readonly<Record<string, (line: DemoLine) => string | undefined>> = {
  ready: ({ url, hls }) =>
    url === undefined ? 'on the air' : `listens on ${url}${hls === undefined ? '' : `, ${hls}`}`,
  input: ({ decisions }) => (decisions as readonly string[]).join('; '),
  notice: ({ text }) => String(text),
  started: ({ startupDelayMs }) => `first picture after ${startupDelayMs} ms`,
  freeze: ({ part }) => `freeze before part ${part}`,
  resumed: ({ frozenMs }) => `playing again after ${Math.round(Number(frozenMs))} ms`,
  missed: ({ from, to }) => `missed parts ${from} to ${to}`,
  switched: ({ to, why }) => `takes blocks from ${to === 'ins' ? 'its INS server' : 'neighbours'} now: ${why}`,
  'ins-lost': ({ url, why }) => `lost ${url}: ${why}`,
  'tracker-lost': ({ why }) => `lost the tracker: ${why}`,
  bad: ({ from, what }) => `dropped what ${from} sent: ${what}`,
  refused: ({ by, why }) => `refused by ${by}: ${why}`,
  failed: ({ why }) => String(why),
};

/** Shows what the parts of a demo are doing: news as lines, figures of the peers as a table. */
export class DemoScreen {
  private readonly screen: Screen;
  private readonly peers = new Map<DemoPart, PeerStatsLine>();
  private stopped = false;

  constructor(screen: Screen) {
    this.screen = screen;
  }

  say(text: string): void {
    if (!this.stopped) this.screen.say(text);
  }

  line(part: DemoPart, line: DemoLine): void {
    const event = String(line.event);
    if (event === 'stats') {
      this.peers.set(part, line as unknown as PeerStatsLine);
      return;
    }
    const told = TOLD[event]?.(line);
    if (told !== undefined) this.say(`${part.padEnd(8)} ${told}`);
    else if (event === 'stream-state' && part === 'source') this.say(`source   ${line.state}: ${line.why}`);
  }

  /** To be called every second. */
  show(nowMs: number): void {
    if (this.peers.size === 0 || this.stopped) return;
    const rows = [...this.peers].sort(([a], [b]) => a.localeCompare(b)).map(([part, stats]) => row(part, stats));
    this.screen.show([HEAD, ...rows], nowMs);
  }

  stop(): void {
    this.stopped = true;
    this.screen.done();
  }
}

const WIDTHS = [8, 8, 8, 8, 8, 10, 10, 10, 10, 6] as const;
const HEAD = rowOf(
  ['', 'state', 'startup', 'latency', 'freezes', 'from INS', 'peers', 'source', 'uploaded', 'INS'],
  WIDTHS,
);

function row(part: string, stats: PeerStatsLine): string {
  const { state, startupDelayMs, liveLatencyMs, freezes, bytesFrom, sentBytes, ins } = stats;
  const cells = [
    part,
    state,
    startupDelayMs === null ? '-' : `${startupDelayMs} ms`,
    liveLatencyMs === null ? '-' : `${(liveLatencyMs / 1000).toFixed(1)} s`,
    String(freezes),
    bytesText(bytesFrom.ins),
    bytesText(bytesFrom.peers),
    bytesText(bytesFrom.source),
    bytesText(sentBytes.data),
    ins === null ? '-' : `:${new URL(ins).port}`,
  ];
  return rowOf(cells, WIDTHS);
}
