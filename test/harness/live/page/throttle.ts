import { el } from '../../../../web-player/element/dom.ts';
import { shareText } from './figures.ts';

const SHARES = [1, 0.75, 0.5, 0.25, 0.1, 0.05, 0.01];

/** A small menu below a button: how much of their rates links keep. */
export function chooseThrottle(button: HTMLElement, chosen: (to: number) => void): void {
  document.querySelector('.throttle-menu')?.remove();
  const items = SHARES.map((share) => {
    const text = share === 1 ? 'as at first (100\u00a0%)' : shareText(share);
    const item = el('button', { type: 'button', role: 'menuitem', 'data-to': String(share) }, text);
    item.addEventListener('click', () => {
      menu.hidePopover();
      chosen(share);
    });
    return item;
  });
  const menu = el(
    'div',
    { class: 'throttle-menu', role: 'menu', 'aria-label': 'Of its rates, links keep', popover: 'auto' },
    ...items,
  );
  menu.addEventListener('keydown', (event) => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (step === 0) return;
    event.preventDefault();
    const at = items.indexOf(document.activeElement as HTMLButtonElement);
    items[(at + step + items.length) % items.length]!.focus();
  });
  menu.addEventListener('toggle', (event) => {
    if ((event as ToggleEvent).newState !== 'closed') return;
    menu.remove();
    if (document.activeElement === document.body) button.focus();
  });
  document.body.append(menu);
  menu.showPopover();
  place(menu, button.getBoundingClientRect());
  items[0]!.focus();
}

/** Below the button, or above where there is no room. */
function place(menu: HTMLElement, { left, top, bottom }: DOMRect): void {
  const { offsetWidth, offsetHeight, style } = menu;
  const fitsBelow = bottom + 4 + offsetHeight <= innerHeight;
  style.left = `${Math.max(8, Math.min(left, innerWidth - offsetWidth - 8))}px`;
  style.top = `${fitsBelow ? bottom + 4 : Math.max(8, top - 4 - offsetHeight)}px`;
}
