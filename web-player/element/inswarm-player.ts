import { Session, type SessionStats } from '../playback/session.ts';
import { el, setAttribute } from './dom.ts';
import { EventLog } from './event-log.ts';
import { type Message, noMediaSource, wrongSettings } from './first-messages.ts';
import { GoingOn } from './going-on.ts';
import { takeKeys } from './keyboard.ts';
import { extras, OnDemand } from './on-demand.ts';
import { PlayerAttributes } from './player-attributes.ts';
import { type InswarmPlayerEventMap, nameOf } from './player-events.ts';
import { PlayerView } from './player-view.ts';
import { readSettings, STREAM_ATTRIBUTES, type StreamSettings } from './settings.ts';
import { playerSheets } from './sheets.ts';

export type { InswarmPlayerEventMap, InswarmPlayerEvents } from './player-events.ts';

const SHOW_EVERY_MS = 250;

/**
 * A player of one stream.
 *
 * ```html
 * <inswarm-player tracker="wss://tracker.example/" stream="ID"></inswarm-player>
 * ```
 *
 * Attributes, each also a property:
 * - `tracker`: the tracker's WebSocket address; `stream`: the stream's id. Another value opens another session.
 * - `mode`: `hybrid` (default), `ins` or `native`.
 * - `preload`: `none` leaves even the tracker alone until the press on play; else the swarm is joined, and no media taken.
 * - `autoplay`: begins without a press, in silence where the browser wants that; `muted`: begins in silence.
 * - `upload`: `off` gives no block to peers (native and hybrid mode); `follow`: `off` asks the INS server for each batch.
 * - `target-latency`: live latency to aim at, from the camera to the screen, in ms.
 * - `fallback`: may the source's own plain HLS be played while nothing comes out of the swarm? Its address, or `auto` for what the tracker
 *   says; default `off`, for it costs the source what the swarm saves, and the source sees the viewer's address. Browsers without Media
 *   Source Extensions are offered a link to it, unless this is set to `off`.
 * - `panel`: `closed` (default), `open`, or `off` for no such button; `theme`: `auto` (default), `dark` or `light`.
 * - `poster`: a picture for the time before it plays.
 * - `start-at`: begin with the moment of this Unix time in seconds, by the source's clock, where it is kept.
 * - `share-url`: what the share button gives out; else the address of the page.
 *
 * Its events are those of {@link InswarmPlayerEventMap}. Taken out of the document it leaves the swarm; put back, it begins anew.
 */
export class InswarmPlayerElement extends PlayerAttributes {
  static readonly observedAttributes: readonly string[] = [
    ...STREAM_ATTRIBUTES,
    ...['panel', 'theme', 'poster', 'muted', 'start-at', 'target-latency'],
  ];

  private readonly root = el('div', { class: 'root' });
  private readonly view: PlayerView;
  private readonly log = new EventLog();
  private readonly goingOn: GoingOn;
  private readonly darkness = window.matchMedia('(prefers-color-scheme: dark)');
  private current: Session | undefined;
  private timer: number | undefined;
  private releases: readonly (() => void)[] = [];
  private presetTitle = '';
  private titleTold = '';
  /** The viewer, or the site, has asked for the picture. */
  private wanted = false;
  private isReopening = false;

  constructor() {
    super();
    const shadow = this.attachShadow({ mode: 'open' });
    const onDemand = new OnDemand({ shadow, tell: (state) => this.view.showLoading(state) });
    this.view = new PlayerView({
      root: this.root,
      session: () => this.current,
      shared: () => ({ url: this.shareUrl, title: this.streamTitle, momentMs: this.momentMs }),
      panel: () => this.panel,
      togglePanel: () => this.togglePanel(),
      onDemand,
      retry: () => {
        this.wanted = true;
        this.open();
      },
    });
    this.goingOn = new GoingOn({
      ...{ onDemand, stage: this.view.element },
      report: () => this.report(),
      shown: () => this.look(),
      missing: () => {
        if (this.panel === 'open') this.panel = 'closed';
      },
    });
    shadow.adoptedStyleSheets = [...playerSheets()];
    this.root.append(this.view.element);
    shadow.append(this.root);
    this.takeOverProperties();
  }

