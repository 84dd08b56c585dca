import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { dialLink, type Link } from '../../runtime/node/ws-link.ts';
import { listenWebSockets, type WebSocketListener } from '../../runtime/node/ws-server.ts';
import { Agent } from '../harness/agent/agent.ts';
import { findingsOf } from '../harness/agent/kernel-check.ts';
import { refusal } from '../harness/agent/lent-orders.ts';
import type { Challenge, FromAgent, ToAgent } from '../harness/agent/messages.ts';
import {
  MESSAGE_BYTES_MAX,
  MessageReader,
  piecesOf,
  STRANGERS_BYTES_MAX,
  sendMessage,
} from '../harness/agent/pieces.ts';
import { isProof, makeNonce, proofOf, readNonce } from '../harness/agent/proof.ts';
import { type AgentLink, Agents } from '../harness/controller/agents.ts';
import { Session } from '../harness/controller/session.ts';
import { freePort } from './measured.ts';

const KEY = 'what both of them know';

describe('proofs that a key is held', () => {
  const [a, b] = [makeNonce(), makeNonce()];

  it('hang on the key, on who proves it and on both nonces', () => {
    const right = proofOf(KEY, 'agent', a, b);
    const others = [
      proofOf('another', 'agent', a, b),
      proofOf(KEY, 'controller', a, b),
      proofOf(KEY, 'agent', b, a),
      proofOf(KEY, 'agent', a, makeNonce()),
    ];
    expect(isProof(right, right)).toBe(true);
    for (const other of [...others, '', right.slice(1), undefined, 7, { right }])
      expect(isProof(other, right)).toBe(false);
  });

  it('take nonces as they are made, and nothing in which something else could hide', () => {
    expect(readNonce(a)).toBe(a);
    expect(makeNonce()).not.toBe(makeNonce());
    for (const odd of ['', a.slice(1), `${a}\n${b}`, `${a}=`, 7, null, undefined, [a]])
      expect(readNonce(odd)).toBeUndefined();
  });
});

describe('messages between controller and agent', () => {
  it('are whole again, however long they are, and none of their pieces is longer than a control message', () => {
    const reader = new MessageReader();
    reader.bytesMax = MESSAGE_BYTES_MAX;
    for (const text of ['', 'é'.repeat(40_000), 'x'.repeat(64_510), 'x'.repeat(500_000)]) {
      const message = { say: 'worker', text };
      const pieces = piecesOf(message);
      expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThanOrEqual(65_536);
      const taken = pieces.map((piece) => reader.take(piece));
      expect(taken.slice(0, -1).every((one) => one === 'more')).toBe(true);
      expect(taken.at(-1)).toEqual(message);
    }
  });

  it('are refused where they are none', () => {
    const take = (text: string) => new MessageReader().take(Buffer.from(text));
    for (const text of ['', '=', '={', '=null', '=[]', '={"say":7}', '="say"', '{"say":"clear"}', '?{"say":"clear"}'])
      expect(take(text)).toBeUndefined();
    expect(take('={"say":"clear"}')).toEqual({ say: 'clear' });
  });

  it('of strangers are short, in pieces as well', () => {
    const reader = new MessageReader();
    const piece = Buffer.concat([Buffer.from('+'), Buffer.alloc(STRANGERS_BYTES_MAX / 2)]);
    expect([reader.take(piece), reader.take(piece), reader.take(piece)]).toEqual(['more', 'more', undefined]);
  });
});

