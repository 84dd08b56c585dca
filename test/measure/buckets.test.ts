import { createServer, type Server, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createHttpServer } from '../../runtime/node/http.ts';
import { tcpFrom } from '../../runtime/node/transport.ts';
import { dialLink, type Link, type LinkEvents } from '../../runtime/node/ws-link.ts';
import { listenWebSockets, type WebSocketListener } from '../../runtime/node/ws-server.ts';
import { PacedHost } from '../harness/links/buckets/paced-host.ts';
import type { KindCounts, LinkOrder } from '../harness/links/links.ts';
import { WINDOW_BYTES } from '../harness/links/relay/way.ts';
import { HandClock } from './hand-clock.ts';

/** Region 0 is 10 ms across; it is 40 ms to region 1 and 60 back. */
const DELAYS = [
  [10, 40],
  [60, 10],
];
const MBIT = 1_000_000;
const UNLIMITED = Number.POSITIVE_INFINITY;
const SERVER = '127.78.0.1';
const CLIENT = '127.78.0.2';
const HEADER = Uint8Array.of(1, 0, 0, 0, 0, 9, 0, 0);

class Told implements LinkEvents {
  readonly messages: Uint8Array[] = [];
  readonly blocks: Uint8Array[] = [];
  readonly drains: number[] = [];
  isOpen = false;
  end: { readonly code: number; readonly why: string } | undefined;
  opened(): void {
    this.isOpen = true;
  }
  control(bytes: Uint8Array): void {
    this.messages.push(bytes);
  }
  block(frame: Uint8Array): void {
    this.blocks.push(frame);
  }
  drained(leftBytes: number): void {
    this.drains.push(leftBytes);
  }
  closed(code: number, why: string): void {
    this.end = { code, why };
  }
}

interface Rates {
  readonly upBps?: number;
  readonly downBps?: number;
}

interface End {
  readonly link: Link;
  readonly told: Told;
  readonly address?: string;
}

