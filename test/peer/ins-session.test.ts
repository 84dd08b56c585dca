import { describe, expect, it } from 'vitest';
import { Queue } from '../../machine/machine.ts';
import { Prng } from '../../machine/prng.ts';
import { InsSession } from '../../peer/core/ins-session.ts';
import type { PeerOutput } from '../../peer/core/io.ts';
import { LinkNumbers } from '../../swarm/io.ts';

const key = (fill: number): Uint8Array => new Uint8Array(32).fill(fill);
const [HIGH, LOW, SOUND] = [0, 1, 2];

describe('what a server sends unasked', () => {
  const following = (tracks: readonly number[]): InsSession => {
    const options = { url: 'ws://a', key: key(1), application: '', prng: new Prng(1) };
    const session = new InsSession(options, new LinkNumbers(), new Queue<PeerOutput>(), () => {}, 0);
    session.server = key(2);
    session.begin({ handle: 1, owner: '', sealed: key(3), tracks, from: 50, askedAtMs: 0 }, key(4), 'normal', 0);
    return session;
  };

  it('is of the tracks that it was asked for: what the rendition before still lacks has to be asked for', () => {
    const session = following([HIGH, SOUND]);
    expect([session.expects(HIGH, 55), session.expects(SOUND, 55), session.expects(LOW, 55)]).toEqual([
      true,
      true,
      false,
    ]);
    expect([session.expects(HIGH, 49), following([]).expects(LOW, 55)]).toEqual([false, true]);
  });

  it('does not come any more once something newer of the track has', () => {
    const session = following([HIGH, SOUND]);
    session.followed(HIGH, 57);
    expect([session.expects(HIGH, 56), session.expects(HIGH, 57), session.expects(SOUND, 56)]).toEqual([
      false,
      true,
      true,
    ]);
  });
});
