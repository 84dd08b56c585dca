/**
 * Media in, parts out. To look at what it makes of an input:
 *
 *     npx tsx -e "import('./source-server/node/media/open-media.ts').then(({ openMedia }) => openMedia({ input: 'testsrc' },
 *       (e) => console.log(e.kind, e.kind === 'part' ? e.part.tracks.map((t) => [t.timeUs, t.durationUs, t.bytes.length]) : e)))"
 */
import { MediaSource } from './media-source.ts';
import type { MediaEvent, MediaOptions } from './options.ts';

export { checkMediaOptions, type MediaEvent, type MediaOptions } from './options.ts';

/**
 * Opens an input and reports its parts as they become due, in order. `onEvent` is called from timers and sockets, never
 * before this function has returned.
 *
 * Bad options are reported as `failed`; ask `checkMediaOptions` first for an answer at once.
 *
 * @returns `close`: ends all child processes and resolves when they are gone; no event follows.
 */
export function openMedia(options: MediaOptions, onEvent: (event: MediaEvent) => void): { close(): Promise<void> } {
  const source = new MediaSource(options, onEvent);
  return { close: () => source.close() };
}
