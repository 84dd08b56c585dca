/** What the drafts measured in 2010–2013 on PlanetLab and EC2 in four regions: marks in plots, never targets. */
export const DRAFTS = {
  startupDelayMs: { ins: [35_000, 40_000], native: [110_000, 120_000] },
  missedRate: 0.0002,
  efficiency: { ins: 0.88, native: 0.65 },
  /** 12 MB of signalling sent for 480 MB got. */
  controlShare: 0.025,
} as const;

/** Which of the drafts' two systems a column is to be set beside. */
export function draftsKind(mode: string): 'ins' | 'native' | null {
  return mode === 'ins' || mode === 'native' ? mode : null;
}
