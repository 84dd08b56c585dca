import type { RunPlan } from '../../../scenarios/plan/plan.ts';

/** Which viewers of a run have a real player: those that are one in a browser, and those with a plain one beside them. */
export interface Players {
  readonly browsers: ReadonlySet<number>;
  readonly witnessed: ReadonlySet<number>;
}

/**
 * @param count - How many viewers are to be players in browsers.
 * @param witnesses - How many of the others have a plain player beside them.
 */
export function playersOf(plan: RunPlan, count: number, witnesses: number): Players {
  const browsers = inBrowsers(plan, count);
  const headless = [...Array(plan.peers).keys()].filter((viewer) => !browsers.has(viewer));
  return { browsers, witnessed: new Set(headless.slice(0, witnesses)) };
}

/** Those whom the scenario has in browsers come first. */
function inBrowsers({ browsers, peers }: RunPlan, count: number): ReadonlySet<number> {
  const others = [...Array(peers).keys()].filter((viewer) => !browsers.has(viewer));
  return new Set([...browsers, ...others].slice(0, count));
}
