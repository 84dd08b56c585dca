import type { FastifyReply } from 'fastify';
import { type Answer, answer, type Query, type WaitAnswer, wantedTrack } from '../../hls/answer.ts';
import type { LiveSource } from '../../hls/live-source.ts';
import type { PlaylistOptions } from '../../hls/playlists.ts';
import { whyNot } from '../../hls/why-not.ts';
import type { HttpServer } from './http.ts';

export interface HlsHttpOptions extends PlaylistOptions {
  /** Requests that wait for something at once, over all streams; more get 503. Default 10,000. */
  readonly waitersMax?: number;
}

/** Text of a stream's id → what is known of it. */
export type HlsStreams = () => ReadonlyMap<string, LiveSource>;

/** Parts and headers keep their address and never change; but a source that begins anew may use an address again. */
const MEDIA_MAX_AGE_S = 10;

/**
 * Serves streams as LL-HLS (RFC 8216bis): `/` lists them, `/<stream>/master.m3u8` is the way in. Requests for what is yet to
 * come wait for it.
 */
export function serveHls(server: HttpServer, streams: HlsStreams, options: HlsHttpOptions = {}): void {
  const waiting = new WaitingRequests(options.waitersMax ?? 10_000);
  server.onClose(() => waiting.close());
  server.app.get('/', async (_request, reply) => reply.header('cache-control', 'no-cache').send(listing(streams())));
  server.app.get('/:stream/*', (request, reply) => {
    const { stream, '*': path } = request.params as { stream: string; '*': string };
    const live = streams().get(stream);
    if (!live) {
      reply.callNotFound();
      return;
    }
    const track = wantedTrack(path);
    if (track !== undefined) live.wantTrack?.(track);
    const directives = directivesOf(request.query);
    const ask = () => answer(live.window, path, directives, options);
    const first = ask();
    if (first.kind !== 'wait') {
      send(live, first, reply);
      return;
    }
    const key = `${path}?${directives._HLS_msn}&${directives._HLS_part}&${directives._HLS_skip}`;
    waiting.add(live, key, ask, first, closedSignal(reply), (given) => send(live, given, reply));
  });
}

function listing(streams: ReadonlyMap<string, LiveSource>): unknown {
  const list = [...streams].map(([id, live]) => ({
    stream: id,
    title: live.window.description?.title ?? '',
    playlist: `/${encodeURIComponent(id)}/master.m3u8`,
    ended: live.window.ended,
  }));
  return { streams: list };
}

/** Only these make a difference: whoever asks with other words shares an answer with everybody. */
function directivesOf(query: unknown): Query {
  const values = query as Record<string, string | string[] | undefined>;
  const first = (name: string) => {
    const value = values[name];
    return Array.isArray(value) ? value[0] : value;
  };
  return { _HLS_msn: first('_HLS_msn'), _HLS_part: first('_HLS_part'), _HLS_skip: first('_HLS_skip') };
}

/** Aborts when the client has gone (or has its answer). */
function closedSignal(reply: FastifyReply): AbortSignal {
  const gone = new AbortController();
  reply.raw.once('close', () => gone.abort());
  return gone.signal;
}

type Given = Exclude<Answer, WaitAnswer>;

function send(live: LiveSource, given: Given, reply: FastifyReply): void {
  switch (given.kind) {
    case 'text':
      reply.header('cache-control', 'no-cache').type(given.contentType).send(given.body);
      return;
    case 'error':
      if (given.status === 503) reply.header('retry-after', '1');
      reply.code(given.status).header('cache-control', 'no-cache').type('text/plain; charset=utf-8');
      reply.send(`${whyNot(given.why)}: ${reply.request.url}\n`);
      return;
    case 'init':
      sendMedia(live, given.track, [given.bytes], reply);
      return;
    case 'part':
      sendMedia(live, given.track, live.readPart(given.track, given.part), reply);
      return;
    case 'segment':
      sendMedia(live, given.track, readParts(live, given.track, given.parts), reply);
      return;
  }
}