  connectedCallback(): void {
    if (this.timer !== undefined) return;
    this.showTheme();
    this.view.loadHands();
    this.showPanel();
    if (this.hasAttribute('muted')) this.muted = true;
    this.releases = [
      takeKeys({ host: this, key: (event, target) => this.view.key(event, target) }),
      listen(this.darkness, 'change', () => this.showTheme()),
      // A page that comes back from the browser's cache has left the swarm.
      listen(window, 'pageshow', (event) => {
        if ((event as PageTransitionEvent).persisted) this.open();
      }),
    ];
    this.timer = window.setInterval(() => this.look(), SHOW_EVERY_MS);
    this.open();
  }

  disconnectedCallback(): void {
    // A move within the document is no leaving: then it is connected again before the task ends.
    queueMicrotask(() => {
      if (!this.isConnected) this.end();
    });
  }

  attributeChangedCallback(name: string, was: string | null, is: string | null): void {
    if (was === is) return;
    if ((STREAM_ATTRIBUTES as readonly string[]).includes(name)) this.reopen();
    else if (name === 'panel') this.showPanel();
    else if (name === 'theme') this.showTheme();
    else if (name === 'muted') this.muted = is !== null;
    else if (name === 'target-latency') this.showTarget();
    else if (name === 'start-at') this.view.hands?.start.reset();
    else if (name === 'poster') this.showPoster();
  }

  /** Plays; the first call joins the swarm. */
  async play(): Promise<void> {
    this.wanted = true;
    if (this.current === undefined && this.timer !== undefined) this.open();
    else await this.current?.play();
  }

  /** Who pauses goes on from there later. */
  pause(): void {
    this.current?.pause();
  }

  /** To the live edge, at once. */
  goLive(): void {
    this.current?.goLive();
  }

  /** Stops and leaves the swarm. {@link play} opens another session, and so does another stream. */
  close(): void {
    this.closeSession();
    this.wanted = false;
    this.view.reset();
  }

  /** All figures of the session; undefined while there is none. */
  stats(): SessionStats | undefined {
    return this.current?.stats();
  }

  /**
   * Figures, the last minute and what happened, as text for support; it holds nobody's address.
   *
   * @throws Error when what makes the text cannot be loaded.
   */
  async report(): Promise<string> {
    const here = extras.here ?? (await extras.soon());
    if (here === undefined) throw new Error('what makes a report could not be loaded');
    const session = this.current;
    if (session === undefined) return '{}';
    return here.reportOf(session.stats(), { events: this.log.events, history: session.history });
  }

  /** What plays; undefined outside of a document, and where nothing can be played. */
  get session(): Session | undefined {
    return this.current;
  }

  /** The video element inside. What it plays is for the session to say; sound and pictures of it are free to use. */
  get video(): HTMLVideoElement {
    return this.view.video;
  }

  get muted(): boolean {
    return this.video.muted;
  }

  set muted(value: boolean) {
    this.view.isSilenceWanted = true;
    this.video.muted = value;
  }

  /** From 0 to 1. */
  get volume(): number {
    return this.video.volume;
  }

  set volume(value: number) {
    this.video.volume = value;
  }

  /** The title that the source gave the stream; before it is known, the one that was set here. */
  get streamTitle(): string {
    return this.current?.stats().title || this.presetTitle;
  }

  set streamTitle(title: string) {
    this.presetTitle = title;
  }

