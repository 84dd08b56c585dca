import type { Changeover, ChangeoverEvents, FallbackOptions, Screen } from './changeover.ts';

/** What it takes is asked for again so often where it did not come: it is wanted most where the network is bad. */
const AGAIN_MS = 5_000;

export interface ChangeoverNeeds {
  readonly options: FallbackOptions;
  /** Makes it from what was loaded. */
  make(here: typeof import('./changeover-chunk.ts'), events: ChangeoverEvents): Changeover;
  readonly events: ChangeoverEvents;
  /** What plain HLS takes could not be loaded, or its address not found; told once. */
  missed(why: string): void;
}

/** The change to plain HLS and back, loaded where that is allowed, while there is somebody to ask for its address. */
export class OnDemandChangeover {
  private readonly needs: ChangeoverNeeds;
  private here: Changeover | undefined;
  private askedAtMs = Number.NEGATIVE_INFINITY;
  private isMissed = false;
  private isClosed = false;

  constructor(needs: ChangeoverNeeds) {
    this.needs = needs;
  }

  get playsHls(): boolean {
    return this.here?.playedOut === 'hls';
  }

  /** When it last changed to plain HLS or back, by `performance.now()`. */
  get changedAtMs(): number {
    return this.here?.changedAtMs ?? Number.NEGATIVE_INFINITY;
  }

  /** Loads it, and finds the address. */
  async find(): Promise<void> {
    const { options, make, events, missed } = this.needs;
    const { fallback = 'off' } = options;
    this.askedAtMs = performance.now();
    if (fallback === 'off') return;
    try {
      const chunk = await import('./changeover-chunk.ts');
      if (this.isClosed) return;
      this.here ??= make(chunk, events);
      await this.here.find();
    } catch (error) {
      if (this.isMissed) return;
      this.isMissed = true;
      missed((error as Error).message);
    }
  }

  /** To be called several times a second once play is pressed. */
  look(screen: Screen): void {
    const isDue = performance.now() - this.askedAtMs > AGAIN_MS;
    if (this.here === undefined && isDue) void this.find();
    this.here?.look(screen);
  }

  /** hls.js has given plain HLS up. */
  lost(): void {
    this.here?.lost();
  }

  close(): void {
    this.isClosed = true;
    this.here?.close();
  }
}
