import { connect } from 'node:net';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startPeer } from '../../peer/node/peer.ts';
import { streamIdFromText } from '../../protocol/names.ts';
import { type Transport, tcpFrom } from '../../runtime/node/transport.ts';
import type { RunningSource } from '../../source-server/node/source.ts';
// Brings `window.inswarm` with it.
import type {} from '../../web-player/page/window-api.ts';
import { type Gate, openGate } from '../harness/browser/gate.ts';
import { launchChromium } from '../support/browser.ts';
import { buildPage, pageUrl, Stage } from './stage.ts';

/** Each viewer's own; nobody else is there. */
const VIEWERS = ['127.91.17.33', '127.92.18.34'];
const PEER = '127.93.19.35';

let built: Awaited<ReturnType<typeof buildPage>>;
let browser: Browser;
let stage: Stage;
let source: RunningSource;
const gates: Gate[] = [];

beforeAll(async () => {
  [built, browser] = await Promise.all([buildPage(), launchChromium()]);
  stage = await Stage.open(built.folder);
  source = await stage.source();
});

afterAll(async () => {
  await browser?.close();
  for (const gate of gates) await gate.close();
  await stage?.close();
  await built?.remove();
});

/** A viewer at an address of its own, and all that its WebSockets bring. */
async function watchFrom(address: string, mode: 'ins' | 'hybrid'): Promise<{ page: Page; heard: Buffer[] }> {
  const gate = await openGate(tcpFrom(address));
  gates.push(gate);
  const page = await browser.newPage({ proxy: { server: gate.url, bypass: '<-loopback>' } });
  const heard: Buffer[] = [];
  page.on('websocket', (socket) => socket.on('framereceived', ({ payload }) => heard.push(Buffer.from(payload))));
  await page.goto(pageUrl(stage, source.stream, mode));
  await page.waitForFunction(() => window.inswarm !== undefined);
  await page.evaluate(() => window.inswarm?.play());
  await page.waitForFunction(() => (window.inswarm?.stats().decodedFrames ?? 0) > 10);
  return { page, heard };
}

/** TCP from the peer's address, and all bytes that come over connections which it has dialled. */
function overheard(heard: Buffer[], accepted: { count: number }): Transport {
  return {
    connect(options) {
      const socket = connect({ ...options, localAddress: PEER });
      const push = socket.push.bind(socket);
      socket.push = (chunk: Buffer | null) => {
        if (chunk !== null) heard.push(Buffer.from(chunk));
        return push(chunk);
      };
      return socket;
    },
    accepted(socket) {
      accepted.count++;
      return socket;
    },
  };
}

/** As text, and as the four bytes that it is. */
function names(heard: readonly Buffer[], address: string): boolean {
  const all = Buffer.concat(heard);
  return all.includes(address) || all.includes(Buffer.from(address.split('.').map(Number)));
}

it('INS mode: no address of a viewer is in anything that another viewer or a peer is told, and none of them connects to another', async () => {
  const [heardByPeer, accepted]: [Buffer[], { count: number }] = [[], { count: 0 }];
  const peer = await startPeer({
    tracker: stage.tracker.wsUrl,
    stream: streamIdFromText(source.stream)!,
    mode: 'hybrid',
    host: PEER,
    transport: overheard(heardByPeer, accepted),
  });
  try {
    const [first, second] = [await watchFrom(VIEWERS[0]!, 'ins'), await watchFrom(VIEWERS[1]!, 'ins')];
    // What one has is told to others by the tracker: both are in the same swarm, and hear of each other.
    await first.page.waitForFunction(() => window.inswarm!.stats().peer.wireByKind.tracker.controlIn > 1_000);
    for (const { heard } of [first, second, { heard: heardByPeer }]) {
      expect(Buffer.concat(heard).length).toBeGreaterThan(1_000);
      for (const address of VIEWERS) expect(names(heard, address)).toBe(false);
    }
    expect(accepted.count).toBe(0);
    for (const { page } of [first, second]) {
      const links = await page.evaluate(() => window.inswarm!.stats().peer.links.map(({ to }) => to));
      expect(links.sort()).toEqual(['ins', 'tracker']);
    }
    // An address that is told is found by the same look: of the peer, whom others may dial.
    const { heard } = await watchFrom('127.94.20.36', 'hybrid');
    await expect.poll(() => names(heard, PEER), { timeout: 30_000 }).toBe(true);
  } finally {
    await peer.close();
  }
});
