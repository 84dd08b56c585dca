import { cpus } from 'node:os';

/** Watches all processors of this machine together. Each call says how busy they were since the last, from 0 to 1. */
export function watchMachine(): () => number {
  let before = total();
  return () => {
    const now = total();
    const [all, idle] = [now.all - before.all, now.idle - before.idle];
    before = now;
    return all <= 0 ? 0 : 1 - idle / all;
  };
}

function total(): { readonly all: number; readonly idle: number } {
  let [all, idle] = [0, 0];
  for (const { times } of cpus()) {
    all += times.user + times.nice + times.sys + times.idle + times.irq;
    idle += times.idle;
  }
  return { all, idle };
}
