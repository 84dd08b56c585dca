import { type Browsers, openBrowsers } from '../browser/browsers.ts';
import type { Witness } from '../browser/witness.ts';
import type { ViewerFigures } from './programs.ts';

const LOOK_EVERY_MS = 500;

/** A plain player beside a headless peer, on what that serves as HLS. It starts when the peer does. */
export class BesidePlayer {
  /** What it saw last. */
  seen: ViewerFigures['witness'];
  private readonly opened: Promise<void>;
  private browsers: Browsers | undefined;
  private witness: Witness | undefined;
  private timer: NodeJS.Timeout | undefined;
  private closed = false;

  /** @param notice - Told where there can be none. */
  constructor(gatewayUrl: string, notice: (text: string) => void) {
    this.opened = this.open(gatewayUrl).catch((error: Error) => notice(`no player beside it: ${error.message}`));
  }

  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.timer);
    await this.opened;
    await this.browsers?.close();
  }

  private async open(gatewayUrl: string): Promise<void> {
    this.browsers = await openBrowsers({ hosts: [new URL(gatewayUrl).hostname], endsOnSignals: false });
    this.witness = await this.browsers.openWitness({ gatewayUrl });
    await this.look();
  }

  private async look(): Promise<void> {
    const said = await this.witness!.sample().catch(() => undefined);
    if (said !== undefined) {
      const { freezes, frozenMs, startupDelayMs } = said;
      this.seen = { freezes, frozenMs, startupDelayMs };
    }
    if (!this.closed) this.timer = setTimeout(() => void this.look(), LOOK_EVERY_MS);
  }
}
