import type { LinkReport } from '../../peer/browser/links.ts';
import type { BytesFrom } from '../../peer/core/io.ts';
import type { History } from '../playback/history.ts';
import type { SessionStats } from '../playback/session.ts';
import { copyText } from './copy-text.ts';
import { el, setAttribute, setText } from './dom.ts';
import { bitRate, bytes, host, percent, seconds } from './format.ts';
import { icon } from './icons.ts';
import { moreIcon } from './more-icons.ts';
import { Plot } from './plots.ts';

const FROM: readonly { readonly from: BytesFrom; readonly name: string }[] = [
  { from: 'ins', name: 'INS server' },
  { from: 'peers', name: 'Peers' },
  { from: 'source', name: 'Source' },
];

/** What is going on: live figures, plots, and whom this page is connected to. */
export class Panel {
  readonly element: HTMLElement;
  private readonly parts: readonly { update(stats: SessionStats, history: History): void }[];

  /** @param report - Makes the text that the button copies. */
  constructor(report: () => Promise<string>) {
    const figures = new Figures();
    const origins = new Origins();
    const connections = new Connections();
    this.parts = [figures, origins, connections];
    this.element = el(
      'aside',
      { class: 'panel', 'aria-label': 'What is going on' },
      figures.element,
      origins.element,
      connections.element,
    );
    connections.element.append(reportButton(report));
  }

  update(stats: SessionStats, history: History): void {
    for (const part of this.parts) part.update(stats, history);
  }
}

/** Copies all figures, for those who are asked to help. */
function reportButton(report: () => Promise<string>): HTMLElement {
  const button = el('button', { type: 'button', class: 'button quiet-button' }, moreIcon('copy'), 'Copy report');
  // Read out when something is told, and not before.
  const told = el('span', { role: 'status' });
  const about = el('p', { class: 'note' }, 'For support. It holds nobody’s address. ', told);
  button.addEventListener('click', async () => {
    const copied = await copyText(await report());
    setText(told, copied ? 'The report is copied.' : 'This browser does not let the page copy.');
  });
  return el('div', { class: 'report' }, button, about);
}

function card(title: string, ...children: readonly (Node | string)[]): HTMLElement {
  return el('section', { class: 'card' }, el('h2', {}, title), ...children);
}

class Tile {
  readonly element: HTMLElement;
  private readonly value = el('span', { class: 'tile-value' }, '–');
  private readonly note = el('small', {});

  constructor(name: string, title: string) {
    this.element = el('div', { class: 'tile', title }, el('dt', {}, name), el('dd', {}, this.value, this.note));
  }

  set(value: string, note = '', mood: 'good' | 'bad' | 'none' = 'none'): void {
    setText(this.value, value);
    setText(this.note, note);
    setAttribute(this.element, 'data-mood', mood);
  }
}

class Figures {
  readonly element: HTMLElement;
  private readonly startup = new Tile('Startup', 'From the press on play to the first frame on screen');
  private readonly latency = new Tile('Latency', 'From the camera to this screen');
  private readonly freezes = new Tile('Freezes', 'How often, and how long in all, the picture stood still');
  private readonly buffer = new Tile('Buffer', 'What is here ahead of the picture');
  private readonly canvas = el('canvas', { class: 'plot', role: 'img' });
  private readonly plot = new Plot(this.canvas, {
    topMin: 1_500,
    curves: [
      { colour: '--latency', value: ({ latencyMs }) => latencyMs },
      { colour: '--buffer', value: ({ bufferMs }) => bufferMs },
    ],
  });

  constructor() {
    const { startup, latency, freezes, buffer } = this;
    const tiles = el('dl', { class: 'tiles' }, startup.element, latency.element, freezes.element, buffer.element);
    const legend = el(
      'p',
      { class: 'legend', 'aria-hidden': 'true' },
      el('span', { class: 'key', 'data-of': 'latency' }, 'Latency'),
      el('span', { class: 'key', 'data-of': 'buffer' }, 'Buffer'),
      el('span', { class: 'span' }, 'last minute'),
    );
    this.element = card('Playback', tiles, this.canvas, legend);
  }

  update(stats: SessionStats, history: History): void {
    const { startupDelayMs, latencyMs, freezes, frozenMs, bufferMs, droppedFrames } = stats;
    const begun = startupDelayMs !== null;
    if (!begun) this.startup.set('–');
    else this.startup.set(seconds(startupDelayMs), 'to the first frame', startupDelayMs < 1_500 ? 'good' : 'none');
    if (latencyMs === null) this.latency.set('–');
    else this.latency.set(seconds(latencyMs), 'behind the camera', latencyMs > 5_000 ? 'bad' : 'none');
    const dropped = droppedFrames === 1 ? '1 frame dropped' : `${droppedFrames} frames dropped`;
    const frozen = freezes > 0 ? seconds(frozenMs) : droppedFrames > 0 ? dropped : 'none';
    if (begun) this.freezes.set(String(freezes), frozen, freezes === 0 ? 'good' : 'bad');
    if (begun) this.buffer.set(seconds(bufferMs), stats.quality ?? '');
    setAttribute(this.canvas, 'aria-label', `Latency ${seconds(latencyMs ?? 0)}, buffer ${seconds(bufferMs)}`);
    this.plot.draw(history.samples);
  }
}

