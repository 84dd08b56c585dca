import type { Mode } from '../../protocol/swarm-fields.ts';
import type { Session, SessionStats } from '../playback/session.ts';
import { el, setAttribute, setText } from './dom.ts';
import { type Message, notLoaded, privacyOf } from './first-messages.ts';
import type { Hands } from './hands.ts';
import { icon } from './icons.ts';
import { Notice } from './notice.ts';
import { controls, extras, type OnDemand, type UseExtras } from './on-demand.ts';
import type { Shared } from './share-dialog.ts';

/** Controls hide after so long without a move of pointer or keys, while the picture moves. */
const HIDE_AFTER_MS = 2_800;
/** Long enough to be read. */
const NOT_LOADED_SHOWN_MS = 8_000;
/** Controls that did not come are asked for again so often. */
const HANDS_AGAIN_MS = 5_000;

export interface ViewOptions {
  /** Goes full screen: picture and panel. */
  readonly root: HTMLElement;
  session(): Session | undefined;
  shared(): Shared;
  panel(): 'off' | 'closed' | 'open';
  togglePanel(): void;
  readonly onDemand: OnDemand;
  /** A new session in the place of one that failed. */
  retry(): void;
}

/** The picture with what lies over it from the start: the play button, the title, messages. What it is handled with comes later. */
export class PlayerView {
  readonly element: HTMLElement;
  readonly video: HTMLVideoElement;
  /** What it is handled with; undefined until it is here. */
  hands: Hands | undefined;
  /** Whoever turned the sound off meant it: the viewer, or the site. Else it was the browser. */
  isSilenceWanted = false;
  private readonly bigPlay: HTMLButtonElement;
  private readonly title = el('p', { class: 'idle-title' });
  private readonly privacy = el('p', { class: 'idle-privacy' });
  private readonly centre: Notice;
  private readonly banner: Notice;
  private handsAskedAtMs = Number.NEGATIVE_INFINITY;
  private readonly options: ViewOptions;
  private hideTimer = 0;
  private privacyMode: Mode | undefined;
  /** Stays for a while, where nothing else is to be said. */
  private notLoadedUntilMs = 0;

  constructor(options: ViewOptions) {
    this.options = options;
    this.video = el('video', { playsinline: '', preload: 'none', tabindex: '-1', 'aria-label': 'Live video' });
    this.centre = new Notice('centre', () => options.retry());
    this.banner = new Notice('banner', () => options.retry());
    this.bigPlay = el('button', { class: 'big-play', type: 'button', 'aria-label': 'Play' }, icon('play'));
    const idle = el('div', { class: 'idle' }, this.bigPlay, this.title, this.privacy);
    this.element = el('section', { class: 'stage', 'aria-label': 'Player', 'data-phase': 'idle' });
    this.element.append(this.video, this.centre.element, idle, this.banner.element);
    this.listen();
  }

  /** Where nothing is played: what to say instead. */
  showMessage(message: Message): void {
    setAttribute(this.element, 'data-phase', 'failed');
    this.centre.set(message);
    this.banner.set(null);
  }

  update(stats: SessionStats, title: string): void {
    setText(this.title, title);
    setAttribute(this.element, 'data-phase', stats.phase);
    this.showPrivacy(stats.peer.mode);
    this.hands?.update(stats);
    if (this.hands === undefined) this.loadHands();
    const message = controls.here?.messageFor(stats, navigator.onLine);
    this.centre.set(message?.place === 'centre' ? message : null);
    const rest = performance.now() < this.notLoadedUntilMs ? notLoaded : null;
    this.banner.set(message?.place === 'banner' ? message : rest);
  }

  /** Before another session, and after the last. */
  reset(): void {
    window.clearTimeout(this.hideTimer);
    this.hands?.reset();
    this.element.classList.remove('quiet');
    setAttribute(this.element, 'data-phase', 'idle');
    this.centre.set(null);
    this.banner.set(null);
  }

  /** Until they are here, space, k and presses on the picture do what they always do. */
  loadHands(): void {
    const nowMs = performance.now();
    if (this.hands !== undefined || nowMs - this.handsAskedAtMs < HANDS_AGAIN_MS) return;
    const isAgain = this.handsAskedAtMs >= 0;
    this.handsAskedAtMs = nowMs;
    const make = ({ Hands }: NonNullable<typeof controls.here>): void => {
      if (this.hands !== undefined) return;
      // What was said not to have loaded has.
      if (isAgain) this.notLoadedUntilMs = 0;
      const hands = new Hands(this, this.options);
      this.hands = hands;
      this.banner.element.before(hands.toast.element);
      this.element.append(hands.controls.element, hands.unmute.element);
    };
    void this.options.onDemand.use(controls, make, false);
  }

  togglePlay(pressedAtMs?: number): void {
    const { video } = this;
    const session = this.options.session();
    if (video.paused || video.ended) void session?.play(pressedAtMs);
    else session?.pause();
  }

  /** A press is answered at once, also where what it opens has yet to be loaded. */
  showLoading(state: 'loading' | 'failed'): void {
    if (state === 'loading') this.hands?.toast.say('One moment', 'latency');
    if (state === 'failed') this.notLoadedUntilMs = performance.now() + NOT_LOADED_SHOWN_MS;
  }

  /** @returns Whether the key meant something. */
  key(event: KeyboardEvent, target: Element): boolean {
    this.wake();
    // On a button or a link, space and Enter are that button's.
    if (event.key === ' ' && target.matches('button, a, [role^=menuitem], input')) return false;
    if (this.hands !== undefined) return this.hands.key(event.key);
    const isPlay = event.key === ' ' || event.key === 'k';
    if (isPlay) this.togglePlay();
    return isPlay;
  }

  readonly useExtras: UseExtras = (act) => void this.options.onDemand.use(extras, act, true);

  isQuiet(): boolean {
    return this.element.classList.contains('quiet');
  }

  private listen(): void {
    this.bigPlay.addEventListener('click', (event) => this.togglePlay(event.timeStamp));
    this.video.addEventListener('click', () => {
      if (this.hands === undefined) this.togglePlay();
    });
    for (const name of ['pointermove', 'pointerdown', 'keydown', 'focusin']) {
      this.element.addEventListener(name, () => this.wake());
    }
    this.element.addEventListener('pointerleave', (event) => {
      if (event.pointerType === 'mouse') this.sleep();
    });
  }

  /** Before the first press, a viewer knows who would see their address. */
  private showPrivacy(mode: Mode): void {
    if (mode === this.privacyMode) return;
    this.privacyMode = mode;
    const isHidden = mode === 'ins';
    this.privacy.replaceChildren(icon(isHidden ? 'shield' : 'eye'), el('span', {}, privacyOf(mode)));
  }

  private wake(): void {
    this.element.classList.remove('quiet');
    window.clearTimeout(this.hideTimer);
    this.hideTimer = window.setTimeout(() => this.sleep(), HIDE_AFTER_MS);
  }

  /** The controls hide, but never from under the keyboard. */
  sleep(): void {
    if (this.hands?.areBusy !== true) this.element.classList.add('quiet');
  }
}
