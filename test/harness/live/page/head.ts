import { quantileOf } from '../../../../report/distribution.ts';
import { toneOf } from '../../../../report/svg/tone.ts';
import { rateText } from '../../../../report/text.ts';
import { el, setAttribute, setText } from '../../../../web-player/element/dom.ts';
import type { LiveEnd, LiveSession } from '../model.ts';
import type { Picture, RunPicture } from '../picture.ts';
import type { ConnectionState } from './connection.ts';
import { atText, msText, shareText } from './figures.ts';
import type { Deeds } from './view.ts';

/** What is run, how far it is, how the machine does, and whether what is shown is live. */
export class Head {
  readonly element: HTMLElement;
  private readonly title = el('h1');
  private readonly summary = el('p', { class: 'summary' });
  private readonly runs = el('ol', { class: 'runs', 'aria-label': 'Runs' });
  private readonly machine = el('p', { class: 'badge machine' });
  private readonly live = el('p', { class: 'badge live', role: 'status' });
  private readonly end = el('button', { type: 'button', class: 'end' }, 'End and report now');
  private readonly notice = el('div', { class: 'notice', role: 'status', hidden: '' });
  private session: LiveSession | null = null;
  private noticed: unknown;

  constructor(deeds: Deeds) {
    this.end.addEventListener('click', () => deeds.wish({ do: 'end' }));
    const badges = el('div', { class: 'badges' }, this.live, this.machine, this.end);
    const top = el('div', { class: 'top' }, el('div', { class: 'titles' }, this.title, this.summary), badges);
    this.element = el('header', {}, top, this.runs, this.notice);
  }

  show(picture: Picture, state: ConnectionState): void {
    const { session, machine, end } = picture;
    if (session !== this.session) this.begin(session);
    this.showRuns(picture);
    this.showMachine(machine.busy, machine.saturatedBy, picture.run !== undefined && end === null);
    const [kind, text] = liveText(picture, state);
    setAttribute(this.live, 'data-state', kind);
    setText(this.live, text);
    this.end.hidden = state !== 'open' || picture.run === undefined;
    this.showNotice(state, end, machine.saturatedBy);
  }

  private begin(session: LiveSession | null): void {
    this.session = session;
    if (session === null) {
      setText(this.title, 'inswarm measure');
      return;
    }
    const { scenario, summary, runs, streamBps } = session;
    document.title = `${scenario} · inswarm measure`;
    setText(this.title, scenario);
    const seeds = [...new Set(runs.map(({ seed }) => seed))];
    const seed = seeds.length === 1 ? `seed ${seeds[0]}` : `seeds ${seeds.join(', ')}`;
    this.summary.replaceChildren(
      `${summary.replace(/[.]$/, '')}. `,
      el('span', {}, `A stream of ${rateText(streamBps)}, ${seed}.`),
    );
    const keys = runs.map(({ mode }) => mode);
    this.runs.replaceChildren(
      ...runs.map(({ label, mode }) =>
        el(
          'li',
          { class: toneOf(mode, keys) },
          el('strong', {}, label),
          el('span'),
          el('i', { class: 'progress', 'aria-hidden': 'true' }),
        ),
      ),
    );
  }

  private showRuns({ session, runs, phase, atMs, end }: Picture): void {
    const durationMs = session?.durationMs ?? 1;
    for (const [at, item] of [...this.runs.children].entries()) {
      const isNow = at === runs.length - 1 && end === null;
      const isDone = at < runs.length && !isNow;
      const text = isDone
        ? doneText(runs[at]!)
        : !isNow
          ? end === null
            ? 'to come'
            : 'not run'
          : phase === 'running'
            ? `${atText(atMs)} of ${atText(durationMs)}`
            : phase === 'ending'
              ? 'gathering results'
              : 'preparing';
      setText(item.children[1]!, text);
      setAttribute(item, 'data-is', isNow ? 'now' : isDone ? 'done' : 'coming');
      const share = isDone ? 1 : isNow ? Math.max(0, Math.min(1, atMs / durationMs)) : 0;
      (item.children[2] as HTMLElement).style.scale = `${share} 1`;
    }
  }

  private showMachine(busy: number, saturatedBy: readonly string[], isShown: boolean): void {
    this.machine.hidden = !isShown;
    const isBusy = saturatedBy.length > 0;
    setAttribute(this.machine, 'data-state', isBusy ? 'bad' : 'good');
    setText(this.machine, isBusy ? `Machine busy: ${shareText(busy)}` : `Machine ${shareText(busy)}`);
    const fine = 'The machine has room: what is measured is the programs, not the machine.';
    setAttribute(this.machine, 'title', isBusy ? saturatedBy.join(' ') : fine);
  }

  private showNotice(state: ConnectionState, end: LiveEnd | null, saturatedBy: readonly string[]): void {
    const noticed = end ?? `${state} ${saturatedBy.join(' ')}`;
    if (noticed === this.noticed) return;
    this.noticed = noticed;
    const parts = noticeOf(state, end, saturatedBy);
    this.notice.hidden = parts.length === 0;
    setAttribute(this.notice, 'data-ok', String(end?.ok ?? false));
    this.notice.replaceChildren(...parts);
  }
}

function doneText({ startupsMs }: RunPicture): string {
  const half = quantileOf(
    startupsMs.toSorted((a, b) => a - b),
    0.5,
  );
  return half === null ? 'done' : `done: half started within ${msText(half)}`;
}

function liveText({ run, end }: Picture, state: ConnectionState): [kind: string, text: string] {
  if (end !== null) return end.ok ? ['over', 'Over'] : ['lost', 'Ended with a problem'];
  if (state === 'connecting') return ['waits', 'Connecting'];
  if (state === 'lost') return ['lost', 'Connection lost'];
  if (state === 'old') return ['lost', 'Load again'];
  return run === undefined ? ['waits', 'Waits for the first run'] : ['live', 'Live'];
}

function noticeOf(state: ConnectionState, end: LiveEnd | null, saturatedBy: readonly string[]): HTMLElement[] {
  if (end !== null) {
    const files = end.files.map((path) => el('li', {}, el('code', {}, path), copyButton(path)));
    const what = files.length === 0 ? [] : [el('p', {}, 'Written:'), el('ul', {}, ...files)];
    return [el('p', {}, el('b', {}, end.text)), ...what];
  }
  if (state === 'lost') {
    const text =
      'The connection to the run is lost; trying again. If the run has ended or its terminal was closed, what is shown here is the last of it.';
    return [el('p', {}, text)];
  }
  if (state === 'old') return [el('p', {}, 'This page is older than the program that it shows. Load it again.')];
  if (saturatedBy.length > 0) {
    const head = el('b', {}, 'The machine itself is the bottleneck, so this run is no result. ');
    return [el('p', {}, head, saturatedBy.join(' '))];
  }
  return [];
}

function copyButton(path: string): HTMLElement {
  const button = el('button', { type: 'button', class: 'link' }, 'copy path');
  button.addEventListener('click', async () => {
    // Refused without the focus, or by a setting; the path can be marked by hand.
    const isDone = await navigator.clipboard.writeText(path).then(
      () => true,
      () => false,
    );
    button.textContent = isDone ? 'copied' : 'mark it and copy it';
  });
  return button;
}
