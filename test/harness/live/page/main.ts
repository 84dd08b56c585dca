import { PALETTE, PLOTS } from '../../../../report/svg/look.ts';
import { el } from '../../../../web-player/element/dom.ts';
import type { LiveWish } from '../model.ts';
import { cardOf } from './card.ts';
import { Choice } from './choice.ts';
import { confirmed } from './confirm.ts';
import { Connection } from './connection.ts';
import { Head } from './head.ts';
import { hostsOf, isViewer } from './hosts.ts';
import { logView } from './log.ts';
import { mapView } from './map/map.ts';
import { plotsView } from './plots.ts';
import { serversView } from './servers.ts';
import { tableView } from './table/table.ts';
import { tilesView } from './tiles.ts';
import { timelineView } from './timeline.ts';
import type { Deeds, View } from './view.ts';

/** The report's colours and its plots' look. */
const look = new CSSStyleSheet();
look.replaceSync(PALETTE + PLOTS);
document.adoptedStyleSheets.push(look);

let isDue = false;

/** Shows what there is with the next frame; in a tab that nobody sees, when it is seen again. */
function showSoon(): void {
  if (isDue) return;
  isDue = true;
  requestAnimationFrame(() => {
    isDue = false;
    showAll();
  });
}

const connection = new Connection(showSoon);
const choice = new Choice(showSoon);
const toast = el('p', { class: 'toast', role: 'status' });
let toastTimer = 0;

const deeds: Deeds = {
  choice,
  async wish(wish) {
    const question = questionOf(wish);
    if (question !== null && !(await confirmed(question, 'Yes'))) return;
    const why = await connection.ask(wish);
    if (why !== null) say(`Not done: ${why}.`);
    else say(wish.do === 'end' ? 'The session ends; what is there is being reported.' : 'Done.');
  },
};

/** Asked back before what ends a run, or stops all viewers at once. */
function questionOf(wish: LiveWish): string | null {
  if (wish.do === 'end') return 'End now? What there is so far is reported.';
  if (wish.hosts !== 'all' || wish.do === 'start' || wish.do === 'throttle') return null;
  const all = [...hostsOf(connection.picture).values()].filter(isViewer).length;
  return `${wish.do === 'stop' ? 'Stop' : 'Kill'} all ${all} viewers?`;
}

function say(text: string): void {
  toast.textContent = text;
  toast.classList.add('said');
  clearTimeout(toastTimer);
  toastTimer = window.setTimeout(() => toast.classList.remove('said'), TOAST_MS);
}

const TOAST_MS = 5_000;

const head = new Head(deeds);
const [timeline, tiles, map, servers, log, card, plots, table] = [
  timelineView(),
  tilesView(),
  mapView(deeds),
  serversView(deeds),
  logView(deeds),
  cardOf(deeds),
  plotsView(),
  tableView(deeds),
];
const views: readonly View[] = [timeline, tiles, map, servers, log, card, table, plots];
const side = el('div', { class: 'side' }, servers.element, log.element, card.element);
const world = el('div', { class: 'world' }, map.element, side);
document
  .querySelector('#app')!
  .append(head.element, timeline.element, tiles.element, world, table.element, plots.element, toast);

function showAll(): void {
  const { picture, state } = connection;
  document.body.classList.toggle('without-run', picture.run === undefined);
  head.show(picture, state);
  for (const view of views) view.show(picture);
}

addEventListener('seen', showSoon);
addEventListener('resize', showSoon);
showAll();
