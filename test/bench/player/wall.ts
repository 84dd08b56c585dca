import { join } from 'node:path';
import type { CDPSession, Page } from 'playwright-core';
import { figure } from '../report.ts';
import { type PlayerScenario, pause } from './scenario.ts';
import { Screens } from './screens.ts';
import { Theatre } from './theatre.ts';

const PLAYERS = 6;
/** Seen from `dist/test/bench/player`. */
const SCRIPT = join(import.meta.dirname, '../../../browser/inswarm-player.global.js');

interface OnWall {
  readonly startupDelayMs: number | null;
  readonly freezes: number;
  readonly latencyMs: number | null;
  readonly decodedFrames: number;
  readonly droppedFrames: number;
}

export const wall: PlayerScenario = {
  name: 'wall',
  about: `${PLAYERS} players on one page, 720p, a film that was encoded before`,
  async run({ quick, result, say }) {
    const theatre = await Theatre.open({ insServers: 1, picture: '1280x720', isFilm: true });
    const screens = await Screens.launch(theatre);
    try {
      const { page } = await screens.empty(theatre);
      await page.addScriptTag({ path: SCRIPT });
      await page.evaluate(hang(theatre));
      await pause(5_000);
      const look = () => page.evaluate<readonly OnWall[]>(LOOK);
      const before = await look();
      const thread = await MainThread.of(page);
      await pause(quick ? 8_000 : 30_000);
      const busy = await thread.busy();
      const after = await look();
      for (const one of after) say(JSON.stringify(one));
      say(`freezes, by player and ms: ${JSON.stringify(await page.evaluate('freezes'))}`);
      const since = (pick: (one: OnWall) => number): number =>
        after.reduce((sum, one, at) => sum + pick(one) - pick(before[at]!), 0);
      const frames = since((one) => one.decodedFrames);
      const slowest = Math.max(...after.map(({ latencyMs }) => latencyMs ?? Number.POSITIVE_INFINITY));
      result(figure('freezes of all', [since((one) => one.freezes)], '', { atMost: 0 }));
      const note = `${frames} frames shown of ${PLAYERS * 30 * (quick ? 8 : 30)} filmed`;
      result(figure('dropped frames', [since((one) => one.droppedFrames) / frames], '', { atMost: 0.02 }, note));
      const thereof = `${Math.round(busy.script * 100)} % of it all in scripts`;
      result(figure('main thread busy', [busy.tasks], '', { atMost: 0.5 }, thereof));
      result(figure('latency of the last', [slowest], 'ms', { atMost: 2_000 }));
    } finally {
      await screens.close();
      await theatre.close();
    }
  },
};

interface Busy {
  readonly tasks: number;
  readonly script: number;
}

/** What a page's main thread does, in shares of the time since the beginning: as Chromium counts it. */
class MainThread {
  private readonly session: CDPSession;
  private since = { atS: 0, tasksS: 0, scriptS: 0 };

  private constructor(session: CDPSession) {
    this.session = session;
  }

  static async of(page: Page): Promise<MainThread> {
    const session = await page.context().newCDPSession(page);
    await session.send('Performance.enable');
    const thread = new MainThread(session);
    thread.since = await thread.look();
    return thread;
  }

  async busy(): Promise<Busy> {
    const { atS, tasksS, scriptS } = await this.look();
    const passedS = atS - this.since.atS;
    return { tasks: (tasksS - this.since.tasksS) / passedS, script: (scriptS - this.since.scriptS) / passedS };
  }

  private async look() {
    const { metrics } = await this.session.send('Performance.getMetrics');
    const of = (name: string): number => metrics.find((one) => one.name === name)!.value;
    return { atS: of('Timestamp'), tasksS: of('TaskDuration'), scriptS: of('ScriptDuration') };
  }
}

function hang(theatre: Theatre): string {
  const attributes = { tracker: theatre.tracker.wsUrl, stream: theatre.source.stream, mode: 'ins' };
  return `(() => {
    window.freezes = [];
    document.body.style = 'display: grid; grid-template-columns: repeat(3, 1fr); margin: 0';
    for (let at = 0; at < ${PLAYERS}; at++) {
      const player = document.createElement('inswarm-player');
      for (const [name, value] of Object.entries(${JSON.stringify(attributes)})) player.setAttribute(name, value);
      player.setAttribute('autoplay', '');
      player.setAttribute('muted', '');
      player.addEventListener('freeze', () => freezes.push([at, Math.round(performance.now())]));
      document.body.append(player);
    }
  })()`;
}

const LOOK = `[...document.querySelectorAll('inswarm-player')].map((player) => {
  const { startupDelayMs, freezes, latencyMs, decodedFrames, droppedFrames } = player.stats();
  return { startupDelayMs, freezes, latencyMs, decodedFrames, droppedFrames };
})`;
