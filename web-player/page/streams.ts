import { streamIdFromText } from '../../protocol/names.ts';
import type { StreamState } from '../../protocol/swarm-fields.ts';

/** One stream, as the tracker's `/api/streams` lists it. */
export interface StreamEntry {
  readonly id: string;
  /** Null until its source has said. */
  readonly title: string | null;
  readonly state: StreamState;
  readonly viewers: number;
  /** The same stream as plain HLS; null for nowhere. */
  readonly hlsUrl: string | null;
}

const STATES: readonly string[] = ['live', 'interrupted', 'ended'] satisfies StreamState[];
const STREAMS_MAX = 500;
const ANSWER_WITHIN_MS = 5_000;

/** Asks the tracker what is on air. Rejects when it does not answer. */
export async function loadStreams(): Promise<readonly StreamEntry[]> {
  const response = await fetch('api/streams', { cache: 'no-store', signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
  if (!response.ok) throw new Error(`the tracker answers ${response.status}`);
  const list: unknown = await response.json();
  return Array.isArray(list) ? list.slice(0, STREAMS_MAX).flatMap(readEntry) : [];
}

function readEntry(value: unknown): StreamEntry[] {
  const { id, title, state, viewers, hlsUrl } = (value ?? {}) as Record<string, unknown>;
  if (typeof id !== 'string' || streamIdFromText(id) === undefined) return [];
  if (typeof state !== 'string' || !STATES.includes(state)) return [];
  return [
    {
      id,
      title: typeof title === 'string' ? title : null,
      state: state as StreamState,
      viewers: typeof viewers === 'number' ? viewers : 0,
      hlsUrl: typeof hlsUrl === 'string' && /^https?:\/\//.test(hlsUrl) ? hlsUrl : null,
    },
  ];
}

/** Where the stream's page is, for those who come from another page of ours: it plays at once. What else the address says stays. */
export function pageOf(stream: string, mode?: string): string {
  const query = new URLSearchParams(location.search);
  query.set('stream', stream);
  if (mode !== undefined) query.set('mode', mode);
  query.set('autoplay', 'on');
  return `?${query}`;
}
