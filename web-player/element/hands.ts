import type { SessionStats } from '../playback/session.ts';
import { type Acting, Actions, VOLUME_STEP } from './actions.ts';
import { Controls } from './controls.ts';
import type { Dialog } from './dialog.ts';
import { holdMediaKeys, releaseMediaKeys } from './media-keys.ts';
import type { UseExtras } from './on-demand.ts';
import type { ViewOptions } from './player-view.ts';
import type { ShareDialog } from './share-dialog.ts';
import { StartMoment } from './start-moment.ts';
import { Toast } from './toast.ts';
import { watchGestures } from './touch.ts';
import { UnmuteButton } from './unmute-button.ts';

const SEEK_S = 10;
const SMALL_SEEK_S = 5;

/** The picture that is in the viewer's hands. */
export interface Picture extends Pick<Acting, 'video' | 'togglePlay' | 'isSilenceWanted'> {
  readonly useExtras: UseExtras;
  /** Whether the controls are hidden. */
  isQuiet(): boolean;
  /** Hides them. */
  sleep(): void;
}

/** All that a viewer does with a picture, and all that answers: controls, keys, fingers, the machine's media keys, sheets. */
export class Hands {
  readonly controls: Controls;
  readonly toast = new Toast();
  readonly unmute: UnmuteButton;
  readonly start: StartMoment;
  private readonly actions: Actions;
  private readonly options: ViewOptions;
  private readonly useExtras: UseExtras;
  private keysDialog: Dialog | undefined;
  private shareDialog: ShareDialog | undefined;
  private hasBegun = false;

  constructor(picture: Picture, options: ViewOptions) {
    this.options = options;
    this.useExtras = picture.useExtras;
    const { video } = picture;
    this.actions = new Actions(this.acting(picture));
    const { actions, useExtras } = this;
    this.unmute = new UnmuteButton(video, actions);
    this.start = new StartMoment(actions, (text, name) => this.toast.say(text, name));
    this.controls = new Controls({
      ...{ video, actions, useExtras },
      ...{ session: () => options.session(), panel: () => options.panel() },
      share: () => this.share(),
      showKeys: () => this.showKeys(),
    });
    this.takeGestures(picture);
  }

  /** Something is open or in use that must not be hidden: who has moved there by keys sees where they are. */
  get areBusy(): boolean {
    return this.controls.isMenuOpen || this.controls.element.querySelector(':focus-visible') !== null;
  }

  /** The first picture is there; called again and again. @param startAt - Unix seconds by the source's clock; null is live. */
  begun(startAt: number | null, title: string): void {
    if (!this.hasBegun) holdMediaKeys(this, title, this.actions);
    this.hasBegun = true;
    this.start.seek(startAt);
  }

  update(stats: SessionStats): void {
    this.controls.update(stats);
    this.unmute.update(stats.phase);
  }

  /** Before another session, and after the last. */
  reset(): void {
    this.hasBegun = false;
    this.start.reset();
    this.toast.stop();
    this.controls.closeMenu();
    releaseMediaKeys(this);
  }

  /** @returns Whether the key meant something. */
  key(key: string): boolean {
    const act = this.keys[key.toLowerCase()] ?? this.digit(key);
    act?.();
    return act !== undefined;
  }

  private readonly keys: Readonly<Record<string, () => void>> = {
    ' ': () => this.actions.togglePlay(),
    k: () => this.actions.togglePlay(),
    j: () => this.actions.seekBy(-SEEK_S),
    l: () => this.actions.seekBy(SEEK_S),
    arrowleft: () => this.actions.seekBy(-SMALL_SEEK_S),
    arrowright: () => this.actions.seekBy(SMALL_SEEK_S),
    home: () => this.actions.seekToShare(0),
    end: () => this.actions.goLive(),
    arrowup: () => this.actions.changeVolume(VOLUME_STEP),
    arrowdown: () => this.actions.changeVolume(-VOLUME_STEP),
    m: () => this.actions.toggleMute(),
    f: () => this.actions.toggleFullScreen(),
    i: () => this.actions.togglePictureInPicture(),
    c: () => this.controls.toggleCaptions(),
    s: () => this.share(),
    d: () => this.actions.togglePanel(),
    '?': () => this.showKeys(),
  };

  /** `0` is the oldest moment, `9` nine tenths on the way to the live edge. */
  private digit(key: string): (() => void) | undefined {
    return /^\d$/.test(key) ? () => this.actions.seekToShare(Number(key) / 10) : undefined;
  }

  private share(): void {
    const { options } = this;
    this.useExtras(({ ShareDialog }) => {
      this.shareDialog ??= this.lay(new ShareDialog(() => options.shared()));
      this.shareDialog.open();
    });
  }

  private showKeys(): void {
    this.useExtras(({ keysDialog }) => {
      this.keysDialog ??= this.lay(keysDialog());
      this.keysDialog.open();
    });
  }

  /** A sheet over everything. */
  private lay<T extends { readonly element: HTMLElement }>(sheet: T): T {
    this.options.root.append(sheet.element);
    return sheet;
  }

  private acting(picture: Picture): Acting {
    const { options } = this;
    return {
      video: picture.video,
      root: options.root,
      get session() {
        return options.session();
      },
      get isSilenceWanted() {
        return picture.isSilenceWanted;
      },
      set isSilenceWanted(isWanted) {
        picture.isSilenceWanted = isWanted;
      },
      say: (text, name) => this.toast.say(text, name),
      togglePlay: (pressedAtMs) => picture.togglePlay(pressedAtMs),
      togglePanel: () => options.togglePanel(),
    };
  }

  private takeGestures(picture: Picture): void {
    const { actions } = this;
    watchGestures(picture.video, {
      isQuiet: () => picture.isQuiet(),
      // A finger that touches the bare picture asks for the controls, and sends them away.
      tap: (wasQuiet) => {
        if (!wasQuiet) picture.sleep();
      },
      doubleTap: (where) => {
        if (where === 'middle') actions.toggleFullScreen();
        else actions.seekBy(where === 'left' ? -SEEK_S : SEEK_S);
      },
      // A mouse has the controls before its eyes. A press beside an open menu is for closing it.
      click: () => {
        if (this.controls.isMenuOpen) this.controls.closeMenu();
        else actions.togglePlay();
      },
      doubleClick: () => actions.toggleFullScreen(),
    });
  }
}
