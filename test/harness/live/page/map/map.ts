import { el, setAttribute, setText } from '../../../../../web-player/element/dom.ts';
import type { HostId } from '../../model.ts';
import type { Picture, RunPicture } from '../../picture.ts';
import { hostsOf, isViewer, STANDING_WORDS, standingOf } from '../hosts.ts';
import type { Deeds, View } from '../view.ts';
import { type Layout, layoutOf } from './layout.ts';
import { legend } from './legend.ts';
import { coloursOf, paint } from './paint.ts';

/** So far from a host a pointer still means it. */
const NEAR_PX = 14;

/** The regions, the hosts in them, and who feeds whom. */
export function mapView(deeds: Deeds): View {
  return new MapView(deeds);
}

class MapView implements View {
  readonly element: HTMLElement;
  private readonly canvas = el('canvas', { role: 'img' });
  private readonly hint = el('div', { class: 'hint', hidden: '' });
  private readonly deeds: Deeds;
  private picture: Picture | undefined;
  private hovered: HostId | null = null;
  private laidOut:
    | { readonly run: RunPicture; readonly width: number; readonly height: number; readonly layout: Layout }
    | undefined;

  constructor(deeds: Deeds) {
    this.deeds = deeds;
    const stage = el('div', { class: 'stage' }, this.canvas, this.hint);
    this.element = el(
      'section',
      { class: 'map block', 'aria-label': 'Map' },
      el('h2', {}, 'Who feeds whom'),
      stage,
      legend(),
    );
    this.canvas.addEventListener('pointermove', (event) => this.hover(this.at(event), event));
    this.canvas.addEventListener('pointerleave', () => this.hover(null));
    this.canvas.addEventListener('click', (event) => deeds.choice.show(this.at(event)));
    new ResizeObserver(() => this.draw()).observe(this.canvas);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.draw());
  }

  show(picture: Picture): void {
    this.picture = picture;
    this.draw();
    setAttribute(this.canvas, 'aria-label', spoken(picture));
  }

  private draw(): void {
    const { canvas, picture } = this;
    const context = canvas.getContext('2d');
    const { clientWidth: width, clientHeight: height } = canvas;
    if (context === null || picture?.run === undefined || width === 0) return;
    const scale = window.devicePixelRatio;
    const [wide, high] = [Math.round(width * scale), Math.round(height * scale)];
    if (canvas.width !== wide) canvas.width = wide;
    if (canvas.height !== high) canvas.height = high;
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.clearRect(0, 0, width, height);
    const focus = { host: this.hovered ?? this.deeds.choice.shown, selected: this.deeds.choice.selected };
    paint(context, this.layout(picture, picture.run, width, height), picture, focus, coloursOf(canvas));
  }

  private layout(picture: Picture, run: RunPicture, width: number, height: number): Layout {
    const known = this.laidOut;
    if (known?.run === run && known.width === width && known.height === height) return known.layout;
    const layout = layoutOf(run.hosts, picture.session?.regions.delaysMs ?? [], width, height);
    this.laidOut = { run, width, height, layout };
    return layout;
  }

  private at({ offsetX, offsetY }: MouseEvent): HostId | null {
    let [nearest, nearestPx]: [HostId | null, number] = [null, NEAR_PX];
    for (const [id, { x, y }] of this.laidOut?.layout.hosts ?? []) {
      const far = Math.hypot(x - offsetX, y - offsetY);
      if (far < nearestPx) [nearest, nearestPx] = [id, far];
    }
    return nearest;
  }

  private hover(id: HostId | null, event?: PointerEvent): void {
    this.canvas.classList.toggle('over', id !== null);
    this.hint.hidden = id === null;
    const host = id === null || this.picture === undefined ? undefined : hostsOf(this.picture).get(id);
    if (host !== undefined && event !== undefined && this.picture !== undefined) {
      setText(this.hint, `${host.name}: ${STANDING_WORDS[standingOf(this.picture, host)]}`);
      const isRight = event.offsetX > this.canvas.clientWidth / 2;
      this.hint.style.translate = `calc(${Math.round(event.offsetX)}px + ${isRight ? '-100% - 12px' : '12px'}) ${Math.round(event.offsetY) + 14}px`;
    }
    if (id === this.hovered) return;
    this.hovered = id;
    this.draw();
  }
}

/** The map in words. */
function spoken(picture: Picture): string {
  const names = picture.session?.regions.names ?? [];
  const all = [...hostsOf(picture).values()];
  const regions = names.map((name, region) => {
    const viewers = all.filter((host) => isViewer(host) && host.region === region);
    const playing = viewers.filter((host) => standingOf(picture, host) === 'playing').length;
    return `${name}: ${playing} of ${viewers.length} viewers play`;
  });
  return `Map of the regions. ${regions.join('; ')}. The table below tells the same of each viewer.`;
}
