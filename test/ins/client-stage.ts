import { InsClient } from '../../ins-client/api/client.ts';
import type { DialledLink } from '../../ins-client/api/dialler.ts';
import { type GetResult, type InsClientOptions, InsError } from '../../ins-client/node/index.ts';
import { nodePlatform } from '../../ins-client/node/platform.ts';
import { type RunningInsServer, startInsServer } from '../../ins-server/node/ins-server.ts';
import { type FromInsClient, insClientCodec } from '../../protocol/ins-messages.ts';
import { keysOf } from './helpers.ts';

/** What a client sends and receives, seen and changed between it and its socket. */
export class Tap {
  /** Messages sent, over all connections. */
  readonly sent: FromInsClient[] = [];
  blocksOut = 0;
  blocksIn = 0;
  blockBytesIn = 0;
  /** Block frames pass through here on their way in. */
  tamper: (frame: Uint8Array) => Uint8Array = (frame) => frame;
  /** Hears nothing of what the server says. */
  deaf = false;
  private link: DialledLink | undefined;

  readonly platform = {
    ...nodePlatform,
    dial: (url: string, events: Parameters<typeof nodePlatform.dial>[1]): DialledLink => {
      const link = nodePlatform.dial(url, {
        ...events,
        control: (bytes) => {
          if (!this.deaf) events.control(bytes);
        },
        block: (frame) => {
          if (this.deaf) return;
          this.blocksIn++;
          this.blockBytesIn += frame.length;
          events.block(this.tamper(frame));
        },
      });
      this.link = link;
      return {
        sendControl: (bytes) => {
          const decoded = insClientCodec.decode(bytes);
          if (decoded.ok && decoded.message !== undefined) this.sent.push(decoded.message);
          link.sendControl(bytes);
        },
        sendBlock: (header, block) => {
          this.blocksOut++;
          link.sendBlock(header, block);
        },
        close: (code, why) => link.close(code, why),
      };
    },
  };

  /** Ends the connection as a network does. */
  cut(): void {
    this.link?.close(4000, 'cut');
  }

  of<Type extends FromInsClient['type']>(type: Type): Extract<FromInsClient, { readonly type: Type }>[] {
    return this.sent.filter(
      (message): message is Extract<FromInsClient, { readonly type: Type }> => message.type === type,
    );
  }
}

/** A server and its clients, closed together. */
export class ClientStage {
  readonly server: RunningInsServer;
  private readonly clients: InsClient[] = [];

  private constructor(server: RunningInsServer) {
    this.server = server;
  }

  static async open(config: Partial<Parameters<typeof startInsServer>[0]> = {}): Promise<ClientStage> {
    return new ClientStage(await startInsServer({ port: 0, ...config }));
  }

  /** A client whose keys are those of the number, and what goes over its wire. */
  client(number: number, options: Partial<InsClientOptions> = {}): { readonly ins: InsClient; readonly tap: Tap } {
    const tap = new Tap();
    const keys = keysOf(number);
    const ins = new InsClient({ url: this.server.url, keys, application: 'test', ...options }, tap.platform);
    this.clients.push(ins);
    return { ins, tap };
  }

  async close(): Promise<void> {
    await Promise.all(this.clients.map((client) => client.close()));
    await this.server.close();
  }
}

export async function all<T>(results: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const result of results) list.push(result);
  return list;
}

/** What became of each, for comparing: its name, or why not. */
export function outcome(result: GetResult): string | null {
  return result.ok ? result.name : result.reason;
}

/** Resolves when it is so; fails after 8 s. */
export async function until(isSo: () => boolean): Promise<void> {
  const endMs = Date.now() + 8_000;
  while (!isSo()) {
    if (Date.now() > endMs) throw new Error(`waited in vain for ${isSo}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Time for what should not happen to happen. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 100));
}

/** Puts blocks, all of which have to be stored. @returns Their names. */
export async function putAll(ins: InsClient, blocks: Iterable<Uint8Array>): Promise<string[]> {
  return (await ins.putObjects(blocks)).map((result) => {
    if (result.ok) return result.name;
    throw new InsError(result);
  });
}
