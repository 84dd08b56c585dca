import { LiveFeed } from '../test/harness/controller/live-feed.ts';
import type { ProcessRun } from '../test/harness/controller/process-run.ts';
import { LiveBoard } from '../test/harness/live/board.ts';
import type { LiveCommand } from '../test/harness/live/model.ts';
import { type RunningLive, startLive } from '../test/harness/live/node/server.ts';
import type { Plan, PlannedRun } from './sim-runs.ts';

/** The live page of a measurement, where there is one: told of everything, and asked what people there want. */
export class LiveSession {
  /** Of the page; undefined where it cannot be served. */
  url: string | undefined;
  /** Why it cannot. */
  problem: string | undefined;
  /** People at the page have seen enough. */
  ended = false;
  private readonly board = new LiveBoard();
  private live: RunningLive | undefined;
  private feed: LiveFeed | undefined;
  private run: ProcessRun | undefined;

  /** @param port - 0 takes any free one. */
  static async open(port: number): Promise<LiveSession> {
    const session = new LiveSession();
    const started = await startLive(session.board, { onCommand: (command) => session.obey(command) }, { port });
    if (started.ok) {
      session.live = started.live;
      session.url = started.live.url;
    } else session.problem = started.why;
    return session;
  }

  begin({ scenario, seconds, seeds }: Plan, runs: readonly PlannedRun[]): void {
    const { name, summary, stream, regions } = scenario;
    this.board.begin({
      scenario: name,
      summary,
      runs: runs.map(({ column }, at) => ({
        mode: column.mode,
        label: column.label,
        seed: Math.floor((at * seeds.length) / runs.length) + 1,
      })),
      durationMs: seconds * 1000,
      streamBps: stream.bps,
      regions,
    });
  }

  beginRun(run: ProcessRun): void {
    this.run = run;
    this.feed = new LiveFeed(this.board, run);
    this.feed.second('preparing');
  }

  second(): void {
    this.feed?.second('running');
  }

  ending(): void {
    this.feed?.second('ending');
  }

  say(text: string): void {
    this.board.say('news', text);
  }

  /** @param files - What was written, the page for people first. */
  end(ok: boolean, text: string, files: readonly string[]): void {
    this.board.end({ ok, text, files });
  }

  async close(): Promise<void> {
    await this.live?.close();
  }

  private obey(command: LiveCommand): void {
    if (command.do !== 'end') {
      this.feed?.obey(command);
      return;
    }
    this.ended = true;
    this.run?.end();
  }
}
