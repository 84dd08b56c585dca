/** The parameter of a link that names a moment: Unix seconds by the source's clock. */
export const TIME_PARAMETER = 't';

/** @param momentMs - Unix ms; null for live. */
export function shareLink(url: string, momentMs: number | null): string {
  const link = new URL(url);
  link.searchParams.delete(TIME_PARAMETER);
  link.searchParams.delete('autoplay');
  if (momentMs !== null) link.searchParams.set(TIME_PARAMETER, String(Math.floor(momentMs / 1_000)));
  return link.href;
}