describe('what a machine that is lent does for its controller', () => {
  const HOST = '192.0.2.8';
  const host = { name: 'viewer 1', address: `${HOST}:20001`, region: 1, upBps: 1e6, downBps: 2e7 };
  const viewer = {
    ...{ kind: 'viewer', host: host.address, tracker: 'ws://192.0.2.7:20000', stream: 'abc', mode: 'ins' },
    ...{ region: 'eu', dialable: true, witnessed: false },
  } as const;
  const start = (program: object) => ({
    ...{ say: 'tell', worker: 'viewers 1' },
    message: { do: 'start', id: 'viewer 1.0', atMs: null, program },
  });
  const spawn = (of: object) => ({ say: 'spawn', worker: 'viewers 1', hosts: [{ ...host, ...of }] });
  const refused = (order: object) => refusal(order as ToAgent, HOST);

  it('is all that viewers at its own address need', () => {
    const orders = [
      { say: 'ports', host: HOST, from: 20_000, count: 30 },
      { say: 'ground', links: 'buckets', delays: [[0]], regions: null },
      spawn({}),
      start(viewer),
      { say: 'tell', worker: 'viewers 1', message: { do: 'stop', id: 'viewer 1.0', crashes: true } },
      { say: 'tell', worker: 'viewers 1', message: { do: 'sample', at: -1 } },
      { say: 'link', order: { do: 'rates', host: host.address, upBps: 5, downBps: 5 } },
      { say: 'link', order: { do: 'hold', host: host.address, forMs: 500 } },
      { say: 'link', order: { do: 'cut-off', host: host.address } },
      { say: 'kill', worker: 'viewers 1' },
      { say: 'sample', at: 3 },
      { say: 'kernel', at: 0 },
      { say: 'clear' },
    ];
    for (const order of orders) expect(refused(order), JSON.stringify(order)).toBeUndefined();
  });

  it('is no other program: none that reads files, writes them or runs something', () => {
    const source = { kind: 'source', host: host.address, input: '/etc/passwd', keyFile: '/root/.ssh/authorized_keys' };
    for (const program of [
      source,
      { ...viewer, kind: 'ins' },
      { ...viewer, kind: 'tracker' },
      { ...viewer, kind: 'browser' },
    ])
      expect(refused(start(program))).toBe('viewers alone run on machines that are lent');
    expect(refused(start({ ...viewer, witnessed: true }))).toMatch(/no browser/);
  });

  it('is nothing at another address, and no network', () => {
    for (const address of ['192.0.2.9:20001', HOST, `${HOST}:80`, `${HOST}:99999`, `${HOST}:20001; reboot`, 7]) {
      expect(refused(spawn({ address })), String(address)).toBe(`its hosts are at ${HOST}`);
      expect(refused(start({ ...viewer, host: address }))).toBe(`its viewers are at ${HOST}`);
    }
    expect(refused({ say: 'ports', host: '127.0.0.1', from: 20_000, count: 1 })).toBeDefined();
    expect(refused({ say: 'ground', links: 'namespaces', delays: [[0]], regions: null })).toBe('it makes no networks');
    expect(refused({ say: 'ground', links: 'buckets', delays: [[0]], regions: {} })).toBe('it makes no networks');
  });

  it('is nothing that is not understood, or without bounds', () => {
    const orders = [
      { say: 'burn' },
      { say: 'spawn', worker: 'viewers 1', hosts: null },
      { say: 'spawn', worker: 7, hosts: [] },
      { say: 'spawn', worker: 'viewers 1', hosts: Array(20_000).fill(host) },
      spawn({ upBps: '1mbit' }),
      spawn({ upBps: -1 }),
      { say: 'tell', worker: 'viewers 1', message: null },
      { say: 'tell', worker: 'viewers 1', message: { do: 'begin', hosts: [], buckets: null } },
      { say: 'tell', worker: 'viewers 1', message: { do: 'link', order: {} } },
      start({ ...viewer, tracker: 'file:///etc/passwd' }),
      start({ ...viewer, mode: 'other' }),
      { say: 'link', order: null },
      { say: 'link', order: { do: 'part', regions: [0, 0], forMs: 5 } },
      { say: 'link', order: { do: 'hold', host: host.address, forMs: 1e12 } },
      { say: 'ports', host: HOST, from: 22, count: 1 },
      { say: 'ports', host: HOST, from: 20_000, count: 1e9 },
      { say: 'ground', links: 'buckets', delays: [['x']], regions: null },
      { say: 'sample', at: null },
    ];
    for (const order of orders) expect(refused(order), JSON.stringify(order)).toEqual(expect.any(String));
  });
});

describe('what programs and their kernel count', () => {
  const end = (address: string, port: number) => ({ address, port });
  const socket = (port: number, of: object = {}) => ({
    ...{ state: 'ESTAB', local: end('198.18.1.1', port), remote: end('::ffff:198.18.0.1', 4_800) },
    ...{ sentBytes: 500, resentBytes: 0, ackedBytes: 350, queuedBytes: 70, unsentBytes: 20, unackedPackets: 1 },
    ...{ receivedBytes: 1_030, unreadBytes: 30, ...of },
  });
  const own = (localPort: number, receivedBytes: number) => ({
    ...{ localAddress: '198.18.1.1', localPort, remoteAddress: '198.18.0.1', remotePort: 4_800 },
    ...{ sentBytes: 420, receivedBytes },
  });
  const totals = (bytes: number) => ({ bytes, packets: 3, dropped: 0 });

  it('is added up over the connections that both know: what has arrived or waits, and not what was sent in vain', () => {
    const kernel = {
      sockets: [socket(1), socket(2, { receivedBytes: 199_580, unreadBytes: 0 }), socket(9)],
      hosts: [{ address: '198.18.1.1', sent: totals(2_000), received: totals(300_000) }],
    };
    const found = findingsOf([{ own: [own(1, 1_000), own(2, 195_580), own(3, 77_777)], kernel }]);
    expect(found).toEqual({
      ...{ sockets: 2, ownBytes: 1_420 + 196_000, kernelBytes: 1_420 + 200_000, worstShare: 0.02 },
      ...{ interfaceBytes: 302_000, interfacePackets: 6 },
    });
  });

  it('is nothing where nobody could tell', () => {
    expect(findingsOf([])).toMatchObject({ sockets: 0, ownBytes: 0, kernelBytes: 0, worstShare: 0 });
  });
});

