/** A freeze is a picture that stands for longer than this for want of data (ARCHITECTURE.md, measures). */
export const FREEZE_MS = 100;
const LOOK_MS = 20;
const TOLD_MAX = 50;

/**
 * The witness's page: a video element, and a script that watches it. It is text because it knows nothing of this project, nor the
 * compiler of pages. The picture is looked at by its own clock: while `currentTime` stands and nobody has stopped it, it is frozen.
 */
export const WITNESS_PAGE = `<!doctype html>
<title>Witness</title>
<video muted playsinline width="320" height="180"></video>
<script>
const video = document.querySelector('video');
const state = { startedAtMs: null, startupDelayMs: null, place: 0, firstPlace: 0, movedAtMs: 0, frozen: false, freezes: 0, endedMs: 0, last: [], errors: [], hls: null };

function look() {
  if (state.startupDelayMs === null) return;
  const nowMs = performance.now();
  if (video.seeking) state.place = video.currentTime;
  if (video.currentTime !== state.place) {
    const stoodMs = nowMs - state.movedAtMs;
    if (state.frozen) {
      state.endedMs += stoodMs;
      state.last[state.last.length - 1].frozenMs = stoodMs;
    }
    state.frozen = false;
    state.place = video.currentTime;
    state.movedAtMs = nowMs;
  } else if (!state.frozen && !video.paused && !video.ended && nowMs - state.movedAtMs > ${FREEZE_MS}) {
    state.frozen = true;
    state.freezes++;
    state.last.push({ atMs: Date.now() - (nowMs - state.movedAtMs), frozenMs: null });
    if (state.last.length > ${TOLD_MAX}) state.last.shift();
  }
}

function bufferMs() {
  const { buffered, currentTime } = video;
  for (let at = 0; at < buffered.length; at++) {
    if (buffered.start(at) <= currentTime + 0.1 && currentTime < buffered.end(at)) return (buffered.end(at) - currentTime) * 1000;
  }
  return 0;
}

window.witness = {
  begin(url) {
    const hls = new Hls({ lowLatencyMode: true, backBufferLength: 10 });
    state.hls = hls;
    hls.on(Hls.Events.ERROR, (_, { fatal, type, details }) => {
      if (!fatal) return;
      if (state.errors.length < 20) state.errors.push(details);
      if (type === Hls.ErrorTypes.NETWORK_ERROR) setTimeout(() => hls.startLoad(), 250);
      else hls.recoverMediaError();
    });
    state.startedAtMs = performance.now();
    video.requestVideoFrameCallback(() => {
      state.movedAtMs = performance.now();
      state.startupDelayMs = state.movedAtMs - state.startedAtMs;
      state.place = state.firstPlace = video.currentTime;
    });
    hls.attachMedia(video);
    hls.loadSource(url);
    video.play().catch(() => {});
    setInterval(look, ${LOOK_MS});
  },
  figures() {
    look();
    const { startupDelayMs, freezes, endedMs, frozen, last, errors, hls, movedAtMs, firstPlace } = state;
    const frozenMs = endedMs + (frozen ? performance.now() - movedAtMs : 0);
    const date = hls && hls.playingDate;
    return {
      startupDelayMs, freezes, frozenMs, isFrozen: frozen, lastFreezes: last, errors, bufferMs: bufferMs(),
      playedMs: startupDelayMs === null ? 0 : (video.currentTime - firstPlace) * 1000,
      frames: video.getVideoPlaybackQuality().totalVideoFrames,
      latencyMs: date && startupDelayMs !== null ? Date.now() - date.getTime() : null,
    };
  },
};
</script>
`;
