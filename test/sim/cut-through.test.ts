import { describe, expect, it } from 'vitest';
import type { BlockHeader } from '../../protocol/frames.ts';
import { EventQueue } from '../../sim/event-queue.ts';
import type { Host } from '../../sim/host.ts';
import { Network } from '../../sim/network.ts';
import type { PipeEnds } from '../../sim/pipe.ts';

const BLOCK = { byteLength: 100_000 };
const HEADER = {} as BlockHeader;
const MBPS = 1_000_000;

/** A block goes from a source through a server, which passes it on when it hears of it, to a viewer: when each hears of it, in ms. */
function passOn(
  cutThrough: boolean,
  serverBps: number,
): { readonly serverAtMs: number; readonly viewerAtMs: number; bytes: number } {
  const events = new EventQueue(0);
  const network = new Network(events, [[10]]);
  const host = (bps: number, cuts = false) =>
    network.host({ region: 0, upBps: bps, downBps: 1000 * MBPS, dialable: true, cutThrough: cuts });
  const [source, server, viewer] = [host(8 * MBPS), host(serverBps, cutThrough), host(8 * MBPS)] as [Host, Host, Host];
  let [serverAtMs, viewerAtMs] = [0, 0];
  const ends = (hears: () => void): PipeEnds => ({
    message: () => {},
    left: () => {},
    filled: () => {},
    block: hears,
  });
  const toViewer = network.pipe(
    server,
    viewer,
    ends(() => {
      viewerAtMs = events.nowMs;
    }),
  );
  const toServer = network.pipe(
    source,
    server,
    ends(() => {
      serverAtMs = events.nowMs;
      toViewer.sendBlock(HEADER, BLOCK, BLOCK.byteLength);
    }),
  );
  toServer.sendBlock(HEADER, BLOCK, BLOCK.byteLength);
  events.runUntil(10_000);
  return { serverAtMs, viewerAtMs, bytes: viewer.receivedBytes };
}

describe('a host that passes blocks on from their first packet', () => {
  it('hears of a block as soon as that is there, and others when it is whole', () => {
    // 100 kB at 8 Mbit/s leave in 100 ms, are 10 ms on the way, and the downlink takes 0.8 ms.
    expect(passOn(false, 8 * MBPS).serverAtMs).toBeCloseTo(110.8, 0);
    // A packet of 1.5 kB takes 1.5 ms.
    expect(passOn(true, 8 * MBPS).serverAtMs).toBeCloseTo(11.5, 0);
  });

  it('saves the time that the block would have stood there', () => {
    expect(passOn(false, 8 * MBPS).viewerAtMs).toBeCloseTo(221.6, 0);
    expect(passOn(true, 8 * MBPS).viewerAtMs).toBeCloseTo(122.3, 0);
  });

  it('has passed on all of it no earlier than it has it, however fast its own link is', () => {
    // At 80 Mbit/s the viewer could have it in 10 ms; its last packet is at the server after 110.8 ms.
    const { viewerAtMs } = passOn(true, 80 * MBPS);
    expect(viewerAtMs).toBeGreaterThan(120.8);
    expect(viewerAtMs).toBeLessThan(122);
  });

  it('sends each byte once', () => {
    expect(passOn(true, 8 * MBPS).bytes).toBe(100_000);
  });

  it('hears of everything in the order in which it was sent, though its downlink is behind', () => {
    const events = new EventQueue(0);
    const network = new Network(events, [[10]]);
    const host = (bps: number) =>
      network.host({ region: 0, upBps: bps, downBps: bps, dialable: true, cutThrough: true });
    const heard: unknown[] = [];
    const server = host(MBPS);
    const pipe = network.pipe(host(80 * MBPS), server, {
      message: (message) => heard.push(message),
      block: (_, body) => heard.push(body.byteLength),
      left: () => {},
      filled: () => {},
    });
    for (const size of [50_000, 40_000, 30_000]) {
      pipe.sendMessage(`${size} follow`, 50);
      pipe.sendBlock(HEADER, { byteLength: size }, size);
    }
    events.runUntil(10_000);
    expect(heard).toEqual(['50000 follow', 50_000, '40000 follow', 40_000, '30000 follow', 30_000]);
    // Each byte came through it once.
    expect(server.receivedBytes).toBe(120_150);
  });
});
