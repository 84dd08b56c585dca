import type { Mode } from '../protocol/swarm-fields.ts';
import { streamOfKey } from './commands/keygen.ts';
import { type Child, type ChildSpec, Supervisor } from './supervisor.ts';

/** A whole swarm on this machine, each part a process of its own. */
export interface DemoOptions {
  /** Address to listen on. */
  readonly host: string;
  /** Where that is reached: the same, unless all addresses are listened on. */
  readonly reachedAt: string;
  /** None is 0. */
  readonly ports: Readonly<Record<'tracker' | 'ins' | 'ins2' | 'hls' | 'gateway', number>>;
  readonly input: string;
  readonly key: string;
  readonly mode: Mode;
  readonly peers: number;
  readonly logLevel: string;
  /** What Node is to run for each part; this program by default. */
  readonly program?: readonly string[];
}

export type DemoPart = 'tracker' | 'ins 1' | 'ins 2' | 'source' | `peer ${number}`;
export type DemoLine = Readonly<Record<string, unknown>>;

/** The region of each INS server; every other peer is in the second, so that blocks go from server to server, too. */
const REGIONS = ['east', 'west'] as const;

/** Runs the parts of a demo, and tells what each prints. */
export class Demo {
  readonly stream: string;
  readonly playerUrl: string;
  readonly children = new Map<DemoPart, Child>();
  private readonly options: DemoOptions;
  private readonly supervisor: Supervisor;
  private readonly onLine: (part: DemoPart, line: DemoLine) => void;
  private readonly awaited = new Set<DemoPart>(['tracker', 'ins 1', 'ins 2', 'source']);
  private stopped = false;

  /**
   * @param onLine - Takes each line of JSON that a part prints.
   * @param say - Takes what people should know of the processes.
   * @throws Error with one sentence when the key cannot be read or made.
   */
  constructor(options: DemoOptions, onLine: (part: DemoPart, line: DemoLine) => void, say: (text: string) => void) {
    this.options = options;
    this.onLine = onLine;
    this.supervisor = new Supervisor(say, options.program);
    this.stream = streamOfKey(options.key);
    const mode = options.mode === 'hybrid' ? '' : `&mode=${options.mode}`;
    this.playerUrl = `http://${options.reachedAt}:${options.ports.tracker}/?stream=${this.stream}${mode}`;
    this.startServers();
  }

  /** Starts one more peer. */
  startPeer(number: number): void {
    const { ports, mode } = this.options;
    const args = [
      ...this.common('peer'),
      '--tracker',
      this.url(ports.tracker),
      '--stream',
      this.stream,
      '--mode',
      mode,
    ];
    const gateway = number === 1 ? ['--http', String(ports.gateway)] : [];
    this.start(`peer ${number}`, [...args, '--region', REGIONS[(number - 1) % 2]!, ...gateway]);
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await this.supervisor.stop();
  }

  private startServers(): void {
    const { ports, input, key } = this.options;
    const ins = [`${this.url(ports.ins)},${REGIONS[0]}`, `${this.url(ports.ins2)},${REGIONS[1]}`] as const;
    this.start('ins 1', [...this.common('ins'), '--port', String(ports.ins)]);
    this.start('ins 2', [...this.common('ins'), '--port', String(ports.ins2)]);
    this.start('tracker', [...this.common('tracker'), '--port', String(ports.tracker), '--ins', ins[1]]);
    const feed = ['--tracker', this.url(ports.tracker), '--ins', ins[0], '--http', String(ports.hls)];
    this.start('source', [...this.common('source'), ...feed, '--input', input, '--key', key, '--title', 'Demo']);
  }

  private common(command: string): string[] {
    const { host, logLevel } = this.options;
    return [command, '--json', '--host', host, '--log-level', logLevel];
  }

  private url(port: number): string {
    return `ws://${this.options.reachedAt}:${port}`;
  }

  private start(part: DemoPart, args: readonly string[]): void {
    const spec: ChildSpec = { name: part, args, onLine: (line) => this.line(part, line) };
    this.children.set(part, this.supervisor.start(spec));
  }

  /** Peers come when everything that they need is there: their startup delay is to be that of a viewer. */
  private line(part: DemoPart, line: DemoLine): void {
    this.onLine(part, line);
    if (line.event !== 'ready' || !this.awaited.delete(part) || this.awaited.size > 0 || this.stopped) return;
    for (let number = 1; number <= this.options.peers; number++) this.startPeer(number);
  }
}
