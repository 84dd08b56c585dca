import { figure } from '../report.ts';
import { type PlayerScenario, pause } from './scenario.ts';
import { type Screen, Screens } from './screens.ts';
import { Theatre } from './theatre.ts';

/** So much of what can be reached at all, where the source sends each block once: 1 - 1/viewers. */
const TARGETS = new Map([
  [3, 0.63],
  [6, 0.81],
]);

export const offload: PlayerScenario = {
  name: 'offload',
  about: 'what viewers got that the source did not send, one INS server fed, at 2 s latency',
  async run({ quick, result, say }) {
    const theatre = await Theatre.open({ insServers: 1, picture: '640x360' });
    const screens = await Screens.launch(theatre);
    try {
      for (const [viewers, atLeast] of TARGETS) {
        const all: Screen[] = [];
        for (let at = 0; at < viewers; at++) all.push(await screens.player(theatre, 'ins'));
        await Promise.all(all.map((screen) => screen.press()));
        await pause(5_000);
        const got = async () => {
          const stats = await Promise.all(all.map((screen) => screen.stats()));
          return stats.reduce((sum, { peer }) => sum + peer.wire.dataIn, 0);
        };
        const [gotBefore, sentBefore] = [await got(), theatre.sent('source').dataBytes];
        await pause(quick ? 8_000 : 30_000);
        const [gotBytes, sentBytes] = [(await got()) - gotBefore, theatre.sent('source').dataBytes - sentBefore];
        const latencies = await Promise.all(all.map((screen) => screen.shownLatencyMs()));
        const latest = Math.max(...latencies.map((latency) => latency ?? 0));
        say(`${viewers} viewers got ${gotBytes} bytes, the source sent ${sentBytes}`);
        const bound = 1 - 1 / viewers;
        const note = `${bound.toFixed(3)} is the most there is; latency at most ${latest} ms`;
        result(figure(`offload, ${viewers} viewers`, [1 - sentBytes / gotBytes], '', { atLeast }, note));
        await screens.closeAll();
      }
    } finally {
      await screens.close();
      await theatre.close();
    }
  },
};
