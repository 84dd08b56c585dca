import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FRAME_BLOCK } from '../../protocol/frames.ts';
import { canOpenLab } from '../harness/links/lab/can-open.ts';
import type { Lab } from '../harness/links/lab/lab.ts';
import { HELD_BYTES_MAX } from '../harness/links/relay/way.ts';
import type { EndState } from './lab-program.ts';
import { countsOf, host, openStage, type Player, play, ROUND_TRIP_MS } from './lab-stage.ts';

const HOME = '198.18.0.1';
const AWAY = '198.18.0.2';
const SLOW = '198.18.0.3';
const FAST = '198.18.0.4';
const GUEST = '198.18.0.5';
/** By so much the steps of a handshake and a round trip may come too early in all: each by half a ms. */
const TICK_MS = 2;
const PATIENCE = { timeout: 10_000, interval: 10 };

const can = await canOpenLab();

if (!can.ok) {
  it('where there can be no lab, it says why and what to do', () => {
    expect(can.why).toMatch(/root|install|Linux|kernel/);
  });
} else {
  describe('links between namespaces', () => {
    let lab: Lab;
    let home: Player;
    let away: Player;
    let pair: Player;

    beforeAll(async () => {
      lab = await openStage();
      [home, away, pair] = (await Promise.all([
        play(lab, 'home', [host(HOME, 0)]),
        play(lab, 'away', [host(AWAY, 1)]),
        play(lab, 'pair', [host(SLOW, 0, 2e6, 20e6), host(FAST, 0, 8e6, 20e6)]),
      ])) as [Player, Player, Player];
      await Promise.all([
        home.call('listen', HOME, 'echo'),
        home.call('listenLinks', HOME),
        pair.call('listen', FAST, 'read'),
        pair.call('listen', SLOW, 'wait'),
      ]);
    });
    afterAll(() => lab.close());

    /** A new connection, and its end over there. */
    async function connection(from: Player, fromAddress: string, to: Player, toAddress: string) {
      const end = await from.call('dial', fromAddress, toAddress);
      const port = (await from.call('look'))[end]!.localPort;
      await expect.poll(() => to.at(port), PATIENCE).toBeDefined();
      const here = async (): Promise<EndState> => (await from.call('look'))[end]!;
      const there = async (): Promise<EndState> => (await to.at(port))!;
      return { end, port, here, there };
    }

    it('an echo takes the round trip between the regions, and the first one that of the handshake as well', async () => {
      expect(await away.call('knock', AWAY, HOME, 'first')).toBeGreaterThanOrEqual(2 * ROUND_TRIP_MS - TICK_MS);
      const { end } = await connection(away, AWAY, home, HOME);
      await away.call('ask', end, 'first');
      expect(await away.call('ask', end, 'again')).toBeGreaterThanOrEqual(ROUND_TRIP_MS - TICK_MS);
    });

    it('who accepts sees the address and port of who has dialled', async () => {
      const { port, there } = await connection(away, AWAY, home, HOME);
      expect((await there()).remote).toBe(`${AWAY}:${port}`);
    });

    it('two hosts of one program talk through the middle, each by its own address', async () => {
      const before = await countsOf(lab, FAST);
      const { end, there } = await connection(pair, SLOW, pair, FAST);
      await pair.call('send', end, 'neighbour');
      await expect.poll(there, PATIENCE).toMatchObject({ text: 'neighbour', receivedBytes: 9 });
      expect((await there()).remote).toMatch(SLOW);
      expect((await countsOf(lab, FAST)).received.otherBytes - before.received.otherBytes).toBe(9);
    });

    it('an end of what is sent is passed on, and the other way stays open', async () => {
      const { end, here, there } = await connection(away, AWAY, home, HOME);
      await away.call('send', end, 'last words');
      await away.call('end', end);
      await expect.poll(there, PATIENCE).toMatchObject({ text: 'last words', ended: true, closed: false });
      await expect.poll(here, PATIENCE).toMatchObject({ text: 'last words', ended: false, error: undefined });
    });

    it('where nobody listens, the dialler is told after a round trip', async () => {
      const end = await home.call('dial', HOME, AWAY);
      await expect(home.call('ask', end, 'anybody?')).rejects.toThrow();
      expect((await home.call('look'))[end]).toMatchObject({ closed: true, error: 'ECONNRESET' });
    });

    it('hosts of one program have rates of their own, and the kernel counts what they sent', async () => {
      const BYTES = 300_000;
      const slow = await connection(pair, SLOW, home, HOME);
      const fast = await connection(pair, FAST, home, HOME);
      const sinceMs = performance.now();
      const tookMs = async ({ here }: typeof slow): Promise<number> => {
        await expect.poll(async () => (await here()).receivedBytes, PATIENCE).toBe(BYTES);
        return performance.now() - sinceMs;
      };
      for (const { end } of [slow, fast]) await pair.call('sendBytes', end, BYTES);
      const [slowMs, fastMs] = await Promise.all([tookMs(slow), tookMs(fast)]);
      // All but the burst that an idle link lets through.
      expect(slowMs).toBeGreaterThanOrEqual(((BYTES - 20_000) * 8) / 2_000);
      expect(fastMs).toBeGreaterThanOrEqual(((BYTES - 20_000) * 8) / 8_000);
      expect(fastMs).toBeLessThan(slowMs);

      const { sockets, hosts } = await lab.kernel(pair.program);
      for (const { port } of [slow, fast]) {
        const socket = sockets.find(({ local }) => local.port === port)!;
        expect(socket.sentBytes - socket.resentBytes).toBe(BYTES);
        expect(socket).toMatchObject({ receivedBytes: BYTES, unsentBytes: 0, unackedPackets: 0 });
      }
      for (const { sent } of hosts) {
        // Each packet has 52 bytes of headers before at most 8,948 of the program's.
        expect(sent.bytes - sent.packets * 52).toBeGreaterThanOrEqual(BYTES);
        expect(sent.bytes - sent.packets * 52).toBeLessThan(BYTES * 1.05 + sent.dropped * 9_000);
      }
    });

    it('rates change while bytes flow', async () => {
      await lab.order({ do: 'rates', host: FAST, upBps: 500_000, downBps: 20e6 });
      const { end, here } = await connection(pair, FAST, home, HOME);
      const sinceMs = performance.now();
      await pair.call('sendBytes', end, 50_000);
      await expect.poll(async () => (await here()).receivedBytes, PATIENCE).toBe(50_000);
      expect(performance.now() - sinceMs).toBeGreaterThanOrEqual((40_000 * 8) / 500);
      await lab.order({ do: 'rates', host: FAST, upBps: 8e6, downBps: 20e6 });
    });

    it('what a receiver does not take waits within bounds, and its sender with it', async () => {
      const BYTES = 24_000_000;
      await lab.order({ do: 'rates', host: SLOW, upBps: 2e6, downBps: 1e9 });
      const before = [await countsOf(lab, HOME), await countsOf(lab, SLOW)] as const;
      const { end, port, there } = await connection(home, HOME, pair, SLOW);
      await home.call('sendBytes', end, BYTES);
      const waiting = async (): Promise<number> => {
        const [sent, received] = [await countsOf(lab, HOME), await countsOf(lab, SLOW)];
        const wasSent = sent.sent.otherBytes - before[0].sent.otherBytes;
        return wasSent - (received.received.otherBytes - before[1].received.otherBytes);
      };
      await expect.poll(waiting, PATIENCE).toBeGreaterThan(0.9 * HELD_BYTES_MAX);
      expect(await waiting()).toBeLessThan(HELD_BYTES_MAX + 65_536);
      const reader = (await pair.call('look')).findIndex(({ remote }) => remote === `${HOME}:${port}`);
      await pair.call('resume', reader);
      await expect.poll(async () => (await there()).receivedBytes, PATIENCE).toBe(BYTES);
      expect(await waiting()).toBe(0);
    });

    it('blocks and control are counted from outside as their programs count them', async () => {
      const before = await Promise.all([countsOf(lab, AWAY), countsOf(lab, HOME)]);
      await away.call('dialLink', HOME);
      await away.call('sendBlocks', 0, 20, 30_000);
      await away.call('sendControls', 0, 7, 200);
      await expect.poll(async () => (await home.call('lookLinks')).messages, PATIENCE).toBe(27);
      await home.call('sendBlocks', 0, 5, 70_000);
      await expect.poll(async () => (await away.call('lookLinks')).messages, PATIENCE).toBe(5);
      const after = await Promise.all([countsOf(lab, AWAY), countsOf(lab, HOME)]);
      const [own, homes] = [await away.call('lookLinks'), await home.call('lookLinks')];
      const more = (of: 0 | 1, way: 'sent' | 'received', kind: keyof (typeof after)[0]['sent']): number =>
        after[of][way][kind] - before[of][way][kind];
      expect(more(0, 'sent', 'dataBytes')).toBe(own.dataOut);
      expect(more(0, 'sent', 'controlBytes')).toBe(own.controlOut);
      expect(more(0, 'sent', 'dataMessages')).toBe(20);
      expect(more(0, 'sent', 'controlMessages')).toBe(7);
      expect(more(0, 'received', 'dataBytes')).toBe(homes.dataOut);
      expect(more(1, 'received', 'dataBytes')).toBe(own.dataOut);
      expect(more(1, 'sent', 'dataMessages')).toBe(5);
      expect((await lab.counts()).flows).toEqual(
        expect.arrayContaining([
          { from: AWAY, to: HOME, dataBytes: own.dataOut },
          { from: HOME, to: AWAY, dataBytes: homes.dataOut },
        ]),
      );
    });

    it('a liar’s blocks are wrong by their last byte, and nobody else’s', async () => {
      await lab.order({ do: 'lie', host: AWAY });
      const before = (await home.call('lookLinks')).lastBytes.length;
      await away.call('sendBlocks', 0, 3, 5_000);
      await expect.poll(async () => (await home.call('lookLinks')).lastBytes.length, PATIENCE).toBe(before + 3);
      await home.call('sendBlocks', 0, 1, 5_000);
      await expect.poll(async () => (await away.call('lookLinks')).messages, PATIENCE).toBe(6);
      expect((await home.call('lookLinks')).lastBytes.slice(before)).toEqual([6, 6, 6]);
      expect((await away.call('lookLinks')).lastBytes.at(-1)).toBe(7);
      expect(FRAME_BLOCK).toBe(1);
      // Who comes to its place after it is somebody else.
      await lab.order({ do: 'reconnect', host: AWAY });
      await away.call('sendBlocks', 0, 1, 5_000);
      await expect
        .poll(async () => (await home.call('lookLinks')).lastBytes.slice(before), PATIENCE)
        .toEqual([6, 6, 6, 7]);
    });

    it('a connection that both sides have closed is forgotten', async () => {
      const { connections } = await lab.health();
      await away.call('closeLinks');
      await expect.poll(async () => (await lab.health()).connections, PATIENCE).toBeLessThan(connections);
    });

    it('what stands still gets everything afterwards, and so do the others', async () => {
      const { end } = await connection(away, AWAY, home, HOME);
      const sinceMs = performance.now();
      await lab.order({ do: 'hold', host: AWAY, forMs: 600 });
      await away.call('ask', end, 'slowly');
      expect(performance.now() - sinceMs).toBeGreaterThanOrEqual(600 - TICK_MS);
      expect(await away.call('ask', end, 'again')).toBeGreaterThanOrEqual(ROUND_TRIP_MS - TICK_MS);
    });

    it('parted regions hear nothing of each other until TCP tries again; within a region all goes on', async () => {
      const across = await connection(away, AWAY, home, HOME);
      const within = await connection(pair, FAST, home, HOME);
      const sinceMs = performance.now();
      await lab.order({ do: 'part', regions: [1, 0], forMs: 700 });
      const order: string[] = [];
      await Promise.all([
        away.call('ask', across.end, 'over there').finally(() => order.push('across')),
        pair.call('ask', within.end, 'here').finally(() => order.push('within')),
      ]);
      expect(order).toEqual(['within', 'across']);
      expect(performance.now() - sinceMs).toBeGreaterThanOrEqual(700 - TICK_MS);
    });

    it('dropped connections break at both ends, and others can be dialled', async () => {
      const { here, there } = await connection(away, AWAY, home, HOME);
      await lab.order({ do: 'drop', host: AWAY });
      await expect.poll(here, PATIENCE).toMatchObject({ closed: true, error: 'ECONNRESET' });
      await expect.poll(there, PATIENCE).toMatchObject({ closed: true, error: 'ECONNRESET' });
      expect(await away.call('knock', AWAY, HOME, 'again')).toBeGreaterThan(0);
    });

    it('of a lost connection nothing comes, and nobody is told', async () => {
      const lost = await connection(away, AWAY, home, HOME);
      await lab.order({ do: 'lose', host: AWAY, share: 1, seed: 7 });
      await away.call('send', lost.end, 'is anybody there?');
      await away.call('end', lost.end);
      await away.call('knock', AWAY, HOME, 'another one');
      expect(await lost.there()).toMatchObject({ receivedBytes: 0, ended: false, closed: false, error: undefined });
      expect(await lost.here()).toMatchObject({ receivedBytes: 0, ended: false, closed: false, error: undefined });
    });

    it('whoever is cut off is gone for the others and is not told; back again it can be dialled', async () => {
      const { end, here, there } = await connection(away, AWAY, home, HOME);
      await lab.order({ do: 'cut-off', host: AWAY });
      await expect.poll(there, PATIENCE).toMatchObject({ closed: true, error: 'ECONNRESET' });
      await away.call('send', end, 'into the void');
      await expect(away.call('knock', AWAY, HOME, 'from there')).rejects.toThrow();
      await expect(home.call('knock', HOME, AWAY, 'to there')).rejects.toThrow();
      expect(await here()).toMatchObject({ closed: false, error: undefined });
      expect(await there()).toMatchObject({ receivedBytes: 0 });
      await lab.order({ do: 'reconnect', host: AWAY });
      await expect.poll(here, PATIENCE).toMatchObject({ closed: true, error: 'ECONNRESET' });
      expect(await away.call('knock', AWAY, HOME, 'back')).toBeGreaterThan(0);
    });

    it('a program that has ended leaves its address to the next one, and its links break', async () => {
      const guest = await play(lab, 'guest', [host(GUEST, 0)]);
      const { end, there } = await connection(guest, GUEST, home, HOME);
      await guest.call('ask', end, 'hello');
      await guest.program.kill();
      await expect.poll(there, PATIENCE).toMatchObject({ text: 'hello', ended: true });
      // The server does not end its side by itself, but its kernel is told.
      const left = async () =>
        (await lab.kernel(home.program)).sockets.filter(({ remote }) => remote.address === GUEST);
      await expect.poll(left, PATIENCE).toEqual([]);
      // Whatever the last one was, the next one is not.
      await lab.order({ do: 'cut-off', host: GUEST });
      const next = await play(lab, 'next guest', [host(GUEST, 0)]);
      expect(await next.call('knock', GUEST, HOME, 'hello again')).toBeGreaterThan(0);
    });

    it('orders for nobody, and programs that have no address of their own, are refused with reasons', async () => {
      await expect(lab.order({ do: 'drop', host: '198.18.9.9' })).rejects.toThrow('there is no host 198.18.9.9');
      await expect(lab.order({ do: 'part', regions: [0, 9], forMs: 1 })).rejects.toThrow('there is no region 9');
      await expect(play(lab, 'twin', [host(HOME, 0)])).rejects.toThrow(`home has the address ${HOME}`);
      await expect(play(lab, 'stranger', [host('10.0.0.1', 0)])).rejects.toThrow('198.18.0.0/15');
      const command = ['/nowhere/program'];
      await expect(lab.spawn({ name: 'ghost', hosts: [host('198.18.0.9', 0)], command })).rejects.toThrow('ghost');
    });
  });
}
