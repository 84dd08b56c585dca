import { afterEach, describe, expect, it } from 'vitest';
import { dialLink, type Link } from '../../runtime/node/ws-link.ts';
import { listenWebSockets, type WebSocketListener } from '../../runtime/node/ws-server.ts';

const header = Uint8Array.of(1, 0, 0, 0, 0, 9, 0, 0);

describe('what a server sends to many in one turn', () => {
  let listener: WebSocketListener | undefined;
  afterEach(() => listener?.close());

  /** So many readers, each with what has come to it and the server's end of its link. */
  const connect = async (count: number): Promise<{ readonly far: Link; readonly came: string[] }[]> => {
    const far: Link[] = [];
    listener = await listenWebSockets({ host: '127.0.0.1', port: 0 }, {}, (link) => {
      far.push(link);
      return { control() {}, block() {}, closed() {} };
    });
    const { url } = listener;
    const readers: { readonly far: Link; readonly came: string[] }[] = [];
    for (let reader = 0; reader < count; reader++) {
      const came: string[] = [];
      await new Promise<void>((resolve) => {
        dialLink(url, {
          opened: resolve,
          control: (bytes) => came.push(`control ${bytes[1]}`),
          block: (frame) => came.push(`block ${frame[8]} of ${frame.length}`),
          closed: (code) => came.push(`closed ${code}`),
        });
      });
      while (far.length <= reader) await new Promise((resolve) => setImmediate(resolve));
      readers.push({ far: far[reader]!, came });
    }
    return readers;
  };
  const until = async (what: () => boolean): Promise<void> => {
    for (let tries = 0; !what() && tries < 4_000; tries++) await new Promise((resolve) => setTimeout(resolve, 2));
  };

  it('comes to each whole and in its order, though they were sent to in turn', async () => {
    // More than are gathered for at once.
    const readers = await connect(40);
    const sizes = [100, 70_000, 5];
    for (const [round, size] of sizes.entries()) {
      for (const { far } of readers) {
        far.sendBlock(header, new Uint8Array(size).fill(round + 1));
        far.sendControl(Uint8Array.of(0x91, round));
      }
    }
    for (const { far } of readers) far.close(1000, 'done');
    const expected = sizes.flatMap((size, round) => [`block ${round + 1} of ${size + 8}`, `control ${round}`]);
    for (const { came } of readers) {
      await until(() => came.at(-1)?.startsWith('closed') === true);
      expect(came).toEqual([...expected, 'closed 1000']);
    }
  });
});
