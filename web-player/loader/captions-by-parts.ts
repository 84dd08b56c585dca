import Hls, { type HlsConfig } from 'hls.js';

/** What hls.js 1.7 keeps of the last fragment that it has begun to load. */
interface Places {
  lastSn: number;
  lastPartIndex: number;
}

/**
 * Captions inside the picture (CTA-608) for streams that come in parts, as options of hls.js. Its own timeline controller forgets what it
 * has read of a caption with every part but the first of a segment: it takes a segment's next part for a jump. A caption takes longer
 * than a part to arrive, so none would ever be shown. Nothing for builds of hls.js without captions.
 */
export function captionsByParts(): Partial<HlsConfig> {
  const { timelineController } = Hls.DefaultConfig;
  if (timelineController === undefined) return {};
  const Own = timelineController as unknown as new (hls: Hls) => object;
  const { onFragLoading } = Own.prototype;
  if (typeof onFragLoading !== 'function') return {};
  class ByParts extends Own {
    onFragLoading(event: string, data: { frag: { sn: number }; part?: { index: number } | null }): void {
      const last = this as unknown as Places;
      const { frag, part } = data;
      // It is the jump from one segment to the next that is taken for none.
      if (part && frag.sn === last.lastSn && part.index === last.lastPartIndex + 1) last.lastSn = frag.sn - 1;
      onFragLoading.call(this, event, data);
    }
  }
  return { timelineController: ByParts as unknown as NonNullable<typeof timelineController> };
}
