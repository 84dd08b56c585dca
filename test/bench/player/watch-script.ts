import { CLOCK_BITS } from '../../../source-server/node/media/plan.ts';
import { FREEZE_MS } from '../../harness/browser/witness-page.ts';

const LOOK_MS = 20;

/**
 * Watches the video elements of a page by their own clocks, whosever they are: `watcher.press(play)` presses and waits for the first
 * frame, `watcher.figures()` says what was seen since, `watcher.shownMs()` reads the test pattern's clock from the picture. It is text
 * because it goes into pages, before their own scripts.
 */
export const WATCH_SCRIPT = `
window.watcher = (() => {
  const state = { startupMs: null, place: 0, movedAtMs: 0, frozen: false, freezes: 0, endedMs: 0, longestMs: 0, shown: null };
  const find = (root) => {
    const own = [...root.querySelectorAll('video')];
    for (const element of root.querySelectorAll('*')) if (element.shadowRoot) own.push(...find(element.shadowRoot));
    return own;
  };
  let video = null;
  const look = () => {
    if (state.startupMs === null) return;
    const nowMs = performance.now();
    if (video.paused) state.movedAtMs = nowMs;
    const stoodMs = nowMs - state.movedAtMs;
    // A jump is over when its picture is there: until then the old one stands.
    if (video.currentTime !== state.place && !video.seeking) {
      if (state.frozen) { state.endedMs += stoodMs; state.longestMs = Math.max(state.longestMs, stoodMs); }
      state.frozen = false;
      state.place = video.currentTime;
      state.movedAtMs = nowMs;
    } else if (!state.frozen && !video.ended && stoodMs > ${FREEZE_MS}) {
      state.frozen = true;
      state.freezes++;
    }
  };
  const canvas = document.createElement('canvas');
  const context = canvas.getContext('2d', { willReadFrequently: true });
  const clock = () => {
    if (!video || video.videoWidth === 0) return null;
    canvas.width = video.videoWidth;
    canvas.height = 1;
    context.drawImage(video, 0, video.videoHeight - 2, video.videoWidth, 1, 0, 0, video.videoWidth, 1);
    const { data } = context.getImageData(0, 0, canvas.width, 1);
    let bits = 0;
    for (let bit = 0; bit < ${CLOCK_BITS}; bit++) bits = bits * 2 + (data[4 * Math.floor(((bit + 0.5) * canvas.width) / ${CLOCK_BITS})] > 125 ? 1 : 0);
    return bits;
  };
  return {
    press(play, at = 0) {
      video = find(document)[at];
      const pressedAtMs = performance.now();
      setInterval(look, ${LOOK_MS});
      const first = new Promise((resolve) => {
        video.requestVideoFrameCallback(() => {
          state.movedAtMs = performance.now();
          state.startupMs = state.movedAtMs - pressedAtMs;
          state.place = video.currentTime;
          resolve(state.startupMs);
        });
      });
      play();
      return first;
    },
    forgive() { look(); Object.assign(state, { freezes: 0, endedMs: 0, longestMs: 0, frozen: false, movedAtMs: performance.now() }); },
    figures() {
      look();
      const frames = video.getVideoPlaybackQuality();
      const frozenNowMs = state.frozen ? performance.now() - state.movedAtMs : 0;
      return {
        startupMs: state.startupMs, freezes: state.freezes, frozenMs: state.endedMs + frozenNowMs,
        longestMs: Math.max(state.longestMs, frozenNowMs), isFrozen: state.frozen,
        frames: frames.totalVideoFrames, dropped: frames.droppedVideoFrames, rate: video.playbackRate,
      };
    },
    /** From when the frame on screen was made until now, as its clock has it; the machine's clock is the same. */
    shownLatencyMs() {
      const shown = clock();
      if (shown === null) return null;
      const span = 2 ** ${CLOCK_BITS};
      const late = (((Math.floor(Date.now() / 10) - shown) % span) + span) % span;
      return late > span / 2 ? (late - span) * 10 : late * 10;
    },
  };
})();
`;

/** What `watcher.figures()` gives. Freezes last longer than 100 ms (ARCHITECTURE.md, measures). */
export interface Watched {
  readonly startupMs: number | null;
  readonly freezes: number;
  readonly frozenMs: number;
  readonly longestMs: number;
  readonly isFrozen: boolean;
  readonly frames: number;
  readonly dropped: number;
  readonly rate: number;
}
