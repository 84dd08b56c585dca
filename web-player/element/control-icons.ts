import { type IconName, icon, iconOf } from './icons.ts';

/** Outlines on a grid of 24, of the controls alone. */
const PATHS = {
  pause: 'M7 4h3.2v16H7zM13.8 4H17v16h-3.2z',
  leaveFull: 'M7.6 4H10v6H4V7.6h3.6zM14 4h2.4v3.6H20V10h-6zM4 14h6v6H7.6v-3.6H4zM14 14h6v2.4h-3.6V20H14z',
  figures: 'M4 13h3.4v7H4zM10.3 8h3.4v12h-3.4zM16.6 4H20v16h-3.4z',
  settings:
    'M10.1 2.8h3.8l.5 2.6c.6.2 1.1.5 1.6.9l2.5-.9 1.9 3.3-2 1.7a7 7 0 0 1 0 1.9l2 1.7-1.9 3.3-2.5-.9c-.5.4-1 .7-1.6.9l-.5 2.6h-3.8l-.5-2.6c-.6-.2-1.1-.5-1.6-.9l-2.5.9-1.9-3.3 2-1.7a7 7 0 0 1 0-1.9l-2-1.7 1.9-3.3 2.5.9c.5-.4 1-.7 1.6-.9zM12 8.3a3.1 3.1 0 1 0 0 6.2 3.1 3.1 0 0 0 0-6.2z',
} as const;

export type ControlIconName = keyof typeof PATHS | IconName;

export function controlIcon(name: ControlIconName): SVGElement {
  return name in PATHS ? iconOf(PATHS[name as keyof typeof PATHS]) : icon(name as IconName);
}
