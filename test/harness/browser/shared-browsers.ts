import { type Browsers, type ChromiumUsage, openBrowsers } from './browsers.ts';
import type { ChromiumOptions } from './chromium.ts';

/** One Chromium for all who want one at the same time: opened for the first of them, closed with the last. */
export class SharedBrowsers {
  private browsers: Promise<Browsers> | undefined;
  private users = 0;
  private taken: ChromiumUsage = { cpuMs: 0, memoryBytes: 0, processes: 0 };
  private asked: Promise<void> | undefined;

  /** What Chromium took when this was asked for the time before: it does not answer at once. */
  get usage(): ChromiumUsage {
    this.asked ??= this.ask().finally(() => {
      this.asked = undefined;
    });
    return this.taken;
  }

  /**
   * To be followed by {@link leave}, also where it fails.
   *
   * @param options - Count for whoever is the first.
   */
  use(options: ChromiumOptions): Promise<Browsers> {
    this.users++;
    this.browsers ??= openBrowsers(options);
    return this.browsers;
  }

  async leave(): Promise<void> {
    if (--this.users > 0) return;
    const browsers = this.browsers;
    this.browsers = undefined;
    await (await browsers?.catch(() => undefined))?.close();
  }

  private async ask(): Promise<void> {
    const browsers = await this.browsers?.catch(() => undefined);
    const usage = await browsers?.usage().catch(() => undefined);
    if (usage !== undefined) this.taken = usage;
  }
}
