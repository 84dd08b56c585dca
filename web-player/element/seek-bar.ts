import type { Session } from '../playback/session.ts';
import type { Timeline } from '../playback/timeline.ts';
import type { Actions } from './actions.ts';
import { el, setAttribute, setText } from './dom.ts';
import { clock, timeOfDay } from './format.ts';

/** With less to seek in, there is no bar. */
const SHOWN_FROM_S = 10;
const STEPS = 1_000;
const PAGE_S = 30;
const ARROW_S = 5;

/** From the oldest moment that is kept to the live edge. */
export class SeekBar {
  readonly element: HTMLElement;
  private readonly input: HTMLInputElement;
  private readonly bubble = el('span', { class: 'seek-bubble', 'aria-hidden': 'true' });
  private readonly actions: Actions;
  private readonly session: () => Session | undefined;
  private readonly video: HTMLVideoElement;
  private dragging = false;
  private timeline: Timeline | undefined;

  constructor(actions: Actions, video: HTMLVideoElement, session: () => Session | undefined) {
    this.actions = actions;
    this.video = video;
    this.session = session;
    this.input = el('input', { type: 'range', min: '0', max: String(STEPS), step: '1', 'aria-label': 'Seek' });
    this.element = el('div', { class: 'seek' }, this.input, this.bubble);
    this.element.classList.add('absent');
    this.input.addEventListener('pointerdown', () => {
      this.dragging = true;
    });
    this.input.addEventListener('input', () => this.dragged());
    this.input.addEventListener('change', () => this.dropped());
    this.input.addEventListener('keydown', (event) => this.key(event));
    this.element.addEventListener('pointermove', (event) => this.hover(event));
    this.element.addEventListener('pointerleave', () => this.showBubble(null));
  }

  update(): void {
    const timeline = this.session()?.timeline;
    this.timeline = timeline;
    const spanS = timeline === undefined ? 0 : timeline.liveS - timeline.startS;
    const isAbsent = timeline === undefined || spanS < SHOWN_FROM_S;
    this.element.classList.toggle('absent', isAbsent);
    if (isAbsent || this.dragging) return;
    // Who follows the live edge is at it, whatever latency is aimed at.
    const isLive = this.session()?.isBehind === false && !this.video.paused;
    const share = isLive ? 1 : shareOf(timeline, timeline.atS);
    this.input.value = String(Math.round(share * STEPS));
    this.element.style.setProperty('--at', String(share));
    this.element.style.setProperty('--loaded', String(shareOf(timeline, this.loadedS(timeline.atS))));
    setAttribute(this.input, 'aria-valuetext', this.words(timeline, timeline.atS));
  }

  private loadedS(atS: number): number {
    const { buffered } = this.video;
    for (let at = 0; at < buffered.length; at++) {
      if (buffered.start(at) <= atS + 0.1 && atS <= buffered.end(at)) return buffered.end(at);
    }
    return atS;
  }

  private dragged(): void {
    this.dragging = true;
    const share = Number(this.input.value) / STEPS;
    this.element.style.setProperty('--at', String(share));
    this.showBubble(share);
  }

  private dropped(): void {
    this.dragging = false;
    this.showBubble(null);
    this.actions.seekToShare(Number(this.input.value) / STEPS);
  }

  /** A bar of steps moves by seconds, not by steps. */
  private key(event: KeyboardEvent): void {
    const by = {
      ...{ ArrowLeft: -ARROW_S, ArrowDown: -ARROW_S, ArrowRight: ARROW_S, ArrowUp: ARROW_S },
      ...{ PageDown: -PAGE_S, PageUp: PAGE_S },
    }[event.key];
    if (by !== undefined) this.actions.seekBy(by);
    else if (event.key === 'Home') this.actions.seekToShare(0);
    else if (event.key === 'End') this.actions.goLive();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  private hover({ clientX, pointerType }: PointerEvent): void {
    if (this.dragging || pointerType === 'touch') return;
    const { left, width } = this.input.getBoundingClientRect();
    this.showBubble(width === 0 ? null : Math.min(1, Math.max(0, (clientX - left) / width)));
  }

  private showBubble(share: number | null): void {
    const { timeline } = this;
    this.element.classList.toggle('pointed', share !== null);
    if (share === null || timeline === undefined) return;
    this.element.style.setProperty('--pointed', String(share));
    setText(this.bubble, this.words(timeline, timeline.startS + share * (timeline.liveS - timeline.startS)));
  }

  private words({ liveS, zeroAtMs }: Timeline, placeS: number): string {
    const behindMs = (liveS - placeS) * 1_000;
    if (behindMs < 2_000) return 'Live';
    const time = zeroAtMs === null ? '' : ` · ${timeOfDay(zeroAtMs + placeS * 1_000)}`;
    return `−${clock(behindMs)}${time}`;
  }
}

function shareOf({ startS, liveS }: Timeline, placeS: number): number {
  return liveS <= startS ? 1 : Math.min(1, Math.max(0, (placeS - startS) / (liveS - startS)));
}