class Origins {
  readonly element: HTMLElement;
  private readonly bar = el('div', { class: 'bar', role: 'img' });
  private readonly slices = new Map<BytesFrom, HTMLElement>();
  private readonly rows = new Map<BytesFrom, { readonly bytes: HTMLElement; readonly share: HTMLElement }>();
  private readonly rate = el('span', { class: 'span' });
  private readonly given = el('p', { class: 'note' });
  private readonly control = el('p', { class: 'note' });
  private readonly canvas = el('canvas', { class: 'plot', role: 'img' });
  private readonly plot = new Plot(this.canvas, {
    topMin: 500_000,
    stacked: true,
    curves: FROM.map(({ from }) => ({ colour: `--${from}`, value: ({ bps }) => bps[from] })),
  });

  constructor() {
    const list = el('ul', { class: 'origins' });
    for (const { from, name } of FROM) {
      const slice = el('span', { 'data-of': from });
      this.slices.set(from, slice);
      this.bar.append(slice);
      const row = { bytes: el('span', { class: 'amount' }), share: el('span', { class: 'share' }) };
      this.rows.set(from, row);
      list.append(el('li', {}, el('span', { class: 'key', 'data-of': from }, name), row.bytes, row.share));
    }
    const legend = el('p', { class: 'legend' }, el('span', {}, 'Rate'), this.rate);
    this.element = card('Where the video comes from', this.bar, list, this.canvas, legend, this.given, this.control);
  }

  update({ peer, hlsBytes }: SessionStats, history: History): void {
    const { givenBytes, wire } = peer;
    const bytesFrom = { ...peer.bytesFrom, source: peer.bytesFrom.source + hlsBytes };
    const all = bytesFrom.ins + bytesFrom.peers + bytesFrom.source;
    for (const { from } of FROM) {
      const share = all === 0 ? 0 : bytesFrom[from] / all;
      this.slices.get(from)!.style.flexGrow = String(share);
      setText(this.rows.get(from)!.bytes, bytes(bytesFrom[from]));
      setText(this.rows.get(from)!.share, all === 0 ? '–' : percent(share));
    }
    const words = FROM.map(({ from, name }) => `${name} ${bytes(bytesFrom[from])}`).join(', ');
    setAttribute(this.bar, 'aria-label', words);
    const bps = history.samples.at(-1)?.bps;
    const sum = bps === undefined ? 0 : bps.ins + bps.peers + bps.source;
    setText(this.rate, bitRate(sum));
    setAttribute(this.canvas, 'aria-label', `Taken: ${bitRate(sum)}`);
    const control = bytes(wire.controlIn + wire.controlOut);
    setText(this.given, givenBytes > 0 ? `Given to peers: ${bytes(givenBytes)}` : 'No video uploaded');
    const plain = hlsBytes > 0 ? ` · of the source, ${bytes(hlsBytes)} as plain HLS` : '';
    setText(this.control, `Control messages: ${control}${plain}`);
    this.plot.draw(history.samples);
  }
}

class Connections {
  readonly element: HTMLElement;
  private readonly list = el('ul', { class: 'links' });
  private readonly privacy = el('p', { class: 'privacy' });
  private shown = '';

  constructor() {
    this.element = card('Connections', this.list, this.privacy);
  }

  update({ peer, sincePressMs }: SessionStats): void {
    const missing =
      sincePressMs === null ? ({ dot: 'not', what: 'not yet' } as const) : ({ dot: 'off', what: 'none' } as const);
    const rows = peer.links.map(describeLink);
    const has = (wanted: LinkReport['to']): boolean => peer.links.some(({ to }) => to === wanted);
    if (!has('tracker')) rows.push({ order: 0, name: 'Tracker', ...missing });
    if (!has('ins') && peer.mode !== 'native') rows.push({ order: 1, name: 'INS server', ...missing });
    rows.sort((one, other) => one.order - other.order);
    const key = JSON.stringify([rows, peer.mode]);
    if (key === this.shown) return;
    this.shown = key;
    this.list.replaceChildren(
      ...rows.map(({ dot, name, what }) =>
        el('li', { 'data-dot': dot }, el('span', { class: 'name' }, name), el('span', { class: 'what' }, what)),
      ),
    );
    const isSeen = peer.mode !== 'ins';
    this.privacy.replaceChildren(icon(isSeen ? 'eye' : 'shield'), el('span', {}, isSeen ? SEEN : UNSEEN));
  }
}

/** Who learns the viewer's network address. */
const UNSEEN = 'No other viewer learns your address: this page speaks to the tracker and to INS servers only.';
const SEEN = 'The peers listed here see your network address. In INS mode nobody but the tracker and INS servers does.';

interface Row {
  readonly order: number;
  readonly dot: 'on' | 'wait' | 'off' | 'not' | BytesFrom;
  readonly name: string;
  readonly what: string;
}

function describeLink({ to, url, state, neighbour }: LinkReport): Row {
  const dot = state === 'open' ? 'on' : 'wait';
  const where = host(url);
  if (to === 'tracker') return { order: 0, dot, name: 'Tracker', what: where };
  if (to === 'ins') return { order: 1, dot: state === 'open' ? 'ins' : 'wait', name: 'INS server', what: where };
  if (neighbour === null) return { order: 4, dot: 'wait', name: 'Peer', what: `${where}, connecting` };
  if (neighbour.source) return { order: 2, dot: 'source', name: 'Source', what: where };
  return { order: 3, dot: 'peers', name: 'Peer', what: `${where} · ${neighbour.mode}` };
}
