import { svg } from './dom.ts';

/** Outlines on a grid of 24. */
const PATHS = {
  play: 'M8 5.2c0-.9 1-1.5 1.8-1l10.4 6.8c.7.5.7 1.5 0 2L9.8 19.8c-.8.5-1.8-.1-1.8-1z',
  pause: 'M7 4h3.2v16H7zM13.8 4H17v16h-3.2z',
  replay: 'M12 5V1.6L6.6 6.4 12 11.2V7.6a5.7 5.7 0 1 1-5.7 5.7H3.7A8.3 8.3 0 1 0 12 5z',
  sound:
    'M3 9.4v5.2h3.6L12 19.4V4.6L6.6 9.4zM14.6 8.2a5 5 0 0 1 0 7.6l1.3 1.5a7 7 0 0 0 0-10.6zM17.4 5a9.1 9.1 0 0 1 0 14l1.3 1.5a11.1 11.1 0 0 0 0-17z',
  muted:
    'M3 9.4v5.2h3.6L12 19.4V4.6L6.6 9.4zM21.6 9.4l-1.4-1.4-2.6 2.6L15 8l-1.4 1.4 2.6 2.6-2.6 2.6L15 16l2.6-2.6 2.6 2.6 1.4-1.4-2.6-2.6z',
  full: 'M4 4h6v2.4H6.4V10H4zM14 4h6v6h-2.4V6.4H14zM4 14h2.4v3.6H10V20H4zM17.6 14H20v6h-6v-2.4h3.6z',
  leaveFull: 'M7.6 4H10v6H4V7.6h3.6zM14 4h2.4v3.6H20V10h-6zM4 14h6v6H7.6v-3.6H4zM14 14h6v2.4h-3.6V20H14z',
  quality:
    'M4 6.2h9.1a2.8 2.8 0 0 1 5.4 0H20v2h-1.5a2.8 2.8 0 0 1-5.4 0H4zM4 15.8h1.5a2.8 2.8 0 0 1 5.4 0H20v2h-9.1a2.8 2.8 0 0 1-5.4 0H4z',
  figures: 'M4 13h3.4v7H4zM10.3 8h3.4v12h-3.4zM16.6 4H20v16h-3.4z',
  shield:
    'M12 2.4 4.4 5.2v6c0 4.7 3.2 8.9 7.6 10.4 4.4-1.5 7.6-5.7 7.6-10.4v-6zm-1 13.4-3.4-3.4 1.5-1.5 1.9 1.9 4-4 1.5 1.5z',
  eye: 'M12 5.4c-4.7 0-8.2 3.6-9.6 6.6 1.4 3 4.9 6.6 9.6 6.6s8.2-3.6 9.6-6.6c-1.4-3-4.9-6.6-9.6-6.6zm0 10.8a4.2 4.2 0 1 1 0-8.4 4.2 4.2 0 0 1 0 8.4zm0-2.2a2 2 0 1 0 0-4 2 2 0 0 0 0 4z',
  viewers:
    'M9 11.4a3.6 3.6 0 1 0 0-7.2 3.6 3.6 0 0 0 0 7.2zm7 0a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM2 19.4c0-3.4 3.1-5.8 7-5.8s7 2.4 7 5.8zm15.8 0H22c0-2.9-2.6-5-6-5-.4 0-.8 0-1.2.1a7 7 0 0 1 3 4.9z',
  camera:
    'M3 6.8C3 5.8 3.8 5 4.8 5h9.4c1 0 1.8.8 1.8 1.8v2.4l4-2.6c.6-.4 1 0 1 .6v9.6c0 .6-.4 1-1 .6l-4-2.6v2.4c0 1-.8 1.8-1.8 1.8H4.8c-1 0-1.8-.8-1.8-1.8z',
  store: 'M4 4h16v6.4H4zm2.6 2.2v2h2v-2zM4 13.6h16V20H4zm2.6 2.2v2h2v-2z',
  screen: 'M3 4.6h18v11.8H3zM5.2 6.8v7.4h13.6V6.8zM8 18h8v2.2H8z',
} as const;

export type IconName = keyof typeof PATHS;

export function icon(name: IconName): SVGElement {
  return svg('svg', { viewBox: '0 0 24 24', class: 'icon', 'aria-hidden': 'true' }, svg('path', { d: PATHS[name] }));
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
