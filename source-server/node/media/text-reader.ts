import { cueSample } from '../../core/media/ttml.ts';
import type { Sample } from '../../core/media/types.ts';
import { VttReader } from '../../core/media/web-vtt.ts';

/** Reads the cues out of an output of ffmpeg's in WebVTT, as samples. */
export class TextReader {
  private readonly decoder = new TextDecoder();
  private readonly reader = new VttReader();

  push(bytes: Uint8Array): readonly { readonly kind: 'sample'; readonly sample: Sample }[] {
    const cues = this.reader.push(this.decoder.decode(bytes, { stream: true }));
    return cues.map((cue) => ({ kind: 'sample', sample: cueSample(cue) }));
  }
}
