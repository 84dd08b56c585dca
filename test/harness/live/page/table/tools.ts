import { el, setAttribute, setText } from '../../../../../web-player/element/dom.ts';
import type { LiveViewer } from '../../model.ts';
import type { Picture } from '../../picture.ts';
import { deedButtons } from '../buttons.ts';
import { STANDING_WORDS } from '../hosts.ts';
import type { Deeds } from '../view.ts';
import type { Row, Wanted } from './columns.ts';

const STATES: readonly LiveViewer['state'][] = ['playing', 'waiting', 'stalled', 'coming', 'left', 'dead'];

export interface ToolDeeds {
  readonly filter: (words: string) => void;
  readonly state: (state: LiveViewer['state'] | null) => void;
}

/** Above the table: which rows are shown, and what to do with those that are selected, or with all viewers. */
export class Tools {
  readonly element: HTMLElement;
  private readonly chips: ReadonlyMap<LiveViewer['state'] | null, HTMLButtonElement>;
  private readonly counts: ReadonlyMap<LiveViewer['state'] | null, HTMLElement>;
  private readonly whom = el('span', { class: 'whom', 'aria-live': 'polite' });
  private readonly clear = el('button', { type: 'button', class: 'link' }, 'clear');
  private readonly buttons;
  private readonly deeds: Deeds;

  constructor(deeds: Deeds, { filter, state }: ToolDeeds) {
    this.deeds = deeds;
    const box = el('input', {
      type: 'search',
      placeholder: 'Filter: name, region, state, browser, throttled',
      'aria-label': 'Filter viewers',
    });
    box.addEventListener('input', () => filter(box.value));
    this.counts = new Map([null, ...STATES].map((one) => [one, el('b')]));
    this.chips = new Map(
      [null, ...STATES].map((one) => {
        const text = one === null ? 'all' : STANDING_WORDS[one];
        const chip = el(
          'button',
          { type: 'button', class: 'chip', 'data-state': one ?? 'all' },
          text,
          this.counts.get(one)!,
        );
        chip.addEventListener('click', () => state(chip.ariaPressed === 'true' ? null : one));
        return [one, chip];
      }),
    );
    const { choice } = deeds;
    this.buttons = deedButtons(deeds, () => (choice.selected.size === 0 ? 'all' : [...choice.selected]));
    this.clear.addEventListener('click', () => choice.clear());
    const act = el(
      'div',
      { class: 'act', role: 'group', 'aria-label': 'What to do' },
      this.whom,
      this.clear,
      ...Object.values(this.buttons),
    );
    const find = el(
      'div',
      { class: 'find' },
      box,
      el('div', { class: 'chips', role: 'group', 'aria-label': 'States' }, ...this.chips.values()),
    );
    this.element = el('div', { class: 'tools' }, el('h2', {}, 'Viewers'), find, act);
  }

  show(picture: Picture, all: readonly Row[], shown: readonly Row[], wanted: Wanted): void {
    for (const [state, chip] of this.chips) {
      const count = state === null ? all.length : all.filter(({ viewer }) => viewer.state === state).length;
      setText(this.counts.get(state)!, String(count));
      setAttribute(chip, 'aria-pressed', String(wanted.state === state));
      chip.hidden = state !== null && count === 0 && wanted.state !== state;
    }
    const { selected } = this.deeds.choice;
    const filtered = shown.length === all.length ? '' : ` (${shown.length} shown)`;
    setText(this.whom, selected.size > 0 ? `${selected.size} selected` : `All ${all.length} viewers${filtered}`);
    this.clear.hidden = selected.size === 0;
    const isOff = picture.phase !== 'running' || picture.end !== null;
    for (const button of Object.values(this.buttons)) button.disabled = isOff;
  }
}
