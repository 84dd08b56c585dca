/** What a run was asked for with, where that was not the default. */
export interface Asked {
  readonly scenario: string;
  readonly mode: string;
  readonly peers: number;
  readonly seed: string | number;
  readonly seconds: number;
  /** Further options in kebab case: a value, or true for a switch. */
  readonly more?: Readonly<Record<string, string | number | true>>;
}

/** The command that runs the same again. */
export function replayCommand({ scenario, mode, peers, seed, seconds, more = {} }: Asked): string {
  const words = ['npx', 'inswarm', 'sim', '--scenario', scenario, '--mode', mode];
  words.push('--peers', String(peers), '--seed', quoted(String(seed)), '--seconds', String(seconds));
  for (const [name, value] of Object.entries(more)) {
    words.push(`--${name}`);
    if (value !== true) words.push(quoted(String(value)));
  }
  return words.join(' ');
}

/** As a shell takes it for one word. */
export function quoted(text: string): string {
  return /^[\w./:,+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
