import type { StreamState } from '../../protocol/swarm-fields.ts';
import type { Session, SessionStats } from '../playback/session.ts';
import type { Actions } from './actions.ts';
import { audioChoices, captionChoices, toggleCaptions } from './captions.ts';
import { el, setAttribute, setText } from './dom.ts';
import { behind } from './format.ts';
import { IconButton } from './icon-button.ts';
import type { Menu } from './menu.ts';
import type { UseExtras } from './on-demand.ts';
import { SeekBar } from './seek-bar.ts';

export interface ControlsOptions {
  readonly video: HTMLVideoElement;
  readonly actions: Actions;
  session(): Session | undefined;
  share(): void;
  showKeys(): void;
  readonly useExtras: UseExtras;
  /** Whether there is a panel to open, and whether it is. */
  panel(): 'off' | 'closed' | 'open';
}

/** What stands in the place of "Live" when it is not. */
const OFF_WORDS: Readonly<Partial<Record<StreamState | 'unknown', string>>> = {
  ended: 'Ended',
  interrupted: 'Interrupted',
};

/** Everything below the picture: what can be sought, play, live, sound, settings, full screen. */
export class Controls {
  readonly element: HTMLElement;
  private readonly options: ControlsOptions;
  private readonly play = new IconButton('play', 'Play (k)');
  private readonly mute = new IconButton('sound', 'Mute (m)');
  private readonly captions = new IconButton('captions', 'Captions (c)', 'captions-button');
  private readonly share = new IconButton('share', 'Share (s)', 'share-button');
  private readonly panel = new IconButton('figures', 'What is going on (d)', 'panel-button');
  private readonly pip = new IconButton('pip', 'Picture in picture (i)', 'pip-button');
  private readonly full = new IconButton('full', 'Full screen (f)');
  private readonly settings = new IconButton('settings', 'Settings');
  private readonly menuPlace = el('div', {}, this.settings.element);
  private readonly live: HTMLButtonElement;
  private readonly liveWord = el('span', {}, 'Live');
  private readonly latency = el('span', { class: 'behind-value' });
  private readonly latencyWords = el('span', { class: 'behind' }, this.latency);
  private readonly volume: HTMLInputElement;
  private readonly seek: SeekBar;
  private menu: Menu | undefined;
  /** The captions that were shown last. */
  private lastCaptions = '';

  constructor(options: ControlsOptions) {
    this.options = options;
    const { video, actions } = options;
    this.live = el('button', { class: 'live', type: 'button', title: 'To the live edge' }, el('i'), this.liveWord);
    this.volume = el('input', { type: 'range', min: '0', max: '1', step: '0.05', 'aria-label': 'Volume' });
    this.latencyWords.append(el('span', { class: 'behind-words' }, ' behind the camera'));
    this.seek = new SeekBar(actions, video, options.session);
    const sound = el('div', { class: 'sound' }, this.mute.element, this.volume);
    const { play, captions, settings, share, panel, pip, full } = this;
    const left = [play.element, sound, this.live, this.latencyWords];
    const right = [captions.element, this.menuPlace, share.element, panel.element, pip.element, full.element];
    const bar = el('div', { class: 'controls-bar' }, ...left, el('span', { class: 'space' }), ...right);
    this.element = el('div', { class: 'controls', role: 'group', 'aria-label': 'Controls' }, this.seek.element, bar);
    setAttribute(panel.element, 'aria-expanded', 'false');
    setAttribute(settings.element, 'aria-haspopup', 'menu');
    setAttribute(settings.element, 'aria-expanded', 'false');
    this.listen();
  }

  get isMenuOpen(): boolean {
    return this.menu?.isOpen === true;
  }

  closeMenu(): void {
    this.menu?.open(false);
  }

