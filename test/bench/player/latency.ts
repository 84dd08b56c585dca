import { figure } from '../report.ts';
import { type PlayerContext, type PlayerScenario, pause } from './scenario.ts';
import { type Screen, Screens } from './screens.ts';
import { Theatre } from './theatre.ts';

const TARGET_MS = 2_000;
const LOOK_MS = 500;
/** Back is who is no later than this above the target, and stays so. */
const SPARE_MS = 500;
const STAYS_MS = 3_000;
const BACK_WITHIN_MS = 30_000;

export const latency: PlayerScenario = {
  name: 'latency',
  about:
    'how far behind the source’s clock the picture is, by its pixels, for minutes; and the way back after disturbances',
  async run(context) {
    const { quick, result, say } = context;
    const theatre = await Theatre.open({ insServers: 1, picture: '1280x720' });
    const screens = await Screens.launch(theatre);
    try {
      const screen = await screens.player(theatre, 'ins');
      await screen.press();
      await pause(6_000);
      await screen.forgive();
      const [shown, apart]: [number[], number[]] = [[], []];
      const endAtMs = performance.now() + (quick ? 20_000 : 300_000);
      while (performance.now() < endAtMs) {
        const [pixels, { latencyMs }] = [await screen.shownLatencyMs(), await screen.stats()];
        if (pixels !== null && latencyMs !== null) {
          shown.push(pixels);
          apart.push(Math.abs(latencyMs - pixels));
        }
        await pause(LOOK_MS);
      }
      const { freezes, dropped, frames } = await screen.watched();
      say(`${frames} frames, ${dropped} dropped`);
      const sorted = [...shown].sort((a, b) => a - b);
      const note = `median ${sorted[sorted.length >> 1]} ms over ${Math.round((shown.length * LOOK_MS) / 1_000)} s`;
      result(figure('latency in the pixels, the highest', [sorted.at(-1)!], 'ms', { atMost: TARGET_MS }, note));
      result(figure('the panel’s latency and the pixels’, apart', [Math.max(...apart)], 'ms', { atMost: 250 }));
      result(figure('freezes meanwhile', [freezes], '', { atMost: 0 }));
      await disturb(context, theatre, screen);
    } finally {
      await screens.close();
      await theatre.close();
    }
  },
};

/** What may happen to a viewer; each is over when it resolves. */
function disturbances(theatre: Theatre, screen: Screen): readonly [string, () => Promise<void>][] {
  return [
    [
      'nothing comes for 3 s',
      async () => {
        screen.hold(3_000);
        await pause(3_000);
      },
    ],
    [
      'all connections break',
      async () => {
        screen.drop();
      },
    ],
    [
      'the page’s thread stands for 3 s',
      async () => {
        await screen.ask('(() => { const end = performance.now() + 3000; while (performance.now() < end); })()');
      },
    ],
    [
      'a pause of 5 s, then live',
      async () => {
        await screen.ask('inswarm.pause()');
        await pause(5_000);
        await screen.ask('inswarm.goLive()');
      },
    ],
    [
      'the source is cut off for 10 s',
      async () => {
        theatre.cutOffSource();
        await pause(10_000);
        theatre.reconnectSource();
      },
    ],
  ];
}

async function disturb({ result, say }: PlayerContext, theatre: Theatre, screen: Screen): Promise<void> {
  for (const [what, happen] of disturbances(theatre, screen)) {
    await happen();
    const backMs = await backAfter(screen);
    say(`${what}: back after ${Math.round(backMs)} ms`);
    result(figure(`back after: ${what}`, [backMs], 'ms', { atMost: 5_000 }));
  }
}

/** Ms until the picture is near the target, from where it stays for a while. */
async function backAfter(screen: Screen): Promise<number> {
  const startMs = performance.now();
  let sinceMs: number | undefined;
  while (performance.now() - startMs < BACK_WITHIN_MS) {
    const [pixels, { isFrozen }] = [await screen.shownLatencyMs(), await screen.watched()];
    const nowMs = performance.now();
    if (pixels === null || isFrozen || pixels > TARGET_MS + SPARE_MS) sinceMs = undefined;
    else sinceMs ??= nowMs;
    if (sinceMs !== undefined && nowMs - sinceMs >= STAYS_MS) return sinceMs - startMs;
    await pause(100);
  }
  return Number.POSITIVE_INFINITY;
}
