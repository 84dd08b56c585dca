import type { HostId, LiveHost } from '../../model.ts';

export interface Place {
  readonly x: number;
  readonly y: number;
}

/** A region: a disc in which its hosts are. */
export interface Disc extends Place {
  readonly region: number;
  readonly radius: number;
}

export interface Layout {
  readonly width: number;
  readonly discs: readonly Disc[];
  readonly hosts: ReadonlyMap<HostId, Place>;
  /** Between neighbouring hosts. */
  readonly spacing: number;
}

const SPACING_MAX = 24;
/** Room for a region's name above its disc. */
const NAME_PX = 20;
const PAD_PX = 10;
/** So much of the map at most is regions; the rest shows who feeds whom. */
const FILLED = 0.44;
/** The angle by which seeds of a sunflower follow each other. */
const GOLDEN = Math.PI * (3 - Math.sqrt(5));

/** Places regions by the delays between them, and the hosts in them: servers in the middle, viewers around. */
export function layoutOf(
  hosts: readonly LiveHost[],
  delaysMs: readonly (readonly number[])[],
  width: number,
  height: number,
): Layout {
  const used = delaysMs.map((_, region) => hosts.filter((host) => host.region === region));
  const area = used.reduce((sum, own) => sum + own.length + 8, 0);
  const spacing = Math.min(SPACING_MAX, Math.sqrt((width * height * FILLED) / (Math.PI * 0.36 * area)));
  const radii = used.map((own) => spacing * 0.6 * Math.sqrt(own.length + 8));
  const discs = fitted(embedded(delaysMs), radii, width, height);
  const places = new Map<HostId, Place>();
  for (const [region, own] of used.entries()) {
    const { x, y, radius } = discs[region]!;
    const inner = own.toSorted((a, b) => Number(isViewerKind(a)) - Number(isViewerKind(b)) || a.id - b.id);
    const step = (radius - spacing * 0.5) / Math.sqrt(Math.max(1, inner.length + 1));
    for (const [at, { id }] of inner.entries()) {
      const far = step * Math.sqrt(at + 0.5);
      places.set(id, { x: x + far * Math.cos(at * GOLDEN), y: y + far * Math.sin(at * GOLDEN) });
    }
  }
  return { width, discs, hosts: places, spacing };
}

function isViewerKind({ kind }: LiveHost): boolean {
  return kind === 'viewer' || kind === 'browser';
}

/** Places on a plane whose distances are as the delays, as far as a plane allows: stress is lowered by majorization (SMACOF), from a circle on. */
export function embedded(delaysMs: readonly (readonly number[])[]): Place[] {
  const count = delaysMs.length;
  const wanted = (a: number, b: number): number => Math.max(1, (delaysMs[a]![b]! + delaysMs[b]![a]!) / 2);
  let places: Place[] = delaysMs.map((_, at) => {
    const turn = (at / count) * 2 * Math.PI;
    return { x: Math.cos(turn), y: Math.sin(turn) };
  });
  for (let round = 0; round < ROUNDS; round++) {
    places = places.map((own, a) => {
      let [x, y] = [0, 0];
      for (const [b, other] of places.entries()) {
        if (a === b) continue;
        const [dx, dy] = [own.x - other.x, own.y - other.y];
        const pull = wanted(a, b) / Math.max(1e-6, Math.hypot(dx, dy));
        x += other.x + dx * pull;
        y += other.y + dy * pull;
      }
      return count < 2 ? own : { x: x / (count - 1), y: y / (count - 1) };
    });
  }
  return lyingDown(places);
}

const ROUNDS = 150;

/** Turned so that what is longest lies along x, the first place on the left: maps are wider than high. */
function lyingDown(places: readonly Place[]): Place[] {
  const mean = (pick: (place: Place) => number): number =>
    places.reduce((sum, place) => sum + pick(place), 0) / Math.max(1, places.length);
  const [x, y] = [mean((place) => place.x), mean((place) => place.y)];
  const centred = places.map((place) => ({ x: place.x - x, y: place.y - y }));
  const [xx, yy, xy] = [
    centred.reduce((sum, place) => sum + place.x ** 2, 0),
    centred.reduce((sum, place) => sum + place.y ** 2, 0),
    centred.reduce((sum, place) => sum + place.x * place.y, 0),
  ];
  const turn = -0.5 * Math.atan2(2 * xy, xx - yy);
  const turned = centred.map((place) => ({
    x: place.x * Math.cos(turn) - place.y * Math.sin(turn),
    y: place.x * Math.sin(turn) + place.y * Math.cos(turn),
  }));
  const flip = (turned[0]?.x ?? 0) > 0 ? -1 : 1;
  return turned.map((place) => ({ x: place.x * flip, y: place.y }));
}

/** Stretched to the map, each disc whole inside it, and pushed apart where they overlap. */
function fitted(places: readonly Place[], radii: readonly number[], width: number, height: number): Disc[] {
  const xs = places.map(({ x }) => x);
  const ys = places.map(({ y }) => y);
  const along = (value: number, all: readonly number[], from: number, to: number): number => {
    const [min, max] = [Math.min(...all), Math.max(...all)];
    return max - min < 1e-6 ? (from + to) / 2 : from + ((value - min) / (max - min)) * (to - from);
  };
  const within = (place: Place, radius: number): Place => ({
    x: clamp(place.x, radius + PAD_PX, width - radius - PAD_PX),
    y: clamp(place.y, radius + PAD_PX + NAME_PX, height - radius - PAD_PX),
  });
  let now = places.map(({ x, y }, at) => {
    const radius = radii[at]!;
    return {
      x: along(x, xs, radius + PAD_PX, width - radius - PAD_PX),
      y: along(y, ys, radius + PAD_PX + NAME_PX, height - radius - PAD_PX),
    };
  });
  for (let round = 0; round < ROUNDS; round++)
    now = pushedApart(now, radii).map((place, at) => within(place, radii[at]!));
  return now.map((place, region) => ({ ...place, region, radius: radii[region]! }));
}

function pushedApart(places: readonly Place[], radii: readonly number[]): Place[] {
  const moved = places.map((place) => ({ ...place }));
  for (let a = 0; a < moved.length; a++) {
    for (let b = a + 1; b < moved.length; b++) {
      const [one, other] = [moved[a]!, moved[b]!];
      const [dx, dy] = [other.x - one.x, other.y - one.y];
      const far = Math.hypot(dx, dy);
      const lack = radii[a]! + radii[b]! + PAD_PX + NAME_PX - far;
      if (lack <= 0) continue;
      // Discs in the very same place part along a direction of their own.
      const [ux, uy] = far < 1e-6 ? [Math.cos(a + b), Math.sin(a + b)] : [dx / far, dy / far];
      one.x -= (ux * lack) / 2;
      one.y -= (uy * lack) / 2;
      other.x += (ux * lack) / 2;
      other.y += (uy * lack) / 2;
    }
  }
  return moved;
}

function clamp(value: number, low: number, high: number): number {
  return low > high ? (low + high) / 2 : Math.min(high, Math.max(low, value));
}
