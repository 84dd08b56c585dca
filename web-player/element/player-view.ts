import type { Mode } from '../../protocol/swarm-fields.ts';
import type { Session, SessionStats } from '../playback/session.ts';
import { type Acting, Actions, VOLUME_STEP } from './actions.ts';
import type { Controls } from './controls.ts';
import type { Dialog } from './dialog.ts';
import { el, setAttribute, setText } from './dom.ts';
import { type IconName, icon } from './icons.ts';
import { type Message, messageFor, notLoaded, PRIVACY } from './message.ts';
import { Notice } from './notice.ts';
import { controls, extras, type OnDemand, type UseExtras } from './on-demand.ts';
import type { ShareDialog, Shared } from './share-dialog.ts';
import { Toast } from './toast.ts';
import { watchGestures } from './touch.ts';
import { UnmuteButton } from './unmute-button.ts';

/** Controls hide after so long without a move of pointer or keys, while the picture moves. */
const HIDE_AFTER_MS = 2_800;
/** Long enough to be read. */
const NOT_LOADED_SHOWN_MS = 8_000;
/** Controls that did not come are asked for again so often. */
const CONTROLS_AGAIN_MS = 5_000;
const SEEK_S = 10;
const SMALL_SEEK_S = 5;

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

/** The picture with what lies over it: the play button, messages, controls. */
export class PlayerView {
  readonly element: HTMLElement;
  readonly video: HTMLVideoElement;
  readonly actions: Actions;
  private readonly bigPlay: HTMLButtonElement;
  private readonly title = el('p', { class: 'idle-title' });
  private readonly privacy = el('p', { class: 'idle-privacy' });
  private readonly centre: Notice;
  private readonly banner: Notice;
  private readonly unmute: UnmuteButton;
  private readonly toast = new Toast();
  private keysDialog: Dialog | undefined;
  private shareDialog: ShareDialog | undefined;
  private controls: Controls | undefined;
  private controlsAskedAtMs = Number.NEGATIVE_INFINITY;
  private readonly options: ViewOptions;
  private hideTimer = 0;
  private privacyMode: Mode | undefined;
  /** Stays for a while, where nothing else is to be said. */
  private notLoadedUntilMs = 0;

  constructor(options: ViewOptions) {
    this.options = options;
    this.video = el('video', { playsinline: '', preload: 'none', tabindex: '-1', 'aria-label': 'Live video' });
    this.actions = new Actions(this.acting());
    this.centre = new Notice('centre', () => options.retry());
    this.banner = new Notice('banner', () => options.retry());
    this.unmute = new UnmuteButton(this.video, this.actions);
    this.bigPlay = el('button', { class: 'big-play', type: 'button', 'aria-label': 'Play' }, icon('play'));
    const idle = el('div', { class: 'idle' }, this.bigPlay, this.title, this.privacy);
    this.element = el('section', { class: 'stage', 'aria-label': 'Player', 'data-phase': 'idle' });
    const { video, centre, banner, toast, unmute } = this;
    this.element.append(video, centre.element, idle, toast.element, banner.element, unmute.element);
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
    this.controls?.update(stats);
    if (this.controls === undefined) this.loadControls();
    this.unmute.update(stats.phase);
    const message = messageFor(stats, navigator.onLine);
    this.centre.set(message?.place === 'centre' ? message : null);
    const rest = performance.now() < this.notLoadedUntilMs ? notLoaded : null;
    this.banner.set(message?.place === 'banner' ? message : rest);
  }

  /** Before another session, and after the last. */
  reset(): void {
    window.clearTimeout(this.hideTimer);
    this.toast.stop();
    this.controls?.closeMenu();
    this.element.classList.remove('quiet');
    setAttribute(this.element, 'data-phase', 'idle');
    this.centre.set(null);
    this.banner.set(null);
  }

  /** Says something over the picture, for a moment. */
  say(text: string, name: IconName): void {
    this.toast.say(text, name);
  }

  /** Until they are here, keys and presses on the picture do what they always do. */
  loadControls(): void {
    const { options } = this;
    const nowMs = performance.now();
    if (this.controls !== undefined || nowMs - this.controlsAskedAtMs < CONTROLS_AGAIN_MS) return;
    this.controlsAskedAtMs = nowMs;
    const make = ({ Controls }: NonNullable<typeof controls.here>): void => {
      this.controls ??= new Controls({
        ...{ video: this.video, actions: this.actions, useExtras: this.useExtras },
        ...{ session: () => options.session(), panel: () => options.panel() },
        share: () => this.share(),
        showKeys: () => this.showKeys(),
      });
      this.unmute.element.before(this.controls.element);
    };
    void options.onDemand.use(controls, make, false);
  }

