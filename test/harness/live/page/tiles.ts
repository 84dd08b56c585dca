import { quantileOf } from '../../../../report/distribution.ts';
import { countText, figureText, rateText } from '../../../../report/text.ts';
import { el, setText } from '../../../../web-player/element/dom.ts';
import type { Picture } from '../picture.ts';
import type { Totals } from '../totals.ts';
import { msText, shareText } from './figures.ts';
import { hostsOf, isViewer } from './hosts.ts';
import type { View } from './view.ts';

interface Tile {
  readonly name: string;
  readonly big: (picture: Picture, now: Totals | undefined) => string;
  readonly small: (picture: Picture, now: Totals | undefined) => string;
}

/** The figures that matter, large. */
export function tilesView(): View {
  const tiles = TILES.map((tile) => {
    const [big, small] = [el('dd', { class: 'big' }), el('dd', { class: 'small' })];
    return { tile, big, small, element: el('div', { class: 'tile' }, el('dt', {}, tile.name), big, small) };
  });
  const element = el('dl', { class: 'tiles', 'aria-label': 'Figures' }, ...tiles.map((tile) => tile.element));
  return {
    element,
    show(picture) {
      const now = picture.run?.history.points.at(-1);
      for (const { tile, big, small } of tiles) {
        setText(big, tile.big(picture, now));
        setText(small, tile.small(picture, now));
      }
    },
  };
}

function startups({ run }: Picture): readonly number[] {
  return (run?.startupsMs ?? []).toSorted((a, b) => a - b);
}

function freezes({ viewers }: Picture): { readonly count: number; readonly ms: number } {
  let [count, ms] = [0, 0];
  for (const { freezes, frozenMs } of viewers.values()) [count, ms] = [count + freezes, ms + frozenMs];
  return { count, ms };
}

function media({ insBps, peersBps, sourceBps }: Totals): {
  readonly ins: number;
  readonly peers: number;
  readonly source: number;
  readonly all: number;
} {
  const [ins, peers, source] = [insBps ?? 0, peersBps ?? 0, sourceBps ?? 0];
  return { ins, peers, source, all: ins + peers + source };
}

const TILES: readonly Tile[] = [
  {
    name: 'Playing',
    big: (_, now) => countText(now?.playing ?? 0),
    small: (picture, now) => {
      const all = [...hostsOf(picture).values()].filter(isViewer).length;
      const parts = [`of ${countText(all)}`];
      if (now !== undefined && now.waiting > 0) parts.push(`${now.waiting} wait`);
      if (now !== undefined && now.stalled > 0) parts.push(`${now.stalled} stand still`);
      return parts.join(' · ');
    },
  },
  {
    name: 'Startup, half within',
    big: (picture) => msText(quantileOf(startups(picture), 0.5)),
    small: (picture) => `95\u00a0% within ${msText(quantileOf(startups(picture), 0.95))}`,
  },
  {
    name: 'Freezes',
    big: (picture) => countText(freezes(picture).count),
    small: (picture) => `${figureText(freezes(picture).ms, 'ms')} in all`,
  },
  {
    name: 'Behind the camera',
    big: (_, now) => msText(now?.latencyP50Ms ?? null),
    small: (_, now) => `95\u00a0% within ${msText(now?.latencyP95Ms ?? null)}`,
  },
  {
    name: 'Fed by INS servers',
    big: (_, now) => (now === undefined || media(now).all === 0 ? '–' : shareText(media(now).ins / media(now).all)),
    small: (_, now) => {
      if (now === undefined || media(now).all === 0) return 'of the video';
      const { peers, source, all } = media(now);
      return `viewers ${shareText(peers / all)} · source ${shareText(source / all)}`;
    },
  },
  {
    name: 'A viewer uploads',
    big: (_, now) => (now?.dataUpBps == null ? '–' : rateText(now.dataUpBps)),
    small: (_, now) => `of video; control ${now?.controlUpBps == null ? '–' : rateText(now.controlUpBps)}`,
  },
];
