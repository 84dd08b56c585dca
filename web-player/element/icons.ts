import { svg } from './dom.ts';

/** Outlines on a grid of 24, of what is on screen from the start; `control-icons.ts` and `more-icons.ts` have the others. */
const PATHS = {
  play: 'M8 5.2c0-.9 1-1.5 1.8-1l10.4 6.8c.7.5.7 1.5 0 2L9.8 19.8c-.8.5-1.8-.1-1.8-1z',
  sound:
    'M3 9.4v5.2h3.6L12 19.4V4.6L6.6 9.4zM14.6 8.2a5 5 0 0 1 0 7.6l1.3 1.5a7 7 0 0 0 0-10.6zM17.4 5a9.1 9.1 0 0 1 0 14l1.3 1.5a11.1 11.1 0 0 0 0-17z',
  muted:
    'M3 9.4v5.2h3.6L12 19.4V4.6L6.6 9.4zM21.6 9.4l-1.4-1.4-2.6 2.6L15 8l-1.4 1.4 2.6 2.6-2.6 2.6L15 16l2.6-2.6 2.6 2.6 1.4-1.4-2.6-2.6z',
  full: 'M4 4h6v2.4H6.4V10H4zM14 4h6v6h-2.4V6.4H14zM4 14h2.4v3.6H10V20H4zM17.6 14H20v6h-6v-2.4h3.6z',
  shield:
    'M12 2.4 4.4 5.2v6c0 4.7 3.2 8.9 7.6 10.4 4.4-1.5 7.6-5.7 7.6-10.4v-6zm-1 13.4-3.4-3.4 1.5-1.5 1.9 1.9 4-4 1.5 1.5z',
  eye: 'M12 5.4c-4.7 0-8.2 3.6-9.6 6.6 1.4 3 4.9 6.6 9.6 6.6s8.2-3.6 9.6-6.6c-1.4-3-4.9-6.6-9.6-6.6zm0 10.8a4.2 4.2 0 1 1 0-8.4 4.2 4.2 0 0 1 0 8.4zm0-2.2a2 2 0 1 0 0-4 2 2 0 0 0 0 4z',
  captions:
    'M4.6 4.8h14.8c1 0 1.8.8 1.8 1.8v10.8c0 1-.8 1.8-1.8 1.8H4.6c-1 0-1.8-.8-1.8-1.8V6.6c0-1 .8-1.8 1.8-1.8zm1.6 5v2h5v-2zm7 0v2h4.6v-2zm-7 4v2h3v-2zm5 0v2h6.6v-2z',
  latency:
    'M12 3.2a8.8 8.8 0 1 0 0 17.6 8.8 8.8 0 0 0 0-17.6zm0 2.2a6.6 6.6 0 1 1 0 13.2 6.6 6.6 0 0 1 0-13.2zm-1 2.4v4.7l3.9 2.4 1.1-1.8-2.9-1.7V7.8z',
  share: 'M13.4 4.4v4C7.4 9 4.2 13 3.2 18.6c2.2-3.3 5.4-4.9 10.2-4.9v4.1l7.6-6.7z',
  pip: 'M3.8 4.8h16.4c.6 0 1 .4 1 1v12.4c0 .6-.4 1-1 1H3.8c-.6 0-1-.4-1-1V5.8c0-.6.4-1 1-1zM5 7v10h14V7zm7 4.8h5.6v3.8H12z',
  back: 'M11.4 5.6v12.8L2.6 12zm9.4 0v12.8L12 12z',
  forward: 'M12.6 5.6v12.8l8.8-6.4zm-9.4 0v12.8L12 12z',
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
