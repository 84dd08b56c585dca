import { el } from '../element/dom.ts';
import { defineInswarmPlayer } from '../element/inswarm-player.ts';
import { extras } from '../element/on-demand.ts';
import { About } from './about.ts';
import { type Address, readAddress } from './address.ts';
import { Header } from './header.ts';
import { nothingOnAir, streamList, trackerAway, wrongAddress } from './stream-list.ts';
import { loadStreams, pageOf, type StreamEntry } from './streams.ts';
import { rememberWatching, wasWatching } from './watching.ts';
import { exposePage } from './window-api.ts';

const LOOK_FOR_STREAMS_EVERY_MS = 3_000;
/** A narrower page shows the picture first: the panel is a press away. */
const PANEL_FROM_PX = 1_000;
/** It comes with the page (`vite.config.ts`); where it does not, the picture does not wait for it. */
const PANEL_WITHIN_MS = 500;

/** How often the page asks for viewers and other streams, and how many of those it shows. */
const TOLD_EVERY_MS = 10_000;
const OTHERS_MAX = 24;

const app = document.getElementById('app')!;
const header = new Header();

function begin(): void {
  const address = readAddress(location.search);
  forgetAutoplay();
  if (typeof address === 'string') show(wrongAddress(address));
  else if (address.stream !== null) void watch(address, address.stream);
  else void findStream(address);
}

/** It says how the page was come to, not what is on it: the address may be passed on. */
function forgetAutoplay(): void {
  const url = new URL(location.href);
  if (!url.searchParams.has('autoplay')) return;
  url.searchParams.delete('autoplay');
  history.replaceState(history.state, '', url);
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
      void watch(address, first.id);
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
async function watch(address: Address, stream: string): Promise<void> {
  const panel = address.panel ?? (window.innerWidth < PANEL_FROM_PX ? 'closed' : 'open');
  // A panel that came after the picture would move what is below.
  if (panel === 'open') await extras.soon(PANEL_WITHIN_MS);
  const player = el('inswarm-player', { tracker: trackerUrl(), stream, mode: address.mode });
  if (address.joinsLate) player.preload = 'none';
  if (!address.gives) player.upload = false;
  if (!address.follow) player.follow = false;
  if (address.fallback !== null) player.fallback = address.fallback;
  player.startAt = address.startAt;
  player.autoplay = address.autoplay || wasWatching();
  rememberWatching(player);
  player.panel = panel;
  player.shareUrl = new URL(pageOf(stream, address.mode), location.href).href;
  player.addEventListener('opened', () => exposePage(player.session!, player.video));
  const about = new About();
  const setTitle = (title: string): void => {
    header.setTitle(title);
    about.setTitle(title);
  };
  player.addEventListener('title', ({ detail }) => setTitle(detail.title));
  header.setMode(stream, address.mode);
  show(el('main', { class: 'watch' }, player, about.element));
  void keepTold(stream, (entry, others) => {
    about.update(entry, others);
    // The player knows better, once it has joined.
    if (entry?.title && player.streamTitle !== entry.title) {
      player.streamTitle = entry.title;
      setTitle(player.streamTitle);
    }
  });
}

function trackerUrl(): string {
  return `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/`;
}

/** What the tracker says of the stream, and of the others on air: at once, and again while somebody looks. */
async function keepTold(
  stream: string,
  tell: (entry: StreamEntry | undefined, others: readonly StreamEntry[]) => void,
): Promise<void> {
  for (;;) {
    const streams = document.hidden ? undefined : await loadStreams().catch(() => undefined);
    if (streams !== undefined) {
      const others = streams.filter(({ id, state }) => id !== stream && state !== 'ended').slice(0, OTHERS_MAX);
      tell(
        streams.find(({ id }) => id === stream),
        others,
      );
    }
    await new Promise((resolve) => window.setTimeout(resolve, TOLD_EVERY_MS));
  }
}

defineInswarmPlayer();
begin();
