/** Makes text stand out where it is read by people. */
export type Paint = (text: string) => string;

/** Red on a terminal that takes colours (https://no-color.org); the text as it is anywhere else. */
export function redOn(stream: { readonly isTTY?: boolean }, env: Readonly<Record<string, string | undefined>>): Paint {
  const isPlain = stream.isTTY !== true || (env.NO_COLOR ?? '') !== '' || env.TERM === 'dumb';
  return isPlain ? (text) => text : (text) => `\x1b[31m${text}\x1b[39m`;
}
