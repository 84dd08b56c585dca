/** Who can be given a key. */
export interface KeyTaker {
  /** The element whose focus, or that of anything within, claims the keys. */
  readonly host: HTMLElement;
  /** True when the key meant something. */
  key(event: KeyboardEvent, target: Element): boolean;
}

const takers = new Set<KeyTaker>();

/** Keys of the page go to the player that has the focus, and where nothing has it, to the only player there is. */
export function takeKeys(taker: KeyTaker): () => void {
  if (takers.size === 0) document.addEventListener('keydown', pressed);
  takers.add(taker);
  return () => {
    takers.delete(taker);
    if (takers.size === 0) document.removeEventListener('keydown', pressed);
  };
}

function pressed(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  const path = event.composedPath();
  const target = path[0];
  if (!(target instanceof Element) || isTyping(target)) return;
  const focused = [...takers].find(({ host }) => path.includes(host));
  const [only] = takers.size === 1 ? takers : [];
  // A button or a field elsewhere on the page has a right to its own keys.
  const isFree = target === document.body || target === document.documentElement;
  const taker = focused ?? (isFree ? only : undefined);
  if (taker?.key(event, target)) event.preventDefault();
}

function isTyping(target: Element): boolean {
  const isText = target.matches(
    'input:not([type=range], [type=checkbox], [type=radio], [type=button]), textarea, select',
  );
  return isText || (target as HTMLElement).isContentEditable;
}
