import type Hls from 'hls.js';
import { type BufferAppendingData, ErrorDetails, Events } from 'hls.js';

/** What is appended waits behind what was appended before: no more than this, at any time that matters. */
const KEPT_MAX = 16;

/**
 * Appends again what hls.js lost. Its queues go on twice for one append when a playlist grows while sound waits for its picture, as it does
 * at every start out of a swarm: the next part is then appended while the browser is still at work, refused, and never asked for again.
 */
export function appendAgain(hls: Hls): void {
  let kept: BufferAppendingData[] = [];
  const again = new WeakSet<BufferAppendingData>();
  hls.on(Events.BUFFER_APPENDING, (_, data) => {
    kept = [...kept, data].slice(-KEPT_MAX);
  });
  hls.on(Events.ERROR, (_, { details, error, frag, part, chunkMeta, sourceBufferName: type }) => {
    if (details !== ErrorDetails.BUFFER_APPEND_ERROR || error.name !== 'InvalidStateError') return;
    const lost = kept.find((one) => {
      // Headers come with the first media that needs them.
      return one.chunkMeta === chunkMeta && one.frag === frag && one.part === part && one.type === type;
    });
    // A second time it is another trouble.
    if (lost === undefined || again.has(lost) || hls.media?.error !== null) return;
    again.add(lost);
    hls.trigger(Events.BUFFER_APPENDING, lost);
  });
}
