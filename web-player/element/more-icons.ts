import { type ControlIconName, controlIcon } from './control-icons.ts';
import { iconOf } from './icons.ts';

/** Outlines on a grid of 24, of what is opened by a press. */
const PATHS = {
  quality:
    'M4 6.2h9.1a2.8 2.8 0 0 1 5.4 0H20v2h-1.5a2.8 2.8 0 0 1-5.4 0H4zM4 15.8h1.5a2.8 2.8 0 0 1 5.4 0H20v2h-9.1a2.8 2.8 0 0 1-5.4 0H4z',
  viewers:
    'M9 11.4a3.6 3.6 0 1 0 0-7.2 3.6 3.6 0 0 0 0 7.2zm7 0a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM2 19.4c0-3.4 3.1-5.8 7-5.8s7 2.4 7 5.8zm15.8 0H22c0-2.9-2.6-5-6-5-.4 0-.8 0-1.2.1a7 7 0 0 1 3 4.9z',
  camera:
    'M3 6.8C3 5.8 3.8 5 4.8 5h9.4c1 0 1.8.8 1.8 1.8v2.4l4-2.6c.6-.4 1 0 1 .6v9.6c0 .6-.4 1-1 .6l-4-2.6v2.4c0 1-.8 1.8-1.8 1.8H4.8c-1 0-1.8-.8-1.8-1.8z',
  store: 'M4 4h16v6.4H4zm2.6 2.2v2h2v-2zM4 13.6h16V20H4zm2.6 2.2v2h2v-2z',
  speaker:
    'M12 3.4a1.7 1.7 0 0 1 1.7 1.7v13.8a1.7 1.7 0 0 1-3.4 0V5.1A1.7 1.7 0 0 1 12 3.4zM6 8a1.5 1.5 0 0 1 1.5 1.5v5a1.5 1.5 0 0 1-3 0v-5A1.5 1.5 0 0 1 6 8zm12 0a1.5 1.5 0 0 1 1.5 1.5v5a1.5 1.5 0 0 1-3 0v-5A1.5 1.5 0 0 1 18 8z',
  keys: 'M4.2 6h15.6c1 0 1.8.8 1.8 1.8v8.4c0 1-.8 1.8-1.8 1.8H4.2c-1 0-1.8-.8-1.8-1.8V7.8C2.4 6.8 3.2 6 4.2 6zm.9 2.6v2h2v-2zm3.6 0v2h2v-2zm3.6 0v2h2v-2zm3.6 0v2h3v-2zm-8.7 4.6v2.2h9.6v-2.2zm-2.1 0v2.2h.9v-2.2zm12.9 0v2.2h.9v-2.2z',
  next: 'M9.2 5.6 7.6 7.2l4.8 4.8-4.8 4.8 1.6 1.6 6.4-6.4z',
  previous: 'M14.8 5.6l1.6 1.6-4.8 4.8 4.8 4.8-1.6 1.6L8.4 12z',
  check: 'M9.6 15.6 5.8 11.8l-1.6 1.6 5.4 5.4L20 8.4l-1.6-1.6z',
  close: 'M6.4 4.8 4.8 6.4l5.6 5.6-5.6 5.6 1.6 1.6 5.6-5.6 5.6 5.6 1.6-1.6-5.6-5.6 5.6-5.6-1.6-1.6-5.6 5.6z',
  copy: 'M8.4 3h9.8c1 0 1.8.8 1.8 1.8v11.4h-2.2V5.2H8.4zM5.8 6.8h8.6c1 0 1.8.8 1.8 1.8v10.6c0 1-.8 1.8-1.8 1.8H5.8c-1 0-1.8-.8-1.8-1.8V8.6c0-1 .8-1.8 1.8-1.8z',
  screen: 'M3 4.6h18v11.8H3zM5.2 6.8v7.4h13.6V6.8zM8 18h8v2.2H8z',
} as const;

export type MoreIconName = keyof typeof PATHS;

/** @param name - One of these, or of those that are on screen from the start. */
export function moreIcon(name: MoreIconName | ControlIconName): SVGElement {
  return name in PATHS ? iconOf(PATHS[name as MoreIconName]) : controlIcon(name as ControlIconName);
}
