import type { BytesFrom } from '../../peer/core/io.ts';
import type { History } from '../playback/history.ts';
import type { SessionStats } from '../playback/session.ts';
import { el, setAttribute, setText, svg } from './dom.ts';
import { bitRate } from './format.ts';
import { type MoreIconName, moreIcon } from './more-icons.ts';

/** Below this nothing flows: the tail of a mean. */
const FLOWING_BPS = 4_000;

/** The way of the bytes as a small picture: from the source, through INS servers and peers, to this page. */
export class Flow {
  readonly element: HTMLElement;
  private readonly picture: HTMLElement;
  private readonly rates = new Map<BytesFrom, HTMLElement>();
  private readonly edges = new Map<string, SVGElement>();
  private readonly nodes = new Map<string, HTMLElement>();

  constructor() {
    // Percent of the picture's width and height; strokes keep their width when it is stretched.
    const lines = svg('svg', { viewBox: '0 0 100 100', preserveAspectRatio: 'none', 'aria-hidden': 'true' });
    const edge = (name: string, of: BytesFrom, d: string): void => {
      const path = svg('path', { d, 'data-of': of, 'vector-effect': 'non-scaling-stroke' });
      this.edges.set(name, path);
      lines.append(path);
    };
    edge('source-ins', 'ins', 'M9 50 C 30 50 24 17 50 17');
    edge('source-peers', 'peers', 'M9 50 C 30 50 24 83 50 83');
    edge('ins', 'ins', 'M50 17 C 76 17 70 50 91 50');
    edge('source', 'source', 'M9 50 L 91 50');
    edge('peers', 'peers', 'M50 83 C 76 83 70 50 91 50');
    this.picture = el('div', { class: 'flow', role: 'img' });
    this.picture.append(lines);
    this.node('source', 'camera', 'Source', 'source');
    this.node('ins', 'store', 'INS server', 'ins');
    this.node('peers', 'viewers', 'Peers', 'peers');
    this.node('page', 'screen', 'This page');
    this.element = el('section', { class: 'card way' }, el('h2', {}, 'The way of the video'), this.picture);
  }

  update({ peer, startupDelayMs, playedFrom }: SessionStats, history: History): void {
    const bps = history.samples.at(-1)?.bps ?? { ins: 0, peers: 0, source: 0 };
    const isPlainHls = playedFrom === 'hls';
    const flows = (from: BytesFrom): boolean => bps[from] > FLOWING_BPS || (isPlainHls && from === 'source');
    for (const from of ['ins', 'peers', 'source'] as const) {
      const rate = isPlainHls && from === 'source' ? 'plain HLS' : bitRate(bps[from]);
      setText(this.rates.get(from)!, flows(from) ? rate : '');
      this.mark(from, flows(from));
    }
    const onAir = peer.streamState === 'live' && startupDelayMs !== null;
    this.mark('source-ins', onAir && flows('ins'));
    this.mark('source-peers', onAir && flows('peers'));
    const away = { source: peer.streamState === 'interrupted' || peer.streamState === 'ended', ins: peer.ins === null };
    setAttribute(this.nodes.get('source')!, 'data-away', String(away.source));
    setAttribute(this.nodes.get('ins')!, 'data-away', String(away.ins));
    const peers = peer.links.filter(({ to, neighbour }) => to === 'peer' && neighbour?.source === false).length;
    setAttribute(this.nodes.get('peers')!, 'data-away', String(peers === 0));
    const words = (['ins', 'peers', 'source'] as const).filter(flows).map((from) => `${from} ${bitRate(bps[from])}`);
    setAttribute(
      this.picture,
      'aria-label',
      words.length === 0 ? 'No video comes' : `Video comes from ${words.join(', ')}`,
    );
  }

  private node(name: string, look: MoreIconName, title: string, from?: BytesFrom): void {
    const of = from === undefined ? {} : { 'data-of': from };
    const node = el('div', { class: 'node', 'data-node': name, ...of }, moreIcon(look), el('span', {}, title));
    if (from !== undefined) {
      const rate = el('b', {});
      this.rates.set(from, rate);
      node.append(rate);
    }
    this.nodes.set(name, node);
    this.picture.append(node);
  }

  private mark(edge: string, flows: boolean): void {
    setAttribute(this.edges.get(edge)!, 'data-flows', String(flows));
  }
}
