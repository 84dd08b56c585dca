import { el } from '../element/dom.ts';
import { Flow } from '../element/flow.ts';
import { Panel } from '../element/panel.ts';
import { PlayerView } from '../element/player-view.ts';
import { Session } from '../playback/session.ts';
import { type Address, readAddress } from './address.ts';
import { Header } from './header.ts';
import { noMediaSource, nothingOnAir, streamList, trackerAway, wrongAddress } from './stream-list.ts';
import { loadStreams, type StreamEntry } from './streams.ts';
import { exposePage } from './window-api.ts';

const LOOK_FOR_STREAMS_EVERY_MS = 3_000;
const SHOW_EVERY_MS = 250;

const app = document.getElementById('app')!;
const header = new Header();

function begin(): void {
  const address = readAddress(location.search);
  forgetAutoplay();
  if (typeof address === 'string') show(wrongAddress(address));
  else if (address.stream !== null) watch(address, address.stream);
  else void findStream(address);
}

/** It says how the page was come to, not what is on it: the address may be passed on. */
function forgetAutoplay(): void {
  const url = new URL(location.href);
  if (!url.searchParams.has('autoplay')) return;
  url.searchParams.delete('autoplay');
  history.replaceState(null, '', url);
}

function show(main: HTMLElement): void {
  app.replaceChildren(header.element, main);
}

/** One stream is played, several are shown to choose from; with none, the page goes on looking. */
async function findStream(address: Address): Promise<void> {
  let shown = '';
  for (;;) {
    const streams = await onAir().catch(() => undefined);
    const [first, second] = streams ?? [];
    if (first !== undefined && second === undefined) {
      watch(address, first.id);
      return;
    }
    // Drawn again only when it has changed: what is being read or has the focus stays.
    const key = JSON.stringify(streams ?? null);
    if (key !== shown) show(overview(streams));
    shown = key;
    await new Promise((resolve) => window.setTimeout(resolve, LOOK_FOR_STREAMS_EVERY_MS));
  }
}

/** The tracker remembers for a while what is over. */
async function onAir(): Promise<readonly StreamEntry[]> {
  return (await loadStreams()).filter(({ state }) => state !== 'ended');
}

function overview(streams: readonly StreamEntry[] | undefined): HTMLElement {
  if (streams === undefined) return trackerAway();
  return streams.length === 0 ? nothingOnAir() : streamList(streams);
}

/** Plays one stream, for as long as the page is open. */
function watch(address: Address, stream: string): void {
  const { mode, gives, follow } = address;
  const tracker = `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/`;
  const view = new PlayerView();
  const panel = new Panel();
  const flow = new Flow();
  let told = '';
  let session: Session | undefined;
  const open = (): void => {
    session?.close();
    session = new Session(view.video, { tracker, stream, mode, gives, follow });
    exposePage(session);
    view.show(session);
  };
  header.setMode(stream, mode);
  show(el('main', { class: 'watch' }, el('div', { class: 'left' }, view.element, flow.element), panel.element));
  if (!Session.supported) {
    void offerHls(stream);
    return;
  }
  open();
  void titleOf(stream).then((title) => {
    told = title;
  });
  window.setInterval(() => {
    // A broadcast that was over has begun again; what has ended in a player never goes on.
    if (session?.isOutlived) {
      open();
      void session.play();
    }
    const stats = session!.stats();
    const title = stats.title || told;
    header.setTitle(title);
    view.update(stats, title);
    panel.update(stats, session!.history);
    flow.update(stats, session!.history);
  }, SHOW_EVERY_MS);
  // A page that comes back from the browser's cache has left the swarm.
  window.addEventListener('pageshow', (event) => {
    if (event.persisted) location.reload();
  });
  if (address.autoplay) void session!.play();
}

/** The title before the peer knows it, which joins when play is pressed. */
async function titleOf(stream: string): Promise<string> {
  const streams = await loadStreams().catch(() => []);
  return streams.find(({ id }) => id === stream)?.title ?? '';
}

/** Where no page can put video together, the stream may still be played as it is. */
async function offerHls(stream: string): Promise<void> {
  show(noMediaSource(null));
  const streams = await loadStreams().catch(() => []);
  show(noMediaSource(streams.find(({ id }) => id === stream)?.hlsUrl ?? null));
}

begin();
