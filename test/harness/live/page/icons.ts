import { svg } from '../../../../web-player/element/dom.ts';

/** Forms of 16 by 16. */
const PATHS = {
  start: 'M4 2.5v11l9-5.5Z',
  stop: 'M3.5 3.5h9v9h-9Z',
  kill: 'M4.4 3 8 6.6 11.6 3 13 4.4 9.4 8l3.6 3.6-1.4 1.4L8 9.4 4.4 13 3 11.6 6.6 8 3 4.4Z',
  throttle:
    'M1 13a7 7 0 1 1 14 0h-1.700a5.300 5.300 0 1 0-10.600 0Zm6-1.600 4.600-4.600 1 1-4.500 4.700a1 1 0 0 1-1.100-1.100Z',
} as const;

export type IconName = keyof typeof PATHS;

export function icon(name: IconName): SVGElement {
  return svg('svg', { viewBox: '0 0 16 16', class: 'icon', 'aria-hidden': 'true' }, svg('path', { d: PATHS[name] }));
}
