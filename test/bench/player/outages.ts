import { figure } from '../report.ts';
import { type PlayerContext, type PlayerScenario, pause } from './scenario.ts';
import { Screens } from './screens.ts';
import { MBIT, Theatre } from './theatre.ts';

const GONE_MS = 10_000;
const AFTER_MS = 8_000;
const STALL_MS = 3_000;

export const outages: PlayerScenario = {
  name: 'outages',
  about:
    'one of two INS servers, the tracker, the source are gone for 10 s each; the only INS server where two peers can give: ended, without a word, standing still',
  async run(context) {
    await servers(context);
    await onlyServer(context, 'ended', (theatre) => theatre.crashIns(0));
    await onlyServer(context, 'gone without a word', (theatre) => theatre.killIns(0));
    await onlyServer(context, 'standing still for 3 s', async (theatre) => theatre.stallIns(0, STALL_MS));
  },
};

async function servers({ result, say }: PlayerContext): Promise<void> {
  const theatre = await Theatre.open({ insServers: 2, picture: '640x360' });
  const screens = await Screens.launch(theatre);
  try {
    const screen = await screens.player(theatre, 'ins');
    await screen.press();
    await pause(6_000);
    const during = async (what: string, kill: () => Promise<void>, back: () => Promise<void>) => {
      await screen.forgive();
      await kill();
      await pause(GONE_MS);
      const message = await screen.ask<string>(SHOWN_TEXT);
      await back();
      await pause(AFTER_MS);
      const { freezes, longestMs, isFrozen } = await screen.watched();
      const shown = await screen.shownLatencyMs();
      say(
        `${what}: ${freezes} freezes, the longest ${Math.round(longestMs)} ms; ${shown} ms behind after; it said: ${message}`,
      );
      return { freezes, longestMs, isFrozen, shown };
    };
    const used = (await screen.stats()).peer.ins;
    const server = theatre.ins.findIndex(({ url }) => url === used);
    if (server < 0) throw new Error(`the player takes its blocks from ${used}, which is none of the servers here`);
    const ins = await during(
      'INS server in use',
      () => theatre.killIns(server),
      () => theatre.startIns(server),
    );
    result(figure('freezes, one of two INS servers gone', [ins.freezes], '', { atMost: 0 }));
    const tracker = await during(
      'tracker',
      () => theatre.killTracker(),
      () => theatre.startTracker(),
    );
    result(figure('freezes, the tracker gone', [tracker.freezes], '', { atMost: 0 }));
    const source = await during(
      'source',
      async () => theatre.cutOffSource(),
      async () => theatre.reconnectSource(),
    );
    const back = source.isFrozen || source.shown === null ? Number.POSITIVE_INFINITY : source.shown;
    result(figure(`latency ${AFTER_MS / 1_000} s after the source came back`, [back], 'ms', { atMost: 2_500 }));
  } finally {
    await screens.close();
    await theatre.close();
  }
}

async function onlyServer(
  { result, say }: PlayerContext,
  what: string,
  happen: (theatre: Theatre) => Promise<void>,
): Promise<void> {
  const theatre = await Theatre.open({ insServers: 1, picture: '640x360' });
  const screens = await Screens.launch(theatre);
  try {
    const streamBps = await theatre.streamBps();
    const peers = [await theatre.peer('hybrid', 3 * streamBps), await theatre.peer('hybrid', 3 * streamBps)];
    const theirs = () => peers.reduce((sum, peer) => sum + peer.stats().freezes, 0);
    theatre.limitSource(Math.max(1.5 * streamBps, MBIT));
    const screen = await screens.player(theatre, 'hybrid');
    await screen.press();
    await pause(6_000);
    await screen.forgive();
    const before = theirs();
    await happen(theatre);
    await pause(GONE_MS);
    const { freezes, longestMs } = await screen.watched();
    const { bytesFrom } = (await screen.stats()).peer;
    say(
      `the only INS server ${what}: bytes from INS ${bytesFrom.ins}, peers ${bytesFrom.peers}, source ${bytesFrom.source}`,
    );
    result(figure(`freezes, the only INS server ${what}`, [freezes], '', { atMost: 1 }, 'two peers can give'));
    result(figure(`the longest of them, ${what}`, [longestMs], 'ms', { atMost: 1_000 }));
    result(figure(`freezes of the two peers, ${what}`, [theirs() - before], '', { atMost: 0 }));
  } finally {
    await screens.close();
    await theatre.close();
  }
}

/** What the player says over the picture. */
const SHOWN_TEXT = `(() => {
  const find = (root) => [...root.querySelectorAll('[role=status]')].concat(...[...root.querySelectorAll('*')].map((one) => (one.shadowRoot ? find(one.shadowRoot) : [])));
  return find(document).map((one) => one.textContent.trim()).filter(Boolean).join(' / ');
})()`;
