import { performance } from 'node:perf_hooks';

/** What tells, whenever it is asked, in which share of the time since the last call this process had work to do. */
export function busyMeter(): () => number {
  let since = performance.eventLoopUtilization();
  return () => {
    const used = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(used, since);
    since = used;
    return utilization;
  };
}
