import { el } from '../../../../web-player/element/dom.ts';
import type { HostId, LiveHost } from '../model.ts';
import type { Picture } from '../picture.ts';
import { isViewer, standingOf } from './hosts.ts';
import { type IconName, icon } from './icons.ts';
import { chooseThrottle } from './throttle.ts';
import type { Deeds } from './view.ts';

type Deed = 'start' | 'stop' | 'kill' | 'throttle';

const DEEDS: readonly Deed[] = ['start', 'stop', 'kill', 'throttle'];

/** What each does, for who points at it. */
const TITLES: Readonly<Record<Deed, string>> = {
  start: 'Start: comes, or comes back',
  stop: 'Stop: leaves as people do',
  kill: 'Kill: crashes without a word',
  throttle: 'Throttle: its links carry less',
};

const WORDS: Readonly<Record<Deed, string>> = { start: 'Start', stop: 'Stop', kill: 'Kill', throttle: 'Throttle…' };

/** Whom a press is for, at that moment. */
type Whom = () => readonly HostId[] | 'all';

/** The four buttons: with words, or as icons with what they are for. */
export function deedButtons(deeds: Deeds, whom: Whom, name?: () => string): Readonly<Record<Deed, HTMLButtonElement>> {
  const button = (deed: Deed): HTMLButtonElement => {
    const made = el('button', { type: 'button', class: `deed ${deed}`, title: TITLES[deed] }, icon(deed as IconName));
    if (name === undefined) made.append(WORDS[deed]);
    made.addEventListener('click', (event) => {
      event.stopPropagation();
      const hosts = whom();
      if (deed === 'throttle') chooseThrottle(made, (to) => deeds.wish({ do: 'throttle', hosts, to }));
      else deeds.wish({ do: deed, hosts });
    });
    return made;
  };
  return { start: button('start'), stop: button('stop'), kill: button('kill'), throttle: button('throttle') };
}

/** Buttons for one host: those that make sense. */
export function hostButtons(deeds: Deeds): {
  readonly element: HTMLElement;
  show(picture: Picture, host: LiveHost): void;
} {
  let shown: HostId | undefined;
  const buttons = deedButtons(deeds, () => (shown === undefined ? [] : [shown]));
  return {
    element: el('div', { class: 'deeds' }, ...DEEDS.map((deed) => buttons[deed])),
    show(picture, host) {
      shown = host.id;
      const can = possible(picture, host);
      for (const deed of DEEDS) {
        buttons[deed].hidden = !isViewer(host) && (deed === 'stop' || deed === 'throttle');
        buttons[deed].disabled = !can.has(deed);
      }
    },
  };
}

/** What makes sense for a host as it is. */
export function possible(picture: Picture, host: LiveHost): ReadonlySet<Deed> {
  if (picture.phase !== 'running' || picture.end !== null) return NOTHING;
  switch (standingOf(picture, host)) {
    case 'up':
      return FOR.up;
    case 'down':
      return FOR.down;
    case 'left':
    case 'dead':
      return FOR.away;
    case 'coming':
      return FOR.coming;
    default:
      return FOR.here;
  }
}

const NOTHING: ReadonlySet<Deed> = new Set();
const FOR = {
  up: new Set<Deed>(['kill']),
  down: new Set<Deed>(['start']),
  away: new Set<Deed>(['start', 'throttle']),
  coming: new Set<Deed>(['throttle']),
  here: new Set<Deed>(['stop', 'kill', 'throttle']),
};
