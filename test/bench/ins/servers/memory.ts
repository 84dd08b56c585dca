/** Resident bytes of this process after garbage collection (`--expose-gc`). */
export function memoryBytes(): number {
  for (let round = 0; round < 4; round++) (globalThis as { gc?: () => void }).gc?.();
  return process.memoryUsage.rss();
}
