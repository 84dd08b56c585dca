import type { Session, SessionStats } from '../playback/session.ts';
import { Controls } from './controls.ts';
import { el, setAttribute, setText } from './dom.ts';
import { icon } from './icons.ts';
import { type Message, messageFor } from './message.ts';

/** Controls hide after so long without a move of pointer or keys, while the picture moves. */
const HIDE_AFTER_MS = 2_800;

/** The picture with what lies over it: the play button, messages, controls. */
export class PlayerView {
  readonly element: HTMLElement;
  readonly video: HTMLVideoElement;
  private readonly bigPlay: HTMLButtonElement;
  private readonly caption = el('p', { class: 'caption' });
  private readonly centre = new Notice('centre');
  private readonly banner = new Notice('banner');
  private readonly controls: Controls;
  private session: Session | undefined;
  private hideTimer = 0;
  /** The controls were hidden when the pointer went down. */
  private wasQuiet = false;

  constructor() {
    this.video = el('video', { playsinline: '', preload: 'none', tabindex: '-1', 'aria-label': 'Live video' });
    this.bigPlay = el('button', { class: 'big-play', type: 'button', 'aria-label': 'Play' }, icon('play'));
    this.element = el('section', { class: 'stage', 'aria-label': 'Player', 'data-phase': 'idle' });
    this.controls = new Controls(this.video, this.element);
    this.element.append(
      this.video,
      this.centre.element,
      this.bigPlay,
      this.caption,
      this.banner.element,
      this.controls.element,
    );
    this.bigPlay.addEventListener('click', (event) => void this.session?.play(event.timeStamp));
    this.video.addEventListener('pointerdown', () => {
      this.wasQuiet = this.element.classList.contains('quiet');
    });
    this.video.addEventListener('click', (event) => this.clicked(event));
    this.video.addEventListener('dblclick', () => this.controls.toggleFullScreen());
    for (const name of ['pointermove', 'pointerdown', 'keydown', 'focusin']) {
      this.element.addEventListener(name, () => this.wake());
    }
    this.element.addEventListener('pointerleave', () => this.sleep());
    document.addEventListener('keydown', (event) => this.controls.key(event));
  }

  show(session: Session): void {
    this.session = session;
    this.controls.session = session;
  }

  update(stats: SessionStats, title: string): void {
    setText(this.caption, title);
    setAttribute(this.element, 'data-phase', stats.phase);
    this.controls.update(stats);
    const message = messageFor(stats, navigator.onLine);
    this.centre.set(message?.place === 'centre' ? message : null);
    this.banner.set(message?.place === 'banner' ? message : null);
  }

  /** A mouse has the controls before its eyes; a finger that touches the bare picture asks for them, and sends them away. */
  private clicked(event: MouseEvent): void {
    const byFinger = (event as PointerEvent).pointerType === 'touch';
    if (!byFinger) this.controls.togglePlay();
    else if (!this.wasQuiet) this.sleep();
  }

  private wake(): void {
    this.element.classList.remove('quiet');
    window.clearTimeout(this.hideTimer);
    this.hideTimer = window.setTimeout(() => this.sleep(), HIDE_AFTER_MS);
  }

  /** Never from under the keyboard: who has moved there by keys sees where they are. */
  private sleep(): void {
    if (this.controls.element.querySelector(':focus-visible') !== null || this.controls.isMenuOpen) return;
    this.element.classList.add('quiet');
  }
}

/** A message over the picture; read out when it comes. */
class Notice {
  readonly element: HTMLElement;
  private readonly title = el('strong', { class: 'notice-title' });
  private readonly text = el('span', { class: 'notice-text' });

  constructor(place: Message['place']) {
    const spinner = el('i', { class: 'spinner', 'aria-hidden': 'true' });
    const words = el('div', { role: 'status' }, this.title, this.text);
    this.element = el('div', { class: `notice ${place}`, 'data-kind': 'none' }, spinner, words);
  }

  set(message: Message | null): void {
    setAttribute(this.element, 'data-kind', message?.kind ?? 'none');
    setText(this.title, message?.title ?? '');
    setText(this.text, message?.text ?? '');
  }
}
