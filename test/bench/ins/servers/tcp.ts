import { type AddressInfo, createServer } from 'node:net';
import { type Calls, serveCalls } from '../process.ts';

/** A bare TCP stream: bytes for as long as somebody reads, in one piece after the other of memory that is there already. */

const PIECE = Buffer.alloc(256 * 1024, 7);
const server = createServer((socket) => {
  const more = (): void => {
    while (!socket.destroyed && socket.write(PIECE)) {
      // Until the kernel takes no more.
    }
  };
  socket.on('drain', more);
  socket.on('error', () => {});
  more();
});

const calls = {
  start(host: string): Promise<{ readonly host: string; readonly port: number }> {
    return new Promise((resolve) => {
      server.listen(0, host, () => resolve({ host, port: (server.address() as AddressInfo).port }));
    });
  },
} satisfies Calls;

export type TcpCalls = typeof calls;
serveCalls(calls);
