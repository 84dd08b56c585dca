import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { ProcessSample } from './programs.ts';

const NS_PER_MS = 1_000_000;
/** The timer that looks comes so often, and an idle loop is late by about as much: that is no delay. */
const RESOLUTION_MS = 10;

/** Watches this process: what it takes, and how late its event loop comes to what is due. */
export function watchProcess(): () => ProcessSample {
  const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delays.enable();
  return () => {
    const { user, system } = process.cpuUsage();
    const loopDelayMs = Math.max(0, delays.percentile(99) / NS_PER_MS - RESOLUTION_MS);
    delays.reset();
    return { atMs: performance.now(), cpuMs: (user + system) / 1000, rssBytes: process.memoryUsage.rss(), loopDelayMs };
  };
}
