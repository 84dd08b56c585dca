import { beforeEach, describe, expect, it } from 'vitest';
import { Queue } from '../../machine/machine.ts';
import { Prng } from '../../machine/prng.ts';
import { InsFeed } from '../../peer/core/ins-feed.ts';
import type { PeerOutput } from '../../peer/core/io.ts';
import { Lockers } from '../../peer/core/lockers.ts';
import type { FromInsServer } from '../../protocol/ins-messages.ts';
import { CLOSE } from '../../protocol/reasons.ts';
import { Catalogue } from '../../swarm/catalogue.ts';
import { LinkNumbers } from '../../swarm/io.ts';

const key = (fill: number): Uint8Array => new Uint8Array(32).fill(fill);

describe('a peer whose INS server sends it away', () => {
  let feed: InsFeed;
  let outputs: Queue<PeerOutput>;
  let nowMs: number;
  /** Where it has dialled, in order, and its last link. */
  let dialled: string[];
  let link: number;
  let refs: number;

  beforeEach(() => {
    nowMs = 1_800_000_000_000;
    dialled = [];
    refs = 0;
    outputs = new Queue<PeerOutput>();
    feed = new InsFeed({
      stream: key(9),
      key: key(1),
      invitation: undefined,
      useFollow: true,
      catalogue: new Catalogue(100),
      lockers: new Lockers(),
      numbers: new LinkNumbers(),
      prng: new Prng(1),
      outputs,
      nextRef: () => ++refs,
    });
  });

  const look = (): void => {
    for (let output = outputs.shift(); output !== undefined; output = outputs.shift()) {
      if (output.kind === 'sign') feed.signed(output.ref, new Uint8Array(64), nowMs);
      if (output.kind !== 'dial') continue;
      dialled.push(output.url);
      link = output.link;
    }
  };
  const offer = (...urls: string[]): void => {
    feed.failover.setServers(
      urls.map((url) => ({ url, region: '' })),
      nowMs,
    );
    look();
  };
  const say = (message: FromInsServer): void => {
    feed.linkInput(link, { kind: 'message', message }, nowMs);
    look();
  };
  const welcome = (): void => {
    feed.linkInput(link, { kind: 'opened' }, nowMs);
    say({ type: 'welcome', version: 1, server: key(2), nonce: key(3), clockMs: nowMs, blockBytesMax: 1_048_576 });
  };
  const pass = (ms: number): void => {
    const untilMs = nowMs + ms;
    for (let next = feed.nextDeadline(); next !== undefined && next <= untilMs; next = feed.nextDeadline()) {
      nowMs = Math.max(nowMs, next);
      feed.timeout(nowMs);
      look();
    }
    nowMs = untilMs;
  };
  /** The server that was dialled last has no room, or stops. */
  const sendAway = (otherServer: string | null, kind: 'busy' | 'draining' = 'busy'): void => {
    expect(feed.owns(link)).toBe(true);
    welcome();
    if (kind === 'draining') say({ type: 'accepted', quotaBytes: 1_000 });
    say({ type: 'notice', kind, otherServer, retryAfterMs: kind === 'busy' ? 5_000 : 0 });
    const code = kind === 'busy' ? CLOSE.tryLater : CLOSE.goingAway;
    feed.linkInput(link, { kind: 'closed', code, why: kind }, nowMs);
    look();
    pass(0);
  };

  it('goes to another one of its list at once, and only then to one that is named', () => {
    offer('ws://a', 'ws://b');
    sendAway('ws://c');
    expect(dialled).toEqual(['ws://a', 'ws://b']);
    sendAway('ws://c');
    expect(dialled).toEqual(['ws://a', 'ws://b', 'ws://c']);
    welcome();
    expect(feed.failover.url).toBe('ws://c');
    expect(feed.up).toBe(true);
  });

  it('goes to the one that a stopping server names, and stays there when the tracker’s list comes again', () => {
    offer('ws://a');
    sendAway('ws://c', 'draining');
    expect(dialled).toEqual(['ws://a', 'ws://c']);
    welcome();
    offer('ws://a');
    expect(feed.failover.url).toBe('ws://c');
    expect(dialled).toHaveLength(2);
    // Named once is not listed: it goes when we do.
    feed.failover.switchServer('nothing came for too long', nowMs);
    look();
    expect(dialled.at(-1)).toBe('ws://c');
    pass(8_000);
    feed.failover.switchServer('nothing came for too long', nowMs);
    look();
    expect(dialled.at(-1)).toBe('ws://a');
    offer('ws://a');
    feed.failover.switchServer('nothing came for too long', nowMs);
    look();
    expect(dialled.slice(-2)).toEqual(['ws://a', 'ws://a']);
  });

  it('waits as told where there is nowhere else to go, and asks nobody twice meanwhile', () => {
    offer('ws://a', 'ws://b');
    sendAway(null);
    sendAway('ws://a');
    expect(dialled).toEqual(['ws://a', 'ws://b']);
    pass(4_999);
    expect(dialled).toHaveLength(2);
    pass(3_000);
    expect(dialled.length).toBeGreaterThan(2);
  });

  it('does not dial what is no address of an INS server', () => {
    offer('ws://a');
    sendAway('http://c');
    expect(dialled).toEqual(['ws://a']);
  });
});
