import { SAMPLES_MAX, type Sample } from './history.ts';

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
    this.grid(context, width, height, style);
    const x = (at: number): number => width - ((samples.length - 1 - at) * width) / (SAMPLES_MAX - 1);
    const y = (value: number): number => height - PAD_PX - (value / (this.top * 1.1)) * (height - 2 * PAD_PX);
    // From the back to the front: of a stack the highest sum is drawn first.
    for (let at = layers.length - 1; at >= 0; at--) {
      const colour = style.getPropertyValue(this.options.curves[at]!.colour);
      this.curve(context, layers[at]!, x, y, colour, height);
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

  private grid(context: CanvasRenderingContext2D, width: number, height: number, style: CSSStyleDeclaration): void {
    context.strokeStyle = style.getPropertyValue('--grid');
    context.lineWidth = 1;
    for (const share of [0, 0.5, 1]) {
      const y = Math.round(PAD_PX + share * (height - 2 * PAD_PX)) + 0.5;
      context.beginPath();
      context.moveTo(0, y);
      context.lineTo(width, y);
      context.stroke();
    }
  }

  private curve(
    context: CanvasRenderingContext2D,
    values: readonly (number | null)[],
    x: (at: number) => number,
    y: (value: number) => number,
    colour: string,
    height: number,
  ): void {
    const first = values.findIndex((value) => value !== null);
    if (first < 0) return;
    context.beginPath();
    let last = first;
    for (let at = first; at < values.length; at++) {
      const value = values[at];
      if (value === null || value === undefined) continue;
      context.lineTo(x(at), y(value));
      last = at;
    }
    context.strokeStyle = colour;
    context.lineWidth = LINE_PX;
    context.lineJoin = 'round';
    context.stroke();
    context.lineTo(x(last), height);
    context.lineTo(x(first), height);
    context.globalAlpha = this.options.stacked === true ? 0.55 : 0.12;
    context.fillStyle = colour;
    context.fill();
    context.globalAlpha = 1;
  }
}
