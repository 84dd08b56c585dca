import { streamIdFromText } from '../protocol/names.ts';
import { Problem } from './problem.ts';

const ANSWER_WITHIN_MS = 5_000;
const STREAMS_TOLD = 5;

interface Listed {
  readonly id: string;
  readonly title: string;
}

/**
 * Asks a tracker for its one stream.
 *
 * @param tracker - `ws://HOST:PORT`; its list of streams is on the same port.
 * @throws Problem when it cannot be asked, or has none or several.
 */
export async function onlyStream(tracker: string): Promise<Uint8Array> {
  const streams = await listStreams(tracker);
  const [first] = streams;
  if (first === undefined) {
    throw new Problem(`--stream is missing, and the tracker ${tracker} has no stream yet: start inswarm source first`);
  }
  if (streams.length > 1) {
    const told = streams.slice(0, STREAMS_TOLD).map(({ id, title }) => `${id} (${title || 'no title'})`);
    const more = streams.length > STREAMS_TOLD ? ', …' : '';
    throw new Problem(
      `--stream is missing, and the tracker has ${streams.length} streams: ${told.join(', ')}${more}`,
      2,
    );
  }
  const id = streamIdFromText(first.id);
  if (id === undefined) throw new Problem(`${tracker} gives no stream id: is it a tracker?`);
  return id;
}

async function listStreams(tracker: string): Promise<readonly Listed[]> {
  const url = new URL('api/streams', `${tracker.replace(/^ws/, 'http')}/`);
  let list: unknown;
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
    list = response.ok ? await response.json() : undefined;
  } catch (error) {
    const { code } = ((error as Error).cause ?? error) as NodeJS.ErrnoException;
    throw new Problem(
      `--tracker ${tracker} does not answer (${code ?? (error as Error).message}): is inswarm tracker running?`,
    );
  }
  if (!Array.isArray(list) || !list.every(isListed)) throw new Problem(`--tracker ${tracker} is no tracker`);
  return list;
}

function isListed(value: unknown): value is Listed {
  const { id, title } = (value ?? {}) as Partial<Record<keyof Listed, unknown>>;
  return typeof id === 'string' && typeof title === 'string';
}
