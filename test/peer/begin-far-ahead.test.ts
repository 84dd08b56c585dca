import { expect, test } from 'vitest';
import { Prng } from '../../machine/prng.ts';
import type { PeerInput, PeerOutput } from '../../peer/core/io.ts';
import { neighbourMesh } from '../../peer/core/neighbour-mesh.ts';
import { PeerCore } from '../../peer/core/peer.ts';
import { bitmapOf } from '../../protocol/bitmap.ts';
import { nameOfHash } from '../../protocol/names.ts';
import { encodeDescription, encodeRecord } from '../../protocol/records.ts';
import { concatBytes } from '../../protocol/text.ts';
import { makeDescription, makeRecord, VIDEO } from '../hls/made-stream.ts';

const stream = new Uint8Array(32).fill(1);
const keyOf = (at: number): Uint8Array => new Uint8Array(32).fill(at);
const sealed = (body: Uint8Array): Uint8Array => concatBytes(body, new Uint8Array(64));
const BLOCK = { name: nameOfHash(keyOf(7)), sizeBytes: 1_000 };
const parts = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, at) => from + at);

/** A native peer whose tracker knows the records up to part 17, and its neighbours; everything is verified. */
class Viewer {
  nowMs = 1_000;
  readonly askedFor: number[] = [];
  readonly links: number[] = [];
  private readonly core = new PeerCore({
    ...{ stream, key: keyOf(50), trackerUrl: 'ws://tracker/', mode: 'native', url: ':1' },
    mesh: neighbourMesh,
    prng: new Prng(1),
  });

  constructor(neighbours: number) {
    this.feed({ kind: 'start' });
    this.feed({ kind: 'link-opened', link: 1 });
    this.feed({
      ...{ kind: 'tracker-message', link: 1 },
      message: { type: 'welcome', version: 1, nonce: new Uint8Array(32) },
    });
    const named = parts(1, neighbours).map((at) => {
      const is = { mode: 'native', source: false, availability: [], token: null } as const;
      return { peer: keyOf(at), url: `ws://peer-${at}/`, ...is };
    });
    this.feed({
      ...{ kind: 'tracker-message', link: 1 },
      message: {
        ...{ type: 'joined', clockMs: 1_000, heartbeatMs: 2_000, state: 'live', neighbours: named, insServers: [] },
        description: sealed(encodeDescription(makeDescription({ tracks: [makeDescription().tracks[0]!] }))),
        records: parts(0, 17).map((part) => sealed(encodeRecord(makeRecord(part, { blocks: [BLOCK] })))),
      },
    });
    for (const [at, link] of this.links.entries()) {
      this.feed({ kind: 'link-opened', link });
      const is = { version: 1, stream, mode: 'native', source: false, gives: true, url: null } as const;
      this.feed({ kind: 'peer-message', link, message: { type: 'hello', key: keyOf(at + 1), ...is } });
    }
  }

  hold(from: number, to: number): void {
    const availability = [bitmapOf(VIDEO, parts(from, to))];
    for (const link of this.links)
      this.feed({ kind: 'peer-message', link, message: { type: 'bitmap', availability, token: null } });
  }

  pass(ms: number): void {
    const untilMs = this.nowMs + ms;
    for (let next = this.core.nextDeadline(); (next ?? untilMs) < untilMs; next = this.core.nextDeadline()) {
      this.nowMs = Math.max(this.nowMs, next!);
      this.core.handleTimeout(this.nowMs);
      this.take();
    }
    this.nowMs = untilMs;
  }

  private feed(input: PeerInput): void {
    this.core.handleInput(input, this.nowMs);
    this.take();
  }

  private take(): void {
    for (let output = this.core.pollOutput(); output !== undefined; output = this.core.pollOutput()) this.did(output);
  }

  private did(output: PeerOutput): void {
    if (output.kind === 'dial' && output.to === 'peer') this.links.push(output.link);
    if (output.kind === 'sign') this.feed({ kind: 'signed', ref: output.ref, signature: new Uint8Array(64) });
    if (output.kind === 'verify') this.feed({ kind: 'verified', ref: output.ref, ok: true });
    if (output.kind !== 'send-peer' || output.message.type !== 'request') return;
    this.askedFor.push(...output.message.items.map(({ part }) => part));
  }
}

test.each([
  [24, 46, 36],
  [60, 77, 68],
])(
  'a viewer whose last record is that of part 17 asks neighbours that hold %i to %i from part %i on',
  (from, to, begin) => {
    const viewer = new Viewer(6);
    viewer.hold(from, to);
    viewer.pass(1_000);
    expect(Math.min(...viewer.askedFor)).toBe(begin);
  },
);
