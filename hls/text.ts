/** How times and words are written in playlists (RFC 8216bis section 4.2). */

/** Microseconds as decimal seconds without needless zeros: 250000 → `0.25`. */
export function secondsText(us: number): string {
  return String(Number((us / 1_000_000).toFixed(6)));
}

/** A quoted string; the characters that it cannot hold (section 4.2) become spaces or single quotes. */
export function quoted(text: string): string {
  return `"${text.replaceAll('"', "'").replace(/\p{Cc}/gu, ' ')}"`;
}

/**
 * Unix ms as ISO 8601 in UTC with milliseconds, as EXT-X-PROGRAM-DATE-TIME wants it.
 * Years 1970 … 9999 (proleptic Gregorian; the days-to-date steps are the usual ones of a 400-year era that begins in March).
 */
export function isoTime(unixMs: number): string {
  const ms = Math.min(Math.max(Math.round(unixMs), 0), 253_402_300_799_999);
  const days = Math.floor(ms / 86_400_000);
  const inDay = ms - days * 86_400_000;
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1_460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * monthFromMarch + 2) / 5) + 1;
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  const clock = [Math.floor(inDay / 3_600_000), Math.floor(inDay / 60_000) % 60, Math.floor(inDay / 1_000) % 60];
  return `${digits(year, 4)}-${digits(month, 2)}-${digits(day, 2)}T${clock.map((n) => digits(n, 2)).join(':')}.${digits(inDay % 1_000, 3)}Z`;
}

function digits(value: number, width: number): string {
  return String(value).padStart(width, '0');
}