describe('agents and their controller', () => {
  const ends: (() => unknown)[] = [];
  afterEach(async () => {
    for (const end of ends.splice(0).reverse()) await end();
  });

  /** A controller's door, and what is heard at it. */
  async function open(proveWithinMs = 10_000) {
    const joined: AgentLink[] = [];
    const heard: [AgentLink, FromAgent][] = [];
    const gone: string[] = [];
    const door = await Agents.listen(
      { host: '127.0.0.1', port: 0, key: KEY, isOwn: false, proveWithinMs },
      {
        joined: (agent) => joined.push(agent),
        heard: (agent, message) => heard.push([agent, message]),
        gone: (_, why) => gone.push(why),
      },
    );
    ends.push(() => door.close());
    return { door, joined, heard, gone };
  }

  function lend(controller: string, key = KEY): Agent {
    const agent = new Agent({ controller, key, host: '127.0.0.1', log: () => undefined });
    ends.push(() => agent.close());
    return agent;
  }

  /** A connection without any manners, and how it ends. */
  async function stranger(url: string, says: (socket: WebSocket, first: string) => void): Promise<string> {
    const socket = new WebSocket(url);
    ends.push(() => socket.terminate());
    return new Promise((resolve, reject) => {
      socket.once('message', (bytes) => says(socket, bytes.toString()));
      socket.once('close', (_code, why) => resolve(why.toString()));
      socket.once('error', reject);
    });
  }

  it('know each other by the key, and serve until the controller goes', async () => {
    const { door, joined, heard } = await open();
    const [one, other] = [lend(door.url), lend(door.url)];
    await expect.poll(() => joined.length).toBe(2);
    expect(new Set(joined.map(({ number }) => number)).size).toBe(2);
    expect(joined.map(({ isOwn, machine }) => [isOwn, machine.host])).toEqual(Array(2).fill([false, '127.0.0.1']));
    for (const agent of joined) agent.send({ say: 'ports', host: '127.0.0.1', from: 20_000, count: 2 });
    await expect.poll(() => heard.length).toBe(2);
    expect(new Set(heard.map(([agent]) => agent))).toEqual(new Set(joined));
    for (const [, message] of heard)
      expect(message).toMatchObject({ say: 'ports', ports: [expect.any(Number), expect.any(Number)] });
    joined[0]!.close('that is enough');
    await door.close();
    const said = await Promise.all([one.over, other.over]);
    expect(said.map(({ served }) => served)).toEqual([true, true]);
    expect(said.map(({ why }) => why)).toContain('that is enough');
  });

  it('an agent with another key is not let in, and is told why', async () => {
    const { door, joined } = await open();
    expect(await lend(door.url, 'something else').over).toEqual({ why: 'the agent holds another key', served: false });
    expect(joined).toEqual([]);
  });

  it('a controller with another key is not obeyed', async () => {
    const answers: string[] = [];
    let link: Link | undefined;
    const listener: WebSocketListener = await listenWebSockets({ host: '127.0.0.1', port: 0 }, {}, (made) => {
      link = made;
      const nonce = makeNonce();
      queueMicrotask(() => sendMessage(made, { say: 'challenge', nonce } as Challenge));
      const reader = new MessageReader<FromAgent>();
      return {
        control(bytes) {
          const message = reader.take(bytes);
          if (message === 'more' || message === undefined) return;
          answers.push(message.say);
          if (message.say !== 'hello') return;
          // What it would be with the key of the agent's own proof: it proves nothing.
          sendMessage(made, { say: 'welcome', proof: message.proof } as never);
          sendMessage(made, { say: 'ports', host: '127.0.0.1', from: 20_000, count: 1 } as never);
        },
        block() {},
        closed() {},
      };
    });
    ends.push(() => listener.close());
    expect(await lend(listener.url).over).toEqual({ why: 'the controller holds another key', served: false });
    expect(answers).toEqual(['hello']);
    expect(link).toBeDefined();
  });

  it('orders from whoever has not shown the key are not carried out', async () => {
    const answers: string[] = [];
    const listener = await listenWebSockets({ host: '127.0.0.1', port: 0 }, {}, (made) => {
      queueMicrotask(() => sendMessage(made, { say: 'clear' }));
      return { control: (bytes) => answers.push(Buffer.from(bytes).toString()), block() {}, closed() {} };
    });
    ends.push(() => listener.close());
    const { why } = await lend(listener.url).over;
    expect([why, answers]).toEqual(['the controller has not shown the key', []]);
  });

  it('an order that is refused ends the agent, which says why', async () => {
    const { door, joined, gone } = await open();
    const agent = lend(door.url);
    await expect.poll(() => joined.length).toBe(1);
    joined[0]!.send({ say: 'ground', links: 'namespaces', delays: [[0]], regions: null });
    expect(await agent.over).toEqual({ why: 'refused: it makes no networks', served: true });
    await expect.poll(() => gone).toEqual(['refused: it makes no networks']);
  });

  it('strangers get nothing but a challenge, and are closed for rubbish, for orders and for no key', async () => {
    const { door, joined, heard } = await open();
    let first = '';
    const rubbish = await stranger(door.url, (socket, text) => {
      first = text;
      socket.send(Buffer.from('={"say":'));
    });
    expect(first).toMatch(/^=\{"say":"challenge","nonce":"[\w-]{32}"\}$/);
    const say = (message: object) => (socket: WebSocket) => socket.send(Buffer.from(`=${JSON.stringify(message)}`));
    expect(rubbish).toBe('no message that is understood');
    expect(await stranger(door.url, say({ say: 'sample', at: 1 }))).toBe('the key comes first');
    expect(await stranger(door.url, say({ say: 'hello', nonce: 7, proof: null }))).toBe('the agent holds another key');
    expect(await stranger(door.url, (socket) => socket.send('text'))).toBe('only binary messages are understood');
    expect(await stranger(door.url, (socket) => socket.send(Buffer.alloc(20_000, '+')))).toBe(
      'no message that is understood',
    );
    expect([joined, heard]).toEqual([[], []]);
  });

  it('whoever says nothing is closed after a while', async () => {
    const { door } = await open(50);
    expect(await stranger(door.url, () => undefined)).toBe('nobody showed the key');
  });

  it('who was heard once cannot be played again', async () => {
    const { door, joined } = await open();
    const said: Uint8Array[] = [];
    // Somebody between an agent and its controller, who notes what the agent says.
    const relay = await listenWebSockets({ host: '127.0.0.1', port: 0 }, {}, (made) => {
      const on = dialLink(door.url, {
        control: (bytes) => made.sendControl(bytes),
        block() {},
        closed: () => made.close(1000, 'over'),
      });
      const control = (bytes: Uint8Array): void => {
        said.push(bytes);
        on.sendControl(bytes);
      };
      return { control, block() {}, closed: () => on.close(1000, 'over') };
    });
    ends.push(() => relay.close());
    lend(relay.url);
    await expect.poll(() => joined.length).toBe(1);
    const again = await stranger(door.url, (socket) => socket.send(said[0]!));
    expect([again, joined.length]).toEqual(['the agent holds another key', 1]);
  });

  it('an agent that comes when there are enough, or does not say where it is, is sent away', async () => {
    const port = await freePort();
    const stop = new AbortController();
    const opened = Session.open({
      agentCommand: [process.execPath, '-e', 'process.on("disconnect", () => process.exit())'],
      remote: { count: 1, host: '127.0.0.1', port, key: KEY },
      links: 'buckets',
      told: { notice: () => undefined, preparing: () => undefined },
      signal: stop.signal,
    });
    const url = `ws://127.0.0.1:${port}`;
    const over = expect(opened).rejects.toThrow('stopped');
    const nowhere = async () => (await new Agent({ controller: url, key: KEY, host: null, log: () => {} }).over).why;
    // Until its door is open.
    await expect.poll(nowhere).toMatch(/says its IPv4 address/);
    const first = lend(url);
    const second = lend(url);
    expect(await Promise.race([first.over, second.over])).toMatchObject({
      why: expect.stringMatching(/as many agents/),
    });
    stop.abort();
    await over;
    await Promise.all([first.over, second.over]);
  });

  it('a measurement that is stopped while it waits for agents ends at once, with nothing left', async () => {
    const stop = new AbortController();
    const waiting: string[] = [];
    const opened = Session.open({
      agentCommand: [process.execPath, '-e', 'process.stdin.resume(); process.on("disconnect", () => process.exit())'],
      remote: { count: 1, host: '127.0.0.1', port: 0, key: KEY },
      links: 'buckets',
      told: { notice: () => undefined, preparing: (text) => waiting.push(text) },
      signal: stop.signal,
    });
    stop.abort();
    await expect(opened).rejects.toThrow('stopped');
  });
});
