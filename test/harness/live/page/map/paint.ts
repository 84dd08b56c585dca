import type { HostId, LiveHost } from '../../model.ts';
import type { Picture } from '../../picture.ts';
import { hostsOf, isViewer, type Origin, originOf, type Standing, standingOf } from '../hosts.ts';
import type { Disc, Layout, Place } from './layout.ts';

/** What is made out on the map: the host under the pointer or told about, and those that are selected. */
export interface Focus {
  readonly host: HostId | null;
  readonly selected: ReadonlySet<HostId>;
}

type Colours = Readonly<
  Record<'paper' | 'ink' | 'soft' | 'quiet' | 'rule' | 'tint' | 'bad' | Origin | Standing, string>
>;

/** The page's colours, as the style says at this moment. */
export function coloursOf(element: Element): Colours {
  const style = getComputedStyle(element);
  const of = (name: string): string => style.getPropertyValue(`--${name}`).trim();
  return {
    paper: of('paper'),
    ink: of('ink'),
    soft: of('soft'),
    quiet: of('quiet'),
    rule: of('rule'),
    tint: of('tint'),
    bad: of('bad'),
    ins: of('c0'),
    peers: of('c1'),
    source: of('c7'),
    coming: of('quiet'),
    waiting: of('c5'),
    playing: of('c2'),
    stalled: of('bad'),
    left: of('quiet'),
    dead: of('ink'),
    up: of('c0'),
    down: of('bad'),
  };
}

export function paint(
  context: CanvasRenderingContext2D,
  layout: Layout,
  picture: Picture,
  focus: Focus,
  colours: Colours,
): void {
  paintRegions(context, layout, picture, colours);
  paintFlows(context, layout, picture, focus, colours);
  const all = hostsOf(picture);
  for (const [id, place] of layout.hosts) {
    const host = all.get(id);
    if (host !== undefined) paintHost(context, host, standingOf(picture, host), place, layout, colours);
  }
  for (const id of focus.selected) ring(context, layout.hosts.get(id), layout.spacing * 0.5, colours.soft, 1);
  if (focus.host !== null) ring(context, layout.hosts.get(focus.host), layout.spacing * 0.62, colours.ink, 2);
  paintNames(context, layout, picture, colours);
}

function paintRegions(
  context: CanvasRenderingContext2D,
  { discs }: Layout,
  { session }: Picture,
  colours: Colours,
): void {
  context.lineWidth = 1;
  const few = discs.length <= 5;
  context.strokeStyle = colours.quiet;
  for (const [at, one] of discs.entries()) {
    for (const other of few ? discs.slice(at + 1) : []) line(context, one, other, [2, 5]);
  }
  context.strokeStyle = colours.rule;
  for (const { x, y, radius } of discs) {
    context.beginPath();
    context.arc(x, y, radius, 0, 2 * Math.PI);
    context.fillStyle = colours.tint;
    context.fill();
    context.stroke();
  }
  if (!few || session === null) return;
  context.font = `11px ${FONT}`;
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  const written: Place[] = [];
  for (const [at, one] of discs.entries()) {
    for (const other of discs.slice(at + 1)) {
      const ms = session.regions.delaysMs[one.region]?.[other.region];
      const gap = middleOfGap(one, other, discs);
      // Two lines that cross would have their words in one place.
      if (ms === undefined || gap === null || written.some(({ x, y }) => Math.hypot(x - gap.x, y - gap.y) < 40))
        continue;
      written.push(gap);
      halo(context, `${Math.round(ms)} ms`, gap.x, gap.y, colours.soft, colours.paper);
    }
  }
}

/** Halfway between the rims of two discs; null where there is no room for words, or another disc is in the way. */
function middleOfGap(one: Disc, other: Disc, discs: readonly Disc[]): Place | null {
  const far = Math.hypot(other.x - one.x, other.y - one.y);
  if (far - one.radius - other.radius < 36) return null;
  const share = (one.radius + (far - one.radius - other.radius) / 2) / far;
  const gap = { x: one.x + (other.x - one.x) * share, y: one.y + (other.y - one.y) * share };
  const isFree = discs.every(({ x, y, radius }) => Math.hypot(x - gap.x, y - gap.y - 10) > radius + 26);
  return isFree ? gap : null;
}

const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", Arial, sans-serif';
/** Flows are drawn in so many widths: what is drawn alike is drawn at once. */
const WIDTHS = [0.5, 1, 1.7, 2.6];
const LAYERS: readonly Origin[] = ['peers', 'ins', 'source'];

function paintFlows(
  context: CanvasRenderingContext2D,
  { hosts: places }: Layout,
  picture: Picture,
  focus: Focus,
  colours: Colours,
): void {
  const { flows, session } = picture;
  const all = hostsOf(picture);
  const streamBps = session?.streamBps ?? 1_000_000;
  const paths = new Map<string, Path2D>();
  for (const { from, to, bps } of flows) {
    const [sender, start, end] = [all.get(from), places.get(from), places.get(to)];
    if (sender === undefined || start === undefined || end === undefined) continue;
    const width = WIDTHS.findLastIndex((_, at) => bps >= streamBps * WIDE_FROM[at]!);
    const isMadeOut = focus.host === null ? '' : from === focus.host || to === focus.host ? '!' : '.';
    const key = `${originOf(sender.kind)} ${width} ${isMadeOut}`;
    const path = paths.get(key) ?? new Path2D();
    paths.set(key, path);
    path.moveTo(start.x, start.y);
    // A little to one side, so that two who feed each other are two lines.
    const [dx, dy] = [end.x - start.x, end.y - start.y];
    path.quadraticCurveTo(start.x + dx / 2 - dy * BEND, start.y + dy / 2 + dx * BEND, end.x, end.y);
  }
  const veil = Math.max(0.14, Math.min(0.5, 8 / Math.sqrt(flows.length + 1)));
  for (const layer of LAYERS) {
    for (const [key, path] of paths) {
      const [origin, width, made] = key.split(' ') as [Origin, string, string];
      if (origin !== layer) continue;
      context.strokeStyle = colours[origin];
      context.lineWidth = WIDTHS[Number(width)]! + (made === '!' ? 0.6 : 0);
      context.globalAlpha =
        made === '!' ? 0.95 : made === '.' ? veil * 0.22 : origin === 'source' ? Math.max(veil, 0.7) : veil;
      context.stroke(path);
    }
  }
  context.globalAlpha = 1;
}

