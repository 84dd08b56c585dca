/** When a running command ends: Ctrl-C, a signal, the end of the process that started it, or its own end. */

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** Cleaning up takes no longer; what hangs is left behind. */
const CLOSE_WITHIN_MS = 1_800;

export interface Running {
  close(): Promise<void>;
}

export interface Lifetime {
  /** Resolves when the command is to end. */
  readonly over: Promise<void>;
  /** Ends the command from inside. */
  end(): void;
}

let ours: Lifetime | undefined;

/** This process's. To be asked for before anything is started, so that nothing is left running. */
export function lifetime(): Lifetime {
  ours ??= listen();
  return ours;
}

/**
 * Ends the command whose output nobody reads any more: there is nobody to tell. Every further line says so again, the
 * summary, too, which is no haste: what runs is closed as when it is asked to end once.
 */
export function endUnread(): void {
  if (ours === undefined) process.kill(process.pid, 'SIGTERM');
  else ours.end();
}

function listen(): Lifetime {
  let resolve = () => {};
  const over = new Promise<void>((done) => {
    resolve = done;
  });
  let asked = 0;
  const stop = () => {
    // Whoever asks a second time does not want to wait.
    if (++asked === 2) process.exit(130);
    resolve();
  };
  for (const signal of SIGNALS) process.on(signal, stop);
  if (process.connected !== undefined) {
    // Started by a supervisor: the channel to it closes when it ends, however it ends.
    process.on('disconnect', resolve);
    if (!process.connected) resolve();
  }
  return { over, end: resolve };
}

/** Ends what runs, and the process a little later whatever hangs. */
export async function closeInTime(running: Running, withinMs = CLOSE_WITHIN_MS): Promise<void> {
  setTimeout(() => process.exit(process.exitCode ?? 0), withinMs).unref();
  await running.close();
}
