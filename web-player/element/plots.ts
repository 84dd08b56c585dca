import { SAMPLES_MAX, type Sample } from '../playback/history.ts';

/** One curve: its colour is that of a custom property of the page's style. */
export interface Curve {
  readonly colour: string;
  readonly value: (sample: Sample) => number | null;
}

export interface PlotOptions {
  readonly curves: readonly Curve[];
  /** Curves add up to one stack of areas; else each is a line of its own. */
  readonly stacked?: boolean;
  /** The scale ends here at least. */
  readonly topMin: number;
}

const LINE_PX = 1.75;
const PAD_PX = 3;

/** A small live plot of the last minute; the newest look is at the right edge. */
export class Plot {
  private readonly canvas: HTMLCanvasElement;
  private readonly options: PlotOptions;
  /** Follows the data down slowly, so that the scale does not jump. */
  private top = 0;

  constructor(canvas: HTMLCanvasElement, options: PlotOptions) {
    this.canvas = canvas;
    this.options = options;
  }

  draw(samples: readonly Sample[]): void {
    const context = this.canvas.getContext('2d');
    const { clientWidth: width, clientHeight: height } = this.canvas;
    if (context === null || width === 0) return;
    const scale = window.devicePixelRatio;
    const [pixelsWide, pixelsHigh] = [Math.round(width * scale), Math.round(height * scale)];
    if (this.canvas.width !== pixelsWide) this.canvas.width = pixelsWide;
    if (this.canvas.height !== pixelsHigh) this.canvas.height = pixelsHigh;
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.clearRect(0, 0, width, height);
    const layers = this.layers(samples);
    const highest = Math.max(this.options.topMin, ...layers.flat().map((value) => value ?? 0));
    this.top = Math.max(highest, this.top * 0.97);
    const style = getComputedStyle(this.canvas);
    drawGrid(context, width, height, style.getPropertyValue('--grid'));
    const x = (at: number): number => width - ((samples.length - 1 - at) * width) / (SAMPLES_MAX - 1);
    const y = (value: number): number => height - PAD_PX - (value / (this.top * 1.1)) * (height - 2 * PAD_PX);
    for (const [at, { colour }] of this.options.curves.entries()) {
      const below = this.options.stacked === true ? layers[at - 1] : undefined;
      this.curve(context, layers[at]!, below, x, y, style.getPropertyValue(colour));
    }
  }

  private layers(samples: readonly Sample[]): (number | null)[][] {
    const { curves, stacked } = this.options;
    const sums = samples.map(() => 0);
    return curves.map(({ value }) =>
      samples.map((sample, at) => {
        const own = value(sample);
        if (stacked !== true) return own;
        sums[at]! += own ?? 0;
        return sums[at]!;
      }),
    );
  }

  /** A line, and a veil down to the curve below it. */
  private curve(
    context: CanvasRenderingContext2D,
    values: readonly (number | null)[],
    below: readonly (number | null)[] | undefined,
    x: (at: number) => number,
    y: (value: number) => number,
    colour: string,
  ): void {
    const stacked = this.options.stacked === true;
    const places = [...values.keys()].filter((at) => values[at] !== null);
    // A layer of a stack that adds nothing anywhere would only hide the one below.
    const addsNothing = stacked && places.every((at) => values[at] === (below?.[at] ?? 0));
    if (places.length === 0 || addsNothing) return;
    context.beginPath();
    // Of a stack, the line is drawn where the layer adds something: elsewhere it would hide that of the one below.
    for (const at of places) {
      const adds = !stacked || values[at] !== (below?.[at] ?? 0);
      if (adds) context.lineTo(x(at), y(values[at] ?? 0));
      else context.moveTo(x(at), y(values[at] ?? 0));
    }
    context.strokeStyle = colour;
    context.lineWidth = LINE_PX;
    context.lineJoin = 'round';
    context.stroke();
    context.beginPath();
    for (const at of places) context.lineTo(x(at), y(values[at] ?? 0));
    for (const at of places.toReversed()) context.lineTo(x(at), y(below?.[at] ?? 0));
    context.globalAlpha = stacked ? 0.4 : 0.12;
    context.fillStyle = colour;
    context.fill();
    context.globalAlpha = 1;
  }
}

function drawGrid(context: CanvasRenderingContext2D, width: number, height: number, colour: string): void {
  context.strokeStyle = colour;
  context.lineWidth = 1;
  for (const share of [0, 0.5, 1]) {
    const y = Math.round(PAD_PX + share * (height - 2 * PAD_PX)) + 0.5;
    context.beginPath();
    context.moveTo(0, y);
    context.lineTo(width, y);
    context.stroke();
  }
}
