/** Student's t distribution, for intervals of means and for how surely two means differ. */

/** Below this a chance is none: what is left is rounding. */
const CHANCE_MIN = 1e-300;

/**
 * How likely a value at least so far from 0 is by chance, to either side.
 *
 * @param degrees - Of freedom, above 0; need not be whole (Welch).
 */
export function studentChance(t: number, degrees: number): number {
  if (!Number.isFinite(t)) return 0;
  return incompleteBeta(degrees / (degrees + t * t), degrees / 2, 0.5);
}

/** How far from 0 only so small a share of all values lies, to both sides together: 12.706 for 1 degree and 0.05. */
export function studentPoint(degrees: number, chance = 0.05): number {
  let [low, high] = [0, 1];
  while (studentChance(high, degrees) > chance && high < Number.MAX_VALUE / 2) high *= 2;
  // Fifty halvings leave less than any figure is good for.
  for (let at = 0; at < 50; at++) {
    const middle = (low + high) / 2;
    if (studentChance(middle, degrees) > chance) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** The regularized incomplete beta function by its continued fraction (Lentz's method; Abramowitz and Stegun 26.5.8). */
function incompleteBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  // The fraction converges quickly on one side only.
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(1 - x, b, a);
  const front = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log(1 - x)) / a;
  const away = (value: number) => (Math.abs(value) < CHANCE_MIN ? CHANCE_MIN : value);
  let [c, d] = [1, 1 / away(1 - ((a + b) * x) / (a + 1))];
  let sum = d;
  for (let m = 1; m <= 200; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / away(1 + even * d);
    c = away(1 + even / c);
    sum *= d * c;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / away(1 + odd * d);
    c = away(1 + odd / c);
    sum *= d * c;
    if (Math.abs(d * c - 1) < 1e-14) break;
  }
  return front * sum;
}

const LANCZOS = [
  76.18009172947146, -86.50532032941678, 24.01409824083091, -1.231739572450155, 0.001208650973866179,
  -0.000005395239384953,
];

/** The logarithm of the gamma function above 0 (Lanczos), to ten digits. */
function logGamma(x: number): number {
  const base = x + 5.5;
  const series = LANCZOS.reduce((sum, term, at) => sum + term / (x + 1 + at), 1.000000000190015);
  return (x + 0.5) * Math.log(base) - base + Math.log((2.5066282746310007 * series) / x);
}
