import { el } from '../../../../web-player/element/dom.ts';

/** Asks back before something that cannot be undone; resolves to whether it is to be done. */
export function confirmed(question: string, yes: string): Promise<boolean> {
  const cancel = el('button', { type: 'button' }, 'Cancel');
  const go = el('button', { type: 'button', class: 'danger' }, yes);
  const dialog = el(
    'dialog',
    { 'aria-label': question },
    el('p', {}, question),
    el('div', { class: 'deeds' }, cancel, go),
  );
  cancel.addEventListener('click', () => dialog.close('no'));
  go.addEventListener('click', () => dialog.close('yes'));
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => {
      resolve(dialog.returnValue === 'yes');
      dialog.remove();
    });
  });
}