  override addEventListener<K extends keyof InswarmPlayerEventMap>(
    type: K,
    listener: (this: InswarmPlayerElement, event: InswarmPlayerEventMap[K]) => unknown,
    options?: boolean | AddEventListenerOptions,
  ): void;
  override addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | AddEventListenerOptions,
  ): void;
  override addEventListener(
    type: string,
    // biome-ignore lint/suspicious/noExplicitAny: one body for all the listeners that the overloads name
    listener: any,
    options?: boolean | AddEventListenerOptions,
  ): void {
    super.addEventListener(type, listener, options);
  }

  private get momentMs(): number | null {
    const timeline = this.current?.timeline;
    if (timeline === undefined || timeline.zeroAtMs === null) return null;
    return timeline.zeroAtMs + timeline.atS * 1_000;
  }

  /** Several attributes that change together open one session. */
  private reopen(): void {
    if (this.timer === undefined || this.isReopening) return;
    this.isReopening = true;
    queueMicrotask(() => {
      this.isReopening = false;
      if (this.timer !== undefined) this.open();
    });
  }

  private open(): void {
    this.closeSession();
    this.view.reset();
    const settings = readSettings((name) => this.getAttribute(name));
    if (typeof settings === 'string') {
      this.refuse('settings', wrongSettings(settings));
      return;
    }
    if (!Session.supported) {
      void this.offerHls(settings);
      return;
    }
    this.titleTold = '';
    this.current = new Session(this.video, settings);
    this.showTarget();
    this.log.follow(this.current);
    this.current.onEvent((event) => {
      const { kind, ...detail } = event;
      if (kind === 'started') extras.whenIdle();
      this.dispatchEvent(new CustomEvent(nameOf(kind), { detail }));
    });
    this.tell('opened', { stream: settings.stream });
    this.look();
    if (this.wanted || this.autoplay) void this.play();
    else if (this.preload !== 'none') this.current.prepare();
  }

  private refuse(code: 'settings' | 'unsupported', message: Message): void {
    this.view.showMessage(message);
    this.tell('error', { code, message: `${message.title}. ${message.text}`, fatal: true });
  }

  /** Where no page can put video together, the stream may still be played as it is, by a press of the viewer's own. */
  private async offerHls({ tracker, stream, fallback }: StreamSettings): Promise<void> {
    this.refuse('unsupported', noMediaSource(fallback.startsWith('http') ? fallback : null));
    if (fallback.startsWith('http') || this.getAttribute('fallback') === 'off') return;
    const here = await import('../playback/changeover-chunk.ts').catch(() => undefined);
    const url = (await here?.findHlsUrl(tracker, stream)) ?? null;
    const isSame = this.tracker === tracker && this.stream === stream;
    if (url !== null && isSame && this.current === undefined) this.view.showMessage(noMediaSource(url));
  }

  private closeSession(): void {
    const phase = this.current?.stats().phase;
    // Who watched, by whatever press, watches the next stream, too.
    if (phase !== undefined) this.wanted = phase !== 'paused' && phase !== 'idle';
    this.current?.close();
    this.current = undefined;
  }

  private end(): void {
    window.clearInterval(this.timer);
    this.timer = undefined;
    for (const release of this.releases) release();
    this.closeSession();
    this.view.reset();
  }

  private look(): void {
    const session = this.current;
    if (session === undefined) return;
    // A broadcast that was over has begun again; what has ended in a player never goes on.
    if (session.isOutlived) {
      this.open();
      return;
    }
    const stats = session.stats();
    this.tellTitle(stats.title);
    if (stats.startupDelayMs !== null) this.view.hands?.begun(this.startAt, this.streamTitle);
    if (document.hidden) return;
    this.view.update(stats, stats.title || this.presetTitle);
    if (this.panel === 'open') this.goingOn.update(stats, session.history);
  }

  private tellTitle(title: string): void {
    if (title === this.titleTold) return;
    this.titleTold = title;
    this.tell('title', { title });
  }

  private togglePanel(): void {
    if (this.panel === 'off') return;
    if (this.panel === 'closed') void this.goingOn.show(true);
    this.panel = this.panel === 'open' ? 'closed' : 'open';
  }

  private showPanel(): void {
    setAttribute(this.root, 'data-panel', this.panel);
    if (this.panel === 'open' && this.isConnected) void this.goingOn.show(false);
    this.look();
  }

  private showTheme(): void {
    const { theme } = this;
    const auto = this.darkness.matches ? 'dark' : 'light';
    setAttribute(this.root, 'data-theme', theme === 'auto' ? auto : theme);
  }

  private showTarget(): void {
    const { targetLatency } = this;
    if (this.current !== undefined && targetLatency !== null) this.current.targetLatencyMs = targetLatency;
  }

  private showPoster(): void {
    this.video.poster = this.poster;
    this.root.toggleAttribute('data-poster', this.poster !== '');
  }

  private tell<K extends keyof InswarmPlayerEventMap>(name: K, detail: InswarmPlayerEventMap[K]['detail']): void {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}

function listen(target: EventTarget, name: string, listener: (event: Event) => void): () => void {
  target.addEventListener(name, listener);
  return () => target.removeEventListener(name, listener);
}

/** Makes `<inswarm-player>` known to the browser, once. */
export function defineInswarmPlayer(): void {
  if (customElements.get('inswarm-player') === undefined) customElements.define('inswarm-player', InswarmPlayerElement);
}

declare global {
  interface HTMLElementTagNameMap {
    'inswarm-player': InswarmPlayerElement;
  }
}
