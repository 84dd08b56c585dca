import { type Address, readAddress } from './address.ts';
import { el } from './dom.ts';
import { Header } from './header.ts';
import { Panel } from './panel.ts';
import { PlayerView } from './player-view.ts';
import { Session } from './session.ts';
import { nothingOnAir, streamList, trackerAway, wrongAddress } from './stream-list.ts';
import { loadStreams, type StreamEntry } from './streams.ts';
import { exposePage } from './window-api.ts';

const LOOK_FOR_STREAMS_EVERY_MS = 3_000;
const SHOW_EVERY_MS = 250;

const app = document.getElementById('app')!;
const header = new Header();

function begin(): void {
  const address = readAddress(location.search);
  if (typeof address === 'string') show(wrongAddress(address));
  else if (address.stream !== null) watch(address, address.stream);
  else void findStream(address);
}

function show(main: HTMLElement): void {
  app.replaceChildren(header.element, main);
}

/** One stream is played, several are shown to choose from; with none, the page goes on looking. */
async function findStream(address: Address): Promise<void> {
  let shown = '';
  for (;;) {
    const streams = await loadStreams().catch(() => undefined);
    const [first, second] = streams ?? [];
    if (first !== undefined && second === undefined) {
      watch(address, first.stream);
      return;
    }
    // Drawn again only when it has changed: what is being read or has the focus stays.
    const key = JSON.stringify(streams ?? null);
    if (key !== shown) show(overview(streams));
    shown = key;
    await new Promise((resolve) => window.setTimeout(resolve, LOOK_FOR_STREAMS_EVERY_MS));
  }
}

function overview(streams: readonly StreamEntry[] | undefined): HTMLElement {
  if (streams === undefined) return trackerAway();
  return streams.length === 0 ? nothingOnAir() : streamList(streams);
}

function watch(address: Address, stream: string): void {
  const view = new PlayerView();
  const panel = new Panel();
  header.setMode(stream, address.mode);
  show(el('main', { class: 'watch' }, view.element, panel.element));
  if (!Session.supported) {
    show(wrongAddress('This browser has no Media Source Extensions, without which no page can play this stream.'));
    return;
  }
  const tracker = `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/`;
  const { mode, gives, follow } = address;
  const session = new Session(view.video, { tracker, stream, mode, gives, follow });
  exposePage(session);
  view.show(session);
  window.setInterval(() => {
    const stats = session.stats();
    header.setTitle(stats.title);
    view.update(stats);
    panel.update(stats, session.history);
  }, SHOW_EVERY_MS);
  // A page that comes back from the browser's cache has left the swarm.
  window.addEventListener('pageshow', (event) => {
    if (event.persisted) location.reload();
  });
  if (address.autoplay) void session.play();
}

begin();
