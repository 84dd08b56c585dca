/** Ms after a page was hidden in which a browser stops its video. */
const HIDING_MS = 2_000;

export interface PutAsideEvents {
  /** The viewer has stopped it, by a button of the page's or the browser's, and will go on from there. */
  paused(): void;
  /** The page is looked at again, or runs again: what the browser has stopped goes on. */
  back(): void;
}

/** Tells a viewer who pauses from a browser that stops what plays: because its page is hidden, or while it is frozen. */
export class PutAside {
  private readonly video: HTMLVideoElement;
  private readonly events: PutAsideEvents;
  private hiddenAtMs = Number.NEGATIVE_INFINITY;
  /** The browser has stopped it, or is about to. */
  private isAside = false;
  /** The viewer has, by a button of the page's or a key. */
  private isMeant = false;

  constructor(video: HTMLVideoElement, events: PutAsideEvents) {
    this.video = video;
    this.events = events;
    video.addEventListener('pause', this.onPause);
    document.addEventListener('visibilitychange', this.onVisibility);
    // Told by Chromium alone: before it stops all of a page in a tab that nobody has looked at for a while, and after.
    document.addEventListener('freeze', this.onFreeze);
    document.addEventListener('resume', this.onBack);
  }

  /** The viewer pauses. */
  pause(): void {
    this.isMeant = !this.video.paused;
    this.video.pause();
  }

  end(): void {
    this.video.removeEventListener('pause', this.onPause);
    document.removeEventListener('visibilitychange', this.onVisibility);
    document.removeEventListener('freeze', this.onFreeze);
    document.removeEventListener('resume', this.onBack);
  }

  private readonly onPause = (): void => {
    const { paused, ended } = this.video;
    const { isMeant } = this;
    this.isMeant = false;
    // Told late of what is over: a page that was frozen hears of it when it plays again.
    if (!paused || ended || this.isAside) return;
    if (!isMeant && document.hidden && performance.now() - this.hiddenAtMs < HIDING_MS) this.isAside = true;
    else this.events.paused();
  };

  private readonly onFreeze = (): void => {
    this.isAside ||= !this.video.paused;
  };

  private readonly onVisibility = (): void => {
    if (document.hidden) this.hiddenAtMs = performance.now();
    else this.onBack();
  };

  private readonly onBack = (): void => {
    const { isAside } = this;
    this.isAside = false;
    if (isAside && this.video.paused) this.events.back();
  };
}
