import type { History } from '../playback/history.ts';
import type { SessionStats } from '../playback/session.ts';
import type { Flow } from './flow.ts';
import { extras, type OnDemand } from './on-demand.ts';
import type { Panel } from './panel.ts';

export interface GoingOnOptions {
  readonly onDemand: OnDemand;
  /** What it stands beside. */
  readonly stage: HTMLElement;
  /** Makes the text for support. */
  report(): Promise<string>;
  /** Calls when it is there to be filled. */
  shown(): void;
  /** Calls when it cannot be had. */
  missing(): void;
}

/** The panel of figures and the way of the bytes: not made before they are to be seen. */
export class GoingOn {
  private readonly options: GoingOnOptions;
  private made: { readonly panel: Panel; readonly flow: Flow } | undefined;
  private isLoading = false;

  constructor(options: GoingOnOptions) {
    this.options = options;
  }

  /** @param isPressed - Somebody waits for it. */
  async show(isPressed: boolean): Promise<void> {
    const { options } = this;
    if (this.made !== undefined || this.isLoading) return;
    this.isLoading = true;
    const make = ({ Panel, Flow }: NonNullable<typeof extras.here>): void => {
      this.made = { panel: new Panel(() => options.report()), flow: new Flow() };
      options.stage.after(this.made.flow.element, this.made.panel.element);
      options.shown();
    };
    const came = await options.onDemand.use(extras, make, isPressed);
    this.isLoading = false;
    if (!came) options.missing();
  }

  update(stats: SessionStats, history: History): void {
    this.made?.panel.update(stats, history);
    this.made?.flow.update(stats, history);
  }
}