describe('a host whose links are token buckets', () => {
  let clock: HandClock;
  const regions = new Map<string, number>();
  const ends: (() => unknown)[] = [];
  beforeEach(() => {
    clock = new HandClock();
    regions.clear();
  });
  afterEach(async () => {
    for (const end of ends.splice(0).reverse()) await end();
  });

  const host = (address: string, region: number, { upBps = UNLIMITED, downBps = UNLIMITED }: Rates = {}): PacedHost => {
    regions.set(address, region);
    const paced = new PacedHost({
      host: { name: address, address, region, upBps, downBps },
      delays: DELAYS,
      regionOf: (from) => regions.get(from),
      clock,
    });
    ends.push(() => paced.close());
    return paced;
  };

  /** Gives sockets the time to hand over what they have, which takes none of the clock. */
  const settle = async (): Promise<void> => {
    const endMs = Date.now() + 20;
    while (Date.now() < endMs) await setImmediate();
  };
  /** Lets time pass on the clock, step by step, as for a process that is not busy. */
  const pass = async (ms: number, stepMs = 5): Promise<void> => {
    for (let left = ms; left > 0; left -= stepMs) {
      clock.pass(Math.min(stepMs, left));
      for (let turn = 0; turn < 4; turn++) await setImmediate();
    }
    await settle();
  };
  /** Waits while the clock stands. */
  const until = async (what: () => boolean): Promise<void> => {
    const endMs = Date.now() + 5_000;
    while (!what()) {
      if (Date.now() > endMs) throw new Error(`waited for ${what}`);
      await setImmediate();
    }
  };
  /** Waits while the clock goes on. */
  const inTime = async (what: () => boolean): Promise<void> => {
    const endMs = Date.now() + 5_000;
    while (!what()) {
      if (Date.now() > endMs) throw new Error(`waited for ${what}`);
      clock.pass(5);
      await setImmediate();
    }
  };

  const listen = async (paced: PacedHost, address: string) => {
    const far: Required<End>[] = [];
    const { transport } = paced;
    const listener = await listenWebSockets({ host: address, port: 0 }, { transport }, (link, request) => {
      far.push({ link, told: new Told(), address: request.address });
      return far.at(-1)!.told;
    });
    ends.push(async () => {
      const closed = listener.close();
      await pass(200);
      await closed;
    });
    return { listener, far };
  };
  const dial = ({ transport }: PacedHost, { url }: WebSocketListener): End => {
    const told = new Told();
    return { told, link: dialLink(url, told, { transport }) };
  };
  /** Two hosts, in regions 0 (the server) and 1, and an open link between them. */
  const pair = async (serverRates: Rates = {}, clientRates: Rates = {}) => {
    const [server, client] = [host(SERVER, 0, serverRates), host(CLIENT, 1, clientRates)];
    const { listener, far } = await listen(server, SERVER);
    const near = dial(client, listener);
    await inTime(() => near.told.isOpen);
    await until(() => far.length === 1);
    return { server, client, listener, near, far: far[0]!, others: far };
  };
  const both = (hosts: readonly PacedHost[], order: LinkOrder): void => {
    for (const each of hosts) each.order(order);
  };

  it('opens a link after the round trips of TCP and of the upgrade, from its own address', async () => {
    const [server, client] = [host(SERVER, 0), host(CLIENT, 1)];
    const { listener, far } = await listen(server, SERVER);
    const { told } = dial(client, listener);
    await pass(99);
    expect(far).toHaveLength(0);
    await pass(60);
    expect(far).toHaveLength(0);
    await pass(1);
    await until(() => far.length === 1);
    expect(far[0]!.address).toBe(CLIENT);
    await pass(39);
    expect(told.isOpen).toBe(false);
    await pass(2);
    await until(() => told.isOpen);
  });

  it('says that nobody listens after a round trip', async () => {
    const [, client] = [host(SERVER, 0), host(CLIENT, 1)];
    const told = new Told();
    dialLink(`ws://${SERVER}:9`, told, client);
    await pass(99);
    expect(told.end).toBeUndefined();
    await pass(2);
    await until(() => told.end !== undefined);
    expect(told.end!.why).toContain('ECONNREFUSED');
  });

  it('delays each way as the regions say', async () => {
    const { near, far } = await pair();
    near.link.sendControl(Uint8Array.of(0x91, 1));
    far.link.sendControl(Uint8Array.of(0x91, 2));
    await settle();
    await pass(39);
    expect(near.told.messages).toHaveLength(0);
    await pass(2);
    await until(() => near.told.messages.length === 1);
    expect(far.told.messages).toHaveLength(0);
    await pass(17);
    expect(far.told.messages).toHaveLength(0);
    await pass(3);
    await until(() => far.told.messages.length === 1);
  });

  it('sends at the rate of its uplink, and a program learns when its bytes have left', async () => {
    const { near, far } = await pair({ upBps: MBIT });
    const block = new Uint8Array(125_000);
    far.link.sendBlock(HEADER, block);
    await settle();
    await pass(980);
    expect(far.told.drains).toEqual([]);
    expect(far.link.bufferedBytes).toBeGreaterThan(0);
    await pass(30);
    expect(far.told.drains).toEqual([0]);
    expect(far.link.bufferedBytes).toBe(0);
    expect(near.told.blocks).toHaveLength(0);
    await pass(40);
    await until(() => near.told.blocks.length === 1);
    expect(Buffer.compare(near.told.blocks[0]!, Buffer.concat([HEADER, block]))).toBe(0);
  });

  it('takes at the rate of its downlink what several send at once, and holds senders back', async () => {
    const client = host(CLIENT, 1, { downBps: MBIT });
    const near: End[] = [];
    const far: Required<End>[][] = [];
    for (const address of [SERVER, '127.78.0.3']) {
      const { listener, far: links } = await listen(host(address, 0), address);
      far.push(links);
      near.push(dial(client, listener));
    }
    await inTime(() => near.every(({ told }) => told.isOpen));
    const links = far.map(([first]) => first!);
    const block = new Uint8Array(250_000);
    for (const { link } of links) for (let count = 0; count < 80; count++) link.sendBlock(HEADER, block);
    await settle();
    await pass(2_000);
    const came = client.counts().received.dataBytes;
    expect(came).toBeLessThanOrEqual(2_000 * 125);
    expect(came).toBeGreaterThan(1_900 * 125);
    // What is beyond the window of a connection waits with its sender, whatever the kernel would hold.
    for (const { link } of links) expect(link.bufferedBytes).toBeGreaterThan(20_000_000 - WINDOW_BYTES - came);
    client.order({ do: 'rates', host: CLIENT, upBps: UNLIMITED, downBps: UNLIMITED });
    await inTime(() => near.every(({ told }) => told.blocks.length === 80));
    expect(links.map(({ link }) => link.bufferedBytes)).toEqual([0, 0]);
  });

  it('counts what its links count, to the byte, and to whom blocks went', async () => {
    const { server, client, near, far } = await pair({ upBps: 8 * MBIT }, { downBps: 5 * MBIT });
    for (const length of [1, 90, 200, 70_000]) {
      near.link.sendControl(new Uint8Array(Math.min(length, 60_000)).fill(0x90));
      far.link.sendControl(new Uint8Array(Math.min(length, 60_000)).fill(0x90));
      near.link.sendBlock(HEADER, new Uint8Array(length));
      far.link.sendBlock(HEADER, new Uint8Array(length));
    }
    await inTime(() => near.told.blocks.length === 4 && far.told.blocks.length === 4);
    const kinds = ({ dataBytes, controlBytes, dataMessages, controlMessages }: KindCounts) => {
      return [dataBytes, controlBytes, dataMessages, controlMessages];
    };
    const [{ counters: nearCounters }, { counters: farCounters }] = [near.link, far.link];
    expect(kinds(client.counts().sent)).toEqual([nearCounters.dataOut, nearCounters.controlOut, 4, 4]);
    expect(kinds(server.counts().sent)).toEqual([farCounters.dataOut, farCounters.controlOut, 4, 4]);
    expect(client.counts().received).toEqual(server.counts().sent);
    expect(server.counts().received).toEqual(client.counts().sent);
    // The upgrade: a request, and an answer.
    expect(client.counts().sent.otherBytes).toBeGreaterThan(100);
    expect(client.flows()).toEqual([{ from: CLIENT, to: SERVER, dataBytes: nearCounters.dataOut }]);
    expect(server.flows()).toEqual([{ from: SERVER, to: CLIENT, dataBytes: farCounters.dataOut }]);
  });

  it('delivers what was sent before a link was closed, and why it was', async () => {
    const { near, far } = await pair();
    near.link.sendControl(Uint8Array.of(0x91, 1));
    near.link.close(4_001, 'enough');
    await settle();
    await pass(58);
    expect(far.told.end).toBeUndefined();
    await pass(4);
    await until(() => far.told.end !== undefined);
    expect(far.told.messages).toHaveLength(1);
    expect(far.told.end).toEqual({ code: 4_001, why: 'enough' });
    await inTime(() => near.told.end !== undefined);
  });

  it('delivers what has left the uplink when the program is gone, and then the end', async () => {
    const [server, client] = [host(SERVER, 0), host(CLIENT, 1)];
    const came: Buffer[] = [];
    let isOver = false;
    const listener: Server = createServer((socket) => {
      const stream = server.transport.accepted(socket);
      stream.on('data', (bytes: Buffer) => came.push(bytes));
      stream.on('end', () => {
        isOver = true;
        stream.end();
      });
    });
    await new Promise<void>((resolve) => listener.listen(0, SERVER, resolve));
    ends.push(() => listener.close());
    const { port } = listener.address() as { port: number };
    const stream = client.transport.connect({ host: SERVER, port });
    await inTime(() => !(stream as Duplex & { connecting: boolean }).connecting);
    stream.write('last words');
    stream.destroy();
    await settle();
    expect(came).toHaveLength(0);
    await pass(61);
    await until(() => isOver);
    expect(Buffer.concat(came).toString()).toBe('last words');
  });

  it('leaves alone what comes from elsewhere than from hosts, and from itself', async () => {
    const server = host(SERVER, 0, { upBps: 8_000 });
    const http = createHttpServer({ host: SERVER, port: 0, transport: server.transport });
    ends.push(() => http.close());
    http.app.get('/film', async () => 'x'.repeat(100_000));
    const { url } = await http.listen();
    // The clock stands, so nothing would come out of a bucket.
    expect(await (await fetch(`${url}/film`)).text()).toHaveLength(100_000);
    expect(server.counts().sent.otherBytes).toBe(0);
    const self = server.transport.connect({ host: SERVER, port: Number(new URL(url).port) });
    expect(self).toBeInstanceOf(Socket);
    self.destroy();
  });

  it('breaks off with whoever comes from a host’s address and is none', async () => {
    host(CLIENT, 1);
    const { listener, far } = await listen(host(SERVER, 0), SERVER);
    const told = new Told();
    dialLink(listener.url, told, { transport: tcpFrom(CLIENT) });
    await until(() => told.end !== undefined);
    expect(far).toHaveLength(0);
  });

  it('serves pages at the rate of its uplink to other hosts', async () => {
    const [server, client] = [host(SERVER, 0, { upBps: MBIT }), host(CLIENT, 1)];
    const http = createHttpServer({ host: SERVER, port: 0, transport: server.transport });
    ends.push(() => http.close());
    http.app.get('/film', async () => 'x'.repeat(100_000));
    const { url } = await http.listen();
    const stream = client.transport.connect({ host: SERVER, port: Number(new URL(url).port) });
    let text = '';
    stream.on('data', (bytes: Buffer) => {
      text += bytes.toString();
    });
    stream.write(`GET /film HTTP/1.1\r\nHost: ${SERVER}\r\nConnection: close\r\n\r\n`);
    await pass(160 + 40 + 700);
    expect(text.length).toBeLessThan(90_000);
    await inTime(() => stream.destroyed);
    expect(text).toContain('200 OK');
    expect(text.endsWith('x'.repeat(100_000))).toBe(true);
    expect(server.counts().sent.otherBytes).toBe(text.length);
  });

  describe('is told to', () => {
    it('drop its links: both ends hear of it', async () => {
      const { client, near, far } = await pair();
      client.order({ do: 'drop', host: SERVER });
      await settle();
      expect(near.told.end).toBeUndefined();
      client.order({ do: 'drop', host: CLIENT });
      await until(() => near.told.end !== undefined && far.told.end !== undefined);
      expect([near.told.end!.code, far.told.end!.code]).toEqual([1006, 1006]);
    });

    it('lose links: nothing comes any more, either way, and nobody hears of it', async () => {
      const { client, near, far } = await pair();
      near.link.sendControl(Uint8Array.of(0x91, 1));
      client.order({ do: 'lose', host: CLIENT, share: 1, seed: 1 });
      near.link.sendControl(Uint8Array.of(0x91, 2));
      far.link.sendControl(Uint8Array.of(0x91, 3));
      await pass(500);
      expect([near.told.messages.length, far.told.messages.length]).toEqual([0, 0]);
      expect([near.told.end, far.told.end]).toEqual([undefined, undefined]);
      expect(near.link.bufferedBytes).toBe(0);
      // What is opened afterwards is whole.
      far.link.close(1000, 'over');
    });

    it('lose a share of its links, the same ones for the same seed', async () => {
      const survivors = async (seed: number): Promise<string> => {
        const [server, client] = [host(SERVER, 0), host(CLIENT, 1)];
        const { listener, far } = await listen(server, SERVER);
        const near = Array.from({ length: 12 }, () => dial(client, listener));
        await inTime(() => near.every(({ told }) => told.isOpen));
        client.order({ do: 'lose', host: CLIENT, share: 0.5, seed });
        for (const { link } of far) link.sendControl(Uint8Array.of(0x91, 1));
        await pass(100);
        client.close();
        const alive = near.map(({ told }) => (told.messages.length > 0 ? 1 : 0)).join('');
        for (const end of ends.splice(0).reverse()) await end();
        return alive;
      };
      const first = await survivors(7);
      expect(first).toMatch(/0.*1|1.*0/);
      expect(await survivors(7)).toBe(first);
      expect(await survivors(8)).not.toBe(first);
    });

    it('stand still: nothing comes or goes, new links neither, and all of it comes after', async () => {
      const { client, listener, near, far, others } = await pair();
      client.order({ do: 'hold', host: CLIENT, forMs: 3_000 });
      near.link.sendControl(Uint8Array.of(0x91, 1));
      far.link.sendControl(Uint8Array.of(0x91, 2));
      const late = dial(client, listener);
      await pass(2_990, 10);
      expect([near.told.messages.length, far.told.messages.length, others.length]).toEqual([0, 0, 1]);
      await pass(15);
      await until(() => near.told.messages.length === 1 && far.told.messages.length === 1);
      await inTime(() => late.told.isOpen);
    });

    it('be gone without a word: others find its links broken, its own program does not', async () => {
      const { client, listener, near, far, others } = await pair();
      client.order({ do: 'cut-off', host: CLIENT });
      await until(() => far.told.end !== undefined);
      near.link.sendControl(Uint8Array.of(0x91, 1));
      const late = dial(client, listener);
      await pass(900, 10);
      expect(near.told.end).toBeUndefined();
      expect([others.length, late.told.end]).toEqual([1, undefined]);
      client.order({ do: 'reconnect', host: CLIENT });
      await until(() => near.told.end !== undefined);
      await inTime(() => late.told.isOpen);
    });

    it('be gone, and takes no links while it is', async () => {
      const { server, client, listener, others } = await pair();
      server.order({ do: 'cut-off', host: SERVER });
      const refused = dial(client, listener);
      await inTime(() => refused.told.end !== undefined);
      server.order({ do: 'reconnect', host: SERVER });
      const again = dial(client, listener);
      await inTime(() => again.told.isOpen);
      expect(others).toHaveLength(2);
    });

    it('lie: each block that it sends is wrong by a byte, and the program’s own copy is not', async () => {
      const { server, near, far } = await pair({ upBps: MBIT });
      server.order({ do: 'lie', host: SERVER });
      const block = new Uint8Array(50_000).fill(7);
      far.link.sendControl(new Uint8Array(1_000).fill(0x90));
      far.link.sendBlock(HEADER, block);
      far.link.sendControl(new Uint8Array(1_000).fill(0x90));
      await inTime(() => near.told.messages.length === 2);
      expect(near.told.messages.every((bytes) => bytes.every((byte) => byte === 0x90))).toBe(true);
      const came = near.told.blocks[0]!;
      expect([...came.subarray(0, 8)]).toEqual([...HEADER]);
      expect(came.subarray(8).filter((byte) => byte !== 7)).toHaveLength(1);
      expect(block.every((byte) => byte === 7)).toBe(true);
      // Who comes to its place after it is somebody else.
      server.order({ do: 'reconnect', host: SERVER });
      far.link.sendBlock(HEADER, block);
      await inTime(() => near.told.blocks.length === 2);
      expect(near.told.blocks[1]!.subarray(8).every((byte) => byte === 7)).toBe(true);
    });

    it('let nothing through between two regions for a while: all of it comes when TCP sends it again', async () => {
      const { server, client, listener, near, far, others } = await pair();
      both([server, client], { do: 'part', regions: [0, 1], forMs: 1_000 });
      near.link.sendControl(Uint8Array.of(0x91, 1));
      far.link.sendControl(Uint8Array.of(0x91, 2));
      const late = dial(client, listener);
      await pass(1_390, 10);
      expect([near.told.messages.length, far.told.messages.length, others.length]).toEqual([0, 0, 1]);
      await pass(20);
      await until(() => near.told.messages.length === 1 && far.told.messages.length === 1);
      await inTime(() => late.told.isOpen);
    });

    it('part regions that are not its own: its links go on', async () => {
      const { server, client, near, far } = await pair();
      both([server, client], { do: 'part', regions: [1, 1], forMs: 1_000 });
      near.link.sendControl(Uint8Array.of(0x91, 1));
      await pass(65);
      await until(() => far.told.messages.length === 1);
    });

    it('part a region within itself', async () => {
      const [server, client] = [host(SERVER, 1), host(CLIENT, 1)];
      const { listener, far } = await listen(server, SERVER);
      const near = dial(client, listener);
      await inTime(() => near.told.isOpen && far.length === 1);
      both([server, client], { do: 'part', regions: [1, 1], forMs: 1_000 });
      near.link.sendControl(Uint8Array.of(0x91, 1));
      await settle();
      await pass(990, 10);
      expect(far[0]!.told.messages).toHaveLength(0);
      await inTime(() => far[0]!.told.messages.length === 1);
    });

    it('change its rates, and nothing that is no rate', async () => {
      const { server, near, far } = await pair({ upBps: 100 * MBIT });
      server.order({ do: 'rates', host: SERVER, upBps: MBIT / 10, downBps: MBIT });
      far.link.sendBlock(HEADER, new Uint8Array(12_500));
      await pass(900);
      expect(near.told.blocks).toHaveLength(0);
      await pass(150);
      await until(() => near.told.blocks.length === 1);
      expect(() => server.order({ do: 'rates', host: SERVER, upBps: Number.NaN, downBps: 1 })).toThrow(RangeError);
      expect(() => server.order({ do: 'hold', host: SERVER, forMs: -1 })).toThrow(RangeError);
    });
  });

  it('ends all its connections when it is closed, also those that wait', async () => {
    const { client, listener, near, far } = await pair();
    const waiting = dial(client, listener);
    client.close();
    await until(() => near.told.end !== undefined && far.told.end !== undefined && waiting.told.end !== undefined);
    const after = dial(client, listener);
    await until(() => after.told.end !== undefined);
    expect(after.told.end!.why).toContain('is closed');
  });
});
