import { copyText } from './copy-text.ts';
import { Dialog } from './dialog.ts';
import { el, setText } from './dom.ts';
import { timeOfDay } from './format.ts';
import { moreIcon } from './more-icons.ts';
import { shareLink } from './share-link.ts';

export interface Shared {
  /** The address that opens the stream. */
  readonly url: string;
  readonly title: string;
  /** The moment on screen, Unix ms by the source's clock; null while nothing is shown. */
  readonly momentMs: number | null;
}

/** A link to the stream, live or from the moment on screen. */
export class ShareDialog {
  private readonly dialog: Dialog;
  private readonly shared: () => Shared;
  private readonly link = el('input', { type: 'text', readonly: '', 'aria-label': 'Link' });
  private readonly withTime = el('input', { type: 'checkbox' });
  private readonly moment = el('span', {});
  private readonly timeLine: HTMLElement;
  private readonly copyWord = el('span', {}, 'Copy link');
  private readonly told = el('p', { class: 'note', role: 'status' });
  private opened: Shared | undefined;

  constructor(shared: () => Shared) {
    this.shared = shared;
    this.timeLine = el('label', { class: 'share-time' }, this.withTime, this.moment);
    const copy = el('button', { type: 'button', class: 'button' }, moreIcon('copy'), this.copyWord);
    const buttons = el('div', { class: 'share-buttons' }, copy);
    if (navigator.share !== undefined) {
      const more = el('button', { type: 'button', class: 'button quiet-button' }, moreIcon('share'), 'Share…');
      more.addEventListener('click', () => {
        navigator.share({ url: this.link.value, title: this.opened?.title ?? '' }).catch(() => {});
      });
      buttons.append(more);
    }
    this.dialog = new Dialog('Share', 'share', this.link, this.timeLine, buttons, this.told);
    copy.addEventListener('click', () => void this.copy());
    this.withTime.addEventListener('change', () => this.write());
    this.link.addEventListener('focus', () => this.link.select());
  }

  get element(): HTMLElement {
    return this.dialog.element;
  }

  /** The moment is that of the press, not of the copying. */
  open(): void {
    this.opened = this.shared();
    const { momentMs } = this.opened;
    this.timeLine.hidden = momentMs === null;
    this.withTime.checked = false;
    setText(this.moment, momentMs === null ? '' : `Start at ${timeOfDay(momentMs)}`);
    setText(this.copyWord, 'Copy link');
    setText(this.told, '');
    this.write();
    this.dialog.open();
  }

  private write(): void {
    if (this.opened === undefined) return;
    const { url, momentMs } = this.opened;
    this.link.value = shareLink(url, this.withTime.checked ? momentMs : null);
  }

  private async copy(): Promise<void> {
    const copied = await copyText(this.link.value, this.link);
    setText(
      this.told,
      copied ? 'The link is copied.' : 'This browser does not copy by itself: the link is marked, copy it.',
    );
    if (copied) setText(this.copyWord, 'Copied');
  }
}
