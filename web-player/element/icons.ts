import { svg } from './dom.ts';

/** Outlines on a grid of 24, of what is on screen from the start; `control-icons.ts` and `more-icons.ts` have the others. */
const PATHS = {
  play: 'M8 5.2c0-.9 1-1.5 1.8-1l10.4 6.8c.7.5.7 1.5 0 2L9.8 19.8c-.8.5-1.8-.1-1.8-1z',
  shield:
    'M12 2.4 4.4 5.2v6c0 4.7 3.2 8.9 7.6 10.4 4.4-1.5 7.6-5.7 7.6-10.4v-6zm-1 13.4-3.4-3.4 1.5-1.5 1.9 1.9 4-4 1.5 1.5z',
  eye: 'M12 5.4c-4.7 0-8.2 3.6-9.6 6.6 1.4 3 4.9 6.6 9.6 6.6s8.2-3.6 9.6-6.6c-1.4-3-4.9-6.6-9.6-6.6zm0 10.8a4.2 4.2 0 1 1 0-8.4 4.2 4.2 0 0 1 0 8.4zm0-2.2a2 2 0 1 0 0-4 2 2 0 0 0 0 4z',
} as const;

export type IconName = keyof typeof PATHS;

export function icon(name: IconName): SVGElement {
  return iconOf(PATHS[name]);
}

/** @param path - An outline on a grid of 24. */
export function iconOf(path: string): SVGElement {
  return svg('svg', { viewBox: '0 0 24 24', class: 'icon', 'aria-hidden': 'true' }, svg('path', { d: path }));
}

/** The store in the middle, viewers around it. */
export function mark(): SVGElement {
  const spoke = (x: number, y: number): SVGElement => svg('path', { d: `M12 12L${x} ${y}`, class: 'mark-spoke' });
  const node = (x: number, y: number): SVGElement =>
    svg('circle', { cx: `${x}`, cy: `${y}`, r: '2', class: 'mark-node' });
  const ends = [
    [4.5, 4.5],
    [19.5, 4.5],
    [4.5, 19.5],
    [19.5, 19.5],
  ] as const;
  const nodes = ends.flatMap(([x, y]) => [spoke(x, y), node(x, y)]);
  const store = svg('circle', { cx: '12', cy: '12', r: '3.8', class: 'mark-store' });
  return svg('svg', { viewBox: '0 0 24 24', class: 'mark', 'aria-hidden': 'true' }, ...nodes, store);
}