  /** A press is answered at once, also where what it opens has yet to be loaded. */
  showLoading(state: 'loading' | 'failed'): void {
    if (state === 'loading') this.say('One moment', 'latency');
    if (state === 'failed') this.notLoadedUntilMs = performance.now() + NOT_LOADED_SHOWN_MS;
  }

  /** @returns Whether the key meant something. */
  key(event: KeyboardEvent, target: Element): boolean {
    this.wake();
    // On a button or a link, space and Enter are that button's.
    if (event.key === ' ' && target.matches('button, a, [role^=menuitem], input')) return false;
    const act = this.keys[event.key.toLowerCase()] ?? this.digit(event.key);
    if (act === undefined) return false;
    act();
    return true;
  }

  private readonly keys: Readonly<Record<string, () => void>> = {
    ' ': () => this.actions.togglePlay(),
    k: () => this.actions.togglePlay(),
    j: () => this.actions.seekBy(-SEEK_S),
    l: () => this.actions.seekBy(SEEK_S),
    arrowleft: () => this.actions.seekBy(-SMALL_SEEK_S),
    arrowright: () => this.actions.seekBy(SMALL_SEEK_S),
    home: () => this.actions.seekToShare(0),
    end: () => this.actions.goLive(),
    arrowup: () => this.actions.changeVolume(VOLUME_STEP),
    arrowdown: () => this.actions.changeVolume(-VOLUME_STEP),
    m: () => this.actions.toggleMute(),
    f: () => this.actions.toggleFullScreen(),
    i: () => this.actions.togglePictureInPicture(),
    c: () => this.controls?.toggleCaptions(),
    s: () => this.share(),
    d: () => this.actions.togglePanel(),
    '?': () => this.showKeys(),
  };

  /** `0` is the oldest moment, `9` nine tenths on the way to the live edge. */
  private digit(key: string): (() => void) | undefined {
    return /^\d$/.test(key) ? () => this.actions.seekToShare(Number(key) / 10) : undefined;
  }

  private readonly useExtras: UseExtras = (act) => void this.options.onDemand.use(extras, act, true);

  private share(): void {
    const { options } = this;
    this.useExtras(({ ShareDialog }) => {
      this.shareDialog ??= this.lay(new ShareDialog(() => options.shared()));
      this.shareDialog.open();
    });
  }

  private showKeys(): void {
    this.useExtras(({ keysDialog }) => {
      this.keysDialog ??= this.lay(keysDialog());
      this.keysDialog.open();
    });
  }

  /** A sheet over everything. */
  private lay<T extends { readonly element: HTMLElement }>(sheet: T): T {
    this.options.root.append(sheet.element);
    return sheet;
  }

  private acting(): Acting {
    const { options } = this;
    return {
      video: this.video,
      root: options.root,
      get session() {
        return options.session();
      },
      say: (text, name) => this.say(text, name),
      togglePanel: () => options.togglePanel(),
    };
  }

  private listen(): void {
    const { actions } = this;
    this.bigPlay.addEventListener('click', (event) => actions.togglePlay(event.timeStamp));
    watchGestures(this.video, {
      isQuiet: () => this.element.classList.contains('quiet'),
      // A finger that touches the bare picture asks for the controls, and sends them away.
      tap: (wasQuiet) => {
        if (!wasQuiet) this.sleep();
      },
      doubleTap: (where) => {
        if (where === 'middle') actions.toggleFullScreen();
        else actions.seekBy(where === 'left' ? -SEEK_S : SEEK_S);
      },
      // A mouse has the controls before its eyes. A press beside an open menu is for closing it.
      click: () => {
        if (this.controls?.isMenuOpen === true) this.controls.closeMenu();
        else actions.togglePlay();
      },
      doubleClick: () => actions.toggleFullScreen(),
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
    this.privacy.replaceChildren(icon(isHidden ? 'shield' : 'eye'), el('span', {}, PRIVACY[mode].short));
  }

  private wake(): void {
    this.element.classList.remove('quiet');
    window.clearTimeout(this.hideTimer);
    this.hideTimer = window.setTimeout(() => this.sleep(), HIDE_AFTER_MS);
  }

  /** Never from under the keyboard: who has moved there by keys sees where they are. */
  private sleep(): void {
    const { controls } = this;
    if (controls?.isMenuOpen === true || controls?.element.querySelector(':focus-visible') != null) return;
    this.element.classList.add('quiet');
  }
}
