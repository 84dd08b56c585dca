import type { PlayerFigures } from '../../peer/core/figures.ts';
import type { Session, SessionStats } from './session.ts';

/** The page's figures in the words that headless peers use. */
export function figuresOf(session: Session): PlayerFigures {
  const stats = session.stats();
  const { mode, bytesFrom, givenBytes, usefulBytes, bad, ins, wire, wireByKind, model } = stats.peer;
  const { failure, bufferMs, latencyMs, startupDelayMs, freezes, frozenMs, lastFreezes } = stats;
  return {
    ...{ state: stateOf(stats), failure, mode, part: session.partOnScreen ?? -1, bufferMs, latencyMs },
    ...{ startupDelayMs, freezes, frozenMs, lastFreezes },
    ...{ dueBlocks: model?.dueBlocks ?? 0, missedBlocks: model?.missedBlocks ?? 0 },
    ...{ bytesFrom, usefulBytes, givenBytes, bad, neighbours: model?.neighbours ?? 0, ins },
    sentBytes: { data: wire.dataOut, control: wire.controlOut },
    receivedBytes: { data: wire.dataIn, control: wire.controlIn },
    links: wireByKind,
    model: {
      startupDelayMs: model?.startupDelayMs ?? null,
      freezes: model?.freezes ?? 0,
      frozenMs: model?.frozenMs ?? 0,
    },
  };
}

function stateOf({ phase, startupDelayMs }: SessionStats): PlayerFigures['state'] {
  if (startupDelayMs === null) return 'waiting';
  return phase === 'frozen' || phase === 'failed' ? 'stalled' : 'playing';
}
