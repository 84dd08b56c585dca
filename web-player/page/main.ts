import { el } from '../element/dom.ts';
import { defineInswarmPlayer, type InswarmPlayerElement } from '../element/inswarm-player.ts';
import { type Address, readAddress } from './address.ts';
import { Header } from './header.ts';
import { nothingOnAir, streamList, trackerAway, wrongAddress } from './stream-list.ts';
import { loadStreams, pageOf, type StreamEntry } from './streams.ts';
import { exposePage } from './window-api.ts';

const LOOK_FOR_STREAMS_EVERY_MS = 3_000;
/** A narrower page shows the picture first: the panel is a press away. */
const PANEL_FROM_PX = 1_000;

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
  const player = el('inswarm-player', { tracker: trackerUrl(), stream, mode: address.mode });
  if (!address.gives) player.upload = false;
  if (!address.follow) player.follow = false;
  player.startAt = address.startAt;
  player.autoplay = address.autoplay;
  player.panel = address.panel ?? (window.innerWidth < PANEL_FROM_PX ? 'closed' : 'open');
  player.shareUrl = new URL(pageOf(stream, address.mode), location.href).href;
  player.addEventListener('opened', () => exposePage(player.session!, player.video));
  player.addEventListener('title', ({ detail }) => header.setTitle(detail.title));
  header.setMode(stream, address.mode);
  void told(stream, player);
  show(el('main', { class: 'watch' }, player));
}

function trackerUrl(): string {
  return `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/`;
}

/** What the tracker knows of the stream before the player does, which joins when play is pressed. */
async function told(stream: string, player: InswarmPlayerElement): Promise<void> {
  const streams = await loadStreams().catch(() => []);
  const entry = streams.find(({ id }) => id === stream);
  if (entry?.title && player.streamTitle === '') {
    player.streamTitle = entry.title;
    header.setTitle(entry.title);
  }
  if (entry?.hlsUrl) player.fallback = entry.hlsUrl;
}

defineInswarmPlayer();
begin();
