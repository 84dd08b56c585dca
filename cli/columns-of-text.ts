const GAP_CHARS = 3;

/** Rows as lines: the first cells to the left, the others to the right of columns as wide as they need. */
export function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, at) => Math.max(...rows.map((row) => row[at]!.length)));
  return rows.map((row) =>
    row
      .map((cell, at) => (at === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[at]! + GAP_CHARS)))
      .join('')
      .trimEnd(),
  );
}
