import type { Phase } from '../playback/session.ts';
import type { Actions } from './actions.ts';
import { controlIcon } from './control-icons.ts';
import { el } from './dom.ts';

/** Where the browser lets a page begin in silence only, the sound is a press away; nobody has to look for it. */
export class UnmuteButton {
  readonly element: HTMLButtonElement;
  private readonly video: HTMLVideoElement;
  private readonly actions: Actions;

  constructor(video: HTMLVideoElement, actions: Actions) {
    this.video = video;
    this.actions = actions;
    this.element = el('button', { type: 'button', class: 'unmute' }, controlIcon('muted'), 'Turn the sound on');
    this.element.hidden = true;
    this.element.addEventListener('click', () => {
      actions.toggleMute();
      this.element.hidden = true;
    });
    video.addEventListener('volumechange', () => {
      if (!video.muted || actions.isSilenceWanted) this.element.hidden = true;
    });
  }

  update(phase: Phase): void {
    this.element.hidden = phase !== 'playing' || !this.video.muted || this.actions.isSilenceWanted;
  }
}