function readParts(live: LiveSource, track: number, parts: readonly number[]): readonly Uint8Array[] | undefined {
  const blocks: Uint8Array[] = [];
  for (const part of parts) {
    const read = live.readPart(track, part);
    if (!read) return undefined;
    blocks.push(...read);
  }
  return blocks;
}

/** Hands the blocks to the socket as they lie, uncopied. */
function sendMedia(
  live: LiveSource,
  track: number,
  blocks: readonly Uint8Array[] | undefined,
  reply: FastifyReply,
): void {
  if (!blocks) {
    send(live, { kind: 'error', status: 404, why: 'not-kept' }, reply);
    return;
  }
  const kind = live.window.description?.tracks.find((candidate) => candidate.id === track)?.kind ?? 'video';
  reply.type(`${kind}/mp4`).header('cache-control', `public, max-age=${MEDIA_MAX_AGE_S}`);
  reply.header(
    'content-length',
    blocks.reduce((sum, block) => sum + block.byteLength, 0),
  );
  reply.hijack();
  const { raw } = reply;
  raw.writeHead(200, reply.getHeaders() as Record<string, string>);
  raw.cork();
  for (const block of blocks) raw.write(block);
  raw.end();
  raw.uncork();
}

/** Requests for one and the same thing that is not there yet. */
interface WaitingGroup {
  readonly ask: () => Answer;
  readonly givers: Set<(given: Given) => void>;
}

/** All waiting requests of a server: one look at the window per change and thing asked for, however many wait for it. */
class WaitingRequests {
  private readonly groups = new Map<LiveSource, Map<string, WaitingGroup>>();
  private readonly stopListening = new Map<LiveSource, () => void>();
  private count = 0;
  private readonly countMax: number;

  constructor(countMax: number) {
    this.countMax = countMax;
  }

  /** Calls `give` once: when `ask` has an answer, when time is up, or when the server closes. Not at all when the client has gone. */
  add(
    live: LiveSource,
    key: string,
    ask: () => Answer,
    wait: WaitAnswer,
    gone: AbortSignal,
    give: (given: Given) => void,
  ): void {
    if (this.count >= this.countMax) {
      give({ kind: 'error', status: 503, why: 'too-many' });
      return;
    }
    const group = this.group(live, key, ask);
    const leave = () => {
      if (!group.givers.delete(giveOnce)) return;
      this.count -= 1;
      clearTimeout(timer);
      gone.removeEventListener('abort', leave);
      if (group.givers.size === 0) this.forget(live, key);
    };
    const giveOnce = (given: Given) => {
      leave();
      give(given);
    };
    const timer = setTimeout(() => giveOnce(wait.otherwise), wait.waitMs);
    gone.addEventListener('abort', leave);
    group.givers.add(giveOnce);
    this.count += 1;
  }

  close(): void {
    const closing: Given = { kind: 'error', status: 503, why: 'closing' };
    for (const groups of this.groups.values()) {
      for (const group of groups.values()) for (const giveOnce of group.givers) giveOnce(closing);
    }
  }

  private group(live: LiveSource, key: string, ask: () => Answer): WaitingGroup {
    let groups = this.groups.get(live);
    if (!groups) {
      groups = new Map();
      this.groups.set(live, groups);
      this.stopListening.set(
        live,
        live.onChange(() => this.changed(live)),
      );
    }
    let group = groups.get(key);
    if (!group) {
      group = { ask, givers: new Set() };
      groups.set(key, group);
    }
    return group;
  }

  private changed(live: LiveSource): void {
    for (const group of this.groups.get(live)?.values() ?? []) {
      const given = group.ask();
      if (given.kind !== 'wait') for (const giveOnce of group.givers) giveOnce(given);
    }
  }

  private forget(live: LiveSource, key: string): void {
    const groups = this.groups.get(live);
    groups?.delete(key);
    if (groups?.size !== 0) return;
    this.groups.delete(live);
    this.stopListening.get(live)?.();
    this.stopListening.delete(live);
  }
}
