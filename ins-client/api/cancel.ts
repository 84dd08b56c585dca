/** The part of an `AbortSignal` that calls use; every platform's own fits. */
export interface CancelSignal {
  readonly aborted: boolean;
  readonly reason: unknown;
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/**
 * Calls `cancel` when the signal says so.
 *
 * @returns Stops listening: a signal may live longer than the call.
 * @throws The signal's reason when it has been aborted already.
 */
export function onAbort(signal: CancelSignal | undefined, cancel: (reason: unknown) => void): () => void {
  if (signal === undefined) return () => {};
  if (signal.aborted) throw signal.reason;
  const listener = (): void => cancel(signal.reason);
  signal.addEventListener('abort', listener);
  return () => signal.removeEventListener('abort', listener);
}