  update({ phase, latencyMs, startupDelayMs, peer }: SessionStats): void {
    const { video, actions } = this.options;
    const stands = phase === 'idle' || phase === 'paused' || phase === 'ended' || phase === 'failed';
    this.play.set(stands ? 'play' : 'pause', stands ? 'Play (k)' : 'Pause (k)');
    this.updateSound();
    const { isFullScreen } = actions;
    this.full.set(isFullScreen ? 'leaveFull' : 'full', isFullScreen ? 'Leave full screen (f)' : 'Full screen (f)');
    const isBehind = startupDelayMs !== null && (phase === 'paused' || this.options.session()?.isBehind === true);
    const isOff = startupDelayMs === null || peer.streamState !== 'live';
    setAttribute(this.live, 'data-state', isOff ? 'off' : isBehind ? 'behind' : 'live');
    setText(this.liveWord, OFF_WORDS[peer.streamState] ?? (isBehind ? 'Go live' : 'Live'));
    setText(this.latency, latencyMs === null ? '' : behind(latencyMs));
    this.latencyWords.hidden = latencyMs === null;
    this.seek.update();
    const captions = this.captionChoices();
    this.captions.element.hidden = captions.length === 0;
    setAttribute(this.captions.element, 'aria-pressed', String(captions[0]?.isChosen === false));
    const panel = this.options.panel();
    this.panel.element.hidden = panel === 'off';
    setAttribute(this.panel.element, 'aria-expanded', String(panel === 'open'));
    // Where it is possible it has its place from the beginning: the buttons beside it stay where they are.
    this.pip.element.hidden = !actions.hasPictureInPicture;
    this.pip.element.disabled = video.readyState === 0;
    this.menu?.update();
  }

  /** Shows captions, or takes them away. */
  toggleCaptions(): void {
    const shown = toggleCaptions(this.captionChoices(), this.lastCaptions);
    if (shown !== undefined && shown !== 'Off') this.lastCaptions = shown;
  }

  private listen(): void {
    const { actions, video } = this.options;
    this.play.element.addEventListener('click', (event) => actions.togglePlay(event.timeStamp));
    this.live.addEventListener('click', () => actions.goLive());
    this.mute.element.addEventListener('click', () => actions.toggleMute());
    this.full.element.addEventListener('click', () => actions.toggleFullScreen());
    this.pip.element.addEventListener('click', () => actions.togglePictureInPicture());
    this.panel.element.addEventListener('click', () => actions.togglePanel());
    this.settings.element.addEventListener('click', () => this.toggleMenu());
    this.share.element.addEventListener('click', () => this.options.share());
    this.captions.element.addEventListener('click', () => this.toggleCaptions());
    this.volume.addEventListener('input', () => actions.setVolume(Number(this.volume.value)));
    video.addEventListener('volumechange', () => this.updateSound());
    this.full.element.hidden = !actions.hasFullScreen;
    this.captions.element.hidden = true;
    this.pip.element.hidden = !actions.hasPictureInPicture;
    this.pip.element.disabled = true;
  }

  private toggleMenu(): void {
    const { options } = this;
    // Whoever presses again because nothing comes wants it open, too.
    const opens = !this.isMenuOpen;
    options.useExtras(({ Menu, menuEntries }) => {
      const choices = { captions: () => this.captionChoices(), sound: () => this.soundChoices() };
      this.menu ??= new Menu(this.menuPlace, this.settings.element, () => menuEntries({ ...options, ...choices }));
      this.menu.open(opens);
    });
  }

  private updateSound(): void {
    const { video } = this.options;
    const silent = video.muted || video.volume === 0;
    this.mute.set(silent ? 'muted' : 'sound', silent ? 'Sound on (m)' : 'Mute (m)');
    const shown = String(silent ? 0 : video.volume);
    if (this.volume.value !== shown) this.volume.value = shown;
    setAttribute(this.volume, 'aria-valuetext', `${Math.round(Number(shown) * 100)} %`);
    this.volume.style.setProperty('--level', shown);
  }

  private soundChoices() {
    const session = this.options.session();
    return session === undefined ? [] : audioChoices(session);
  }

  private captionChoices() {
    const session = this.options.session();
    return session === undefined ? [] : captionChoices(session, this.options.video);
  }
}
