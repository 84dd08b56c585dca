/** Where the log lines of this process go: to standard error, and for as long as it is on, to a view that shows them. */
let shown: ((line: string) => void) | undefined;

export function writeLogLine(line: string): void {
  shown?.(line);
  // A terminal that shows a view is not written on from the side; a file gets every line.
  if (shown === undefined || !process.stderr.isTTY) process.stderr.write(`${line}\n`);
}

/** Has lines shown; `undefined` ends it. */
export function showLogLines(show: ((line: string) => void) | undefined): void {
  shown = show;
}
