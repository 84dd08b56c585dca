import { Prng } from '../../machine/prng.ts';
import type { PeerInput, PeerOutput } from '../../peer/core/io.ts';
import { neighbourMesh } from '../../peer/core/neighbour-mesh.ts';
import { PeerCore } from '../../peer/core/peer.ts';
import { type BlockHeader, decodeBlockFrame, encodeBlockHeader } from '../../protocol/frames.ts';
import { toBase64Url } from '../../protocol/text.ts';
import { toTrackerCodec } from '../../protocol/tracker-messages.ts';
import { type Driven, drive } from '../../runtime/drive.ts';
import { silentLog } from '../../runtime/log.ts';
import { nodeClock } from '../../runtime/node/clock.ts';
import { makeKeyPair, randomSeed, verifySignature } from '../../runtime/node/crypto.ts';
import { hasName } from '../../runtime/node/hash.ts';
import { SwarmLinks } from '../../runtime/node/swarm-links.ts';
import { dialLink, type Link } from '../../runtime/node/ws-link.ts';
import { listenWebSockets } from '../../runtime/node/ws-server.ts';

/** What can be wrong with a block on its way. Each makes something wrong of something right. */
export type Twist = (header: BlockHeader, body: Uint8Array) => { header: BlockHeader; body: Uint8Array };

export const flippedBit: Twist = (header, body) => ({ header, body: flip(body, body.length >> 1) });
export const wrongLength: Twist = (header, body) => ({ header, body: body.subarray(0, body.length - 1) });
export const wrongSignature: Twist = (header, body) => {
  const { labelled } = header;
  if (labelled === null || labelled.companion.length === 0) return { header, body };
  const companion = flip(labelled.companion, labelled.companion.length - 1);
  return { header: { ...header, labelled: { ...labelled, companion } }, body };
};

function flip(bytes: Uint8Array, at: number): Uint8Array {
  const copy = bytes.slice();
  copy[at] = copy[at]! ^ 1;
  return copy;
}

export interface Evil {
  /** As victims name it. */
  readonly who: string;
  /** Blocks it has spoilt. */
  spoilt(): number;
  close(): Promise<void>;
}

/** A neighbour that plays along, takes its blocks from INS servers, and spoils every block it gives. */
export async function startEvilPeer(
  tracker: string,
  stream: Uint8Array,
  region: string,
  twist: Twist,
): Promise<Evil & { hasStarted(): boolean }> {
  const key = makeKeyPair();
  let driven: Driven<PeerInput> | undefined;
  let spoilt = 0;
  const links = new SwarmLinks((input) => driven?.input(input), silentLog);
  const listener = await listenWebSockets({ host: '127.0.0.1', port: 0 }, {}, (link) => links.accept(link));
  const perform = (output: PeerOutput): void => {
    const { input } = driven!;
    if (output.kind === 'sign') input({ kind: 'signed', ref: output.ref, signature: key.sign(output.bytes) });
    else if (output.kind === 'verify') {
      input({ kind: 'verified', ref: output.ref, ok: verifySignature(output.key, output.signed, output.signature) });
    } else if (output.kind === 'check-name') {
      input({ kind: 'named', ref: output.ref, ok: hasName(output.body as Uint8Array, output.name) });
    } else if (output.kind === 'send-block') {
      spoilt++;
      links.perform({ ...output, ...twist(output.header, output.body as Uint8Array) });
    } else if (!['description', 'part', 'begin', 'event', 'want-mesh', 'want-choice'].includes(output.kind)) {
      links.perform(output as Parameters<SwarmLinks['perform']>[0]);
    }
  };
  const url = `:${listener.port}`;
  const options = {
    stream,
    key: key.publicKey,
    url,
    region,
    trackerUrl: tracker,
    mode: 'hybrid',
    mesh: neighbourMesh,
  } as const;
  const core = new PeerCore({ ...options, prng: new Prng(randomSeed()) });
  driven = drive(core, perform, nodeClock);
  driven.input({ kind: 'start' });
  return {
    who: `peer ${toBase64Url(key.publicKey).slice(0, 12)} at ${url}`,
    spoilt: () => spoilt,
    hasStarted: () => core.stats(nodeClock.nowMs()).state === 'playing',
    async close() {
      driven?.input({ kind: 'stop' });
      driven?.stop();
      await links.close();
      await listener.close();
    },
  };
}

/** Stands before an INS server and spoils, in turn, one in `every` of the blocks that it sends. */
export async function startEvilProxy(
  ins: string,
  twists: readonly Twist[],
  every: number,
): Promise<Evil & { url: string }> {
  let blocks = 0;
  let spoilt = 0;
  const forward = (to: Link, frame: Uint8Array) => to.sendBlock(frame.subarray(0, 8), frame.subarray(8));
  const spoil = (to: Link, frame: Uint8Array): void => {
    const { header, block } = decodeBlockFrame(frame)!;
    // Only the first block of a part brings its record: all twists have something to work on there.
    if (header.labelled === null || header.labelled.companion.length === 0 || ++blocks % every !== 0) {
      forward(to, frame);
      return;
    }
    const twisted = twists[spoilt++ % twists.length]!(header, block);
    to.sendBlock(encodeBlockHeader(twisted.header), twisted.body);
  };
  const listener = await listenWebSockets({ host: '127.0.0.1', port: 0 }, {}, (client) => {
    const server = dialLink(ins, {
      control: (bytes) => client.sendControl(bytes),
      block: (frame) => spoil(client, frame),
      closed: (code, why) => client.close(code === 1006 ? 1011 : code, why),
    });
    return {
      control: (bytes) => server.sendControl(bytes),
      block: (frame) => forward(server, frame),
      closed: () => server.close(1000, 'the client is gone'),
    };
  });
  return { url: listener.url, who: listener.url, spoilt: () => spoilt, close: () => listener.close() };
}

/** Stands before a tracker and keeps from it where its clients can be dialled. */
export async function startHidingProxy(tracker: string): Promise<{ url: string; close(): Promise<void> }> {
  return listenWebSockets({ host: '127.0.0.1', port: 0 }, {}, (client) => {
    const server = dialLink(tracker, {
      control: (bytes) => client.sendControl(bytes),
      block: () => undefined,
      closed: (code, why) => client.close(code === 1006 ? 1011 : code, why),
    });
    return {
      control(bytes) {
        const decoded = toTrackerCodec.decode(bytes);
        const join = decoded.ok && decoded.message?.type === 'join' ? decoded.message : undefined;
        server.sendControl(join === undefined ? bytes : toTrackerCodec.encode({ ...join, url: null }));
      },
      block: () => undefined,
      closed: () => server.close(1000, 'the client is gone'),
    };
  });
}
