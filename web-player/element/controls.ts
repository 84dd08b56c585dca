import type { StreamState } from '../../protocol/swarm-fields.ts';
import { type Session, type SessionStats, TARGET_LATENCY_MS } from '../playback/session.ts';
import type { Actions } from './actions.ts';
import { audioChoices, captionChoices, toggleCaptions } from './captions.ts';
import { el, setAttribute, setText } from './dom.ts';
import { behind } from './format.ts';
import { IconButton } from './icon-button.ts';
import { type Entry, Menu } from './menu.ts';
import { SeekBar } from './seek-bar.ts';

export interface ControlsOptions {
  readonly video: HTMLVideoElement;
  readonly actions: Actions;
  session(): Session | undefined;
  share(): void;
  showKeys(): void;
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
  private readonly live: HTMLButtonElement;
  private readonly liveWord = el('span', {}, 'Live');
  private readonly latency = el('span', { class: 'behind-value' });
  private readonly latencyWords = el('span', { class: 'behind' }, this.latency);
  private readonly volume: HTMLInputElement;
  private readonly seek: SeekBar;
  private readonly menu: Menu;
  /** The captions that were shown last. */
  private lastCaptions = '';

  constructor(options: ControlsOptions) {
    this.options = options;
    const { video, actions } = options;
    this.live = el('button', { class: 'live', type: 'button', title: 'To the live edge' }, el('i'), this.liveWord);
    this.volume = el('input', { type: 'range', min: '0', max: '1', step: '0.05', 'aria-label': 'Volume' });
    this.latencyWords.append(el('span', { class: 'behind-words' }, ' behind the camera'));
    this.seek = new SeekBar(actions, video, options.session);
    this.menu = new Menu(() => this.entries());
    const sound = el('div', { class: 'sound' }, this.mute.element, this.volume);
    const { play, captions, share, panel, pip, full, menu } = this;
    const left = [play.element, sound, this.live, this.latencyWords];
    const right = [captions.element, menu.element, share.element, panel.element, pip.element, full.element];
    const bar = el('div', { class: 'controls-bar' }, ...left, el('span', { class: 'space' }), ...right);
    this.element = el('div', { class: 'controls', role: 'group', 'aria-label': 'Controls' }, this.seek.element, bar);
    setAttribute(panel.element, 'aria-expanded', 'false');
    this.listen();
  }

  get isMenuOpen(): boolean {
    return this.menu.isOpen;
  }

  closeMenu(): void {
    this.menu.open(false);
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
    this.pip.element.hidden = !actions.hasPictureInPicture || video.readyState === 0;
    this.menu.update();
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
    this.share.element.addEventListener('click', () => this.options.share());
    this.captions.element.addEventListener('click', () => this.toggleCaptions());
    this.volume.addEventListener('input', () => actions.setVolume(Number(this.volume.value)));
    video.addEventListener('volumechange', () => this.updateSound());
    this.full.element.hidden = !actions.hasFullScreen;
    this.captions.element.hidden = true;
    this.pip.element.hidden = true;
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

  private captionChoices() {
    const session = this.options.session();
    return session === undefined ? [] : captionChoices(session, this.options.video);
  }

  private entries(): Entry[] {
    const session = this.options.session();
    const choices = (name: string, icon: 'quality' | 'captions' | 'speaker' | 'latency', all: Choices): Entry[] =>
      all.length === 0 ? [] : [{ kind: 'choices', name, icon, choices: all }];
    const audio = session === undefined ? [] : audioChoices(session);
    const { actions } = this.options;
    const entries: Entry[] = [
      ...choices('Quality', 'quality', session === undefined ? [] : qualityChoices(session)),
      ...choices('Latency', 'latency', session === undefined ? [] : latencyChoices(session)),
      ...choices('Captions', 'captions', this.captionChoices()),
      ...choices('Sound', 'speaker', audio),
      { kind: 'action', name: 'Share', icon: 'share', act: () => this.options.share() },
    ];
    if (actions.hasPictureInPicture) {
      entries.push({
        ...{ kind: 'action', name: 'Picture in picture', icon: 'pip' },
        act: () => actions.togglePictureInPicture(),
      });
    }
    // A telephone has no keys.
    if (window.matchMedia('(hover: hover)').matches) {
      entries.push({ kind: 'action', name: 'Keys', icon: 'keys', act: () => this.options.showKeys() });
    }
    return entries;
  }
}

type Choices = ReturnType<typeof captionChoices>;

function qualityChoices(session: Session): Choices {
  return session.qualities().map(({ level, name }) => ({
    name: level === -1 && session.quality === -1 ? autoName(session) : name,
    isChosen: session.quality === level,
    choose: () => {
      session.quality = level;
    },
  }));
}

/** The automatic choice says what it has come to. */
function autoName(session: Session): string {
  const { quality } = session.stats();
  return quality === null ? 'Auto' : `Auto (${quality})`;
}

/** Latency that can be aimed at, in ms. */
const TARGETS_MS = [1_000, TARGET_LATENCY_MS, 3_000, 5_000, 10_000];

/** The nearer to live, the less there is to fall back on. */
function latencyChoices(session: Session): Choices {
  const now = session.targetLatencyMs;
  const all = [...new Set([...TARGETS_MS, now])].sort((one, other) => one - other);
  return all.map((ms) => ({
    name: `${(ms / 1_000).toLocaleString('en', { maximumFractionDigits: 1 })} s${ms === TARGET_LATENCY_MS ? ' (usual)' : ''}`,
    isChosen: ms === now,
    choose: () => {
      session.targetLatencyMs = ms;
    },
  }));
}
