import { comparison, figure, type Result } from '../report.ts';
import { type PlayerContext, type PlayerScenario, pause } from './scenario.ts';
import { type Screen, Screens } from './screens.ts';
import { Theatre } from './theatre.ts';
import type { Watched } from './watch-script.ts';

const VIEWERS = 3;
const LOOK_MS = 2_500;
/** What the source can send, in copies of the stream: ours, and what plain players are given. */
const COPIES = 1.1;
const PLAIN_COPIES = 2.2;

export const crowd: PlayerScenario = {
  name: 'crowd',
  about: `${VIEWERS} browsers at once, the source sends ${COPIES} copies of the stream; plain hls.js has twice that`,
  async run(context) {
    const theatre = await Theatre.open({ insServers: 1, picture: '1280x720' });
    const screens = await Screens.launch(theatre);
    const playMs = context.quick ? 10_000 : 60_000;
    try {
      const streamBps = await theatre.streamBps();
      context.say(`the stream has ${(streamBps / 1e6).toFixed(2)} Mbit/s`);
      theatre.limitSource(COPIES * streamBps);
      const ours = await play(context, screens, () => screens.player(theatre, 'ins'), playMs);
      theatre.limitSource(PLAIN_COPIES * streamBps);
      const plain = await play(context, screens, () => screens.plain(theatre), playMs);
      for (const result of results(ours, plain)) context.result(result);
    } finally {
      await screens.close();
      await theatre.close();
    }
  },
};

async function play({ say }: PlayerContext, screens: Screens, open: () => Promise<Screen>, playMs: number) {
  const all: Screen[] = [];
  for (let at = 0; at < VIEWERS; at++) all.push(await open());
  await pause(LOOK_MS);
  await Promise.all(all.map((screen) => screen.press()));
  await pause(playMs);
  const watched = await Promise.all(all.map((screen) => screen.watched()));
  await screens.closeAll();
  for (const { startupMs, freezes, frozenMs } of watched)
    say(`started after ${Math.round(startupMs!)} ms, ${freezes} freezes, ${Math.round(frozenMs)} ms frozen`);
  return watched;
}

function results(ours: readonly Watched[], plain: readonly Watched[]): Result[] {
  const slowest = (of: readonly Watched[]) => Math.max(...of.map(({ startupMs }) => startupMs!));
  const freezes = (of: readonly Watched[]) => of.reduce((sum, one) => sum + one.freezes, 0);
  return [
    comparison('the slowest start', [slowest(ours)], 'ms', 'plain hls.js', [slowest(plain)]),
    figure('the slowest start', [slowest(ours)], 'ms', { atMost: 2_000 }),
    figure('freezes of all', [freezes(ours)], '', { atMost: 0 }, `plain hls.js: ${freezes(plain)}`),
  ];
}
