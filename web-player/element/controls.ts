import type { Session, SessionStats } from '../playback/session.ts';
import { el, setAttribute, setText } from './dom.ts';
import { seconds } from './format.ts';
import { type IconName, icon } from './icons.ts';
import { QualityMenu } from './quality-menu.ts';

const VOLUME_STEP = 0.1;

/** Play, live, sound, quality, full screen; and the keys for them. */
export class Controls {
  readonly element: HTMLElement;
  private readonly video: HTMLVideoElement;
  private readonly stage: HTMLElement;
  private readonly play = new IconButton('play', 'Play (k)');
  private readonly mute = new IconButton('sound', 'Mute (m)');
  private readonly full = new IconButton('full', 'Full screen (f)');
  private readonly live: HTMLButtonElement;
  private readonly liveWord = el('span', {}, 'Live');
  private readonly latency = el('span', { class: 'behind' });
  private readonly volume: HTMLInputElement;
  private readonly menu = new QualityMenu();
  private current: Session | undefined;

  constructor(video: HTMLVideoElement, stage: HTMLElement) {
    this.video = video;
    this.stage = stage;
    this.live = el('button', { class: 'live', type: 'button', title: 'To the live edge (l)' }, el('i'), this.liveWord);
    this.volume = el('input', { type: 'range', min: '0', max: '1', step: '0.05', 'aria-label': 'Volume' });
    const sound = el('div', { class: 'sound' }, this.mute.element, this.volume);
    const space = el('span', { class: 'space' });
    this.element = el('div', { class: 'controls', role: 'group', 'aria-label': 'Controls' });
    this.element.append(this.play.element, this.live, this.latency, space, sound, this.menu.element, this.full.element);
    this.play.element.addEventListener('click', () => this.togglePlay());
    this.live.addEventListener('click', () => this.current?.goLive());
    this.mute.element.addEventListener('click', () => this.toggleMute());
    this.full.element.addEventListener('click', () => this.toggleFullScreen());
    this.volume.addEventListener('input', () => this.setVolume(Number(this.volume.value)));
    this.full.element.hidden = !document.fullscreenEnabled;
  }

  set session(session: Session) {
    this.current = session;
    this.menu.session = session;
  }

  get isMenuOpen(): boolean {
    return this.menu.isOpen;
  }

  togglePlay(): void {
    if (this.current === undefined) return;
    if (this.video.paused) void this.current.play();
    else this.current.pause();
  }

  toggleFullScreen(): void {
    if (document.fullscreenElement !== null) void document.exitFullscreen();
    else void this.stage.requestFullscreen?.().catch(() => {});
  }

  /** A key pressed anywhere on the page. */
  key(event: KeyboardEvent): void {
    const target = event.target as Element;
    const isTyping = target.matches('input, textarea, select');
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping) return;
    // On a button or a link, space is that button's.
    if (event.key === ' ' && target.matches('button, a, [role^=menuitem]')) return;
    const act = this.keys[event.key.toLowerCase()];
    if (act === undefined || target.closest('[role=menu]') !== null) return;
    event.preventDefault();
    act();
  }

  update({ phase, latencyMs, startupDelayMs, peer }: SessionStats): void {
    const { video } = this;
    const stands = phase === 'idle' || phase === 'paused' || phase === 'ended' || phase === 'failed';
    this.play.set(stands ? 'play' : 'pause', stands ? 'Play (k)' : 'Pause (k)');
    const silent = video.muted || video.volume === 0;
    this.mute.set(silent ? 'muted' : 'sound', silent ? 'Sound on (m)' : 'Mute (m)');
    const shown = String(silent ? 0 : video.volume);
    if (this.volume.value !== shown && document.activeElement !== this.volume) this.volume.value = shown;
    this.volume.style.setProperty('--level', shown);
    const inFull = document.fullscreenElement !== null;
    this.full.set(inFull ? 'leaveFull' : 'full', inFull ? 'Leave full screen (f)' : 'Full screen (f)');
    const behind = startupDelayMs !== null && (phase === 'paused' || this.current?.isBehind === true);
    const off = startupDelayMs === null || peer.streamState !== 'live';
    const state = off ? 'off' : behind ? 'behind' : 'live';
    setAttribute(this.live, 'data-state', state);
    setAttribute(this.live, 'aria-label', behind ? 'Go to the live edge' : 'Live');
    setText(this.liveWord, behind ? 'Go live' : 'Live');
    setText(this.latency, latencyMs === null ? '' : `${seconds(latencyMs)} behind the camera`);
    this.menu.update();
  }

  private readonly keys: Readonly<Record<string, () => void>> = {
    ' ': () => this.togglePlay(),
    k: () => this.togglePlay(),
    m: () => this.toggleMute(),
    f: () => this.toggleFullScreen(),
    l: () => this.current?.goLive(),
    arrowup: () => this.setVolume(this.video.volume + VOLUME_STEP),
    arrowdown: () => this.setVolume(this.video.volume - VOLUME_STEP),
  };

  private toggleMute(): void {
    this.video.muted = !this.video.muted;
    if (!this.video.muted && this.video.volume === 0) this.video.volume = 0.5;
  }

  private setVolume(level: number): void {
    this.video.volume = Math.min(1, Math.max(0, level));
    this.video.muted = this.video.volume === 0;
  }
}

/** A button that shows what pressing it does. */
class IconButton {
  readonly element: HTMLButtonElement;
  private shown: IconName;

  constructor(name: IconName, label: string) {
    this.element = el('button', { type: 'button', class: 'control', 'aria-label': label, title: label }, icon(name));
    this.shown = name;
  }

  set(name: IconName, label: string): void {
    setAttribute(this.element, 'aria-label', label);
    setAttribute(this.element, 'title', label);
    if (name === this.shown) return;
    this.shown = name;
    this.element.replaceChildren(icon(name));
  }
}
