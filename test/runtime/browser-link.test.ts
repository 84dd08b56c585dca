import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it, vi } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { FRAME_BLOCK } from '../../protocol/frames.ts';
import { dialLink, type Link } from '../../runtime/browser/ws-link.ts';

const BLOCKS = 5;
const BLOCK_BYTES = 20_000;

let server: WebSocketServer | undefined;
afterEach(() => {
  vi.unstubAllGlobals();
  for (const client of server?.clients ?? []) client.terminate();
  server?.close();
});

it('a page hears that each block has left, also of one that it sends when it hears of the one before', async () => {
  vi.stubGlobal('window', globalThis);
  vi.stubGlobal('WebSocket', WebSocket);
  server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  let told = 0;
  await new Promise<void>((resolve) => {
    const send = () => link.sendBlock(Uint8Array.of(FRAME_BLOCK), new Uint8Array(BLOCK_BYTES));
    const link: Link = dialLink(`ws://127.0.0.1:${port}`, {
      opened: send,
      control: () => undefined,
      block: () => undefined,
      drained(leftBytes) {
        if (leftBytes > 0) return;
        told++;
        if (told < BLOCKS) send();
        else link.close(1000, 'all have left');
      },
      closed: () => resolve(),
    });
  });
  expect(told).toBe(BLOCKS);
});
