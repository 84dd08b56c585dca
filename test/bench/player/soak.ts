import { figure } from '../report.ts';
import { type PlayerScenario, pause } from './scenario.ts';
import { Screens } from './screens.ts';
import { Theatre } from './theatre.ts';

/** Caches and buffers are full by then. */
const WARM_SHARE = 0.2;

export const soak: PlayerScenario = {
  name: 'soak',
  about: 'one viewer for --minutes: memory, dropped frames, latency',
  isLong: true,
  async run({ minutes, result, say }) {
    const theatre = await Theatre.open({ insServers: 1, picture: '640x360' });
    const screens = await Screens.launch(theatre);
    try {
      const screen = await screens.player(theatre, 'ins');
      await screen.press();
      const devtools = await screen.page.context().newCDPSession(screen.page);
      const heap: number[] = [];
      const latencies: number[] = [];
      const looks = Math.max(5, minutes * 2);
      for (let at = 0; at < looks; at++) {
        await pause((minutes * 60_000) / looks);
        await devtools.send('HeapProfiler.collectGarbage');
        const { usedSize } = await devtools.send('Runtime.getHeapUsage');
        const shown = await screen.shownLatencyMs();
        heap.push(usedSize);
        latencies.push(shown ?? Number.POSITIVE_INFINITY);
        say(
          `${(((at + 1) * minutes) / looks).toFixed(1)} min: heap ${(usedSize / 1e6).toFixed(1)} MB, ${shown} ms behind`,
        );
      }
      const first = heap[Math.floor(looks * WARM_SHARE)]!;
      const { freezes, dropped, frames } = await screen.watched();
      result(figure('memory at the end, of that after a fifth', [heap.at(-1)! / first], '', { atMost: 1.1 }));
      result(figure('freezes', [freezes], '', { atMost: 0 }, `${minutes} minutes`));
      result(figure('dropped frames', [dropped / frames], '', { atMost: 0.01 }));
      result(figure('latency in the pixels, the highest', [Math.max(...latencies)], 'ms', { atMost: 2_000 }));
    } finally {
      await screens.close();
      await theatre.close();
    }
  },
};
