import { SharedBrowsers } from '../browser/shared-browsers.ts';
import type { Witness } from '../browser/witness.ts';
import type { ViewerFigures } from './programs.ts';

const LOOK_EVERY_MS = 500;

/** All of this process are in one. */
const browsers = new SharedBrowsers();

/** A plain player beside a headless peer, on what that serves as HLS. It starts when the peer does. */
export class BesidePlayer {
  /** What it saw last. */
  seen: ViewerFigures['witness'];
  private readonly opened: Promise<void>;
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
    await this.witness?.close();
    await browsers.leave();
  }

  private async open(gatewayUrl: string): Promise<void> {
    // The hosts of a run differ in the second half of their addresses.
    const hosts = [new URL(gatewayUrl).hostname.replace(/\.\d+\.\d+$/, '.*')];
    const opened = await browsers.use({ hosts, endsOnSignals: false });
    this.witness = await opened.openWitness({ gatewayUrl });
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
