import { isLoopback } from './ws-server.ts';

/**
 * What a server that neighbours dial tells the tracker of itself: its port, which the tracker completes with the address that
 * it sees; null when nobody out there could dial it.
 *
 * @param host - What the server listens on.
 */
export function announcedUrl(host: string, port: number, trackerUrl: string): string | null {
  if (isLoopback(host) && !isLoopback(new URL(trackerUrl).hostname)) return null;
  return `:${port}`;
}
