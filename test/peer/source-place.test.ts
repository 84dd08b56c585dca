import { expect, test } from 'vitest';
import { Prng } from '../../machine/prng.ts';
import type { PeerOutput } from '../../peer/core/io.ts';
import { neighbourMesh } from '../../peer/core/neighbour-mesh.ts';
import { PeerCore } from '../../peer/core/peer.ts';
import type { FromTracker } from '../../protocol/tracker-messages.ts';

const stream = new Uint8Array(32).fill(1);
const keyOf = (at: number): Uint8Array => new Uint8Array(32).fill(at);
const SOURCE = 99;

/** A native peer that the tracker has named the source and `others`; all of them were dialled and said hello. */
class Viewer {
  readonly closed: number[] = [];
  private readonly core = new PeerCore({
    ...{ stream, key: keyOf(50), trackerUrl: 'ws://tracker/', mode: 'native', url: ':1' },
    mesh: neighbourMesh,
    prng: new Prng(1),
  });
  private readonly linkOf = new Map<string, number>();
  private ref = 0;

  constructor(others: number) {
    this.feed({ kind: 'start' });
    this.feed({ kind: 'link-opened', link: 1 });
    this.told({ type: 'welcome', version: 1, nonce: new Uint8Array(32) });
    this.feed({ kind: 'signed', ref: this.ref, signature: new Uint8Array(64) });
    const neighbours = Array.from({ length: others }, (_, at) => named(at + 1, `ws://peer-${at + 1}/`, false));
    this.told({
      ...{ type: 'joined', clockMs: 1_000, heartbeatMs: 2_000, state: 'live', description: null, records: [] },
      ...{ neighbours: [named(SOURCE, 'ws://source/', true), ...neighbours], insServers: [] },
    });
    for (const [url, link] of this.linkOf) {
      if (url === 'ws://tracker/') continue;
      this.feed({ kind: 'link-opened', link });
      const source = url === 'ws://source/';
      const is = { version: 1, stream, mode: 'native', source, gives: true, url } as const;
      const key = keyOf(source ? SOURCE : Number(/\d+/.exec(url)![0]));
      this.feed({ kind: 'peer-message', link, message: { type: 'hello', key, ...is } });
    }
  }

  get sourceLink(): number {
    return this.linkOf.get('ws://source/')!;
  }

  told(message: FromTracker): void {
    this.feed({ kind: 'tracker-message', link: 1, message });
  }

  private feed(input: Parameters<PeerCore['handleInput']>[0]): void {
    this.core.handleInput(input, 1_000);
    for (let output = this.core.pollOutput(); output !== undefined; output = this.core.pollOutput()) this.did(output);
  }

  private did(output: PeerOutput): void {
    if (output.kind === 'dial') this.linkOf.set(output.url, output.link);
    if (output.kind === 'sign') this.ref = output.ref;
    if (output.kind === 'close') this.closed.push(output.link);
  }
}

function named(at: number, url: string | null, source: boolean) {
  return { peer: keyOf(at), url, mode: 'native', source, availability: [], token: null } as const;
}

test('TR15: whose place at the source is for another ends its connection there, if it has others to take from', () => {
  const taken: FromTracker = { type: 'neighbours', neighbours: [named(SOURCE, null, true)] };
  const viewer = new Viewer(6);
  expect(viewer.closed).toEqual([]);
  viewer.told(taken);
  expect(viewer.closed).toEqual([viewer.sourceLink]);
  const lonely = new Viewer(3);
  lonely.told(taken);
  expect(lonely.closed).toEqual([]);
});
