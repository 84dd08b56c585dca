import type { SessionStats } from '../playback/session.ts';
import { centre, type Message } from './first-messages.ts';

/** The first moments are for connecting: nothing is said about what has not answered yet. */
const PATIENCE_MS = 1_500;
/** A shorter freeze is over before it is read. */
const FROZEN_MS = 700;

/** What there is to say now, in plain words; null when all is well. */
export function messageFor(stats: SessionStats, online: boolean): Message | null {
  if (stats.phase === 'failed') {
    const why = sentence(stats.failure ?? 'something unexpected happened').trim();
    return { ...centre('error', 'This cannot be played here', why), canRetry: true };
  }
  if (stats.sincePressMs === null) return null;
  if (stats.startupDelayMs === null) return stats.phase === 'paused' ? null : whileStarting(stats, online);
  const standing = stats.phase === 'frozen' && stats.frozenForMs > FROZEN_MS;
  if (stats.peer.streamState === 'ended' && (standing || stats.phase === 'ended')) {
    return ended;
  }
  const trouble = troubleOf(stats, online);
  if (!standing) return trouble && { ...trouble, place: 'banner' };
  return trouble ?? centre('wait', 'One moment', 'Waiting for the next part of the stream.');
}

function whileStarting(stats: SessionStats, online: boolean): Message | null {
  const { peer, sincePressMs } = stats;
  if (!online) return offline;
  if (peer.trackerUp && peer.streamState === 'interrupted') {
    const why = sentence(peer.streamStateWhy);
    return centre('wait', 'Not on air yet', `${why}It begins here by itself as soon as the source is there.`);
  }
  if (peer.trackerUp && peer.streamState === 'ended') {
    return ended;
  }
  if ((sincePressMs ?? 0) < PATIENCE_MS) return null;
  if (!peer.trackerUp && peer.refused !== null) {
    return centre('warn', 'The tracker does not let this page in', `${sentence(peer.refused)}Trying again.`);
  }
  if (!peer.trackerUp) {
    return centre(
      'warn',
      'The tracker does not answer',
      'It is dialled again. The stream begins by itself when it does.',
    );
  }
  if (peer.mode === 'ins' && peer.ins === null) return noIns(stats);
  if (peer.streamState === 'unknown') {
    return centre('wait', 'Not on air yet', 'No source has told the tracker of this stream. It begins here by itself.');
  }
  if (peer.mode === 'native' && peer.model?.neighbours === 0) {
    return centre('wait', 'Nobody gives this stream yet', 'Looking for peers that this page can dial.');
  }
  return centre('wait', 'One moment', 'Waiting for the first parts of the stream.');
}

/** What is wrong while the picture may well go on. */
function troubleOf({ peer, playedFrom }: SessionStats, online: boolean): Message | null {
  if (!online) return offline;
  if (playedFrom === 'hls') return straight;
  if (peer.streamState === 'interrupted') {
    const why = sentence(peer.streamStateWhy);
    return centre('wait', 'The source is interrupted', `${why}The picture goes on by itself when it is back.`);
  }
  if (peer.mode === 'hybrid' && peer.ins === null && peer.insServers > 0) {
    const text = 'The stream comes from peers and the source while INS servers are dialled again.';
    return centre('warn', 'The INS server is gone', text);
  }
  if (peer.mode === 'ins' && peer.ins === null) return noIns({ peer });
  if (!peer.trackerUp) {
    return centre('warn', 'The tracker is out of reach', 'The stream goes on without it. It is dialled again.');
  }
  return null;
}

function noIns({ peer }: Pick<SessionStats, 'peer'>): Message {
  if (peer.insServers > 0) {
    return centre('warn', 'No INS server answers', 'They are dialled again. The stream comes by itself when one does.');
  }
  return centre(
    'warn',
    'There is no INS server',
    'The tracker knows of none. Hybrid mode takes the stream from peers.',
  );
}

const ended = centre('over', 'The stream has ended', 'If it begins again, it does so here by itself.');

const straight = centre(
  'warn',
  'Straight from the source',
  'Nothing comes out of the swarm. The picture is plain HLS, a little later than live, until the swarm is back.',
);

const offline = centre('warn', 'You are offline', 'The stream goes on by itself when the connection is back.');

/** Somebody's own words as a sentence of ours, or nothing. */
function sentence(words: string): string {
  const text = words.trim().replace(/[.\s]+$/, '');
  return text === '' ? '' : `${text[0]!.toUpperCase()}${text.slice(1)}. `;
}
