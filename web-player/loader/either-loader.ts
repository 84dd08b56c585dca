import Hls, {
  type HlsConfig,
  type Loader,
  type LoaderCallbacks,
  type LoaderConfiguration,
  type LoaderContext,
  type LoaderStats,
} from 'hls.js';
import { SWARM_URL, type SwarmLoaderClass } from './swarm-loader.ts';

const SWARM_ORIGIN = new URL(SWARM_URL).origin;

/** A loader for an hls.js that plays out of the swarm, and at times the source's plain HLS: what is not of the swarm, hls.js loads itself. */
export function createEitherLoader(SwarmLoader: SwarmLoaderClass): SwarmLoaderClass {
  return class implements Loader<LoaderContext> {
    readonly stats: LoaderStats;
    private readonly config: HlsConfig;
    private loader: Loader<LoaderContext>;

    constructor(config: HlsConfig) {
      this.config = config;
      this.loader = new SwarmLoader(config);
      // hls.js holds on to these before it says what to load.
      this.stats = this.loader.stats;
    }

    get context(): LoaderContext | null {
      return this.loader.context;
    }

    load(context: LoaderContext, config: LoaderConfiguration, callbacks: LoaderCallbacks<LoaderContext>): void {
      if (new URL(context.url).origin !== SWARM_ORIGIN) {
        this.loader.destroy();
        this.loader = new Hls.DefaultConfig.loader(this.config);
        this.loader.stats = this.stats;
      }
      this.loader.load(context, config, callbacks);
    }

    abort(): void {
      this.loader.abort();
    }

    destroy(): void {
      this.loader.destroy();
    }

    getCacheAge(): number | null {
      return this.loader.getCacheAge?.() ?? null;
    }

    getResponseHeader(name: string): string | null {
      return this.loader.getResponseHeader?.(name) ?? null;
    }
  };
}
