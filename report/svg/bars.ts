import { type Child, el, type Markup, short } from './element.ts';
import { type Size, svg, textWidth } from './frame.ts';

export interface Bar {
  readonly tone: string;
  readonly label: string;
  readonly value: number | null;
  /** Half the width of the confidence interval. */
  readonly half: number | null;
  readonly text: string;
  readonly bound: number | null;
  /** A figure from elsewhere. */
  readonly mark: number | null;
}

/** Bars that lie, named above, from 0; whiskers are confidence, a dashed line across is the bound, a wedge is a figure from elsewhere. */
export function barsPlot(size: Size, label: string, bars: readonly Bar[], max: number): Markup {
  const { font, width } = size;
  const texts = Math.max(0, ...bars.map(({ text }) => textWidth(text, font)));
  const right = width - texts - font;
  const at = (value: number): number => (Math.min(value, max) / (max || 1)) * right;
  const row = font * 3.1;
  const drawn = bars.map((bar, index) => oneBar(bar, font, index * row, right, at));
  return svg({ ...size, height: bars.length * row + font * 0.3 }, label, drawn);
}

function oneBar(bar: Bar, font: number, top: number, right: number, at: (value: number) => number): Child {
  const { tone, label, value, half, text, bound, mark } = bar;
  const y = top + font * 1.5;
  const high = font * 1.1;
  const end = at(value ?? 0);
  const parts: Child[] = [
    el('text', { class: 'note', x: 0, y: top + font }, label),
    el('rect', { class: 'track', x: 0, y, width: right, height: high, rx: 2 }),
    el('rect', { class: `fill ${tone}`, x: 0, y, width: Math.max(value === null ? 0 : 1, end), height: high, rx: 2 }),
    el('text', { class: 'value', x: right + font * 0.6, y: y + high * 0.85 }, text),
  ];
  if (value !== null && half !== null && half > Math.abs(value) * 1e-6) {
    const [from, to] = [at(Math.max(0, value - half)), at(value + half)];
    const middle = y + high / 2;
    parts.push(
      el('path', {
        class: 'whisker',
        d: `M${from} ${middle}H${to}M${from} ${short(middle - 3)}v6M${to} ${short(middle - 3)}v6`,
      }),
    );
  }
  if (bound !== null) {
    parts.push(el('line', { class: 'bound c-quiet', x1: at(bound), x2: at(bound), y1: y - 3, y2: y + high + 3 }));
  }
  if (mark !== null) {
    const x = at(mark);
    parts.push(el('path', { class: 'wedge', d: `M${short(x)} ${short(y + high)}l-4 6h8Z` }));
  }
  return parts;
}

export interface Stack {
  readonly label: string;
  readonly pieces: readonly { readonly tone: string; readonly label: string; readonly value: number }[];
}

/** Bars of equal length, each shared out among pieces. */
export function stackPlot(size: Size, label: string, stacks: readonly Stack[]): Markup {
  const { font, width } = size;
  const row = font * 3.4;
  const drawn = stacks.map(({ label: name, pieces }, index) => {
    const top = index * row;
    const total = pieces.reduce((sum, { value }) => sum + value, 0);
    let left = 0;
    const boxes = pieces.map(({ tone, label: piece, value }) => {
      const share = total === 0 ? 0 : value / total;
      const wide = share * width;
      const text = `${Math.round(share * 100)} %`;
      const box = [
        el(
          'rect',
          { class: `fill ${tone}`, x: left, y: top + font * 1.5, width: Math.max(0, wide - 1), height: font * 1.6 },
          el('title', {}, `${name}, ${piece}: ${(share * 100).toFixed(1)} %`),
        ),
        wide < textWidth(text, font) + font
          ? []
          : el('text', { class: 'inside', x: left + font * 0.5, y: top + font * 2.65 }, text),
      ];
      left += wide;
      return box;
    });
    return [el('text', { class: 'note', x: 0, y: top + font }, name), boxes];
  });
  return svg({ ...size, height: stacks.length * row + font * 0.2 }, label, drawn);
}
