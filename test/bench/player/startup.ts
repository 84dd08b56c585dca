import { comparison } from '../report.ts';
import { type PlayerScenario, pause } from './scenario.ts';
import { type Screen, Screens } from './screens.ts';
import { Theatre } from './theatre.ts';

/** For the player to be ready: people look before they press. */
const LOOK_MS = 2_500;

export const startup: PlayerScenario = {
  name: 'startup',
  about:
    'from the press to the first frame, page loaded and connections open, against plain hls.js with its manifest there',
  async run({ quick, result, say }) {
    const theatre = await Theatre.open({ insServers: 1, picture: '1280x720' });
    const screens = await Screens.launch(theatre);
    try {
      const [ours, plain]: [number[], number[]] = [[], []];
      const once = async (screen: Screen): Promise<number> => {
        await pause(LOOK_MS);
        const startupMs = await screen.press();
        await screen.close();
        return startupMs;
      };
      for (let round = 0; round < (quick ? 3 : 10); round++) {
        plain.push(await once(await screens.plain(theatre)));
        ours.push(await once(await screens.player(theatre, 'ins')));
        say(`round ${round + 1}: ${Math.round(ours.at(-1)!)} ms, plain hls.js ${Math.round(plain.at(-1)!)} ms`);
      }
      result(comparison('press to first frame, INS', ours, 'ms', 'plain hls.js', plain, { atMost: 0.9 }));
    } finally {
      await screens.close();
      await theatre.close();
    }
  },
};
