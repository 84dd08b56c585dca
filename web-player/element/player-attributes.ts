import { isOn, oneOf, PANEL_STATES, type PanelState, THEMES, type Theme } from './settings.ts';

/** Where there is no document, as on a server that draws pages, the module can still be loaded. */
const Base: typeof HTMLElement = globalThis.HTMLElement ?? (class {} as typeof HTMLElement);

const PROPERTIES = [
  ...['tracker', 'stream', 'mode', 'preload', 'autoplay', 'upload', 'follow', 'panel', 'theme', 'fallback', 'poster'],
  ...['startAt', 'shareUrl', 'targetLatency', 'streamTitle', 'muted', 'volume'],
] as const;

/** The attributes of the player as properties. */
export abstract class PlayerAttributes extends Base {
  /** Takes over what was set on the element before it became a player. */
  protected takeOverProperties(): void {
    const bag = this as unknown as Record<string, unknown>;
    for (const name of PROPERTIES) {
      if (!Object.hasOwn(this, name)) continue;
      const value = bag[name];
      delete bag[name];
      bag[name] = value;
    }
  }

  get tracker(): string {
    return this.text('tracker');
  }

  set tracker(value: string) {
    this.setAttribute('tracker', value);
  }

  get stream(): string {
    return this.text('stream');
  }

  set stream(value: string) {
    this.setAttribute('stream', value);
  }

  get mode(): string {
    return this.text('mode', 'hybrid');
  }

  set mode(value: string) {
    this.setAttribute('mode', value);
  }

  get autoplay(): boolean {
    return this.hasAttribute('autoplay');
  }

  set autoplay(value: boolean) {
    this.toggleAttribute('autoplay', value);
  }

  get preload(): 'none' | 'auto' {
    return this.text('preload') === 'none' ? 'none' : 'auto';
  }

  set preload(value: 'none' | 'auto') {
    this.setAttribute('preload', value);
  }

  get upload(): boolean {
    return isOn(this.getAttribute('upload'), true);
  }

  set upload(value: boolean) {
    this.setAttribute('upload', value ? 'on' : 'off');
  }

  get follow(): boolean {
    return isOn(this.getAttribute('follow'), true);
  }

  set follow(value: boolean) {
    this.setAttribute('follow', value ? 'on' : 'off');
  }

  get panel(): PanelState {
    return oneOf(this.text('panel', 'closed'), PANEL_STATES);
  }

  set panel(value: PanelState) {
    this.setAttribute('panel', value);
  }

  get theme(): Theme {
    return oneOf(this.text('theme'), THEMES);
  }

  set theme(value: Theme) {
    this.setAttribute('theme', value);
  }

  /** In ms; null leaves it to the player. */
  get targetLatency(): number | null {
    return this.number('target-latency');
  }

  set targetLatency(value: number | null) {
    this.setNumber('target-latency', value);
  }

  get fallback(): string {
    return this.text('fallback', 'off');
  }

  set fallback(value: string) {
    this.setAttribute('fallback', value);
  }

  get poster(): string {
    return this.text('poster');
  }

  set poster(value: string) {
    this.setAttribute('poster', value);
  }

  /** Unix seconds by the source's clock; null is live. */
  get startAt(): number | null {
    return this.number('start-at');
  }

  set startAt(value: number | null) {
    this.setNumber('start-at', value);
  }

  get shareUrl(): string {
    return this.text('share-url', location.href);
  }

  set shareUrl(value: string) {
    this.setAttribute('share-url', value);
  }

  private number(name: string): number | null {
    const value = Number.parseFloat(this.text(name));
    return Number.isFinite(value) ? value : null;
  }

  private setNumber(name: string, value: number | null): void {
    if (value === null) this.removeAttribute(name);
    else this.setAttribute(name, String(value));
  }

  private text(name: string, otherwise = ''): string {
    return this.getAttribute(name) ?? otherwise;
  }
}
