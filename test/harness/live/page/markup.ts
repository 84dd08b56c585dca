import type { Markup } from '../../../../report/svg/element.ts';

/** Puts a plot in place of what is there, when it is another one. What it is made of was escaped when it was made. */
export class Drawing {
  readonly element: HTMLElement;
  private shown = '';

  get isEmpty(): boolean {
    return this.shown === '';
  }

  constructor(element: HTMLElement) {
    this.element = element;
  }

  show({ markup }: Markup): void {
    if (markup === this.shown) return;
    this.shown = markup;
    this.element.innerHTML = markup;
  }
}

const SEEN = new WeakSet<Element>();
const OBSERVER = new IntersectionObserver(
  (entries) => {
    for (const { isIntersecting, target } of entries) {
      if (isIntersecting) SEEN.add(target);
      else SEEN.delete(target);
    }
    dispatchEvent(new Event('seen'));
  },
  { rootMargin: '120px' },
);

/** Whether it is on the screen or nearly: what nobody sees is not drawn. `seen` is dispatched on the window when that changes. */
export function isSeen(element: Element): boolean {
  return SEEN.has(element);
}

export function watchSeen(element: Element): void {
  OBSERVER.observe(element);
}
