import { beforeEach, describe, expect, it } from 'vitest';
import { Prng } from '../../machine/prng.ts';
import type { PeerInput, PeerOutput } from '../../peer/core/io.ts';
import { neighbourMesh } from '../../peer/core/neighbour-mesh.ts';
import { PeerCore } from '../../peer/core/peer.ts';
import { CLOSE } from '../../protocol/reasons.ts';
import type { NeighbourEntry } from '../../protocol/swarm-fields.ts';

const stream = new Uint8Array(32).fill(1);
const TRACKER = 1;

/** A hybrid viewer that has joined, without a mesh; `servers` is what the tracker names. */
class Viewer {
  nowMs = 1_000;
  readonly outputs: PeerOutput[] = [];
  readonly core = new PeerCore({
    ...{ stream, key: new Uint8Array(32).fill(2), trackerUrl: 'ws://tracker/', mode: 'hybrid', url: null },
    ...{ mesh: null, prng: new Prng(1) },
  });

  join(servers: readonly string[]): void {
    this.feed({ kind: 'link-opened', link: TRACKER });
    const message = { type: 'welcome', version: 1, nonce: new Uint8Array(32) } as const;
    this.feed({ kind: 'tracker-message', link: TRACKER, message });
    this.feed({ kind: 'signed', ref: this.of('sign')[0]!.ref, signature: new Uint8Array(64) });
    const insServers = servers.map((url) => ({ url, region: '' }));
    this.feed({
      ...{ kind: 'tracker-message', link: TRACKER },
      message: {
        ...{ type: 'joined', clockMs: 1_000, heartbeatMs: 2_000, state: 'live', description: null, records: [] },
        ...{ neighbours: [neighbour(3), neighbour(4)], insServers },
      },
    });
  }

  feed(input: PeerInput): void {
    this.core.handleInput(input, this.nowMs);
    this.drain();
  }

  pass(ms: number): void {
    const untilMs = this.nowMs + ms;
    for (let next = this.core.nextDeadline(); next !== undefined && next <= untilMs; next = this.core.nextDeadline()) {
      this.nowMs = Math.max(this.nowMs, next);
      this.core.handleTimeout(this.nowMs);
      this.drain();
    }
    this.nowMs = untilMs;
  }

  of<K extends PeerOutput['kind']>(kind: K): Extract<PeerOutput, { kind: K }>[] {
    return this.outputs.filter((output) => output.kind === kind) as Extract<PeerOutput, { kind: K }>[];
  }

  get dialled(): string[] {
    return this.of('dial').map(({ url }) => url);
  }

  private drain(): void {
    for (let output = this.core.pollOutput(); output !== undefined; output = this.core.pollOutput())
      this.outputs.push(output);
  }
}

function neighbour(at: number): NeighbourEntry {
  const is = { mode: 'hybrid', source: false, availability: [], token: null } as const;
  return { peer: new Uint8Array(32).fill(at), url: `ws://neighbour-${at}/`, ...is };
}

describe('a hybrid viewer without a mesh', () => {
  let viewer: Viewer;

  beforeEach(() => {
    viewer = new Viewer();
    viewer.feed({ kind: 'start' });
  });

  it('dials the tracker and INS servers alone, and those that the tracker has named as soon as it has one', () => {
    viewer.join(['ws://ins/']);
    viewer.pass(300);
    expect(viewer.dialled).toEqual(['ws://tracker/', 'ws://ins/']);
    viewer.feed({ kind: 'mesh', make: neighbourMesh });
    viewer.pass(10);
    expect(viewer.dialled.slice(2).sort()).toEqual(['ws://neighbour-3/', 'ws://neighbour-4/']);
  });

  it('does not dial who has left meanwhile', () => {
    viewer.join(['ws://ins/']);
    const gone = { peer: neighbour(3).peer, availability: [], token: null, gone: true } as const;
    viewer.feed({
      kind: 'tracker-message',
      link: TRACKER,
      message: { type: 'digest', neighbours: [gone], records: [] },
    });
    viewer.feed({ kind: 'mesh', make: neighbourMesh });
    viewer.pass(10);
    expect(viewer.dialled.slice(2)).toEqual(['ws://neighbour-4/']);
  });

  it('asks for one, once, when playback has not begun soon, and at once when there is no INS server', () => {
    viewer.join(['ws://ins/']);
    viewer.pass(300);
    expect(viewer.of('want-mesh')).toEqual([]);
    viewer.pass(3_000);
    expect(viewer.of('want-mesh')).toHaveLength(1);
    const lonely = new Viewer();
    lonely.feed({ kind: 'start' });
    lonely.join([]);
    expect(lonely.of('want-mesh')).toHaveLength(1);
  });

  it('asks for one when the picture is there', () => {
    viewer.join(['ws://ins/']);
    viewer.feed({ kind: 'screen', screen: { part: 3, offsetMs: 0, rate: 1 } });
    expect(viewer.of('want-mesh')).toHaveLength(1);
  });

  it('turns away who dials it, with a reason, and hears nothing of what is said there', () => {
    viewer.join(['ws://ins/']);
    viewer.feed({ kind: 'link-accepted', link: -1 });
    expect(viewer.of('close')).toEqual([
      { kind: 'close', link: -1, code: CLOSE.tryLater, why: 'no neighbours are taken' },
    ]);
    const items = [{ track: 0, part: 0, index: 0, deadlineMs: 1_000 }];
    viewer.feed({ kind: 'peer-message', link: -1, message: { type: 'request', request: 1, items } });
    const header = { request: 1, item: 0, kept: false, labelled: null };
    viewer.feed({ kind: 'peer-block', link: -1, header, body: { byteLength: 5_000 } });
    viewer.feed({ kind: 'sent', link: -1, bytes: 10 });
    viewer.feed({ kind: 'violation', link: -1, why: 'nonsense' });
    viewer.feed({ kind: 'link-closed', link: -1, code: CLOSE.tryLater, why: '' });
    viewer.pass(1_000);
    expect(viewer.of('send-peer')).toEqual([]);
    expect(viewer.of('send-block')).toEqual([]);
    const { bytesFrom, neighbours, givenBytes, bad } = viewer.core.stats(viewer.nowMs);
    expect([bytesFrom, neighbours, givenBytes, bad]).toEqual([{ ins: 0, peers: 0, source: 0 }, 0, 0, 0]);
  });

  it('gives nothing to those it dials later, where the line has become dear before', () => {
    viewer.join(['ws://ins/']);
    viewer.feed({ kind: 'give', gives: false });
    viewer.feed({ kind: 'mesh', make: neighbourMesh });
    viewer.pass(10);
    const { link } = viewer.of('dial').find(({ url }) => url === 'ws://neighbour-3/')!;
    viewer.feed({ kind: 'link-opened', link });
    const is = { version: 1, stream, mode: 'hybrid', source: false, gives: true, url: null } as const;
    viewer.feed({ kind: 'peer-message', link, message: { type: 'hello', key: neighbour(3).peer, ...is } });
    const items = [{ track: 0, part: 0, index: 0, deadlineMs: 1_000 }];
    viewer.feed({ kind: 'peer-message', link, message: { type: 'request', request: 1, items } });
    const answers = viewer.of('send-peer').map(({ message }) => message);
    expect(answers).toContainEqual(expect.objectContaining({ type: 'refused', reason: 'NOT_ALLOWED' }));
  });
});
