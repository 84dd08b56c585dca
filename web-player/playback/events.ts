import type { StreamState } from '../../protocol/swarm-fields.ts';

/** `idle` before the first press; `starting` until the first frame; `frozen` when the stream keeps it, `paused` when the viewer does. */
export type Phase = 'idle' | 'starting' | 'playing' | 'paused' | 'frozen' | 'ended' | 'failed';

/** Where what is played comes from: INS servers, other viewers, the source over the swarm, or its plain HLS. */
export type PlayedFrom = 'ins' | 'peers' | 'source' | 'hls';

/**
 * What went wrong. `unsupported`: this browser cannot check what it is given. `media`: what came cannot be played. `refused`: the
 * tracker, or the INS server, does not take this viewer. `tracker-lost`, `ins-lost`: a connection broke, and is dialled again.
 * `no-peers`: what it takes to ask peers could not be loaded; INS servers go on, and it is loaded again.
 * `no-past`: what it takes to seek back could not be loaded; what is live goes on, and it is loaded again.
 * `no-choice`: what chooses the quality could not be loaded; the one that plays stays, and it is loaded again.
 * `fallback`: the source's plain HLS was to be played and cannot be.
 */
export type ErrorCode =
  | 'unsupported'
  | 'media'
  | 'refused'
  | 'tracker-lost'
  | 'ins-lost'
  | 'no-peers'
  | 'no-past'
  | 'no-choice'
  | 'fallback';

/** What happens while a session plays, as the viewer has it. Times in ms. */
export type SessionEvent =
  /** The first frame is on screen. */
  | { readonly kind: 'started'; readonly startupDelayMs: number }
  /** The picture has been standing for want of media for 100 ms. */
  | { readonly kind: 'freeze' }
  /** It moves again. */
  | { readonly kind: 'resumed'; readonly frozenMs: number }
  | { readonly kind: 'phase'; readonly phase: Phase; readonly was: Phase }
  /** Most of what comes now comes from somewhere else than before; the first time, too. */
  | { readonly kind: 'source-changed'; readonly from: PlayedFrom }
  | { readonly kind: 'stream-state'; readonly state: StreamState; readonly why: string }
  /** Another rendition is on screen. `auto`: not because the viewer chose it. */
  | { readonly kind: 'quality'; readonly level: number; readonly name: string; readonly auto: boolean }
  /** @param fatal - Nothing more will come: only a new session can help. */
  | { readonly kind: 'error'; readonly code: ErrorCode; readonly message: string; readonly fatal: boolean };
