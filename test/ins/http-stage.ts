import { connect } from 'node:net';
import { type InsServerConfig, type RunningInsServer, startInsServer } from '../../ins-server/node/ins-server.ts';
import { toBase64Url } from '../../protocol/text.ts';
import { OPERATION, type Token } from '../../protocol/token.ts';
import { nameOf } from '../../runtime/node/hash.ts';
import { keysOf, sealToken, TestClient } from './helpers.ts';
import type { HttpAnswer } from './http-client.ts';

export const UNNAMED = new Uint8Array(32);
export const owner = keysOf(1);
export const ALL = OPERATION.get | OPERATION.put | OPERATION.delete | OPERATION.status;

/** Servers that are asked over HTTP, and clients on WebSockets beside them; closed together. */
export class HttpStage {
  private readonly servers: RunningInsServer[] = [];
  private readonly clients: TestClient[] = [];

  async start(config: Partial<InsServerConfig> = {}): Promise<RunningInsServer> {
    const server = await startInsServer({ port: 0, ...config });
    this.servers.push(server);
    return server;
  }

  connected(server: RunningInsServer, number: number): TestClient {
    const client = new TestClient(server.url, keysOf(number));
    this.clients.push(client);
    return client;
  }

  /** Ends all; others can be started then. */
  async close(): Promise<void> {
    await Promise.all(this.clients.splice(0).map(({ client }) => client.close()));
    await Promise.all(this.servers.splice(0).map((server) => server.close()));
  }
}

export function bearer(server: RunningInsServer, claims: Partial<Token> = {}): { readonly authorization: string } {
  const where = [{ key: server.serverKey, url: server.url }];
  const token = sealToken(owner, where, { operations: ALL, collection: UNNAMED, ...claims });
  return { authorization: `Bearer ${toBase64Url(token)}` };
}

export function urlOf(server: RunningInsServer, path: string): string {
  return `http://127.0.0.1:${server.port}${path}`;
}

export function blockUrl(server: RunningInsServer, body: Uint8Array): string {
  return urlOf(server, `/.well-known/ni/blake3/${toBase64Url(nameOf(body).subarray(1))}`);
}

export function json({ body }: HttpAnswer): Record<string, unknown> {
  return JSON.parse(Buffer.from(body).toString());
}

/** Status and reason. */
export function told(answer: HttpAnswer): [number, unknown] {
  return [answer.status, json(answer).reason];
}

/** Sends text as it is, gives all that comes until the other side closes. */
export function raw(server: RunningInsServer, text: string, andNoMore = false): Promise<string> {
  return new Promise((resolve) => {
    let got = '';
    const socket = connect(server.port, '127.0.0.1', () => {
      socket.write(text, 'latin1');
      // Whoever waits for more of a body learns that none comes.
      if (andNoMore) socket.end();
    });
    socket.setEncoding('latin1');
    socket.on('data', (data) => {
      got += data;
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(got));
  });
}