/** Shares of the stream's rate from which on a flow is drawn in each width. */
const WIDE_FROM = [0, 0.05, 0.4, 1.5];
const BEND = 0.06;

function paintHost(
  context: CanvasRenderingContext2D,
  host: LiveHost,
  standing: Standing,
  { x, y }: Place,
  { spacing }: Layout,
  colours: Colours,
): void {
  const size = Math.max(2, Math.min(5, spacing * 0.3));
  context.beginPath();
  if (!isViewer(host)) {
    outline(context, host.kind, x, y, Math.max(6, size * 1.6));
    context.fillStyle = standing === 'down' ? colours.paper : host.kind === 'ins' ? colours.ins : colours.source;
    context.strokeStyle = standing === 'down' ? colours.bad : colours.paper;
    context.lineWidth = standing === 'down' ? 2 : 1.5;
    context.fill();
    context.stroke();
    if (standing === 'down') cross(context, x, y, 3.2, colours.bad);
    return;
  }
  if (standing === 'dead') {
    cross(context, x, y, size * 0.8, colours.dead);
    return;
  }
  const isHollow = standing === 'coming' || standing === 'left';
  if (host.kind === 'browser') context.rect(x - size, y - size, size * 2, size * 2);
  else context.arc(x, y, isHollow ? size * 0.75 : standing === 'stalled' ? size * 1.35 : size, 0, 2 * Math.PI);
  context.strokeStyle = isHollow ? colours[standing] : colours.paper;
  context.fillStyle = isHollow ? colours.paper : colours[standing];
  context.lineWidth = 1;
  context.fill();
  context.stroke();
}

/** Servers by their forms: the source a square, the tracker a lozenge, INS servers hexagons. */
export function outline(
  context: CanvasRenderingContext2D,
  kind: LiveHost['kind'],
  x: number,
  y: number,
  size: number,
): void {
  const corners = kind === 'ins' ? 6 : 4;
  const turn = kind === 'source' ? Math.PI / 4 : Math.PI / 2;
  for (let at = 0; at < corners; at++) {
    const angle = turn + (at / corners) * 2 * Math.PI;
    context.lineTo(x + size * Math.cos(angle), y + size * Math.sin(angle));
  }
  context.closePath();
}

function cross(context: CanvasRenderingContext2D, x: number, y: number, size: number, colour: string): void {
  context.beginPath();
  context.moveTo(x - size, y - size);
  context.lineTo(x + size, y + size);
  context.moveTo(x + size, y - size);
  context.lineTo(x - size, y + size);
  context.strokeStyle = colour;
  context.lineWidth = 1.6;
  context.stroke();
}

function ring(
  context: CanvasRenderingContext2D,
  place: Place | undefined,
  size: number,
  colour: string,
  width: number,
): void {
  if (place === undefined) return;
  context.beginPath();
  context.arc(place.x, place.y, Math.max(6, size), 0, 2 * Math.PI);
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.stroke();
}

function line(context: CanvasRenderingContext2D, from: Place, to: Place, dashes: number[]): void {
  context.setLineDash(dashes);
  context.beginPath();
  context.moveTo(from.x, from.y);
  context.lineTo(to.x, to.y);
  context.stroke();
  context.setLineDash([]);
}

/** Above each region its name, and how many of its viewers play. */
function paintNames(
  context: CanvasRenderingContext2D,
  { discs, width }: Layout,
  picture: Picture,
  colours: Colours,
): void {
  context.textAlign = 'left';
  context.textBaseline = 'alphabetic';
  const viewers = [...hostsOf(picture).values()].filter(isViewer);
  for (const { x, y, radius, region } of discs) {
    const own = viewers.filter((host) => host.region === region);
    const playing = own.filter((host) => standingOf(picture, host) === 'playing').length;
    const words = [
      { text: picture.session?.regions.names[region] ?? '', font: `600 13px ${FONT}`, colour: colours.ink },
      {
        text: own.length === 0 ? '' : `  ${playing} of ${own.length} play`,
        font: `12px ${FONT}`,
        colour: colours.soft,
      },
    ];
    const widths = words.map(({ text, font }) => {
      context.font = font;
      return context.measureText(text).width;
    });
    const wide = widths[0]! + widths[1]!;
    let left = Math.max(4, Math.min(x - wide / 2, width - wide - 4));
    for (const [at, { text, font, colour }] of words.entries()) {
      context.font = font;
      halo(context, text, left, y - radius - 7, colour, colours.paper);
      left += widths[at]!;
    }
  }
}

function halo(
  context: CanvasRenderingContext2D,
  text: string,
  x: number,
  y: number,
  colour: string,
  around: string,
): void {
  context.lineWidth = 4;
  context.lineJoin = 'round';
  context.strokeStyle = around;
  context.strokeText(text, x, y);
  context.fillStyle = colour;
  context.fillText(text, x, y);
}
