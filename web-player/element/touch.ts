const DOUBLE_WITHIN_MS = 320;

export interface Gestures {
  /** One tap on the bare picture; `wasQuiet`: the controls were hidden when the finger came down. */
  tap(wasQuiet: boolean): void;
  /** Two taps, and each one after them: where on the picture. */
  doubleTap(where: 'left' | 'middle' | 'right'): void;
  click(event: MouseEvent): void;
  doubleClick(): void;
  isQuiet(): boolean;
}

/** Tells taps from clicks, and double ones from single ones. A double tap is also told as the tap that it begins with. */
export function watchGestures(surface: HTMLElement, gestures: Gestures): void {
  let tappedAtMs = Number.NEGATIVE_INFINITY;
  let wasQuiet = false;
  surface.addEventListener('pointerdown', () => {
    wasQuiet = gestures.isQuiet();
  });
  surface.addEventListener('click', (event) => {
    if ((event as PointerEvent).pointerType !== 'touch') {
      gestures.click(event);
      return;
    }
    const isDouble = event.timeStamp - tappedAtMs < DOUBLE_WITHIN_MS;
    tappedAtMs = event.timeStamp;
    if (isDouble) gestures.doubleTap(whereOn(surface, event.clientX));
    else gestures.tap(wasQuiet);
  });
  surface.addEventListener('dblclick', (event) => {
    if ((event as Partial<PointerEvent>).pointerType !== 'touch' && event.timeStamp - tappedAtMs > 1_000) {
      gestures.doubleClick();
    }
  });
}

function whereOn(surface: HTMLElement, clientX: number): 'left' | 'middle' | 'right' {
  const { left, width } = surface.getBoundingClientRect();
  const share = (clientX - left) / width;
  if (share < 1 / 3) return 'left';
  return share > 2 / 3 ? 'right' : 'middle';
}
