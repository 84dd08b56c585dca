import { type Session, TARGET_LATENCY_MS } from '../playback/session.ts';
import type { Actions } from './actions.ts';
import type { Choice } from './captions.ts';
import type { Entry } from './menu.ts';

export interface MenuOptions {
  readonly actions: Actions;
  session(): Session | undefined;
  captions(): readonly Choice[];
  sound(): readonly Choice[];
  share(): void;
  showKeys(): void;
}

/** What can be chosen now, and what the bar may have no room for. */
export function menuEntries({ actions, ...options }: MenuOptions): readonly Entry[] {
  const session = options.session();
  const entries: Entry[] = session === undefined ? [] : [...choicesOf(session, options)];
  entries.push({ kind: 'action', name: 'Share', icon: 'share', act: () => options.share() });
  if (actions.hasPictureInPicture) {
    entries.push({
      ...{ kind: 'action', name: 'Picture in picture', icon: 'pip' },
      act: () => actions.togglePictureInPicture(),
    });
  }
  // A telephone has no keys.
  if (window.matchMedia('(hover: hover)').matches) {
    entries.push({ kind: 'action', name: 'Keys', icon: 'keys', act: () => options.showKeys() });
  }
  return entries;
}

function choicesOf(session: Session, { captions, sound }: Pick<MenuOptions, 'captions' | 'sound'>): readonly Entry[] {
  const all: readonly Entry[] = [
    { kind: 'choices', name: 'Quality', icon: 'quality', choices: qualityChoices(session) },
    { kind: 'choices', name: 'Latency', icon: 'latency', choices: latencyChoices(session) },
    { kind: 'choices', name: 'Captions', icon: 'captions', choices: captions() },
    { kind: 'choices', name: 'Sound', icon: 'speaker', choices: sound() },
  ];
  return all.filter((entry) => entry.kind === 'choices' && entry.choices.length > 0);
}

function qualityChoices(session: Session): readonly Choice[] {
  return session.qualities().map(({ level, name }) => ({
    name: level === -1 && session.quality === -1 ? autoName(session) : name,
    isChosen: session.quality === level,
    choose: () => {
      session.quality = level;
    },
  }));
}

/** The automatic choice says what it has come to. */
function autoName(session: Session): string {
  const { quality } = session.stats();
  return quality === null ? 'Auto' : `Auto (${quality})`;
}

/** Latency that can be aimed at, in ms. */
const TARGETS_MS = [1_000, TARGET_LATENCY_MS, 3_000, 5_000, 10_000];

/** The nearer to live, the less there is to fall back on. */
function latencyChoices(session: Session): readonly Choice[] {
  const now = session.targetLatencyMs;
  const all = [...new Set([...TARGETS_MS, now])].sort((one, other) => one - other);
  return all.map((ms) => ({
    name: `${(ms / 1_000).toLocaleString('en', { maximumFractionDigits: 1 })} s${ms === TARGET_LATENCY_MS ? ' (usual)' : ''}`,
    isChosen: ms === now,
    choose: () => {
      session.targetLatencyMs = ms;
    },
  }));
}
