import { streamIdFromText } from '../../protocol/names.ts';
import type { Mode } from '../../protocol/swarm-fields.ts';

export const MODES: readonly Mode[] = ['ins', 'hybrid', 'native'];
export const PANEL_STATES = ['off', 'closed', 'open'] as const;
export const THEMES = ['auto', 'dark', 'light'] as const;

/** `off`: there is no such button. */
export type PanelState = (typeof PANEL_STATES)[number];
export type Theme = (typeof THEMES)[number];

/** What a session is opened with, as the element's attributes say it. */
export interface StreamSettings {
  readonly tracker: string;
  readonly stream: string;
  readonly mode: Mode;
  readonly gives: boolean;
  readonly follow: boolean;
  /** Address of the stream as plain HLS, `auto` or `off`. */
  readonly fallback: string;
}

/** The attributes that another session is opened for when they change. */
export const STREAM_ATTRIBUTES = ['tracker', 'stream', 'mode', 'upload', 'follow', 'fallback'] as const;

const OFF: readonly string[] = ['off', 'no', '0', 'false'];

/** Whether a switch is on; null is what nobody has said. */
export function isOn(value: string | null, otherwise: boolean): boolean {
  return value === null ? otherwise : !OFF.includes(value);
}

/** One of a few words; anything else is the first of them. */
export function oneOf<T extends string>(value: string | null, words: readonly [T, ...T[]] | readonly T[]): T {
  return words.find((word) => word === value) ?? words[0]!;
}

/** Reads the attributes of one element; a text for people when something is missing or wrong. */
export function readSettings(get: (name: string) => string | null): StreamSettings | string {
  const tracker = get('tracker')?.trim() ?? '';
  const stream = get('stream')?.trim() ?? '';
  const mode = get('mode') ?? 'hybrid';
  if (tracker === '') return 'No tracker is named: the attribute "tracker" holds its address, wss://….';
  const protocol = URL.canParse(tracker) ? new URL(tracker).protocol : '';
  if (protocol !== 'ws:' && protocol !== 'wss:') return `"${tracker}" is no tracker: it begins with wss:// or ws://.`;
  if (stream === '') return 'No stream is named: the attribute "stream" holds its id, 43 characters.';
  if (streamIdFromText(stream) === undefined) return `"${stream}" is no stream id: it has 43 letters, digits, - or _.`;
  if (!MODES.includes(mode as Mode)) return `"${mode}" is no mode: it is ins, hybrid or native.`;
  const [gives, follow] = [isOn(get('upload'), true), isOn(get('follow'), true)];
  const fallback = get('fallback')?.trim() || 'off';
  if (fallback !== 'auto' && fallback !== 'off' && !/^https?:\/\//.test(fallback)) {
    return `"${fallback}" is no fallback: it is auto, off, or begins with https:// or http://.`;
  }
  return { tracker, stream, mode: mode as Mode, gives, follow, fallback };
}
