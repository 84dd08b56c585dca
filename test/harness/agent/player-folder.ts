import { fileURLToPath } from 'node:url';

/** The built player page, wherever this file runs from. */
export function playerFolder(): string {
  const up = import.meta.url.endsWith('.ts') ? '../../../dist/web' : '../../../web';
  return fileURLToPath(new URL(up, import.meta.url));
}
