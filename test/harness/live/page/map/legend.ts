import { el, svg } from '../../../../../web-player/element/dom.ts';

/** What forms and colours on the map stand for. */
export function legend(): HTMLElement {
  const items = [
    item('source', 'source', svg('path', { d: 'M3 3h8v8H3Z', class: 'fill o-source' })),
    item('tracker', 'tracker', svg('path', { d: 'M7 1l6 6-6 6-6-6Z', class: 'fill o-source' })),
    item('INS server', 'ins', svg('path', { d: 'M7 1l5.2 3v6L7 13l-5.2-3V4Z', class: 'fill o-ins' })),
    item('plays', 'playing', svg('circle', { cx: '7', cy: '7', r: '4.5', class: 'fill s-playing' })),
    item(
      'waits for its first frame',
      'waiting',
      svg('circle', { cx: '7', cy: '7', r: '4.5', class: 'fill s-waiting' }),
    ),
    item('stands still', 'stalled', svg('circle', { cx: '7', cy: '7', r: '5.5', class: 'fill s-stalled' })),
    item('to come, or has left', 'left', svg('circle', { cx: '7', cy: '7', r: '3.6', class: 'hollow' })),
    item('dead', 'dead', svg('path', { d: 'M4 4l6 6M10 4l-6 6', class: 'cross' })),
    item('in a browser', 'browser', svg('path', { d: 'M3 3h8v8H3Z', class: 'fill s-playing' })),
    item('fed by INS servers', 'from-ins', stroke('o-ins')),
    item('by other viewers', 'from-peers', stroke('o-peers')),
    item('by the source', 'from-source', stroke('o-source')),
  ];
  return el('ul', { class: 'legend', 'aria-label': 'Legend' }, ...items);
}

function item(text: string, key: string, shape: SVGElement): HTMLElement {
  return el('li', { 'data-key': key }, svg('svg', { viewBox: '0 0 14 14', 'aria-hidden': 'true' }, shape), text);
}

function stroke(tone: string): SVGElement {
  return svg('path', { d: 'M1 11 Q6 3 13 3', class: `stroke ${tone}` });
}
