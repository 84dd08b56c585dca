/**
 * Colours by column: those of Okabe and Ito, which people of all kinds of colour vision tell apart, each in a tone for light and for dark
 * ground. Lines differ in their dashes, too, for prints without colour.
 */
const TONES: Readonly<Record<string, number>> = { ins: 0, native: 1, 'ins-drafts': 2, hybrid: 3 };
const FIRST_FREE = 4;
const COUNT = 8;

/** The class that gives elements the colour of a column. */
export function toneOf(key: string, keys: readonly string[]): string {
  const fixed = TONES[key];
  if (fixed !== undefined) return `c${fixed}`;
  const others = keys.filter((candidate) => TONES[candidate] === undefined);
  return `c${FIRST_FREE + (Math.max(0, others.indexOf(key)) % (COUNT - FIRST_FREE))}`;
}
