import { type IconName, icon, iconOf } from './icons.ts';

/** Outlines on a grid of 24, of what comes with the controls. */
const PATHS = {
  sound:
    'M3 9.4v5.2h3.6L12 19.4V4.6L6.6 9.4zM14.6 8.2a5 5 0 0 1 0 7.6l1.3 1.5a7 7 0 0 0 0-10.6zM17.4 5a9.1 9.1 0 0 1 0 14l1.3 1.5a11.1 11.1 0 0 0 0-17z',
  muted:
    'M3 9.4v5.2h3.6L12 19.4V4.6L6.6 9.4zM21.6 9.4l-1.4-1.4-2.6 2.6L15 8l-1.4 1.4 2.6 2.6-2.6 2.6L15 16l2.6-2.6 2.6 2.6 1.4-1.4-2.6-2.6z',
  full: 'M4 4h6v2.4H6.4V10H4zM14 4h6v6h-2.4V6.4H14zM4 14h2.4v3.6H10V20H4zM17.6 14H20v6h-6v-2.4h3.6z',
  captions:
    'M4.6 4.8h14.8c1 0 1.8.8 1.8 1.8v10.8c0 1-.8 1.8-1.8 1.8H4.6c-1 0-1.8-.8-1.8-1.8V6.6c0-1 .8-1.8 1.8-1.8zm1.6 5v2h5v-2zm7 0v2h4.6v-2zm-7 4v2h3v-2zm5 0v2h6.6v-2z',
  latency:
    'M12 3.2a8.8 8.8 0 1 0 0 17.6 8.8 8.8 0 0 0 0-17.6zm0 2.2a6.6 6.6 0 1 1 0 13.2 6.6 6.6 0 0 1 0-13.2zm-1 2.4v4.7l3.9 2.4 1.1-1.8-2.9-1.7V7.8z',
  share: 'M13.4 4.4v4C7.4 9 4.2 13 3.2 18.6c2.2-3.3 5.4-4.9 10.2-4.9v4.1l7.6-6.7z',
  pip: 'M3.8 4.8h16.4c.6 0 1 .4 1 1v12.4c0 .6-.4 1-1 1H3.8c-.6 0-1-.4-1-1V5.8c0-.6.4-1 1-1zM5 7v10h14V7zm7 4.8h5.6v3.8H12z',
  back: 'M11.4 5.6v12.8L2.6 12zm9.4 0v12.8L12 12z',
  forward: 'M12.6 5.6v12.8l8.8-6.4zm-9.4 0v12.8L12 12z',
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
